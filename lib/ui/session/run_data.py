"""The curves of runs as they were read last, one version of each, with all that was worked out of them.

What belongs to a version of a run hangs on the ``RunData`` of that version, and goes with it.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from cachetools import TTLCache

from lib.core.checks.registry import METRICS_READ
from lib.core.config.derived import EffectiveBatch
from lib.core.config.effective import configured_gpus, configured_learning_rate, effective_batch
from lib.core.curves.derived import logged_for, with_derived
from lib.core.curves.evidence import RunEvidence, evidence_of, with_evidence
from lib.core.curves.metric_curves import MetricCurve, RunCurves, extended, holds
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.metrics import FURTHER, MEDIANS, METRICS
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.metric_names import EVAL_REWARD, REWARD, is_candidate
from lib.data.source import LiveSource, Progress, RunSource
from lib.ui.session.memory import RESULTS_S, ComputedValues, Memory

SOURCE_BUCKETS = 1000
"""A source may reduce curves to so many stretches: several times what a chart is wide, so that every axis and
every width can be drawn of them, and so many that runs of up to four thousand points come whole."""

FIRST_METRICS = logged_for(
    (*METRICS_READ, *(key for key, metric in METRICS.items() if metric.chart != FURTHER), *MEDIANS)
)
"""What the page's checks, its charts and its table need. Beside them a source that is far away is asked for whatever
may decide; for others when they are wanted."""

WHOLE_EVERY_S = 60.0
"""A running run is read as a whole so often, in seconds; in between only its end is."""

LOOK_AGAIN_S = 600.0
"""The curves of another run of a ``LiveSource`` are read anew after so many seconds: its version does not see rows."""

MOST_READS = 3
"""A run that changes while it is read is read so often again, until what was read is of one version."""

ASK_SHARE = 0.5
"""Of the refresh interval: several pages that look at one run ask for news once."""

MOST_BYTES = 720 * 10**6
"""What the remembered curves may take: twice five runs of 1,000,000 steps and six metrics, which are nine arrays of
8 MB each. What is worked out of them is some of the same again at most, and goes with them."""
MOST_RUNS = 60
"""How many runs are remembered, however short they are."""
MOST_COMPARISONS, MOST_RESULTS = 40, 40
"""Of how many comparisons computed values are remembered, and how many of each: some ten for each way of looking."""
MOST_PARTS = 40
"""Of each run, how many stretches or metrics that were looked at more closely are remembered, 100 kB a metric."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class RunData:
    """What was read of a version of a run, and what follows from it. Shared: never change it.

    Attributes:
        curves: The logged ones and those derived from them.
        run: As the source had it when the curves were read; it may be a newer version than was asked for.
        shown: The same with what its metric rows show put in (``lib.core.curves.evidence.with_evidence``).
        number: Tells what was read from all else that this process reads, the same run at another time included.
        logged: The curves as they were read, without those that are derived.
        origin: What was read, where this is the same under other names (``lib.ui.session.read_as``).
        computed_values: What else was worked out of it.
        parts: What was read of the same run more closely, by metrics and steps.
    """

    curves: RunCurves
    evidence: RunEvidence
    batch: EffectiveBatch
    configured_learning_rate: float | None
    run: RunSummary
    shown: RunSummary
    number: int = field(default_factory=lambda: next(_numbers))
    logged: RunCurves | None = field(default=None, repr=False)
    origin: RunData | None = field(default=None, repr=False, compare=False)
    computed_values: ComputedValues = field(default_factory=ComputedValues, repr=False, compare=False)
    parts: Memory[tuple[tuple[str, ...] | None, tuple[int, int] | None], RunCurves] = field(
        default_factory=lambda: Memory(MOST_PARTS, RESULTS_S), repr=False, compare=False
    )

    @property
    def version(self) -> str:
        """The version of the run that this belongs to."""
        return self.run.version

    @property
    def nbytes(self) -> int:
        """What its curves take; arrays that several of them share count once."""
        arrays = {id(column): column.nbytes for curve in self.curves.curves.values() for column in _columns(curve)}
        return sum(arrays.values())


def data_of(curves: RunCurves, run: RunSummary, origin: RunData | None = None) -> RunData:
    """What follows from the curves of a run, which may be those of ``origin`` under other names."""
    evidence = evidence_of(curves)
    shown = with_evidence(run, evidence)
    batch, rate = effective_batch(run), configured_learning_rate(run)
    return RunData(derived(curves, run), evidence, batch, rate, run, shown, logged=curves, origin=origin)


def derived(curves: RunCurves, run: RunSummary) -> RunCurves:
    """The curves of a run with those that are derived from them and from what was configured."""
    return with_derived(curves, replace(run, num_gpus=configured_gpus(run)))


