"""What was read well last stays until it was read anew: a read that fails takes nothing away.

Each reader has their own (``RunSource.cache_key``), and loses it at once where the source refuses them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from cachetools import LRUCache

from lib.core.facts.errors import AppError, SignInExpired
from lib.core.facts.runs import RunSummary
from lib.data.source import wall_clock
from lib.ui.session.failures import Failures
from lib.ui.session.memory import Memory

Q = TypeVar("Q", bound=Hashable)
V = TypeVar("V")

MOST_RUNS = 5_000
"""Of how many runs the list's facts are kept, of all readers together: some kilobytes each."""
KEPT = timedelta(hours=12)
"""What is older is shown to nobody, a working day, as long as a sign-in lasts: much may have been withdrawn since."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """Something that is shown and could not be refreshed.

    Attributes:
        as_of: When it was read; ``None`` where it was not, and nothing is shown in its place.
        error: Why it could not be read again.
        in_part: It was never read itself; what is shown was put together of other reads.
    """

    as_of: datetime | None
    error: AppError
    in_part: bool = False


@dataclass(frozen=True, slots=True)
class Good(Generic[V]):
    """What was read, and when."""

    value: V
    as_of: datetime


class LastGood(Generic[Q, V]):
    """What was read of one kind, by reader and question: fresh for a time, then the last good until it is read anew.

    Args:
        kind: Names the kind.
        most: How many values are kept; of more, the one that was not asked for the longest goes.
        seconds: How long each is fresh.
        failures: Where is noted what could not be read.
        refused: Is told the reader whom the source refuses.
    """

    def __init__(
        self, kind: str, most: int, seconds: float, failures: Failures, refused: Callable[[str], None]
    ) -> None:
        self._kind, self._failures, self._refused = kind, failures, refused
        self._fresh: Memory[tuple[str, Q], V] = Memory(most, seconds)
        self._good: LRUCache[tuple[str, Q], Good[V]] = LRUCache(most)
        self._lock = threading.Lock()
        self._begun: dict[object, tuple[str, Q]] = {}

    def get(
        self,
        reader: str,
        question: Q,
        read: Callable[[], V],
        instead: Callable[[], Good[V] | None] = lambda: None,
    ) -> V:
        """The answer to a question: a fresh one, or where it cannot be read the last good one.

        Args:
            reader: Who asks.
            question: What is asked.
            read: Reads the answer. May run in another thread, and later once more.
            instead: What else is known of it, where it was never read.

        Raises:
            AppError: If it cannot be read and there is no other, or if the reader is refused.
        """
        key, what = (reader, question), (self._kind, reader, question)
        is_fresh = self._fresh.holds(key)
        last = self._last(key) or (None if is_fresh else instead())

        def again() -> V:
            return self._read(reader, question, read)

        self._failures.asked(what, again)
        awaited = None if is_fresh else self._failures.awaited(what, has_last=last is not None)
        if awaited is not None:
            if self._failures.of(what) is None:
                self._failures.note(what, awaited, again)
            if last is None:
                raise awaited
            return last.value
        try:
            return again()
        except AppError as error:
            if error.withdraws or last is None:
                raise
            return last.value

    def outdated(self, reader: str, question: Q, instead: datetime | None = None) -> Outdated | None:
        """Why the answer to a question is not fresh; ``None`` where it is.

        Args:
            reader: Who asks.
            question: What is asked.
            instead: Since when is known what is given where it was never read.
        """
        error = self._failures.of((self._kind, reader, question))
        if error is None:
            return None
        last = self._last((reader, question))
        return Outdated(instead, error, in_part=True) if last is None else Outdated(last.as_of, error)

    def due(self, which: Callable[[str, Q], bool]) -> None:
        """Read the answers to these questions when they are asked next; the last ones stay until then."""
        self._fresh.forget(lambda key: which(*key))
        self._failures.due(lambda what: what[0] == self._kind and which(what[1], what[2]))  # type: ignore[arg-type]  # as ``get`` names it

    def forget(self, which: Callable[[str, Q], bool] = lambda *_: True) -> None:
        """Know the answers to these questions no more."""
        self._fresh.forget(lambda key: which(*key))
        with self._lock:
            for each in [each for each, key in self._begun.items() if which(*key)]:
                del self._begun[each]
            for key in [key for key in self._good if which(*key)]:
                del self._good[key]
        self._failures.forget(lambda what: what[0] == self._kind and which(what[1], what[2]))  # type: ignore[arg-type]  # as ``get`` names it

    def revise(self, reader: str, change: Callable[[V], V]) -> None:
        """Change what is kept of a reader's last good answers; none of them is fresh then."""
        self._fresh.forget(lambda key: key[0] == reader)
        with self._lock:
            for key in [key for key in self._good if key[0] == reader]:
                good = self._good[key]
                self._good[key] = Good(change(good.value), good.as_of)

    def _last(self, key: tuple[str, Q]) -> Good[V] | None:
        with self._lock:
            good = self._good.get(key)
        return None if good is None or _is_old(good.as_of) else good

    def _read(self, reader: str, question: Q, read: Callable[[], V]) -> V:
        what, key, began = (self._kind, reader, question), (reader, question), time.monotonic()

        def reading() -> V:
            mine = object()
            with self._lock:
                self._begun[mine] = key
            try:
                value = read()
                with self._lock:
                    # What was begun before it was forgotten does not come back.
                    if mine in self._begun:
                        self._good[key] = Good(value, wall_clock())
            finally:
                with self._lock:
                    self._begun.pop(mine, None)
            return value

        try:
            value = self._fresh.get(key, reading)
            # Also where another read it meanwhile: one that was begun before may have failed after that.
            self._failures.mended(what)
            return value
        except SignInExpired:
            # It says that one sign-in is over. The same reader may be signed in elsewhere; whoever draws the page that
            # asks to sign in again knows whether they are (``lib.ui.frame.sign_in.forget``).
            raise
        except AppError as error:
            if error.withdraws:
                self._refused(reader)
            self._failures.note(what, error, lambda: self._read(reader, question, read), time.monotonic() - began)
            raise


