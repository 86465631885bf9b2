"""The lowest true value of a curve, its standard error, and what a comparison with another curve needs.

What is estimated is the lowest value of the trend, not the lowest single value, which is too low by luck. The variance
of each curve's noise is drawn towards the mean of all that are compared (Smyth, "Linear models and empirical Bayes
methods", SAGMB 2004, with a fixed prior weight). Lower is better: where more is better the caller turns the sign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import fdtri

from lib.core.facts.limits import Count, Limit
from lib.core.noise.settled import MEDIAN_TO_DEVIATION, OUTLIER_DEVIATIONS, Settled, settled
from lib.core.noise.smoothing import (
    Floats,
    Smoothed,
    autocorrelation_weights,
    smoothed,
)

# fmt: off
PARABOLA_POINTS = Count(6, "Parabola points",
    "From so many evaluations on the trend is a parabola at its smoothest; with fewer, a line, and a lead is "
    "likely at most.")
# fmt: on

# fmt: off
SHARED_FREEDOM = Limit(4.0, "Shared freedom",
    "Weight, in degrees of freedom, of the mean variance of all curves in that of each: a dozen evaluations "
    "alone tell noise so badly that hardly any lead would be found.")
# fmt: on

ALIKE_PROBABILITY = 0.99
"""Variances whose ratio is beyond this quantile of F are not of one kind."""

# fmt: off
SMOOTHING_BIAS = Limit(0.25, "Smoothing bias",
    "What smoothing may be off by, in standard deviations of one evaluation.")
# fmt: on

MIN_OUTLIER_POINTS = 8
"""Fewer points do not tell an outlier from the trend."""

SAME_SPACING = 1.5
"""Curves whose median spacings differ by less than this factor share one autocorrelation: it is one a spacing."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The lowest true value of one curve. All amounts are in the unit of its values.

    Attributes:
        value: Best estimate of the lowest true value.
        error: Its standard error.
        freedom: Degrees of freedom of ``error``.
        noise: Standard deviation of one evaluation about the trend.
        step: Where the trend is lowest.
        evaluations: Finite ones of the whole curve.
        resolution: Standard deviation of the rounding error of one evaluation.
        place: Index of ``step`` in what follows, of shape (m,), for comparisons of two curves.
        steps, values, trend: Values after outliers were pulled in.
        response: ``response @ values`` is ``value``.
        autocorrelations: Shape (H,): their weights.
        correlation: Shape (m, m), of the noise.
    """

    value: float
    error: float
    freedom: float
    noise: float
    step: float
    evaluations: int
    resolution: float = field(repr=False)
    place: int = field(repr=False)
    steps: Floats = field(repr=False)
    values: Floats = field(repr=False)
    trend: Floats = field(repr=False)
    response: Floats = field(repr=False)
    autocorrelations: Floats = field(repr=False)
    correlation: Floats = field(repr=False)

    @property
    def residuals(self) -> Floats:
        """Shape (m,): ``values - trend``."""
        return self.values - self.trend


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a curve says by itself: the part that tells of its lowest value, and the model on it.

    Attributes:
        spacing: Median, in steps.
        likelihood: Shape (H,): of each autocorrelation.
    """

    curve: Settled
    fit: Smoothed
    spacing: float
    likelihood: Floats


def fitted(steps: Floats, values: Floats) -> Fitted | None:
    """Fit the model to a curve.

    Args:
        steps: Shape (n,): finite, at least 0 and strictly increasing.
        values: Shape (n,): those that are not finite are left out.

    Returns:
        ``None`` for a curve with fewer than 3 finite values.

    Raises:
        ValueError: If steps are not as they should be.
    """
    curve = settled(steps, values)
    if curve is None:
        return None
    fit = _without_outliers(curve)
    return Fitted(curve, fit, float(np.median(np.diff(curve.steps))), fit.autocorrelation_likelihood())


def estimates_of(curves: Sequence[tuple[Floats, Floats]]) -> list[Estimate | None]:
    """Estimate the lowest true value of each of some curves, given as for ``fitted``, in their order."""
    return estimates_of_fits([fitted(steps, values) for steps, values in curves])


