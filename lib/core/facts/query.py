"""What the sidebar asks a source for: filter, search, sort and page of the run list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import NamedTuple

from lib.core.facts.credentials import redact
from lib.core.facts.foreign import searchable, without_controls
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, train_loss_of
from lib.core.facts.sizes import LONGEST_TEXT, cut_text, plain_text
from lib.core.facts.values import finite

PAGE_SIZE = 25
"""Runs listed at first, and by each press of the button below them: every card costs each run of the page half a
millisecond, and a search finds a run sooner than scrolling does."""


class RunSort(StrEnum):
    """The orders of the run list, by what is stored of a run. Missing values come last in each of them."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BEST_LOSS = "best loss"
    LAST_LOSS = "last eval loss"
    TRAIN_LOSS = "train loss"
    PERPLEXITY = "perplexity"
    SPEED = "samples per second"
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", _told(self.path))
        object.__setattr__(self, "reason", _told(self.reason))


@dataclass(frozen=True, slots=True)
class Unused:
    """Something that lies where runs lie and is none: where, what it is, and why, in one sentence."""

    path: str
    why: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", _told(self.path))
        object.__setattr__(self, "why", _told(self.why))


def _told(text: str) -> str:
    """Foreign text in a sentence about it: short, without credentials, and without what only steers."""
    return without_controls(cut_text(redact(plain_text(text[: 2 * LONGEST_TEXT])), LONGEST_TEXT))


@dataclass(frozen=True, slots=True)
class RunPage:
    """The answer to a ``RunQuery``.

    Attributes:
        runs: At most ``query.limit`` runs, in order.
        total: How many runs match, loaded or not.
        statuses: How many runs of each status match the search, whatever the status filter.
        source_total: How many runs the source has, whatever the query.
        unreadable: What could not be read, wherever it is.
        unused: What lies there and is no run.
        looked_at: How many folders of how many were looked at, while that goes on; ``None`` when all were.
        looked_for: What the source would list, in words for people; empty where that needs no word.
    """

    runs: tuple[RunSummary, ...]
    total: int
    statuses: Mapping[RunStatus, int]
    source_total: int
    unreadable: tuple[Unreadable, ...] = field(default=())
    unused: tuple[Unused, ...] = ()
    looked_at: tuple[int, int] | None = None
    looked_for: tuple[str, ...] = ()


def answer(runs: Iterable[RunSummary], query: RunQuery, unreadable: Sequence[Unreadable] = ()) -> RunPage:
    """Answer ``query`` from runs that are all in memory. To answer many, keep a ``RunIndex``."""
    everything = list(runs)
    return RunIndex(everything).page(query, lambda places: map(everything.__getitem__, places), unreadable)


def joined(pages: Sequence[RunPage], query: RunQuery) -> RunPage:
    """The answer to ``query`` of several sources together, of what each of them answers.

    Each keeps the order that it has: one far away may order what is equal, and letters, its own way.

    Args:
        pages: The answers. None has a run of another one, and each has as many runs as ``query`` asks for in all.
        query: What was asked. A limit below zero counts from the end of all.
    """
    total = sum(page.total for page in pages)
    runs = merge(*(page.runs for page in pages), key=lambda run: (*_sort_key(facts_of(run), query.sort), run.run_id))
    most = query.limit if query.limit >= 0 else max(total + query.limit, 0)
    # Where one of them has not counted, the sum would say less than there is.
    are_counted = all(page.statuses or not page.total for page in pages)
    statuses: Counter[RunStatus] = Counter()
    for page in pages if are_counted else ():
        statuses.update(page.statuses)
    looks = [page.looked_at for page in pages if page.looked_at is not None]
    return RunPage(
        tuple(islice(runs, most)),
        total,
        statuses,
        sum(page.source_total for page in pages),
        tuple(each for page in pages for each in page.unreadable),
        tuple(each for page in pages for each in page.unused),
        (sum(done for done, _ in looks), sum(count for _, count in looks)) if looks else None,
        tuple(dict.fromkeys(each for page in pages for each in page.looked_for)),
    )


