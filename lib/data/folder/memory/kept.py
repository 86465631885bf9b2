"""What was read and may be read again: kept as long as there is room, by how many points it has."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from lib.core.curves.metric_curves import NO_CURVE, MetricCurve, RunCurves

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
POINT_BYTES = 32
"""A point has a step, a value, an epoch and a time."""


class Kept(Generic[K, V]):
    """Values by key, each of one state of its files; what was not asked for the longest goes first.

    Args:
        most: How many points all of them may have together, ``POINT_BYTES`` each.
    """

    def __init__(self, most: int) -> None:
        self._most, self._points = most, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[object, V, int]] = OrderedDict()

    def get(self, key: K, state: object) -> V | None:
        """The value, where it is kept and of this state."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != state:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: K, state: object, value: V, points: int) -> None:
        """Keep a value in the place of an older one, unless it alone is too large."""
        with self._lock:
            if (before := self._kept.pop(key, None)) is not None:
                self._points -= before[2]
            if points > self._most:
                return
            self._kept[key] = state, value, points
            self._points += points
            while self._points > self._most:
                _, (_, _, gone) = self._kept.popitem(last=False)
                self._points -= gone


def room_of(runs: Iterable[RunCurves]) -> int:
    """As how many points curves count: metrics that were logged together share their steps, and take less room."""
    columns = (column for run in runs for curve in run.curves.values() for column in curve.columns)
    # What is the same at every step is held once.
    arrays = {id(column): column.nbytes for column in columns if column.strides != (0,)}
    return -(-sum(arrays.values()) // POINT_BYTES)


class LazyCurves(Mapping[str, MetricCurve]):
    """Curves by metric that are read when one is asked for: whoever compares runs looks at few of them.

    Args:
        metrics: How many points each has.
        read: Reads them all; a metric that is no longer there has no points.
    """

    def __init__(self, metrics: Mapping[str, int], read: Callable[[], Mapping[str, MetricCurve]]) -> None:
        self._metrics, self._read = metrics, read

    def __getitem__(self, metric: str) -> MetricCurve:
        if metric not in self._metrics:
            raise KeyError(metric)
        return self._read().get(metric, NO_CURVE)

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __contains__(self, metric: object) -> bool:
        return metric in self._metrics
