"""One run in one form: what one program wrote of it, as the app's summary and curves."""

from __future__ import annotations

from dataclasses import dataclass

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.data.formats.logged import FilePath, Folder


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One run in one form. The same run may stand there in others too.

    Attributes:
        folder: The folder that names the run, or the file that does where each file is a run.
        format: The title of the format ("TensorBoard"); of several, that of the leading form.
        files: What it was read from, the file with the curves first.
        key, identity, name, parent: As in ``LoggedRun``.
        run: With a provisional ``run_id`` and ``name``; without a version.
        curves: Under the same provisional ``run_id``.
    """

    folder: Folder
    format: str
    files: tuple[FilePath, ...]
    key: str
    identity: str
    name: str
    parent: str
    run: RunSummary
    curves: RunCurves


TEXT_LOG = "text log"
"""The format of lines of text, which any program writes."""
WANDB_CSV = "W&B CSV"
"""The format of W&B's exports, of which a chart has one metric of many runs."""
HF_TRAINER = "Hugging Face Trainer"
"""The format of a ``trainer_state.json``, which names its run and knows its checkpoints."""
