"""The numbers of a log of rows, as arrays: one point for each number, in the order in which they were written."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_PART = 65_536
"""So many points are looked at together: a long log is not held twice."""
_ROW = 3 * 8
_MARK = 24
"""Digits of a mark: these are enough to tell logs apart."""


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
    """

    names: tuple[str, ...]
    metric: np.ndarray
    step: np.ndarray
    epoch: np.ndarray
    at: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.step)

    def places(self) -> dict[str, np.ndarray]:
        """The positions of the points of each metric."""
        order = np.argsort(self.metric, kind="stable")
        ends = np.cumsum(np.bincount(self.metric, minlength=len(self.names)))
        return dict(zip(self.names, np.split(order, ends[:-1]), strict=True)) if self.names else {}

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
        first = np.full(len(self.names), len(self))
        first[self.metric[::-1]] = np.arange(len(self) - 1, -1, -1)
        begins = first.tolist()
        for count in counts:
            while count > begin + _PART:
                seen.update(rows[(before - begin) * _ROW :])
                before = begin = begin + _PART
                rows = self._rows(begin)
            seen.update(rows[(before - begin) * _ROW : (count - begin) * _ROW])
            before, own = count, seen.copy()
            known = bisect_left(begins, count)
            own.update(repr(self.names[:known]).encode("utf-8", "surrogatepass"))
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
