"""What the sidebar asks a source for: filter, search, sort and page of the run list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from lib.core.runs import RunStatus, RunSummary
from lib.core.scoring import eval_loss_of

PAGE_SIZE = 50


class RunSort(StrEnum):
    """The orders of the run list. Missing values come last in each of them."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BEST_LOSS = "best loss"
    STATUS = "status"
    DURATION = "duration"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs to list.

    Attributes:
        search: Words, all of which must occur (in any case) in name, dataset, id or base model.
        status: Only runs of this status; ``None`` for all.
        limit: How many of the matching runs to return, from the first on.
    """

    search: str = ""
    status: RunStatus | None = None
    sort: RunSort = RunSort.NEWEST
    limit: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that lies where runs lie and could not be read: where, and why, in one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """The answer to a ``RunQuery``.

    Attributes:
        runs: At most ``query.limit`` runs, in order.
        total: How many runs match, loaded or not.
        statuses: How many runs of each status match the search, whatever the status filter.
        source_total: How many runs the source has, whatever the query.
        unreadable: What could not be read, wherever it is.
    """

    runs: tuple[RunSummary, ...]
    total: int
    statuses: Mapping[RunStatus, int]
    source_total: int
    unreadable: tuple[Unreadable, ...] = field(default=())


def matches(run: RunSummary, search: str) -> bool:
    """Tell whether every word of ``search`` occurs in the run's name, dataset, id or base model.

    Example:
        >>> matches(RunSummary(run_id="r1", name="Llama 8B", dataset="s3/alpaca"), " ALPACA llama ")
        True
    """
    text = "\n".join(filter(None, (run.name, run.dataset, run.run_id, run.base_model))).casefold()
    return all(word in text for word in search.casefold().split())


def answer(runs: Iterable[RunSummary], query: RunQuery, unreadable: Sequence[Unreadable] = ()) -> RunPage:
    """Answer ``query`` from runs that are all in memory."""
    everything = list(runs)
    found = [run for run in everything if matches(run, query.search)]
    statuses = Counter(run.status for run in found)
    listed = [run for run in found if query.status in (None, run.status)]
    listed.sort(key=lambda run: (*_sort_key(run, query.sort), run.run_id))
    return RunPage(tuple(listed[: query.limit]), len(listed), statuses, len(everything), tuple(unreadable))


def _sort_key(run: RunSummary, sort: RunSort) -> tuple:
    created = run.created_at or run.started_at
    age = -(created or datetime.fromtimestamp(0, UTC)).timestamp()
    match sort:
        case RunSort.NEWEST:
            return created is None, age
        case RunSort.OLDEST:
            return created is None, -age
        case RunSort.BEST_LOSS:
            loss = eval_loss_of(run)
            return loss is None, loss or 0.0, age
        case RunSort.STATUS:
            return list(RunStatus).index(run.status), age
        case RunSort.DURATION:
            return run.duration_s is None, run.duration_s or 0.0, age
        case RunSort.MODEL:
            return not run.name, run.name.casefold(), age
