"""Reads that failed, and when each is tried again: in a thread of its own, so that no page waits for it.

What was asked for is named by a tuple: its kind, its reader (``RunSource.cache_key``), and what else it takes.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from functools import partial
from operator import eq

from lib.core.facts.errors import AppError, SignInExpired, SourceUnavailable
from lib.log.errors import goes_on

What = tuple[Hashable, ...]
"""A kind, a reader, and what else."""

RETRY_S, LONGEST_RETRY_S = 5.0, 20.0
"""Seconds until a read that failed is tried again; doubled with each failure, up to the second."""
LONG_S = 2.0
"""A read that took so many seconds to fail was not answered: nobody waits for the next one before it is due."""
DRAWING_S = 120.0
"""What was asked for so many seconds before a page was drawn may be of that page: its reads may have taken so long."""
TOGETHER_S, LONGEST_TOGETHER_S = 1.0, 6.0
"""What came within the first of each other came together, and what comes of one round of retries; of a round that takes
longer than the second what came by then is not kept waiting."""
MOST = 500
"""How many failures are known; of more, the oldest goes."""

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Failed:
    """A read that failed.

    Attributes:
        again: Reads it once more, and notes what came of it.
        due_at, asked_at: When it is tried again, and when a page last asked for it.
        pause_s: From the last failure to the next attempt.
        was_long: It took long to fail.
    """

    error: AppError
    again: Callable[[], object]
    due_at: float
    asked_at: float
    pause_s: float
    was_long: bool


@dataclass(slots=True)
class _Turn:
    """How often something came for a reader, and since when what came last came together, and when its last did."""

    number: int
    began_at: float
    last_at: float


class Failures:
    """What failed last, for all readers. Safe to share between threads.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: OrderedDict[What, _Failed] = OrderedDict()
        self._turns: dict[Hashable, _Turn] = {}
        self._busy: dict[Hashable, float] = {}

    def awaited(self, what: What, *, has_last: bool) -> AppError | None:
        """Why this is not read now; ``None`` where it is to be read.

        Args:
            what: What a page asks for.
            has_last: There is an older one to show. Without one it is read, unless that was just waited for in vain.
        """
        now = self._clock()
        with self._lock:
            failed = self._failed.get(what)
            if failed is not None and now < failed.due_at and (has_last or failed.was_long):
                return failed.error
            # Whoever reads the same does not wait once more for a source that did not answer.
            silent = (
                each.error
                for other, each in self._failed.items()
                if other[1] == what[1] and each.was_long and now < each.due_at
            )
            return next(silent, None)

    def asked(self, what: What, again: Callable[[], object]) -> None:
        """A page asks for this.

        Args:
            what: What it asks for.
            again: As of ``note``, by whoever asks: who asked before may have signed out since.
        """
        with self._lock:
            if what in self._failed:
                self._failed[what].asked_at, self._failed[what].again = self._clock(), again

    def note(self, what: What, error: AppError, again: Callable[[], object], took_s: float = 0.0) -> None:
        """A read has failed.

        Args:
            what: What was to be read.
            error: Why it was not.
            again: Reads it once more; notes a failure here, and what is ``mended``.
            took_s: How long that took.
        """
        now = self._clock()
        with self._lock:
            before = self._failed.pop(what, None)
            # What fails again is logged once, and so is what several reads of a reader fail for.
            others = (each for other, each in self._failed.items() if other[1] == what[1])
            for each in (*([before] if before is not None else []), *others):
                goes_on(each.error, error)
            pause = RETRY_S if before is None else min(2 * before.pause_s, LONGEST_RETRY_S)
            self._failed[what] = _Failed(
                error,
                again,
                now + max(pause, error.wait_s),
                now if before is None else before.asked_at,
                pause,
                took_s > LONG_S and isinstance(error, SourceUnavailable),
            )
            while len(self._failed) > MOST:
                self._failed.popitem(last=False)

    def mended(self, what: What) -> None:
        """This was read."""
        with self._lock:
            if self._failed.pop(what, None) is not None:
                self._came(what[1])

    def of(self, what: What) -> AppError | None:
        """Why this could not be read when it last was asked for; ``None`` where it could."""
        with self._lock:
            failed = self._failed.get(what)
            return None if failed is None else failed.error

    def rest_s(self, error: AppError) -> float | None:
        """In how many seconds what failed so is tried again; ``None`` where it is not."""
        now = self._clock()
        with self._lock:
            rests = [each.due_at - now for each in self._failed.values() if each.error is error]
        return max(0.0, *rests) if rests else None

    def any_of(self, readers: Collection[Hashable], drawn_at: float) -> bool:
        """Whether anything could not be read that a page asks for (``retry``)."""
        with self._lock:
            return any(what[1] in readers and _is_of(each, drawn_at) for what, each in self._failed.items())

    def turn(self, readers: Collection[Hashable]) -> int:
        """Another number each time that something which had failed was read, or is refused, for these readers."""
        with self._lock:
            return sum(self._turns[reader].number for reader in readers if reader in self._turns)

    def came(self, readers: Collection[Hashable], turn: int) -> bool:
        """Whether something came for these readers since it was their ``turn``, and what comes with it is there too."""
        if self.turn(readers) == turn:
            return False
        now = self._clock()
        with self._lock:
            return all(
                now - each.began_at >= LONGEST_TOGETHER_S
                or (reader not in self._busy and now - each.last_at >= TOGETHER_S)
                for reader, each in self._turns.items()
                if reader in readers
            )

    def due(self, which: Callable[[What], bool]) -> None:
        """Read these when they are asked for next, however long ago they failed."""
        with self._lock:
            for what, each in self._failed.items():
                if which(what):
                    each.due_at, each.pause_s = -math.inf, RETRY_S / 2

    def forget(self, which: Callable[[What], bool] = lambda _: True) -> None:
        """Know nothing of these failures any more."""
        with self._lock:
            for what in [what for what in self._failed if which(what)]:
                del self._failed[what]
                self._came(what[1])

    def retry(self, readers: Collection[Hashable], drawn_at: float) -> None:
        """Try again what is due of what a page asks for, in a thread beside; one at a time for each reader.

        Args:
            readers: For whom the page reads.
            drawn_at: When it was drawn, by this object's clock: what was asked for long before is of other pages.
        """
        now = self._clock()
        for reader in readers:
            with self._lock:
                due = [
                    (what, each.again)
                    for what, each in self._failed.items()
                    if what[1] == reader and now >= each.due_at and _is_of(each, drawn_at)
                ]
                if not due or reader in self._busy:
                    continue
                self._busy[reader] = now
            try:
                threading.Thread(target=self._retry, args=(reader, due), name="runoff-retry", daemon=True).start()
            except RuntimeError:
                # The system has no thread left now.
                with self._lock:
                    del self._busy[reader]

    def _retry(self, reader: Hashable, due: Collection[tuple[What, Callable[[], object]]]) -> None:
        try:
            for what, again in due:
                try:
                    again()
                except SignInExpired:
                    # One sign-in is over, which says nothing of others: whose is not reads it when its page asks.
                    self.forget(partial(eq, what))
                except AppError:
                    with self._lock:
                        failed = self._failed.get(what)
                    if failed is not None and failed.was_long:
                        # The others would be waited for in vain as well.
                        break
        except Exception:
            _LOG.exception("Reading again failed.")
        finally:
            with self._lock:
                del self._busy[reader]

    def _came(self, reader: Hashable) -> None:
        now = self._clock()
        turn = self._turns.setdefault(reader, _Turn(0, now, now))
        if now - turn.last_at >= TOGETHER_S and turn.began_at < self._busy.get(reader, math.inf):
            turn.began_at = now
        turn.number, turn.last_at = turn.number + 1, now


def _is_of(failed: _Failed, drawn_at: float) -> bool:
    return failed.asked_at >= drawn_at - DRAWING_S
