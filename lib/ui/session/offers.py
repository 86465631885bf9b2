"""Other selections that a page offers: runs that compare, and a better run that is not selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from lib.core.aspects.facts import Agreement
from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import MAX_SELECTED, is_uploaded
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.offers import better_in, comparable_with
from lib.data.source import RunSource
from lib.ui.session import link, reads, url
from lib.ui.session.comparison import Comparison

T = TypeVar("T")

MOST_TRIED = 15
"""So many runs are read at most to find some that compare."""


def has_alike(source: RunSource, comparison: Comparison) -> bool:
    """Whether there may be runs that compare, of the selected or of the list."""
    if _together(comparison):
        return True
    listed = offered(source, comparison)
    return _of_listed(
        comparison, "alike", listed, lambda: any(comparable_with(each.run, listed) for each in comparison.runs)
    )


def better(source: RunSource, comparison: Comparison) -> RunSummary | None:
    """The best run of the list that is not selected and better than the first (``better_in``)."""
    listed, runs = offered(source, comparison), [each.run for each in comparison.runs]
    return _of_listed(comparison, "better", listed, lambda: better_in(comparison.decision, runs, listed))


def _of_listed(comparison: Comparison, subject: str, listed: Sequence[RunSummary], make: Callable[[], T]) -> T:
    """What follows from the comparison and a list, which every rerun asks for and a long list makes dear."""
    key = comparison.how, tuple((run.run_id, run.version) for run in listed)
    return comparison.computed(f"offers: {subject}", key, make)


def offered(source: RunSource, comparison: Comparison) -> tuple[RunSummary, ...]:
    """The runs of the list that may be offered: nobody who compares runs of their own ships one of the demo's."""
    runs = reads.list_runs(source, url.query()).runs
    if source.synthetic and any(is_uploaded(each.run.run_id) for each in comparison.runs):
        return tuple(run for run in runs if is_uploaded(run.run_id))
    return runs


def select_alike(source: RunSource, comparison: Comparison) -> None:
    """Select up to five runs that compare: of those selected, else one of them and others of the list.

    What the list tells of a run is not enough to say that it compares, so some are read.
    """
    found = _together(comparison)
    if not found:
        listed = offered(source, comparison)
        offers = [_alike(source, comparison, each.run, listed) for each in comparison.runs]
        found = max(offers, key=len, default=())
    if len(found) > 1:
        url.put(link.RUNS, found)


def select_also(run_id: str, last: str) -> None:
    """Select a run too; where as many are selected as can be, instead of ``last``."""
    held = url.value(link.RUNS)
    kept = held if len(held) < MAX_SELECTED else tuple(each for each in held if each != last)
    url.put(link.RUNS, (*kept, run_id)[-MAX_SELECTED:])


def _together(comparison: Comparison) -> tuple[str, ...]:
    """The largest class of the selected runs, where it has two or more."""
    decision = comparison.decision
    classes = (decision.ranked, *(each.run_ids for each in decision.other_classes))
    largest = max(classes, key=len)
    return largest if len(largest) > 1 else ()


def _alike(
    source: RunSource, comparison: Comparison, run: RunSummary, listed: tuple[RunSummary, ...]
) -> tuple[str, ...]:
    curves = {each.run.run_id: each.data.curves for each in comparison.runs if each.data is not None}
    deciding = comparison.decision.scores
    found = [run.run_id]
    for other in comparable_with(run, listed)[:MOST_TRIED]:
        try:
            curves[other.run_id] = reads.load_data(source, other).curves
        except SignInExpired:
            raise
        except AppError:
            continue
        (pair,) = comparability_of([run, other], curves).pairs
        if pair.agreement is not Agreement.DIFFERENT and run.run_id in deciding:
            found.append(other.run_id)
        if len(found) == MAX_SELECTED:
            break
    return tuple(found)
