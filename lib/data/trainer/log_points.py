"""The numbers of a log of rows, as arrays: one point for each number, in the order in which they were written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The numbers of a log, in the order in which they were written.

    Attributes:
        names: The metrics, in the order in which they first occur.
        metric: Shape (n,), int64: the place of each point's metric in ``names``.
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
        # Zero has a sign, and NaN many forms, which logs do not.
        value = np.where(np.isnan(self.value), np.nan, self.value + 0.0)
        rows = np.stack((self.step, value.view(np.int64), self.metric), axis=1)
        seen, found, before = hashlib.blake2b(digest_size=12), [], 0
        for count in counts:
            seen.update(np.ascontiguousarray(rows[before:count]).tobytes())
            own = seen.copy()
            known = int(self.metric[:count].max()) + 1 if count else 0
            own.update(repr(self.names[:known]).encode("utf-8", "surrogatepass"))
            found.append(own.hexdigest())
            before = count
        return found
