"""Whether numbers run like a curve over the steps: a metric that nobody knows by name, and not data beside a count."""

from __future__ import annotations

import math

import numpy as np

from lib.data.formats.tables.axes import by_group
from lib.data.formats.tables.table import Numbers, distinct_values

_FEW = 8
"""With fewer points only what rises or falls all the way is told from chance."""
_LEAST = 3
_ERRORS = 2.5
"""So many standard errors neighbours must be closer to each other than values in any order would be."""
_STILL = 0.2
"""Of a metric's values at least this share are different: one of few values is a class or a label."""


def runs_like_a_curve(column: Numbers, parts: np.ndarray) -> bool:
    """Whether neighbours are closer to each other than values in any order would be (von Neumann's ratio).

    Whole numbers are no curve: a number of rows, a year that data are sorted by.

    Args:
        column: The numbers, rows in the order of their steps.
        parts: The run and the metric of each row, shape (rows,), int64.
    """
    rows = by_group(np.flatnonzero(column.given & np.isfinite(column.values)), parts)
    values = column.values[rows]
    least = max(_LEAST, _STILL * min(values.size, 100))
    # The first are enough to see it, of most.
    if values.size < _LEAST or (len(distinct_values(values[:1000])) < least and len(distinct_values(values)) < least):
        return False
    _, part = np.unique(parts[rows], return_inverse=True)
    part = part.reshape(-1)
    within = part[1:] == part[:-1]
    steps = np.diff(values)[within]
    if not steps.size or (values == np.floor(values)).all():
        return False
    is_one_way = bool((steps > 0).all() or (steps < 0).all())
    if values.size < _FEW:
        return is_one_way
    sizes = np.bincount(part)
    mean = np.bincount(part, values) / sizes
    spread = float(((values - mean[part]) ** 2).sum()) / max(values.size - sizes.size, 1)
    if not (math.isfinite(spread) and spread > 0):
        return False
    ratio = float((steps**2).mean()) / (2 * spread)
    return bool(ratio < 1 - _ERRORS / math.sqrt(steps.size))
