"""Where a learning rate that had decayed comes back, and whether it does so in cycles."""

from __future__ import annotations

import numpy as np

from lib.core.facts.limits import Limit

# fmt: off
RATE_DECAYED = Limit(0.5, "Rate decayed", "A rate has decayed when it is below this share of its peak.")
RATE_RETURNED = Limit(0.8, "Rate returned", "And restarts when it is back at this share of its peak.")
CYCLE_TOLERANCE = Limit(0.15, "Cycle tolerance",
    "Restarts whose distances grow by one factor, within this share, are cycles of a schedule, said or not.")
# fmt: on

_FACTORS = (1.0, 2.0, 3.0)
"""By how much cycles of warm restarts grow, each from the one before (``T_mult``)."""


def returns_of(rates: np.ndarray) -> list[tuple[int, int]]:
    """Where the rate comes back: the position of its lowest point, and of the next that is near the peak again.

    Args:
        rates: Shape (n,), finite; at least 1.
    """
    peak = float(rates.max())
    if peak <= 0.0:
        return []
    low, high = rates <= RATE_DECAYED * peak, rates >= RATE_RETURNED * peak
    marks = np.where(high, 1, np.where(low, -1, 0))
    at = np.flatnonzero(marks)
    turns = at[1:][(marks[at[1:]] == 1) & (marks[at[:-1]] == -1)]
    found = []
    begin = int(np.argmax(high))
    for turn in turns.tolist():
        if turn > begin:
            low_at = begin + int(rates[begin:turn].argmin())
            # The last one of the lowest: a rate may stand at 0 for a while.
            low_at = begin + int(np.flatnonzero(rates[begin:turn] == rates[low_at])[-1])
            found.append((low_at, turn))
            begin = turn
    return found


def are_cycles(steps: np.ndarray, returns: list[tuple[int, int]]) -> bool:
    """Whether three starts or more, the first among them, lie at distances that are equal or grow by one factor."""
    if len(returns) < 2:
        return False
    tops = np.array([steps[0], *(steps[high] for _, high in returns)], dtype=np.float64)
    distances = np.diff(tops)
    factors = distances[1:] / distances[:-1]
    return any(bool((np.abs(factors / factor - 1.0) <= CYCLE_TOLERANCE).all()) for factor in _FACTORS)