def estimates_of_fits(curves: Sequence[Fitted | None]) -> list[Estimate | None]:
    """Estimate the lowest true value of each of the curves that are compared, in their order.

    Returns:
        ``None`` for a curve that has no fit.
    """
    known = [one for one in curves if one is not None]
    fits = [one.fit for one in known]
    shared = shared_autocorrelations(known)
    grids = [fit.weights(autocorrelations) for fit, autocorrelations in zip(fits, shared, strict=True)]
    own = [
        max(float((grid * fit.variance).sum()), one.curve.resolution**2)
        for one, fit, grid in zip(known, fits, grids, strict=True)
    ]
    moderate = moderated(own, [fit.design.freedom for fit in fits])
    found = map(_estimate, known, grids, moderate)
    return [None if one is None else next(found) for one in curves]


def moderated(variances: Sequence[float], freedoms: Sequence[int]) -> list[tuple[float, float]]:
    """Each variance drawn towards the mean of all, with its new degrees of freedom.

    ``(d s2 + d0 m) / (d + d0)`` with d + d0 degrees of freedom, where m is the mean of all and d0 is ``SHARED_FREEDOM``
    or what the other curves have together, if that is less (Smyth 2004, with a fixed d0). Where m and s2 are further
    apart than chance would have it, m counts as the furthest that is not (a limited translation; Efron and Morris,
    "Limiting the risk of Bayes and empirical Bayes estimators", JASA 1972): a run that came apart does not make the
    noise of a calm one large, nor is its own made small.
    """
    mean, total = sum(variances) / max(len(variances), 1), sum(freedoms)
    found = []
    for variance, freedom in zip(variances, freedoms, strict=True):
        others = total - freedom
        shared = min(SHARED_FREEDOM, others)
        if shared:
            lowest = variance / float(fdtri(freedom, others, ALIKE_PROBABILITY))
            highest = variance * float(fdtri(others, freedom, ALIKE_PROBABILITY))
            target = min(max(mean, lowest), highest)
            variance = (freedom * variance + shared * target) / (freedom + shared)
        found.append((variance, freedom + shared))
    return found


def _estimate(one: Fitted, grid: Floats, moderate: tuple[float, float]) -> Estimate:
    """The estimate where the trend, averaged over the grid, is lowest.

    Its variance is that of the posterior, that between the fits of the grid, and what smoothing may be off by.
    """
    curve, fit = one.curve, one.fit
    variance, freedom = moderate
    trends = fit.centred - fit.noise
    trend = np.tensordot(grid, trends, 2)
    place = int(trend.argmin())
    at = np.zeros(len(trend))
    at[place] = 1.0
    variances = grid * fit.variance
    spread = variance * float((variances * fit.design.trend_variance(at)).sum() / variances.sum())
    spread += float((grid * (trends[:, :, place] - trend[place]) ** 2).sum()) + SMOOTHING_BIAS**2 * variance
    autocorrelations = grid.sum(axis=1)
    return Estimate(
        value=fit.centre + float(trend[place]),
        error=math.sqrt(spread),
        freedom=freedom,
        noise=math.sqrt(variance),
        step=float(curve.steps[place]),
        evaluations=curve.finite,
        resolution=curve.resolution,
        place=place,
        steps=curve.steps,
        values=fit.centre + fit.centred,
        trend=fit.centre + trend,
        response=fit.design.response(grid, place),
        autocorrelations=autocorrelations,
        correlation=np.tensordot(autocorrelations, fit.design.correlation, 1),
    )


def _without_outliers(curve: Settled) -> Smoothed:
    """The model on the values, after those that are far off a first fit were pulled in (Huber 1964)."""
    count = len(curve.values)
    degree = 2 if count >= PARABOLA_POINTS else 1
    fit = smoothed(curve.steps, curve.values, degree)
    if count < MIN_OUTLIER_POINTS:
        return fit
    weights = fit.weights(autocorrelation_weights(fit.autocorrelation_likelihood()))
    noise = np.tensordot(weights, fit.noise, 2)
    deviation = MEDIAN_TO_DEVIATION * float(np.median(np.abs(noise))) * math.sqrt(count / fit.design.freedom)
    limit = OUTLIER_DEVIATIONS * deviation
    if np.abs(noise).max() <= limit:
        return fit
    return smoothed(curve.steps, curve.values - noise + np.clip(noise, -limit, limit), degree)


def shared_autocorrelations(curves: Sequence[Fitted]) -> list[Floats]:
    """For each curve the weights of the autocorrelations, from all of about its spacing: one alone tells too little."""
    spacings = np.array([one.spacing for one in curves])
    likelihoods = np.array([one.likelihood for one in curves])
    found = []
    for spacing in spacings:
        ratio = np.maximum(spacings / spacing, spacing / spacings)
        found.append(autocorrelation_weights(likelihoods[ratio < SAME_SPACING].sum(axis=0)))
    return found
