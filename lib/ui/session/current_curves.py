"""The curves of runs as each reader has them now: grown, read anew, and kept where they cannot be read.

What belongs to a version of a run hangs on the ``RunData`` of that version, and goes with it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

from cachetools import TTLCache

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, SignInExpired, SourceUnavailable
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.source import IncompleteRead, LiveSource, Progress, RunSource, wall_clock
from lib.ui.session.failures import Failures
from lib.ui.session.kept import Outdated
from lib.ui.session.memory import RESULTS_S, ComputedValues
from lib.ui.session.run_data import RunData, data_of, read_whole, same, with_news

WHOLE_EVERY_S = 60.0
"""A running run is read as a whole so often, in seconds; in between only its end is."""

LOOK_AGAIN_S = 600.0
"""The curves of another run of a ``LiveSource`` are read anew after so many seconds: its version does not see rows."""

ASK_SHARE = 0.5
"""Of the refresh interval: several pages that look at one run ask for news once."""

MOST_BYTES = 720 * 10**6
"""What the remembered curves may take: twice five runs of 1,000,000 steps and six metrics, which are nine arrays of
8 MB each. What is worked out of them is some of the same again at most, and goes with them."""

MOST_RUNS = 60
"""How many runs are remembered, however short they are."""

MOST_COMPARISONS, MOST_RESULTS = 40, 40
"""Of how many comparisons computed values are remembered, and how many of each: some ten for each way of looking."""


class Awaited(Exception):
    """A read that is due and is not made now, as the last one has just failed; ``error`` says why."""

    def __init__(self, error: AppError) -> None:
        super().__init__(str(error))
        self.error = error


class CurrentCurves:
    """The curves of one run as one reader has them, brought up to date when they are asked for.

    Those of a running run of a ``LiveSource`` grow: what is new is asked for and put to them. All others are read
    anew when the run has another version. What is held stays until that has succeeded.

    Attributes:
        data: What was read last; ``None`` where nothing was yet.
        as_of: When.
        incomplete: Where nothing was read in full, what came.
        no_news: Why a running run could not be asked for what is new.
    """

    def __init__(self) -> None:
        self.data: RunData | None = None
        self.as_of: datetime | None = None
        self.incomplete: IncompleteRead | None = None
        self.no_news: SourceUnavailable | None = None
        self._logged = RunCurves("")
        self._lock = threading.Lock()
        self._asked_at = self._whole_at = -math.inf

    def newest(
        self,
        source: RunSource,
        run: RunSummary,
        buckets: int | None,
        progress: Progress | None,
        awaited: Callable[[], AppError | None] = lambda: None,
    ) -> RunData:
        """The run's curves; of a running run at most about ``source.refresh_s`` old.

        Args:
            source: Where from.
            run: As it was listed.
            buckets: How finely.
            progress: Is told how far the read is.
            awaited: Why they are not to be read now, where they are due.

        Raises:
            Awaited: Where they are due and not to be read now.
            AppError: If they cannot be read.
        """
        with self._lock:
            now = time.monotonic()
            live = source if isinstance(source, LiveSource) else None
            running = live if run.status is RunStatus.RUNNING else None
            # A row of an earlier step may come late, where a run was resumed.
            whole_s = math.inf if live is None else LOOK_AGAIN_S if running is None else WHOLE_EVERY_S
            held = self.data
            outdated = held is None or (running is None and held.version != run.version)
            if held is None or outdated or now - self._whole_at > whole_s:
                if (error := awaited()) is not None:
                    raise Awaited(error)
                try:
                    held = self._taken(*read_whole(source, run, buckets, progress))
                except IncompleteRead as some:
                    self.incomplete = some
                    raise
                self._whole_at = self._asked_at = now
                self.as_of, self.incomplete, self.no_news = wall_clock(), None, None
            elif running is not None:
                curves = self._logged
                if now - self._asked_at > ASK_SHARE * running.refresh_s and awaited() is None:
                    self._asked_at = now
                    # What is held stays worth showing.
                    try:
                        curves = with_news(running, curves, held.evidence.last_step or 0)
                        self.as_of, self.no_news = wall_clock(), None
                    except SourceUnavailable as error:
                        self.no_news = error
                held = self._taken(curves, run)
            return held

    def due(self) -> None:
        """Read all of it anew when it is asked for next."""
        self._whole_at = -math.inf

    def _taken(self, curves: RunCurves, run: RunSummary) -> RunData:
        """Take curves for the newest; what was worked out of the same ones before stays."""
        held = self.data
        if held is None or held.version != run.version or not same(self._logged, curves):
            self._logged = curves
            held = self.data = data_of(curves, run)
        return held


class _Place(NamedTuple):
    """What is remembered apart: by reader, by run, and by how finely it is read."""

    reader: str
    run_id: str
    buckets: int | None


class CurvesMemory:
    """One version of the curves of each run for each reader, and what was computed of comparisons of these.

    Args:
        most_bytes: What all curves may take.
        most_runs: How many runs are kept.
    """

    def __init__(
        self, failures: Failures | None = None, most_bytes: int = MOST_BYTES, most_runs: int = MOST_RUNS
    ) -> None:
        self._failures = Failures() if failures is None else failures
        self._most_bytes, self._most_runs = most_bytes, most_runs
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Place, CurrentCurves] = OrderedDict()
        self._comparisons: TTLCache[str, tuple[frozenset[int], ComputedValues]] = TTLCache(MOST_COMPARISONS, RESULTS_S)

    def newest(self, source: RunSource, run: RunSummary, buckets: int | None, progress: Progress | None) -> RunData:
        """The curves of this version of a run; what belongs to others of the same run and reader is forgotten.

        Where they cannot be read, those that were read last, or what came of them.

        Raises:
            AppError: If there are none, or if the reader is refused.
        """
        place = _Place(source.cache_key, run.run_id, buckets)
        with self._lock:
            current = self._kept.setdefault(place, CurrentCurves())
        self._failures.asked(_what(place), lambda: self._read(place, current, source, run, None))
        try:
            return self._read(place, current, source, run, progress)
        except AppError as error:
            if error.withdraws or (current.data is None and current.incomplete is None):
                raise
            if current.data is None and current.incomplete is not None:
                raise current.incomplete from None
            return current.data  # type: ignore[return-value]  # one of the two is there

    def outdated(self, reader: str, run_id: str, buckets: int | None) -> Outdated | None:
        """Why the curves of a run are not fresh; ``None`` where they are."""
        place = _Place(reader, run_id, buckets)
        error = self._failures.of(_what(place))
        with self._lock:
            current = self._kept.get(place)
        if error is None:
            return None
        return Outdated(None if current is None or current.data is None else current.as_of, error)

    def _read(
        self, place: _Place, current: CurrentCurves, source: RunSource, run: RunSummary, progress: Progress | None
    ) -> RunData:
        what, before, began = _what(place), current.data, time.monotonic()

        def again() -> None:
            self._read(place, current, source, run, None)

        def awaited() -> AppError | None:
            # Those who waited while it was read know what came of it.
            return self._failures.awaited(what, has_last=before is not None or current.incomplete is not None)

        try:
            data = current.newest(source, run, place.buckets, progress, awaited)
        except Awaited as waiting:
            if self._failures.of(what) is None:
                self._failures.note(what, waiting.error, again)
            raise waiting.error from None
        except AppError as error:
            # A sign-in that is over says nothing of the reader's others (``lib.ui.session.kept``).
            if isinstance(error, SignInExpired):
                raise
            if error.withdraws:
                self.forget_reader(place.reader)
            self._failures.note(what, error, again, time.monotonic() - began)
            raise
        if current.no_news is None:
            self._failures.mended(what)
        elif current.no_news is not self._failures.of(what):
            self._failures.note(what, current.no_news, again, time.monotonic() - began)
        with self._lock:
            # Not where everything was forgotten meanwhile.
            if self._kept.get(place) is current:
                self._kept.move_to_end(place)
                if data is not before:
                    self._forget_older(place, data.version)
                    self._keep_within_bounds()
        return data

    def computed_values(self, comparison: str, read: Collection[int]) -> ComputedValues:
        """What was computed of a comparison, as long as all that was read for it is remembered.

        Args:
            comparison: Its key.
            read: The numbers of the ``RunData`` that it is made of.
        """
        with self._lock:
            if not set(read) <= self._numbers():
                return ComputedValues()
            return self._comparisons.setdefault(comparison, (frozenset(read), ComputedValues(MOST_RESULTS)))[1]

    def forget(self) -> None:
        """Read everything anew when it is asked for next."""
        with self._lock:
            self._kept.clear()
            self._comparisons.clear()

    def forget_reader(self, reader: str, left: Collection[str] = ()) -> None:
        """Forget what was read for one reader, but for some runs."""
        with self._lock:
            for place in [place for place in self._kept if place.reader == reader and place.run_id not in left]:
                del self._kept[place]

    def forget_runs(self, reader: str, run_ids: Collection[str]) -> None:
        """Forget what was read of some runs for one reader."""
        with self._lock:
            for place in [place for place in self._kept if place.reader == reader and place.run_id in run_ids]:
                del self._kept[place]

    def due(self, readers: Collection[str], run_ids: Collection[str]) -> None:
        """Read these anew when they are asked for next; what is held stays until then."""
        with self._lock:
            for place, current in self._kept.items():
                if place.reader in readers and place.run_id in run_ids:
                    current.due()

    def _forget_older(self, newest: _Place, version: str) -> None:
        for place, current in list(self._kept.items()):
            same_run = (place.reader, place.run_id) == (newest.reader, newest.run_id)
            if same_run and current.data is not None and current.data.version != version and place != newest:
                del self._kept[place]

    def _keep_within_bounds(self) -> None:
        taken = {place: current.data.nbytes if current.data else 0 for place, current in self._kept.items()}
        while len(taken) > 1 and (len(taken) > self._most_runs or sum(taken.values()) > self._most_bytes):
            oldest = next(iter(taken))
            del taken[oldest], self._kept[oldest]
        numbers = self._numbers()
        self._comparisons.expire()
        for key, (read, _) in list(self._comparisons.items()):
            if not read <= numbers:
                del self._comparisons[key]

    def _numbers(self) -> set[int]:
        return {current.data.number for current in self._kept.values() if current.data is not None}


def _what(place: _Place) -> tuple[str, str, str, int | None]:
    return "curves", *place
