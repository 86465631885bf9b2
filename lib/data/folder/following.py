"""Looking at a folder in the background: whoever asks gets what was found so far, and waits a moment at most.

One thread looks; it is started when somebody asks and the last look is too old, and ends with its look. Where the
disk does not answer, the thread is left where it is, and another one looks at all the rest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from lib.core.facts.errors import RunSourceError, SourceUnavailable
from lib.data.folder.gathered import Gathered
from lib.data.folder.look import Gatherer
from lib.data.folder.units import Unit
from lib.data.formats.logged import Folder
from lib.data.waiting import LONGEST_S, late_folder

REST, LONGEST_REST_S = 10.0, 30.0
"""A tree rests for so many times the time that its last look took, and so many seconds at most."""
PATIENCE_S = 0.4
"""A look that is no older is waited for: of most folders the list then is complete when it first appears."""
KNOWN_S = 60.0
"""Who asks for more than a list that was remembered waits so long for what was remembered of its runs."""
WANTED_S = 15.0
"""During the first look, who asks for runs by their ids waits so long for them: they may not be found yet."""
STUCK_S = 5.0
"""Who reads a file and uses no processor for so long waits for a disk: the file is left to that thread, and named."""
AT_WORK_S = 0.05
"""So many seconds of a processor in that time are work: on a busy machine nobody gets much more."""
LONGEST_READ_S = 60.0
"""A file that takes longer to read is left, too: others may have to be listed."""
MOST_STUCK = 4
"""Threads that wait for a disk. With more, nobody looks until one of them gets an answer."""
ROOT_GONE_S = 30.0
"""Where the root itself is gone, what it held is shown for so many seconds."""


_LOG = logging.getLogger(__name__)


class _Reading(NamedTuple):
    """What is read at the moment, by the monotonic clock.

    Attributes:
        what: A unit, or a folder that is looked into.
        began: When.
        seen, used: When somebody last saw that it is worked on, and the processor's time of the thread by then.
    """

    what: Unit | Folder
    began: float
    seen: float
    used: float


class _Overtaken(BaseException):
    """Another thread looks; this one ends."""


class Follower:
    """What lies below a folder, as it was found last. Safe to share between threads.

    Args:
        gatherer: Looks.
        stuck_s: In the place of ``STUCK_S``.
    """

    def __init__(self, gatherer: Gatherer, stuck_s: float | None = None) -> None:
        self._gatherer, self._stuck_s = gatherer, stuck_s
        self._changed = threading.Condition()
        self._gathered: Gathered | None = None
        self._failed: RunSourceError | None = None
        self._is_looking = False
        self._turn = 0
        self._looks = 0
        self._began_at = self._ended_at = self._good_at = 0.0
        self._took = 0.0
        self._thread: threading.Thread | None = None
        self._reading: _Reading | None = None

    def newest(
        self,
        interval_s: float,
        patience_s: float | None = None,
        wanted: Collection[str] = (),
        *,
        whole: bool = False,
    ) -> Gathered:
        """What was found so far; a look is begun where the last one is too old.

        Args:
            interval_s: How old it may be, in seconds.
            patience_s: How long to wait for the end of a look that goes on, in seconds; by default a moment, and not
                at all where looks take longer.
            whole: A list that was remembered is not enough: its runs shall be looked at.
            wanted: Ids of runs, which are looked for first: where looks take long, nobody waits when all are there.

        Raises:
            SourceUnavailable, AccessDenied: If the root cannot be looked into.
        """
        patience = PATIENCE_S if patience_s is None else patience_s
        with self._changed:
            is_slow = self._took > PATIENCE_S
            if patience_s is None and is_slow and not wanted and self._gathered is not None:
                patience = 0.0
            if wanted and not self._looks:
                self._gatherer.wanted.update(wanted)
                patience = max(patience, WANTED_S) if patience_s is None else patience
            self._begin_if_due(interval_s)
            looks = self._looks
            if whole and self._gathered is not None and self._gathered.is_list:
                self._gatherer.hurry.set()
                # All of it was read before this process: it is only looked up.
                patience = max(patience, KNOWN_S)
            # Of a look that goes on for long already nobody waits for the end.
            began = self._began_at if patience == PATIENCE_S and patience_s is None else time.monotonic()
            until = began + patience

            def is_enough() -> bool:
                if not self._is_looking or self._looks > looks:
                    return True
                if self._gathered is not None and self._gathered.is_list:
                    return not whole
                if not wanted or self._gathered is None or not (is_slow or not looks):
                    return False
                return not set(wanted) - self._gathered.listed.runs.keys()

            while not is_enough() and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(left, 1.0))
                self._leave_stuck()
            if self._failed is not None:
                raise self._failed
            is_silent = self._is_looking and self._gathered is None and self._reading is None
            if is_silent and time.monotonic() - self._began_at >= LONGEST_S:
                # Of the root itself nothing is known yet: its disk does not answer.
                raise late_folder(self._gatherer.named)
            return self._gathered if self._gathered is not None else Gathered(looked_at=(0, 0))

    def _begin_if_due(self, interval_s: float) -> None:
        self._leave_stuck()
        rest = min(max(interval_s, REST * self._took), max(interval_s, LONGEST_REST_S)) if interval_s else 0.0
        is_due = not self._looks or time.monotonic() - self._ended_at >= rest
        if is_due and not self._is_looking and len(self._gatherer.stuck) <= MOST_STUCK:
            self._start()

    def _start(self) -> None:
        self._turn += 1
        self._is_looking, self._began_at, self._reading = True, time.monotonic(), None
        self._thread = threading.Thread(target=self._look, args=(self._turn,), name="runoff-folder", daemon=True)
        self._thread.start()

    def _leave_stuck(self) -> None:
        """Where the thread that looks has waited for one file for too long, let another one look at the rest."""
        reading = self._reading
        if not self._is_looking or reading is None:
            return
        now, stuck_s = time.monotonic(), STUCK_S if self._stuck_s is None else self._stuck_s
        if now - reading.seen <= stuck_s:
            return
        used = self._used()
        if used - reading.used >= AT_WORK_S and now - reading.began <= max(LONGEST_READ_S, stuck_s):
            self._reading = reading._replace(seen=now, used=used)
        elif len(self._gatherer.stuck) < MOST_STUCK:
            self._gatherer.stuck.add(reading.what)
            self._start()

    def _used(self) -> float:
        """Seconds of a processor that the thread that looks has used; 0 where the system does not say."""
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        if clock_of is None or self._thread is None or self._thread.ident is None:
            return 0.0
        # It does not end meanwhile: to do so it needs the lock.
        return float(time.clock_gettime(clock_of(self._thread.ident)))

    def _look(self, turn: int) -> None:
        mine: list[Unit | Folder] = []

        def told(what: Unit | Folder) -> None:
            # What this thread waited for has answered.
            for each in mine:
                self._gatherer.stuck.discard(each)
            mine[:] = [what]
            if turn != self._turn:
                self._gatherer.stuck.discard(what)
                raise _Overtaken
            now = time.monotonic()
            self._reading = _Reading(what, now, now, time.thread_time())

        failed: RunSourceError | None = None
        gathered: Gathered | None = None
        try:
            gathered = self._gatherer.look(told, self._publisher(turn))
        except _Overtaken:
            return
        except RunSourceError as error:
            failed = error
        except Exception as error:
            _LOG.exception("Looking through a folder failed.")
            failed = SourceUnavailable(
                f"The runs could not be listed: {type(error).__name__}.", hint="The app's log says more."
            )
        finally:
            for each in mine:
                self._gatherer.stuck.discard(each)
            with self._changed:
                if turn == self._turn:
                    self._ended(gathered, failed)
                self._changed.notify_all()
        self._gatherer.keep()

    def _ended(self, gathered: Gathered | None, failed: RunSourceError | None) -> None:
        now = time.monotonic()
        self._is_looking, self._reading, self._ended_at = False, None, now
        self._took, self._looks = now - self._began_at, self._looks + 1
        if gathered is not None:
            self._gathered, self._failed, self._good_at = gathered, None, now
        elif self._gathered is None or now - self._good_at >= ROOT_GONE_S:
            self._gathered, self._failed = None, failed

    def _publisher(self, turn: int) -> Callable[[Gathered], None]:
        def publish(gathered: Gathered) -> None:
            with self._changed:
                if turn == self._turn:
                    self._gathered, self._failed = gathered, None
                    self._changed.notify_all()

        return publish
