"""Above which value a point is a spike: what a noisy curve does not reach by chance, given the points around it."""

from __future__ import annotations

import math

import numpy as np

from lib.core.curves.robust import LEVEL_BLOCKS, LEVEL_HISTORY, LEVEL_WINDOW, levels
from lib.core.facts.limits import Count, Limit

# fmt: off
SPIKE_WINDOW = Count(LEVEL_WINDOW, "Spike window", "A value is compared with the median of so many points around it.")
SPIKE_HISTORY = Count(LEVEL_HISTORY, "Spike history",
    "Points needed before one can be judged. The first losses and gradients of a run are large as a rule.")
SPIKE_MADS = Limit(8.0, "Spike MADs",
    "A spike lies so many median absolute deviations above the median: 5.4 standard deviations if normal. Gradient"
    " norms are measured on the logarithm, as they have a long tail to the right.")
SPIKE_RATIO = Limit(3.0, "Spike ratio",
    "A gradient spike is also at least so many times the median: the deviation of a flat stretch is 0.")
LOSS_SPIKE_RISE = Limit(0.2, "Loss spike rise",
    "A loss spike also rises by at least this share of the median: one hard batch makes 10 %.")
# fmt: on


def spike_limits(values: np.ndarray) -> np.ndarray:
    """The limit above which each gradient norm is a spike: a rolling median plus k deviations, in logs.

    ``exp(m + max(SPIKE_MADS * d, log(SPIKE_RATIO)))`` with the level ``m`` and the deviation ``d`` of the
    logarithms (``lib.core.curves.robust.levels``).

    Args:
        values: Shape (n,), finite. Those that are not positive have no logarithm and take no part.

    Returns:
        Shape (n,); infinite where there is nothing to judge by: at the first ``SPIKE_HISTORY`` points.
    """
    values = np.asarray(values, dtype=np.float64)
    logs = np.log(values, out=np.full(len(values), np.nan), where=values > 0.0)
    median, deviation = levels(logs)
    median = _raised_start(median, logs)
    height = np.maximum(SPIKE_MADS * deviation, math.log(SPIKE_RATIO))
    return _judged(np.exp(np.minimum(median + height, math.log(np.finfo(np.float64).max))))


def loss_spike_limits(values: np.ndarray) -> np.ndarray:
    """The limit above which each loss is a spike: ``m + max(SPIKE_MADS * d, LOSS_SPIKE_RISE * |m|)``.

    Args:
        values: Shape (n,), finite.

    Returns:
        Shape (n,); infinite at the first ``SPIKE_HISTORY`` points.
    """
    values = np.asarray(values, dtype=np.float64)
    median, deviation = levels(values)
    median = _raised_start(median, values)
    return _judged(median + np.maximum(SPIKE_MADS * deviation, LOSS_SPIKE_RISE * np.abs(median)))


def _raised_start(level: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The level, at the start at least that of the points just before: a steep fall is no row of spikes.

    Windows there are cut short on one side, so that their medians lie below a falling curve.
    """
    start = SPIKE_WINDOW // 2 * max(1, math.ceil(len(values) / LEVEL_BLOCKS))
    import pandas as pd

    before = pd.Series(values[:start]).rolling(SPIKE_HISTORY, min_periods=1).median().shift(1).to_numpy()
    return np.concatenate((np.fmax(level[:start], before), level[start:]))


def _judged(limits: np.ndarray) -> np.ndarray:
    limits[:SPIKE_HISTORY] = np.inf
    limits[np.isnan(limits)] = np.inf
    return limits