class KnownRuns:
    """The runs that each reader has seen, as they were read last: what any list or selection is made of in need.

    Safe to share between threads.
    """

    def __init__(self, most: int = MOST_RUNS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._runs: OrderedDict[tuple[str, str], Good[RunSummary]] = OrderedDict()

    def note(self, reader: str, runs: Iterable[RunSummary]) -> None:
        """These were read just now."""
        now = wall_clock()
        with self._lock:
            for run in runs:
                self._runs[reader, run.run_id] = Good(run, now)
                self._runs.move_to_end((reader, run.run_id))
            while len(self._runs) > self._most:
                self._runs.popitem(last=False)

    def of(self, reader: str, run_ids: Iterable[str] | None = None) -> Good[tuple[RunSummary, ...]] | None:
        """Some runs of a reader, or all, in the order asked for; ``None`` where none of them is known."""
        with self._lock:
            keys = (
                [key for key in self._runs if key[0] == reader]
                if run_ids is None
                else [(reader, run_id) for run_id in run_ids]
            )
            found = [self._runs[key] for key in keys if key in self._runs and not _is_old(self._runs[key].as_of)]
        return Good(tuple(each.value for each in found), min(each.as_of for each in found)) if found else None

    def drop(self, reader: str, run_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Know these runs no more, or none of a reader's; the ids of those that were known."""
        with self._lock:
            asked = None if run_ids is None else set(run_ids)
            gone = [key for key in self._runs if key[0] == reader and (asked is None or key[1] in asked)]
            for key in gone:
                del self._runs[key]
        return frozenset(run_id for _, run_id in gone)

    def forget(self) -> None:
        """Know no run of anybody."""
        with self._lock:
            self._runs.clear()


def _is_old(as_of: datetime) -> bool:
    return wall_clock() - as_of > KEPT