class RunIndex:
    """What any question asks of runs, without the runs: long lists are answered out of it quickly.

    Each order is worked out when it is first asked for. Then a page costs as much as it holds; only a search looks at
    every run's text.
    """

    def __init__(self, runs: Iterable[RunSummary | RunFacts]) -> None:
        """Take the runs, or what is needed of them; no run is kept."""
        self._facts = [run if isinstance(run, RunFacts) else facts_of(run) for run in runs]
        self._texts = [facts.text for facts in self._facts]
        self._statuses = Counter(facts.status for facts in self._facts)
        self._orders: dict[RunSort, list[int]] = {}

    def page(
        self,
        query: RunQuery,
        runs_at: Callable[[Sequence[int]], Iterable[RunSummary]],
        unreadable: Sequence[Unreadable] = (),
    ) -> RunPage:
        """Answer ``query``.

        Args:
            query: What is asked.
            runs_at: Gives the runs at some positions among those that the index was made of.
            unreadable: What could not be read besides.
        """
        facts, texts, order = self._facts, self._texts, self._order(query.sort)
        statuses = self._statuses
        if words := searchable(query.search).split():
            # Each word on its own: a plain comprehension over the texts is the quickest search that Python has.
            for word in words:
                order = [position for position in order if word in texts[position]]
            statuses = Counter(facts[position].status for position in order)
        listed = (position for position in order if query.status in (None, facts[position].status))
        total = statuses.total() if query.status is None else statuses[query.status]
        # Of a long list only the beginning is looked at; a negative limit leaves off the end, as in a slice.
        most = query.limit if query.limit >= 0 else max(total + query.limit, 0)
        runs = tuple(runs_at(tuple(islice(listed, most))))
        return RunPage(runs, total, Counter(statuses), len(facts), tuple(unreadable))

    def _order(self, sort: RunSort) -> list[int]:
        if sort not in self._orders:
            keys = [(*_sort_key(facts, sort), facts.run_id) for facts in self._facts]
            self._orders[sort] = sorted(range(len(keys)), key=keys.__getitem__)
        return self._orders[sort]


class RunFacts(NamedTuple):
    """Of a run, what is searched, counted and sorted by.

    Attributes:
        text: What a search looks at (``searchable``).
        losses: The best and the last eval loss, and the train loss.
        created: When it was created, or began.
    """

    run_id: str
    name: str
    text: str
    status: RunStatus
    losses: tuple[float | None, float | None, float | None]
    perplexity: float | None
    speed: float | None
    duration_s: float | None
    created: datetime | None


def facts_of(run: RunSummary) -> RunFacts:
    """What an index needs of a run."""
    created = run.created_at or run.started_at
    losses = eval_loss_of(run), finite(run.eval_loss), train_loss_of(run)
    perplexity, speed = finite(run.perplexity), finite(run.samples_per_second)
    return RunFacts(run.run_id, run.name, _text(run), run.status, losses, perplexity, speed, run.duration_s, created)


def _text(run: RunSummary) -> str:
    return "\n".join(map(searchable, filter(None, (run.name, run.dataset, run.run_id, run.base_model))))


def _sort_key(run: RunFacts, sort: RunSort) -> tuple[float | str, ...]:
    created = run.created
    age = -(created or datetime.fromtimestamp(0, UTC)).timestamp()
    match sort:
        case RunSort.NEWEST:
            return created is None, age
        case RunSort.OLDEST:
            return created is None, -age
        case RunSort.BEST_LOSS:
            return _lowest_first(run.losses[0], age)
        case RunSort.LAST_LOSS:
            return _lowest_first(run.losses[1], age)
        case RunSort.TRAIN_LOSS:
            return _lowest_first(run.losses[2], age)
        case RunSort.PERPLEXITY:
            return _lowest_first(run.perplexity, age)
        case RunSort.SPEED:
            return run.speed is None, -(run.speed or 0.0), age
        case RunSort.STATUS:
            return list(RunStatus).index(run.status), age
        case RunSort.DURATION:
            return _lowest_first(run.duration_s, age)
        case RunSort.MODEL:
            return not run.name, run.name.casefold(), age


def _lowest_first(value: float | None, age: float) -> tuple[bool, float, float]:
    return value is None, value or 0.0, age
