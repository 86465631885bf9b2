"""What a curve of few points shows: only an effect so large that noise cannot be its cause.

Each function takes shape (n,), finite, n at least ``SHORT_POINTS``, and returns positions, or ``None``.
"""

from __future__ import annotations

import numpy as np

from lib.core.curves.robust import noise_of
from lib.core.facts.limits import Count, Limit

# fmt: off
SHORT_POINTS = Count(8, "Short points", "Points from which on a large effect is told, where a small one needs more.")
SHORT_RISE = Limit(1.0, "Short rise", "In a short curve, a divergence is at least so many times of the best level.")
SHORT_FALL = Limit(0.5, "Short fall", "And gives back this share of what the loss had fallen.")
SHORT_ERRORS = Limit(5.0, "Short errors", "And is so many standard deviations of the noise.")
SHORT_SPIKE = Limit(8.0, "Short spike",
    "In a short curve, a spike is so many times the median of the others; a loss spike half as many.")
SHORT_OTHERS = Limit(2.0, "Short others", "And so many times the greatest of the others, from the third point on.")
SHORT_DROP = Limit(0.5, "Short drop",
    "In a short curve, throughput that sank stays below this share of all that it was before.")
SHORT_CLIMB = Limit(1.5, "Short climb", "In a short curve, memory that creeps up ends at so many times of its start.")
# fmt: on

_PART = 3
"""Points whose median is a level."""


def rise_of(values: np.ndarray) -> tuple[int, int] | None:
    """Where a loss was best, and from where on it is far above that to the end."""
    levels = np.median(np.lib.stride_tricks.sliding_window_view(values, _PART), axis=1)
    at = int(np.argmin(levels[: 1 - _PART]))
    best, end = float(levels[at]), float(levels[-1])
    rise, fall = end - best, float(values[0]) - best
    if rise <= max(SHORT_RISE * abs(best), SHORT_FALL * fall, SHORT_ERRORS * noise_of(values)):
        return None
    above = values > best + rise / 2.0
    if not above[-_PART:].all():
        return None
    below = np.flatnonzero(~above)
    first = int(below[-1]) + 1 if len(below) else at
    return (at, first) if first > at else None


def spike_of(values: np.ndarray, times: float = SHORT_SPIKE) -> int | None:
    """The one point that is far above all others, the first two apart: losses and gradients begin large."""
    at = 2 + int(np.argmax(values[2:]))
    others = np.delete(values, at)
    limit = max(times * float(np.median(others)), SHORT_OTHERS * float(np.delete(values[2:], at - 2).max()))
    return at if values[at] > limit > 0.0 and values[at] > values[:2].max() else None


def drop_of(values: np.ndarray) -> int | None:
    """From where on a throughput is far below all that it was, for a quarter of the points or more."""
    for first in range(len(values) // 2, len(values) - max(_PART, len(values) // 4) + 1):
        before = float(np.min(values[2:first]))
        if before > 0.0 and values[first:].max() < SHORT_DROP * before:
            return first
    return None


def climb_of(values: np.ndarray) -> int | None:
    """From where on a memory climbs, part by part and not in one jump."""
    parts = np.array([np.median(part) for part in np.array_split(values[1:], 4)])
    ups = np.diff(parts)
    climbs = (ups > 0.0).all() and parts[0] > 0.0 and parts[-1] >= SHORT_CLIMB * parts[0]
    return 1 if climbs and ups.max() <= SHORT_FALL * (parts[-1] - parts[0]) else None
