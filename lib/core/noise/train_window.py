"""The error of a mean train loss: how far that of a few logged values is from that of the trend."""

from __future__ import annotations

import math

import numpy as np

from lib.core.facts.limits import Count
from lib.core.noise.settled import finite_points
from lib.core.noise.smoothing import AUTOCORRELATIONS, Floats, autocorrelation_weights, smoothed

# fmt: off
MIN_TRAIN_POINTS = Count(8, "Min train points",
    "From fewer train losses the error of their mean is not known.")
# fmt: on

# fmt: off
TRAIN_POINTS = Count(48, "Train points",
    "Train losses up to the best step that tell of their noise: it falls with the learning rate.")
# fmt: on


def mean_error(steps: Floats, losses: Floats, first: float, last: float) -> float | None:
    """The standard error of the mean of the train losses at the steps from ``first`` to ``last``.

    The noise and its autocorrelation are those of the last ``TRAIN_POINTS`` losses up to ``last`` about a smooth trend
    (``lib.core.noise.smoothing``). Outliers count in full, since they count in the mean. The variance of the mean of n
    values of an AR(1) process is that of one times ``(n (1 - phi**2) - 2 phi (1 - phi**n)) / (n (1 - phi))**2``.

    Args:
        steps: Shape (n,), finite, at least 0, strictly increasing.
        losses: Shape (n,); what is not finite is left out.
        first: First step of the window.
        last: Its last step.

    Returns:
        In the unit of the loss; ``None`` where fewer than ``MIN_TRAIN_POINTS`` finite losses are logged up to ``last``,
        or none in the window.

    Raises:
        ValueError: If the steps are not as they should be.
    """
    steps, losses = finite_points(steps, losses)
    end = int(np.searchsorted(steps, last, side="right"))
    points = end - int(np.searchsorted(steps, first, side="left"))
    if end < MIN_TRAIN_POINTS or points < 1:
        return None
    known = slice(max(end - TRAIN_POINTS, 0), end)
    fit = smoothed(steps[known], losses[known], degree=2)
    grid = fit.weights(autocorrelation_weights(fit.autocorrelation_likelihood()))
    phi = np.array(AUTOCORRELATIONS)
    shares = points * (1.0 - phi**2) - 2.0 * phi * (1.0 - phi**points)
    shares /= (points * (1.0 - phi)) ** 2
    return math.sqrt(float((grid * fit.variance * shares[:, None]).sum()))
