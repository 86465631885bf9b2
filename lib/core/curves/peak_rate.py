"""Which peak of a schedule a log of learning rates leaves possible."""

from __future__ import annotations

import math

import numpy as np

from lib.core.curves.metric_curves import MetricCurve


def refuting_peak(rates: MetricCurve, named: float, total_steps: int | None, tolerance: float) -> float | None:
    """The highest logged learning rate, where a schedule with ``named`` as its peak would have been seen to differ.

    A logged rate above it always differs. One below it does only where the peak cannot have passed unseen: not while
    the rate still rises, not before a log that begins late, and not between two points that are far apart.

    Args:
        rates: The learning rates that were logged.
        named: The peak that is stated somewhere.
        total_steps: How many steps the run was to make; ``None`` where that is not known.
        tolerance: The share by which both may differ anyway.
    """
    known = rates.finite()
    if not len(known):
        return None
    steps, values = known.step.astype("float64"), known.value
    at = int(values.argmax())
    peak = float(values[at])
    if peak > named * (1.0 + tolerance):
        return peak
    total = max(float(total_steps or 0), float(steps[-1]))
    before = float(steps[at - 1]) if at else 0.0
    # What is left at this step where the rate fell, in a straight line or by a cosine, from the point before on.
    fallen = (float(steps[at]) - before) / max(total - before, 1.0)
    seen = min(1.0 - fallen, (1.0 + math.cos(math.pi * fallen)) / 2.0)
    if _may_peak_after(steps, values, at, named):
        after = float(steps[at + 1]) if at + 1 < len(steps) else np.inf
        seen = min(seen, float(steps[at]) / after)
    return peak if peak < named * (1.0 - tolerance) * seen else None


def _may_peak_after(steps: np.ndarray, values: np.ndarray, at: int, named: float) -> bool:
    """Whether the rate may have risen to ``named`` between its highest point and the next one."""
    if at + 1 == len(steps):
        # The end of a rise, unless it has stood still before.
        return at == 0 or bool(values[at] > values[at - 1] * (1.0 + 1e-6))
    if values[at + 1] >= values[at] * (1.0 - 1e-6):
        return False
    if at + 2 >= len(steps):
        return True
    falling = (values[at + 1] - values[at + 2]) / (steps[at + 2] - steps[at + 1])
    # It would have had to fall this far since, and would fall on about as steeply.
    return bool(2.0 * falling * (steps[at + 1] - steps[at]) >= named - values[at + 1])
