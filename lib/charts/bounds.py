"""Outliers: which values of a chart count as some, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.charts.drawn import DrawnCurve

LOWEST_PERCENT, HIGHEST_PERCENT = 1, 97
"""Percentiles of what is in view: outside of them a value is an outlier. The 99th would still keep the steep start of a
training, whose losses are one point in thirty."""

MOST_SORTED = 50_000
"""Of more points, percentiles are those of every so many-th."""

START_SHARE = 0.1
"""The first part of the range in view is its start."""
DWARFS = 1.5
"""A start dwarfs the rest where the values are spread so many times as far with it as without."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the values of a chart lie.

    Attributes:
        low: Below are outliers.
        high: Above are outliers.
        outside: How many points are.
        points: Of how many.
        dwarfed: The start of training dwarfs the rest, so that little could be seen of that.
    """

    low: float
    high: float
    outside: int
    points: int
    dwarfed: bool


def bounds_of(drawn: Sequence[DrawnCurve]) -> Bounds | None:
    """The bounds of the values that are in view; ``None`` where there are none."""
    shown = [each.shown for each in drawn if len(each.shown[0])]
    if not shown:
        return None
    points = sum(len(x) for x, _ in shown)
    each = max(1, points // MOST_SORTED)
    low, high = np.percentile(np.concatenate([y[::each] for _, y in shown]), [LOWEST_PERCENT, HIGHEST_PERCENT])
    outside = sum(int(np.count_nonzero((y < low) | (y > high))) for _, y in shown)
    return Bounds(float(low), float(high), outside, points, _is_dwarfed(shown))


def _is_dwarfed(shown: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    first = min(x.min() for x, _ in shown)
    start = first + START_SHARE * (max(x.max() for x, _ in shown) - first)
    rest = [later for x, y in shown if len(later := y[x > start])]
    if not rest:
        return False
    spread = max(y.max() for y in rest) - min(y.min() for y in rest)
    whole = max(y.max() for _, y in shown) - min(y.min() for _, y in shown)
    return bool(0 < DWARFS * spread < whole)
