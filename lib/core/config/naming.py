"""What runs are called where several are shown: labels with the hyperparameters that tell them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lib.core.config.diff import diff, differences
from lib.core.facts.runs import RunSummary
from lib.core.text.labels import unique_labels
from lib.core.text.looks import look

SHORT_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "learning_rate": "lr",
        "lora_r": "r",
        "batch_size": "batch",
        "effective_batch_size": "eff. batch",
        "total_epochs": "epochs",
        "seed": "seed",
    }
)
"""The parameters that people tell runs apart by, the most telling first, and how they are written."""

MOST_FACTS = 100
"""Settings that a label may be made of: who differs in more differs in these."""


def labels_of(runs: Sequence[RunSummary]) -> dict[str, str]:
    """Give every run a label that no other of ``runs`` has, by ``run_id``.

    Runs that share a name get the hyperparameters in which they differ, else their date, else the
    beginning of their id (``lib.core.text.labels.unique_labels``).
    """
    namesakes: dict[str, list[RunSummary]] = defaultdict(list)
    for run in runs:
        namesakes[look(run.name)].append(run)
    facts: dict[str, Mapping[str, str]] = {}
    for group in namesakes.values():
        if len(group) > 1:
            facts |= _differing(group)
    return unique_labels(runs, facts)


def _differing(group: Sequence[RunSummary]) -> dict[str, Mapping[str, str]]:
    """By ``run_id``, titles and values of the hyperparameters in which runs differ, the most telling first."""
    rows = {row.key: row for row in differences(diff(group))}
    telling = [rows[key] for key in dict.fromkeys((*SHORT_TITLES, *rows)) if key in rows][:MOST_FACTS]
    titles = [SHORT_TITLES.get(row.key, row.title) for row in telling]
    values = zip(*(row.texts() for row in telling), strict=True) if telling else ((),) * len(group)
    return {run.run_id: dict(zip(titles, shown, strict=True)) for run, shown in zip(group, values, strict=True)}
