"""From which files runs were read, and which of their metrics were read as ours: what the pages say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core.facts.foreign import isolated, legible
from lib.core.facts.metrics import METRICS, metric_of
from lib.core.facts.runs import RunSummary
from lib.core.text.formatting import shorten_middle
from lib.core.text.phrases import counted, in_sentence

MOST_FILES = 4
"""So many files of a run are named."""
FILE_LIMIT, NAME_LIMIT = 90, 60
"""Characters of a path, and of the name of a metric."""


@dataclass(frozen=True, slots=True)
class NamedMetric:
    """A metric that a program called otherwise.

    Attributes:
        name: What the program called it.
        metric: What it is read as, in words.
        is_guess: It may be another one.
    """

    name: str
    metric: str
    is_guess: bool


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """Runs that were read alike.

    Attributes:
        run_ids: The runs.
        formats: The formats of their logs, in words; "" where the source has but one way to read.
        metrics: Those of their metrics that are ours under another name.
        files: By run, where it was read from, in words; "" for one whose source has no files.
    """

    run_ids: tuple[str, ...]
    formats: str
    metrics: tuple[NamedMetric, ...]
    files: tuple[str, ...]


def read_from(runs: Sequence[RunSummary]) -> tuple[ReadFrom, ...]:
    """Say how runs were read, those that were read alike together, in the order of the first of each.

    Returns:
        Empty where the source does not say where any of the runs is from.
    """
    alike: dict[tuple[str, tuple[NamedMetric, ...]], list[RunSummary]] = {}
    for run in runs:
        if run.formats or run.files or run.read_as:
            alike.setdefault((" and ".join(map(isolated, run.formats)), _metrics(run)), []).append(run)
    return tuple(
        ReadFrom(tuple(run.run_id for run in those), formats, metrics, tuple(map(_files, those)))
        for (formats, metrics), those in alike.items()
    )


def _metrics(run: RunSummary) -> tuple[NamedMetric, ...]:
    """In the order of our metrics, guesses first among them: these are to be looked at."""
    order = list(METRICS)
    known = [each for each in run.read_as if each.metric in METRICS]
    known.sort(key=lambda each: (not each.guessed, order.index(each.metric)))
    return tuple(
        NamedMetric(
            shorten_middle(legible(each.name), NAME_LIMIT, NAME_LIMIT // 2),
            in_sentence(metric_of(each.metric).title),
            each.guessed,
        )
        for each in known
    )


def _files(run: RunSummary) -> str:
    shown = [isolated(shorten_middle(path, FILE_LIMIT, FILE_LIMIT // 2)) for path in run.files[:MOST_FILES]]
    more = len(run.files) - len(shown)
    return ", ".join(shown) + (f" and {counted(more, 'more file', 'more files')}" if more > 0 else "")