class CurrentCurves:
    """The curves of one run as one reader has them, brought up to date when they are asked for.

    Those of a running run of a ``LiveSource`` grow: what is new is asked for and put to them. All others are read
    anew when the run has another version.
    """

    def __init__(self) -> None:
        self.data: RunData | None = None
        self._logged = RunCurves("")
        self._lock = threading.Lock()
        self._asked_at = self._whole_at = -math.inf

    def newest(self, source: RunSource, run: RunSummary, buckets: int | None, progress: Progress | None) -> RunData:
        """The run's curves; of a running run at most about ``source.refresh_s`` old."""
        with self._lock:
            now = time.monotonic()
            live = source if isinstance(source, LiveSource) else None
            running = live if run.status is RunStatus.RUNNING else None
            # A row of an earlier step may come late, where a run was resumed.
            whole_s = math.inf if live is None else LOOK_AGAIN_S if running is None else WHOLE_EVERY_S
            held = self.data
            outdated = held is None or (running is None and held.version != run.version)
            if held is None or outdated or now - self._whole_at > whole_s:
                held = self._taken(*_read_whole(source, run, buckets, progress))
                self._whole_at = self._asked_at = now
            elif running is not None:
                curves = self._logged
                if now - self._asked_at > ASK_SHARE * running.refresh_s:
                    self._asked_at = now
                    # What is held stays worth showing; the live bar says that there is no news, and why.
                    with contextlib.suppress(SourceUnavailable):
                        curves = _with_news(running, curves, held.evidence.last_step or 0)
                held = self._taken(curves, run)
            return held

    def _taken(self, curves: RunCurves, run: RunSummary) -> RunData:
        """Take curves for the newest; what was worked out of the same ones before stays."""
        held = self.data
        if held is None or held.version != run.version or not _same(self._logged, curves):
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

    def __init__(self, most_bytes: int = MOST_BYTES, most_runs: int = MOST_RUNS) -> None:
        self._most_bytes, self._most_runs = most_bytes, most_runs
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Place, CurrentCurves] = OrderedDict()
        self._comparisons: TTLCache[str, tuple[frozenset[int], ComputedValues]] = TTLCache(MOST_COMPARISONS, RESULTS_S)

    def newest(self, source: RunSource, run: RunSummary, buckets: int | None, progress: Progress | None) -> RunData:
        """The curves of this version of a run; what belongs to others of the same run and reader is forgotten."""
        place = _Place(source.cache_key, run.run_id, buckets)
        with self._lock:
            current = self._kept.setdefault(place, CurrentCurves())
            before = current.data
        data = current.newest(source, run, buckets, progress)
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


def _read_whole(
    source: RunSource, run: RunSummary, buckets: int | None, progress: Progress | None
) -> tuple[RunCurves, RunSummary]:
    """The curves of a run, and the run as it is now: whoever asks may know an older version of it.

    The rows of a ``LiveSource`` come without a version, and to ask once more would be another request.
    """
    curves = _read(source, run.run_id, buckets, progress)
    for _ in range(0 if isinstance(source, LiveSource) else MOST_READS):
        now = next(iter(source.load_runs([run.run_id])), run)
        if now.version == run.version:
            break
        run, curves = now, _read(source, run.run_id, buckets, progress)
    return curves, run


def _read(source: RunSource, run_id: str, buckets: int | None, progress: Progress | None) -> RunCurves:
    if isinstance(source, LiveSource):
        # Only a source far away takes so long that somebody wants to know how far it is.
        metrics = FIRST_METRICS if buckets is not None else None
        found = source.load_curves([run_id], metrics, buckets=buckets, progress=progress, also=is_candidate)
        if run_id in found:
            found[run_id] = _with_whole_reward(source, found[run_id])
    else:
        found = source.load_curves([run_id], buckets=buckets)
    return found.get(run_id, RunCurves(run_id))


def _with_whole_reward(source: LiveSource, curves: RunCurves) -> RunCurves:
    """Where the mean reward may decide, every value of it counts: the extremes that a source keeps are no sample."""
    if EVAL_REWARD in curves.curves or curves.get(REWARD).is_complete:
        return curves
    read = source.load_curves([curves.run_id], (REWARD,)).get(curves.run_id, RunCurves(curves.run_id))
    return replace(curves, curves=MappingProxyType({**curves.curves, **read.curves}))


def _with_news(source: LiveSource, held: RunCurves, after: int) -> RunCurves:
    news = source.load_new_curves([held.run_id], {held.run_id: after}).get(held.run_id, RunCurves(held.run_id))
    return held if holds(held, news) else extended(held, news, after)


def _same(one: RunCurves, other: RunCurves) -> bool:
    if one is other:
        return True
    if (one.curves.keys(), one.unread, one.rows) != (other.curves.keys(), other.unread, other.rows):
        return False
    return all(_same_curve(curve, other.curves[metric]) for metric, curve in one.curves.items())


def _same_curve(one: MetricCurve, other: MetricCurve) -> bool:
    if (one.logged, one.lost, one.median) != (other.logged, other.lost, other.median):
        return False
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(_columns(one), _columns(other), strict=True))


def _columns(curve: MetricCurve) -> tuple[np.ndarray, ...]:
    return curve.step, curve.value, curve.epoch, curve.elapsed_s
