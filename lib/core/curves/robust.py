"""Where a noisy curve runs and how noisy it is there: medians that stray points do not move."""

from __future__ import annotations

import math

import numpy as np

from lib.core.facts.limits import Count, Limit

# fmt: off
LEVEL_WINDOW = Count(51, "Level window", "A level is the median of so many points, or blocks of points, around.")
LEVEL_HISTORY = Count(10, "Level history",
    "Points that a window needs; the first points of a run, so many, are not judged for spikes.")
LEVEL_BLOCKS = Count(5_000, "Level blocks",
    "Longer curves are judged by blocks of points, at most so many: a rolling median of every point takes a third of"
    " a second for a million, medians of blocks a fiftieth of that.")
MAD_TO_SD = Limit(1.4826, "MAD to SD",
    "Standard deviations per median absolute deviation of normal noise (Rousseeuw and Croux, 1993).")
MEDIAN_TO_MEAN = Limit(1.2533, "Median to mean",
    "The standard error of a median of normal values is so many times that of their mean, sqrt(pi / 2).")
# fmt: on

FULL_DECIMALS = 8
"""Stands for a value that was not rounded."""
DECIMALS_SAMPLE = 2_000
"""So many values show how many decimals there are."""


def levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The level at every point and the deviation about it: rolling medians in centred windows.

    Windows hold ``LEVEL_WINDOW`` points and are cut short at both ends. The deviation is the median
    distance of the points in the window from their own levels, so that a slope is hardly taken for noise.
    Curves of more than ``LEVEL_BLOCKS`` points are cut into blocks of equal length, which take the
    points' place.

    Args:
        values: Shape (n,). NaN has no part in medians; no infinities.

    Returns:
        Level and median absolute deviation, both of shape (n,); NaN where a window has fewer than
        ``LEVEL_HISTORY`` values.
    """
    level = _rolling_median(values)
    return level, _rolling_median(np.abs(values - level))


def _rolling_median(values: np.ndarray) -> np.ndarray:
    size = math.ceil(len(values) / LEVEL_BLOCKS)
    blocks = values if size <= 1 else _block_medians(values, size)
    import pandas as pd

    rolling = pd.Series(blocks).rolling(LEVEL_WINDOW, min_periods=LEVEL_HISTORY, center=True)
    medians: np.ndarray = rolling.median().to_numpy()
    return medians if size <= 1 else np.repeat(medians, size)[: len(values)]


def _block_medians(values: np.ndarray, size: int) -> np.ndarray:
    """Medians of stretches of ``size`` values, the last of which may be shorter; NaN where one has no number."""
    full = np.append(values, np.full(-len(values) % size, np.nan)).reshape(-1, size)
    lost = np.isnan(full)
    medians: np.ndarray = np.median(full, axis=1)
    patchy = lost.any(axis=1) & ~lost.all(axis=1)
    medians[patchy] = np.nanmedian(full[patchy], axis=1)
    return medians


def equal_blocks(values: np.ndarray, count: int) -> np.ndarray:
    """Medians of ``count`` stretches of equal length; what is left over is left out at the front.

    Args:
        values: Shape (n,), finite, at least ``count``.
        count: How many.
    """
    medians: np.ndarray = np.median(values[len(values) % count :].reshape(count, -1), axis=1)
    return medians


def noise_of(values: np.ndarray) -> float:
    """The standard deviation of normal noise that would make neighbours differ as they do.

    From second differences, which a straight slope does not enter:
    ``MAD_TO_SD * median(|v[i-1] - 2 v[i] + v[i+1]|) / sqrt(6)``.

    Args:
        values: Shape (n,), finite; at least 3.
    """
    return MAD_TO_SD * float(np.median(np.abs(np.diff(values, 2)))) / math.sqrt(6.0)


def decimals_of(values: np.ndarray) -> int:
    """The fewest decimals with which all values can be written; ``FULL_DECIMALS`` where that takes more than seven.

    Args:
        values: Shape (n,), finite. Of many, some are looked at.
    """
    some = values[:: max(1, len(values) // DECIMALS_SAMPLE)]
    return next((d for d in range(FULL_DECIMALS) if (np.round(some, d) == some).all()), FULL_DECIMALS)


def stretches(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last positions of every stretch of True."""
    edges = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def densest_stretch(mask: np.ndarray) -> tuple[int, int]:
    """The stretch in which True outnumbers False by most, as first and last position.

    The maximum-sum subarray (Kadane) of +1 for True and -1 for False: the most likely place of a change
    that is noisy on both sides. Of equals the first one, and the shortest.

    Args:
        mask: Shape (n,), at least 1.
    """
    total = np.concatenate(([0], np.cumsum(np.where(mask, 1, -1))))
    lowest = np.minimum.accumulate(total[:-1])
    last = int(np.argmax(total[1:] - lowest))
    return int(np.flatnonzero(total[: last + 1] == lowest[last])[-1]), last


def bend_of(values: np.ndarray) -> int:
    """Where a flat curve begins to climb or to sink: the bend of the best-fitting flat-then-sloped line.

    Least squares of ``a + b * max(0, i - k)`` over all k.

    Args:
        values: Shape (n,), finite; at least 4, and few (n**2 numbers are made).

    Returns:
        The k with the smallest sum of squares.
    """
    n = len(values)
    ramp = np.maximum(0.0, np.arange(n)[None, :] - np.arange(n - 2)[:, None])
    ramp -= ramp.mean(axis=1, keepdims=True)
    explained = (ramp @ (values - values.mean())) ** 2 / (ramp**2).sum(axis=1)
    return int(np.argmax(explained))
