"""The numbers of a log of rows, as arrays: one point for each number, in the order in which they were written."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_PART = 65_536
"""So many points are looked at together: a long log is not held twice."""
_ROW = 3 * 8
_MARK = 24
"""Digits of a mark: these are enough to tell logs apart."""


class ByMetric(NamedTuple):
    """The places of points by metric.

    Attributes:
        order: The places, those of one metric after those of the one before, as they were written; shape (n,).
        ends: Where those of each metric end in it, shape (metrics,).
        is_in_order: Each metric was written in the order of its steps, none of them twice.
    """

    order: np.ndarray
    ends: np.ndarray
    is_in_order: bool

    def of(self, metric: int) -> np.ndarray:
        """The places of the points of one metric."""
        own: np.ndarray = self.order[int(self.ends[metric - 1]) if metric else 0 : int(self.ends[metric])]
        return own


def by_metric(metric: np.ndarray, step: np.ndarray, count: int) -> ByMetric:
    """Points by metric; ``count`` is how many metrics there are, each of which has a point."""
    order, ends, rises = _sorted(metric, step, count)
    return ByMetric(order, ends, bool(rises.all()))


def _sorted(metric: np.ndarray, step: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places and ends as in ``ByMetric``; and which of the places but the first come at a later step, or begin one."""
    # Of small numbers the sort is one pass.
    order = np.argsort(metric.astype("uint16" if count <= 2**16 else "int64"), kind="stable")
    if len(order) < np.iinfo(np.int32).max:
        order = order.astype(np.int32)
    ends = np.cumsum(np.bincount(metric, minlength=count))
    ordered = step[order]
    rises = ordered[1:] > ordered[:-1]
    rises[ends[:-1] - 1] = True
    return order, ends, rises


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The numbers of a log, in the order in which they were written.

    Attributes:
        names: The metrics, in the order in which they first occur.
        metric: Shape (n,), int32: the place of each point's metric in ``names``.
        step: Shape (n,), int64.
        epoch: Shape (n,), float64, NaN where not logged.
        at: Seconds on some clock, shape and gaps as ``epoch``.
        value: Shape (n,), float64.
        by_metric: Their places by metric.
    """

    names: tuple[str, ...]
    metric: np.ndarray
    step: np.ndarray
    epoch: np.ndarray
    at: np.ndarray
    value: np.ndarray
    by_metric: ByMetric

    def __len__(self) -> int:
        return len(self.step)

    def places(self) -> dict[str, np.ndarray]:
        """The positions of the points of each metric."""
        return {name: self.by_metric.of(metric) for metric, name in enumerate(self.names)}

    def of(self, names: Collection[str]) -> np.ndarray:
        """Which points are of these metrics: a mask."""
        wanted: np.ndarray = np.array([name in names for name in self.names], dtype=bool)[self.metric]
        return wanted

    def frame(self, names: Collection[str]) -> pd.DataFrame:
        """The points of these metrics: ``metric`` (text), ``step``, ``value``."""
        import pandas as pd

        kept = self.of(names)
        metric = np.array(self.names, dtype=object)[self.metric[kept]]
        return pd.DataFrame(
            {"metric": pd.Series(metric, dtype="str"), "step": self.step[kept], "value": self.value[kept]}
        )

    def begins(self, other: Points) -> bool:
        """Whether these are the first points of ``other``."""
        count = len(self)
        if count > len(other):
            return False
        return bool(
            np.array_equal(self.step, other.step[:count])
            and np.array_equal(self.value, other.value[:count], equal_nan=True)
            # Metrics are numbered as they first occur.
            and np.array_equal(self.metric, other.metric[:count])
            and self.names == other.names[: len(self.names)]
        )

    def opening(self, count: int) -> str:
        """How the log begins, as text: equal for logs whose first ``count`` points are. Identities rest on it."""
        names = [self.names[code] for code in self.metric[:count].tolist()]
        return repr(list(zip(names, self.step[:count].tolist(), self.value[:count].tolist(), strict=True)))

    def openings(self, counts: Sequence[int]) -> list[str]:
        """The same for several counts, as short marks.

        Args:
            counts: In ascending order, none above the number of points.
        """
        seen, found, before = hashlib.sha256(), [], 0
        begin, rows = 0, self._rows(0)
        # Metrics are numbered as they first occur.
        order, ends, _ = self.by_metric
        called: dict[int, bytes] = {}
        begins = order[[0, *ends[:-1].tolist()]].tolist() if self.names else []
        for count in counts:
            while count > begin + _PART:
                seen.update(rows[(before - begin) * _ROW :])
                before = begin = begin + _PART
                rows = self._rows(begin)
            seen.update(rows[(before - begin) * _ROW : (count - begin) * _ROW])
            before, own = count, seen.copy()
            known = bisect_left(begins, count)
            if known not in called:
                called[known] = repr(self.names[:known]).encode("utf-8", "surrogatepass")
            own.update(called[known])
            found.append(own.hexdigest()[:_MARK])
        return found

    def _rows(self, begin: int) -> bytes:
        part = slice(begin, begin + _PART)
        rows = np.empty((len(self.step[part]), 3), dtype="int64")
        # Zero has a sign, and NaN many forms, which logs do not.
        value = self.value[part] + 0.0
        value[np.isnan(value)] = np.nan
        rows[:, 0], rows[:, 1], rows[:, 2] = self.step[part], value.view(np.int64), self.metric[part]
        return rows.tobytes()


def points_of_logs(
    names: Sequence[str],
    code: np.ndarray,
    step: np.ndarray,
    epoch: np.ndarray,
    at: np.ndarray,
    value: np.ndarray,
    bounds: np.ndarray,
) -> list[Points]:
    """The points of several logs, made at once: of a short log most of the time is that of the calls.

    Args:
        names: Of the metrics of all logs.
        code: Which of them each number has, shape (n,).
        step: As in ``Points``, of one log after the other.
        epoch: The same.
        at: The same.
        value: The same.
        bounds: Where those of each log begin, and where the last one's end, shape (logs + 1,).
    """
    logs, sizes = np.arange(len(bounds) - 1), np.diff(bounds)
    log = np.repeat(logs, sizes)
    place = log * len(names) + code
    # Of several values for one place the last holds: going back, that is where a metric first occurs in a log.
    first = np.full(len(logs) * len(names), len(place))
    first[place[::-1]] = np.arange(len(place) - 1, -1, -1)
    found = np.flatnonzero(first < len(place))
    found = found[np.argsort(first[found])]
    number = np.empty(len(first), dtype="int32")
    number[found] = np.arange(len(found))
    # The metrics of all logs are numbered as they first occur, so that those of one follow each other.
    every = number[place]
    order, ends, rises = _sorted(every, step, len(found))
    begins = np.searchsorted(found // max(len(names), 1), np.append(logs, len(logs)))
    metric = every - np.repeat(begins[:-1], sizes).astype("int32")
    order -= np.repeat(bounds[:-1], sizes).astype(order.dtype)
    falls = set(log[1:][~rises].tolist())
    called = [names[each] for each in (found % max(len(names), 1)).tolist()]
    points = []
    for each in logs.tolist():
        own, mine = slice(bounds[each], bounds[each + 1]), slice(begins[each], begins[each + 1])
        by = ByMetric(order[own], ends[mine] - bounds[each], each not in falls)
        points.append(Points(tuple(called[mine]), metric[own], step[own], epoch[own], at[own], value[own], by))
    return points
