"""Which metric of ours one that a program logged is read as, as somebody says it who looks at the runs."""

from __future__ import annotations

from collections.abc import Iterable

from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunSummary


def readings(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What metrics are to be read as, from texts: a logged name, a tilde, and a metric of ours, or nothing for none.

    Returns:
        Name and metric; of several texts of one name the last counts, and empty texts say nothing.

    Raises:
        ValueError: If a text is none of these.
    """
    found: dict[str, str] = {}
    for text in filter(None, texts):
        name, tilde, metric = text.rpartition("~")
        known = not metric or (metric in METRICS and not METRICS[metric].derived_from)
        if not name or not tilde or not known:
            raise ValueError("expected a logged name, a tilde, and a metric or nothing")
        found[name] = metric
    return tuple(found.items())


def metric_called(name: str, runs: Iterable[RunSummary]) -> str:
    """The metric that is shown for what a program called so; the name itself where none is read otherwise."""
    return next((each.metric for run in runs for each in run.read_as if each.name == name), name)
