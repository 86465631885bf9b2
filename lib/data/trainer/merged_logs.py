"""The logs of one run together, as curves: each is made when somebody asks for it.

A list of runs needs the last values of three curves and how many points the others have, so that most are never made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, tidy_curve
from lib.core.curves.row_facts import UNKNOWN_US, RowFacts, row_facts
from lib.data.trainer.log_points import ByMetric, Points, by_metric


class MergedLogs(Mapping[str, MetricCurve]):
    """The curves of the logs of one run, by metric, in the order of their names.

    Args:
        logs: The points of the states of the run's checkpoints; where they disagree the later in this order holds.
    """

    def __init__(self, logs: Sequence[Points]) -> None:
        self._logs = logs
        filled = [points for points in logs if len(points)]
        codes: dict[str, int] = {}
        for points in filled:
            for name in points.names:
                codes.setdefault(name, len(codes))
        self._codes = dict(sorted(codes.items()))
        self._at: np.ndarray
        self._by: ByMetric
        if len(filled) == 1:
            # The points of a long log are a good part of the memory that there is.
            (only,) = filled
            self._metric, self._step, self._value, self._epoch, self._at, self._by = (
                only.metric,
                only.step,
                only.value,
                only.epoch,
                only.at,
                only.by_metric,
            )
        elif filled:
            own = (np.array([codes[name] for name in points.names])[points.metric] for points in filled)
            self._metric = np.concatenate(list(own))
            self._step, self._value, self._epoch, self._at = (
                np.concatenate(columns)
                for columns in zip(*((each.step, each.value, each.epoch, each.at) for each in filled), strict=True)
            )
            self._by = by_metric(self._metric, self._step, len(codes))
        self._made: dict[str, MetricCurve] = {}

    def __getitem__(self, metric: str) -> MetricCurve:
        made = self._made.get(metric)
        if made is None:
            made = self._made[metric] = self._curve(self._codes[metric])
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, metric: object) -> bool:
        return metric in self._codes

    def last(self, metric: str) -> float | None:
        """The last value of a curve; ``None`` where there is none."""
        if metric not in self._codes:
            return None
        if self._by.is_in_order:
            return float(self._value[self._by.order[self._by.ends[self._codes[metric]] - 1]])
        return float(self[metric].value[-1])

    def highest(self, metric: str) -> float | None:
        """The highest finite value of a curve; ``None`` where there is none."""
        if metric not in self._codes:
            return None
        is_made = not self._by.is_in_order
        value = self[metric].value if is_made else self._value[self._by.of(self._codes[metric])]
        value = value[np.isfinite(value)]
        return float(value.max()) if len(value) else None

    def counts(self) -> dict[str, int]:
        """How many points each curve has."""
        if not self._codes:
            return {}
        order, ends, is_in_order = self._by
        if is_in_order:
            sizes = [end - begin for begin, end in pairwise([0, *ends.tolist()])]
            return {name: sizes[code] for name, code in self._codes.items()}
        parts = np.split(self._step[order], ends[:-1])
        return {name: len(np.unique(parts[code])) for name, code in self._codes.items()}

    def borrowed(self) -> int:
        """How many values the last log lacks."""
        if len(self._logs) < 2 or not self._codes:
            return 0
        log = np.repeat(np.arange(len(self._logs)), [len(points) for points in self._logs])
        by_step = np.lexsort((np.arange(len(self._step)), self._step, self._metric))
        metric, step = self._metric[by_step], self._step[by_step]
        last = np.append((np.diff(metric) != 0) | (np.diff(step) != 0), True)
        return int((log[by_step][last] < len(self._logs) - 1).sum())

    def curves(self, run_id: str) -> RunCurves:
        """All of them."""
        if not self._codes:
            return RunCurves(run_id)
        # Of what is noticed nothing but the result is kept; it is done before the curves take their room.
        rows = _facts(self._logs[-1])
        return RunCurves(run_id, MappingProxyType({metric: self[metric] for metric in self}), rows=rows)

    @cached_property
    def _began(self) -> float:
        """The first moment; NaN where none was logged."""
        known = np.isfinite(self._at)
        return float(np.min(self._at, where=known, initial=np.inf)) if known.any() else np.nan

    def _curve(self, code: int) -> MetricCurve:
        own = self._by.of(code)
        at = self._at[own]
        elapsed = at if np.isnan(self._began) else at - self._began
        return tidy_curve(self._step[own], self._value[own], self._epoch[own], elapsed)


def _facts(points: Points) -> RowFacts:
    """What is noticed of the log that leads: those of earlier checkpoints repeat its values."""
    at = points.at
    known = np.isfinite(at)
    written_us = np.where(known, np.where(known, at, 0.0) * 1e6, UNKNOWN_US).astype("int64") if known.any() else None
    return row_facts(points.step, written_us, points.places())
