"""How often a curve was logged: the typical number of steps between two of its points."""

from __future__ import annotations

import numpy as np

from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.limits import Count, Limit

# fmt: off
REGULAR_TOLERANCE = Limit(0.1, "Regular tolerance",
    "Differences of steps within this share of their median count as equal: trainers log at fixed intervals, and"
    " round where the interval is a share of an epoch.")
REGULAR_SHARE = Limit(0.5, "Regular share",
    "Share of equal differences from which on there is a logging interval; below it, steps are spread too freely.")
REGULAR_POINTS = Count(5, "Regular points",
    "Points needed to speak of an interval: with fewer, one gap would be a quarter of all that is known.")
# fmt: on


def typical_interval(curve: MetricCurve, points: int = REGULAR_POINTS) -> float | None:
    """The median difference of a curve's steps.

    Returns:
        ``None`` where the curve is reduced, has fewer than ``points`` points, or has no typical difference.
    """
    if not curve.is_complete or len(curve) < points:
        return None
    differences = np.diff(curve.step)
    median = float(np.median(differences))
    equal = np.abs(differences - median) <= max(REGULAR_TOLERANCE * median, 1.0 if median > 1.0 else 0.0)
    return median if equal.mean() >= REGULAR_SHARE else None
