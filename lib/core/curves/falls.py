"""Whether a noisy curve falls: from part to part, and by a straight line."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.core.curves.robust import MAD_TO_SD, MEDIAN_TO_MEAN, equal_blocks, noise_of
from lib.core.facts.limits import Count, Limit

# fmt: off
LEARNING_BLOCKS = Count(5, "Learning blocks", "A fall is from the first to the lowest of so many equal parts.")
LEARNING_ERRORS = Limit(3.0, "Learning errors",
    "So many standard errors make a fall: the lowest of four parts lies below the first one by chance already.")
LEARNING_HIDDEN = Limit(0.05, "Learning hidden",
    "A loss never fell only where its noise could not hide a fall by this share.")
ONE_SIDED = Limit(1.645, "One-sided", "Standard errors that 95 % of normal values are below.")
LEARNING_START = Limit(4.0, "Learning start",
    "A first value that is so many standard deviations above all later ones is a fall, too: some models learn within"
    " one logging interval.")
PLATEAU_BLOCKS = Count(12, "Plateau blocks",
    "A slope is fitted to means of so many parts of the stretch: neighbouring losses may be alike.")
PLATEAU_OUTLIERS = Limit(3.0, "Plateau outliers",
    "Standard deviations from the stretch's median at which values are cut off before: spikes would tilt a slope.")
# fmt: on


@dataclass(frozen=True, slots=True)
class Fall:
    """How a curve fell.

    Attributes:
        fell: Beyond its noise; ``None`` where the noise could hide a fall.
        first, last: Medians of its first and its last part; ``first`` is its first value where it fell at once.
        lowest: Of the parts.
        noise: Its standard deviation.
    """

    fell: bool | None
    first: float
    lowest: float
    last: float
    noise: float


def fall_of(values: np.ndarray) -> Fall:
    """Whether a curve fell: from its first value, or from part to part.

    Args:
        values: Shape (n,), finite, not below 0; at least ``2 * LEARNING_BLOCKS``.
    """
    parts = equal_blocks(values, LEARNING_BLOCKS)
    level = float(np.median(values))
    around = values[len(values) % LEARNING_BLOCKS :].reshape(LEARNING_BLOCKS, -1) - parts[:, None]
    noise = max(noise_of(values), MAD_TO_SD * float(np.median(np.abs(around))))
    first, lowest, last = float(parts[0]), float(parts.min()), float(parts[-1])
    above = float(values[0]) - level
    if above > max(LEARNING_START * noise, LEARNING_HIDDEN * level) and values[0] >= values[1:].max():
        return Fall(True, float(values[0]), lowest, last, noise)
    error = MEDIAN_TO_MEAN * noise * math.sqrt(2.0 / (len(values) // LEARNING_BLOCKS))
    if first - lowest > LEARNING_ERRORS * error:
        return Fall(True, first, lowest, last, noise)
    x = np.linspace(-0.5, 0.5, len(values))
    slope = float(x @ np.clip(values - level, -3.0 * noise, 3.0 * noise) / (x @ x))
    hidden = -slope + ONE_SIDED * noise / math.sqrt(float(x @ x))
    return Fall(None if hidden >= LEARNING_HIDDEN * level else False, first, lowest, last, noise)


def without_outliers(values: np.ndarray) -> np.ndarray:
    """Means of equal parts, after values far from the median were moved to the border."""
    middle = np.median(values)
    reach = PLATEAU_OUTLIERS * MAD_TO_SD * np.median(np.abs(values - middle))
    kept = np.clip(values, middle - reach, middle + reach) if reach > 0.0 else values
    means: np.ndarray = kept[len(kept) % PLATEAU_BLOCKS :].reshape(PLATEAU_BLOCKS, -1).mean(axis=1)
    return means


def slope_of(values: np.ndarray) -> tuple[float, float]:
    """Change over the whole stretch by a straight line through its parts, and its standard error."""
    x = np.arange(len(values)) - (len(values) - 1) / 2
    away = values - values.mean()
    slope = float(x @ away / (x @ x))
    residuals = away - slope * x
    error = math.sqrt(float(residuals @ residuals) / (len(values) - 2) / float(x @ x))
    return slope * len(values), error * len(values)
