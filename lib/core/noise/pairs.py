"""The difference of two curves' lowest true values: what two runs share, they need not be told apart by.

Runs that are evaluated on one set of examples have noise in common: a batch of hard examples is hard for both. Two ways
of using that are tried and the more precise is taken: the covariance of two separate estimates, and the model on the
difference of the curves, which is a paired comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lib.core.facts.limits import Count
from lib.core.noise.estimate import SMOOTHING_BIAS, Estimate
from lib.core.noise.smoothing import Floats, Smoothed, smoothed

# fmt: off
MIN_COMMON_POINTS = Count(6, "Min common points",
    "Fewer common steps say nothing about noise that two curves share.")
# fmt: on

# fmt: off
MIN_PAIRED_POINTS = Count(8, "Min paired points",
    "From so many common steps on the difference of the curves is a curve of its own.")
# fmt: on

PAIRED_DEGREE = 1
"""Of the polynomial of the difference: two trends differ by less than each of them bends."""

PAIRED_OFFSET = 1.0
"""The difference at one step stands for that of the lowest values where both curves are lowest there to within so many
of its standard errors; what each is above it is corrected for."""


class Basis(StrEnum):
    """What the error of a difference was taken from."""

    SEPARATE = "two separate curves"
    COVARIANCE = "noise that the curves share"
    PAIRED = "the difference of the curves at common steps"
    SEEDS = "runs that differ only in their seed"
    SEED_EVALUATIONS = "the evaluations of runs that differ only in their seed"


@dataclass(frozen=True, slots=True)
class Difference:
    """The lowest true value of one curve less that of another.

    Attributes:
        value: The difference, in the unit of the values.
        error: Its standard error.
        freedom: Degrees of freedom of ``error``.
        basis: What ``error`` was taken from.
    """

    value: float
    error: float
    freedom: float
    basis: Basis


def difference(first: Estimate, second: Estimate) -> Difference:
    """How far the first is above the second, by the more precise of the ways that are open."""
    ours, theirs = common_places(first.steps, second.steps)
    separate = unpaired(first, second, ours, theirs)
    if len(ours) < MIN_PAIRED_POINTS:
        return separate
    return _paired(first, second, ours, theirs, separate.error) or separate


def common_places(first: Floats, second: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Where the steps that both have stand in the one and in the other; both are strictly increasing."""
    places = np.searchsorted(second, first)
    is_common = np.append(second, np.inf)[places] == first
    return is_common.nonzero()[0], places[is_common]


def unpaired(first: Estimate, second: Estimate, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    """The difference of the two estimates, less the noise that they have in common.

    Degrees of freedom by Welch ("The generalization of 'Student's' problem", Biometrika 1947) and Satterthwaite 1946,
    for two variances that are correlated: with ``C`` the covariance of the estimates in units of the noise and ``S``
    that of the noise, it is ``trace(CS) ** 2 / trace(CS CS)`` of those of one.
    """
    shared, common = 0.0, 0.0
    if len(ours) >= MIN_COMMON_POINTS:
        mine, other = first.residuals[ours], second.residuals[theirs]
        size = math.sqrt(float(mine @ mine)) * math.sqrt(float(other @ other))
        shared = max(float(mine @ other) / size, 0.0) if size else 0.0
        correlation = 0.5 * (first.correlation[np.ix_(ours, ours)] + second.correlation[np.ix_(theirs, theirs)])
        common = max(float(first.response[ours] @ correlation @ second.response[theirs]), 0.0)
    # In units of the noise of one evaluation, so that neither large nor small values leave the range of a float.
    units = first.noise, second.noise
    scale = max(units)
    if scale == 0.0:
        return Difference(first.value - second.value, 0.0, min(first.freedom, second.freedom), Basis.SEPARATE)
    noise = np.array([[units[0] ** 2, shared * units[0] * units[1]], [shared * units[0] * units[1], units[1] ** 2]])
    spread = np.array([[(first.error / units[0]) ** 2, -common], [-common, (second.error / units[1]) ** 2]])
    product = spread @ (noise / scale**2)
    variance, squares = float(np.trace(product)), float(np.trace(product @ product))
    freedom = min(first.freedom, second.freedom)
    return Difference(
        first.value - second.value,
        scale * math.sqrt(max(variance, 0.0)),
        freedom * variance**2 / squares if squares > 0.0 else freedom,
        Basis.COVARIANCE if shared * common > 0.0 else Basis.SEPARATE,
    )


def _paired(first: Estimate, second: Estimate, ours: np.ndarray, theirs: np.ndarray, error: float) -> Difference | None:
    """The difference of the curves where both are lowest, if there is such a step and it is known better than that.

    Tried are the lowest step of each (half the weight on either, where both are common) and that of their sum.
    """
    fit = smoothed(first.steps[ours], first.values[ours] - second.values[theirs], PAIRED_DEGREE)
    grid = fit.weights(0.5 * (first.autocorrelations + second.autocorrelations))
    own = 0.5 * ((ours == first.place).astype(np.float64) + (theirs == second.place))
    both = np.zeros(len(ours))
    both[(first.trend[ours] + second.trend[theirs]).argmin()] = 1.0
    found = [_difference_at(at / at.sum(), fit, grid, first, second, ours, theirs) for at in (own, both) if at.any()]
    better = [one for one in found if one is not None and one.error < error]
    return min(better, key=lambda one: one.error, default=None)


def _difference_at(
    at: Floats, fit: Smoothed, grid: Floats, first: Estimate, second: Estimate, ours: np.ndarray, theirs: np.ndarray
) -> Difference | None:
    """The difference at common steps of these weights, corrected by how far each curve is above its lowest there."""
    above = [
        float(at @ one.trend[places]) - float(one.trend[one.place]) for one, places in ((first, ours), (second, theirs))
    ]
    differences = (fit.centred - fit.noise) @ at
    mean = float((grid * differences).sum())
    variances = np.maximum(fit.variance, first.resolution**2 + second.resolution**2)
    variance = float((grid * variances * fit.design.trend_variance(at)).sum())
    variance += float((grid * (differences - mean) ** 2).sum()) + SMOOTHING_BIAS**2 * float((grid * variances).sum())
    if max(map(abs, above)) > PAIRED_OFFSET * math.sqrt(variance):
        return None
    value = fit.centre + mean - above[0] + above[1]
    error = math.sqrt(variance + (above[0] - above[1]) ** 2)
    return Difference(value, error, float(fit.design.freedom), Basis.PAIRED)
