"""The curves of a run, as they travel from a source to charts, tables and checks.

A run has one ``MetricCurve`` for each metric that it logged; a metric that it never logged is absent.
A null is not a value and has no point; NaN and infinities were logged and are points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from lib.core.curves.row_facts import RowFacts
from lib.core.facts.masks import metric_name

if TYPE_CHECKING:
    import pandas as pd

FRAME_COLUMNS = ("run_id", "metric", "step", "epoch", "elapsed_s", "value")
"""The columns of ``frame_of``, as they are exported."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricCurve:
    """One metric of one run: points in the order of their steps, one a step.

    The arrays are shared with other curves and with caches, so they are made read-only.

    Attributes:
        step: Optimizer steps, shape (n,), int64, at least 0, strictly increasing.
        value: In the metric's unit, shape (n,), float64; NaN or an infinity where the run logged just that.
        epoch: Epochs done at each step, shape (n,), float64; NaN where not logged.
        elapsed_s: Seconds since the run's first logged row, shape (n,), float64; NaN where not logged.
        logged: How many values the source has in the range of steps that was read; more than n where it
            reduced them (``lib.core.curves.series.reduce_indices``, NaN and infinities beside the finite ones).
        lost: How many of these are NaN or infinite.
        median: Of all finite values, where the source reduced them and says it.
    """

    step: np.ndarray
    value: np.ndarray
    epoch: np.ndarray
    elapsed_s: np.ndarray
    logged: int
    lost: int
    median: float | None = None

    def __post_init__(self) -> None:
        for column in self.columns:
            column.setflags(write=False)

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Step, value, epoch and elapsed seconds."""
        return self.step, self.value, self.epoch, self.elapsed_s

    @property
    def is_complete(self) -> bool:
        """Every logged value of the range is here."""
        return self.logged == len(self.step)

    @property
    def is_lost_before_first(self) -> bool:
        """Whether there are NaN or infinite values, and all of them stand before the first number."""
        is_number = np.isfinite(self.value)
        first = int(is_number.argmax()) if is_number.any() else 0
        return 0 < first == self.lost and bool(is_number[first:].all())

    def __len__(self) -> int:
        return len(self.step)

    def where(self, keep: np.ndarray | slice) -> MetricCurve:
        """The points of a mask, of sorted positions or of a slice, as a curve of their own, all of it logged."""
        return complete_curve(*(column[keep] for column in self.columns))

    def finite(self) -> MetricCurve:
        """The points whose value is neither NaN nor infinite."""
        return self.where(np.isfinite(self.value)) if self.lost else self


@dataclass(frozen=True, slots=True, eq=False)
class RunCurves:
    """The curves of one run.

    Attributes:
        run_id: The run.
        curves: By metric, a key of ``lib.core.facts.metrics.METRICS`` or the source's own name.
        unread: Metrics that the run may have logged and that were not asked for.
        rows: What was noticed of the rows that the curves are made of; ``None`` where no row was seen.
        may_have_more: The source could not tell what else the run logged, besides these and ``unread``.
    """

    run_id: str
    curves: Mapping[str, MetricCurve] = field(default_factory=lambda: MappingProxyType({}))
    unread: tuple[str, ...] = ()
    rows: RowFacts | None = None
    may_have_more: bool = False

    def __post_init__(self) -> None:
        # These names stand in charts, links and tables.
        if any(metric_name(name) != name for name in self.curves):
            masked = MappingProxyType({metric_name(name): curve for name, curve in self.curves.items()})
            object.__setattr__(self, "curves", masked)

    @property
    def is_complete(self) -> bool:
        """Every logged value of every curve is here."""
        return all(curve.is_complete for curve in self.curves.values())

    @property
    def points(self) -> int:
        """How many points all curves have together."""
        return sum(map(len, self.curves.values()))

    @property
    def logged(self) -> int:
        """How many values were logged in all curves together."""
        return sum(curve.logged for curve in self.curves.values())

    def get(self, metric: str) -> MetricCurve:
        """The curve of a metric; one without points where it was not logged."""
        return self.curves.get(metric, NO_CURVE)


def complete_curve(step: np.ndarray, value: np.ndarray, epoch: np.ndarray, elapsed_s: np.ndarray) -> MetricCurve:
    """A curve of which every logged value is there."""
    return MetricCurve(step, value, epoch, elapsed_s, len(step), int(len(value) - np.isfinite(value).sum()))


NO_CURVE = complete_curve(np.empty(0, "int64"), np.empty(0), np.empty(0), np.empty(0))


def tidy_curve(step: np.ndarray, value: np.ndarray, epoch: np.ndarray, elapsed_s: np.ndarray) -> MetricCurve:
    """Make a curve of points in the order in which they were written.

    Where one step was written more than once (a resumed run repeats steps), the last one written wins.

    Args:
        step: Shape (n,), int64, at least 0.
        value: Shape (n,), float64.
        epoch: The same.
        elapsed_s: The same.
    """
    columns = step, value, epoch, elapsed_s
    last = last_written(step)
    return complete_curve(*(columns if last is None else (column[last] for column in columns)))


def last_written(step: np.ndarray) -> np.ndarray | None:
    """The places of the last value of each step, by ascending step; ``None`` where that is as they stand.

    Args:
        step: In the order in which they were written, shape (n,).
    """
    if (step[1:] > step[:-1]).all():
        return None
    order = np.argsort(step, kind="stable")
    ordered = step[order]
    return np.asarray(order[np.append(ordered[1:] != ordered[:-1], True)])


def extended(held: RunCurves, news: RunCurves, after: int) -> RunCurves:
    """Put the points from step ``after`` on in the place of those that ``held`` has from there on.

    Args:
        held: Curves of a run. Its unread metrics stay unread: of these, the beginning is missing.
        news: All points of the same run from that step on.
        after: The first step that may differ.
    """
    if not news.curves:
        return held
    curves = dict(held.curves)
    for metric, new in _read(held, news):
        old = held.get(metric)
        keep = int(np.searchsorted(old.step, after))
        gone = old.value[keep:]
        step, value, epoch, elapsed_s = (
            np.concatenate((before[:keep], added)) for before, added in zip(old.columns, new.columns, strict=True)
        )
        logged = old.logged - len(gone) + new.logged
        lost = old.lost - int((~np.isfinite(gone)).sum()) + new.lost
        curves[metric] = MetricCurve(step, value, epoch, elapsed_s, logged, lost, old.median)
    return replace(held, curves=MappingProxyType(curves))


def holds(held: RunCurves, news: RunCurves) -> bool:
    """Whether every point of ``news`` is in ``held`` already, with the same value; unread metrics aside."""
    return all(_ends_with(held.get(metric), new) for metric, new in _read(held, news))


def _read(held: RunCurves, news: RunCurves) -> list[tuple[str, MetricCurve]]:
    return [(metric, new) for metric, new in news.curves.items() if metric not in held.unread]


def _ends_with(old: MetricCurve, new: MetricCurve) -> bool:
    start = len(old) - len(new)
    if start < 0 or not np.array_equal(old.step[start:], new.step):
        return False
    return np.array_equal(old.value[start:], new.value, equal_nan=True)


def cut(curves: RunCurves, first: int, last: int) -> RunCurves:
    """Only the points from one step to another, both included; curves without any are absent."""
    kept = {}
    for metric, curve in curves.curves.items():
        start, end = np.searchsorted(curve.step, (first, last + 1))
        if start < end:
            kept[metric] = curve if start == 0 and end == len(curve) else curve.where(slice(start, end))
    return replace(curves, curves=MappingProxyType(kept))


def frame_of(runs: Iterable[RunCurves], metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """The points as a table of one row for each run, metric and step, sorted by these.

    Args:
        runs: Curves of different runs.
        metrics: Only these; ``None`` for all.

    Returns:
        Columns ``FRAME_COLUMNS``: text, text, int64 and three float64.
    """
    # A process that only reads curves does without.
    import pandas as pd

    of_point = FRAME_COLUMNS[2:]
    parts = [
        pd.DataFrame({"run_id": run.run_id, "metric": metric, **{name: getattr(curve, name) for name in of_point}})
        for run in sorted(runs, key=lambda run: run.run_id)
        for metric, curve in sorted(run.curves.items())
        if len(curve) and (metrics is None or metric in metrics)
    ]
    if parts:
        return pd.concat(parts, ignore_index=True)
    kinds = dict(zip(FRAME_COLUMNS, ("str", "str", "int64", "float64", "float64", "float64"), strict=True))
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
