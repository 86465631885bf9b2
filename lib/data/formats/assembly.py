"""From what readers give to the app's runs: one module for whoever reads a folder.

``form_of`` makes a run of what one program logged, ``same_runs`` says which of these are one run in several forms, and
``merged`` makes one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.data.formats.forms.form import Form
from lib.data.formats.forms.merging import merged
from lib.data.formats.forms.same import same_runs, why_unused
from lib.data.formats.logged import Folder, LoggedRun

__all__ = ["Form", "form_of", "merged", "same_runs", "why_unused"]


def form_of(
    folder: Folder, format: str, logged: LoggedRun, side_files: Mapping[str, Mapping[str, Any]], changed_at: float
) -> Form:
    """Make a run of what one program logged.

    Args:
        folder: That of the unit it was read in.
        format: The title of the format.
        logged: What the reader gave.
        side_files: Objects of the JSON files beside it, by file name; those of its own that the reader read already
            do no harm.
        changed_at: When the newest of its files changed, in Unix seconds.
    """
    run_id = "/".join((*folder, logged.key)).strip("/") or "run"
    run = RunSummary(run_id=run_id, name=logged.name or (folder[-1] if folder else run_id))
    return Form(
        folder, format, logged.files, logged.key, logged.identity, logged.name, logged.parent, run, RunCurves(run_id)
    )
