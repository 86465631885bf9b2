"""What is read of a version of a run, how, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType

import numpy as np

from lib.core.checks.registry import METRICS_READ
from lib.core.config.derived import EffectiveBatch
from lib.core.config.effective import configured_gpus, configured_learning_rate, effective_batch
from lib.core.curves.derived import logged_for, with_derived
from lib.core.curves.evidence import RunEvidence, evidence_of, with_evidence
from lib.core.curves.metric_curves import MetricCurve, RunCurves, extended, holds
from lib.core.facts.metrics import FURTHER, MEDIANS, METRICS
from lib.core.facts.runs import RunSummary
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

MOST_READS = 3
"""A run that changes while it is read is read so often again, until what was read is of one version."""

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


def read_whole(
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


def with_news(source: LiveSource, held: RunCurves, after: int) -> RunCurves:
    """Curves with what came after a step; the same object where nothing did."""
    news = source.load_new_curves([held.run_id], {held.run_id: after}).get(held.run_id, RunCurves(held.run_id))
    return held if holds(held, news) else extended(held, news, after)


def same(one: RunCurves, other: RunCurves) -> bool:
    """Whether the same was read twice."""
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
