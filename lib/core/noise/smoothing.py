"""A curve as trend plus noise: a quintic smoothing spline with autocorrelated errors, over a grid of both.

The model is ``y = f + e``. The trend f is a polynomial in a logarithmic time plus an integrated Wiener process of
variance ``q * s2``: its posterior mean is a smoothing spline (Wahba, "Improper priors, spline smoothing and the problem
of guarding against model errors in regression", JRSS B 1978; Kohn and Ansley, "A new algorithm for spline smoothing
based on smoothing a stochastic process", SIAM J. Sci. Stat. Comput. 1987). The noise e has variance s2 and the
correlation ``phi ** distance``, the distance in spacings (Kohn, Ansley and Wong, "Nonparametric spline regression with
autoregressive moving average errors", Biometrika 1992). Polynomial and s2 are integrated out, which leaves the
restricted likelihood of q and phi (Patterson and Thompson, "Recovery of inter-block information when block sizes are
unequal", Biometrika 1971).

What does not depend on the values is worked out once for a pattern of steps, in the basis that makes every q diagonal
(Demmler and Reinsch, "Oscillation matrices with spline smoothing", Numerische Mathematik 1975): eigenvalues of a
projected matrix, and no inverse of a nearly singular one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WANDERING = np.geomspace(1e-4, 1e2, 7)
"""Variances of the Wiener process of the trend, in variances of the noise a spacing: from a trend that is a polynomial
over dozens of points to one that follows every few."""

AUTOCORRELATIONS = (0.0, 0.3, 0.6, 0.9)
"""Of the noise of two points that are one spacing apart."""

AUTOCORRELATION_PRIOR = np.array((0.6, 0.2, 0.12, 0.08))
"""Most of the weight is on noise without memory: a short curve tells little of it, and the power is lost without."""

LEAST_SPACING = 0.05
"""Points closer together than this share of the median spacing count as that far apart; noise that is the same in both
would be told apart from nothing."""

MIN_POINTS = 3
"""A line and one degree of freedom for the noise."""

_SMALLEST = 1e-300
"""In place of a sum of squares of 0, whose logarithm is needed."""

_PATTERNS = 512
"""Of how many sequences of steps the pattern is kept, 2 kB each."""

_CACHED = 64
"""Patterns of steps that are kept, up to 0.2 MB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What the model says of a pattern of m steps before any value is known; H autocorrelations, Q wanderings.

    In the coordinates ``scores @ y`` the polynomial is left out and all covariances are diagonal for every wandering.

    Attributes:
        scores: Shape (H, free, m): from values to coordinates, each of variance ``s2 / shrinkage``.
        loadings: Shape (H, m, free): from shrunk coordinates to the noise that is expected in each value.
        shrinkage: Shape (H, Q, free), above 0 and up to 1.
        log_determinant: Shape (H, Q): the part of the restricted log-likelihood without values.
        correlation: Shape (H, m, m), of the noise.
    """

    scores: Floats
    loadings: Floats
    shrinkage: Floats
    log_determinant: Floats
    correlation: Floats

    @property
    def freedom(self) -> int:
        """Points less coefficients of the polynomial."""
        return int(self.scores.shape[1])

    def trend_variance(self, weights: Floats) -> Floats:
        """The posterior variance of ``weights @ f``, in units of s2, for each point of the grid.

        Args:
            weights: Shape (m,).

        Returns:
            Shape (H, Q).
        """
        # Few points have a weight, mostly one.
        used = weights.nonzero()[0]
        weights = weights[used]
        explained = weights @ self.loadings[:, used]
        total: Floats = weights @ self.correlation[:, used][:, :, used] @ weights
        spared: Floats = (self.shrinkage * explained[:, None, :] ** 2).sum(axis=2)
        return np.maximum(total[:, None] - spared, 0.0)

    def response(self, grid: Floats, place: int) -> Floats:
        """How the trend at one point, averaged over the grid, follows from the values.

        Args:
            grid: Shape (H, Q): weights.
            place: Index of the point.

        Returns:
            Shape (m,): its product with the values is the trend there.
        """
        shrinkage = (grid[:, :, None] * self.shrinkage).sum(axis=1)
        response: Floats = -((self.loadings[:, place] * shrinkage)[:, None, :] @ self.scores).sum(axis=(0, 1))
        response[place] += 1.0
        return response


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """The model on m values, for each point of the grid.

    Attributes:
        design: Of their steps.
        centred: Shape (m,): the values less ``centre``.
        centre: One of the values, so that values that are all the same are centred at exactly 0.
        likelihood: Shape (H, Q): restricted log-likelihood.
        variance: Shape (H, Q): estimate of s2.
        noise: Shape (H, Q, m): expected noise in each value; ``centred - noise`` is the trend.
    """

    design: Design
    centred: Floats
    centre: float
    likelihood: Floats
    variance: Floats
    noise: Floats

    def autocorrelation_likelihood(self) -> Floats:
        """Shape (H,): log-likelihood of each autocorrelation, summed over the wanderings."""
        top = self.likelihood.max()
        sums: Floats = np.log(np.exp(self.likelihood - top).sum(axis=1) + _SMALLEST) + top
        return sums

    def weights(self, autocorrelations: Floats) -> Floats:
        """The weight of each point of the grid where those of the autocorrelations are known.

        Args:
            autocorrelations: Shape (H,), summing to 1.

        Returns:
            Shape (H, Q), summing to 1.
        """
        within = np.exp(self.likelihood - self.likelihood.max(axis=1, keepdims=True))
        within /= within.sum(axis=1, keepdims=True)
        weights: Floats = within * autocorrelations[:, None]
        return weights


def smoothed(steps: Floats, values: Floats, degree: int) -> Smoothed:
    """Fit the model at each point of its grid.

    Args:
        steps: Shape (m,), at least ``MIN_POINTS``, strictly increasing, at least 0.
        values: Shape (m,), finite.
        degree: Of the polynomial: 1, with the Wiener process integrated once (a cubic spline), or 2, twice (quintic).
    """
    design = design_of(steps, degree)
    centre = float(values[-1])
    centred = values - centre
    scores = design.scores @ centred
    shrunk = design.shrinkage * scores[:, None, :]
    squares = np.maximum((shrunk * scores[:, None, :]).sum(axis=2), _SMALLEST)
    return Smoothed(
        design,
        centred,
        centre,
        likelihood=design.log_determinant - 0.5 * design.freedom * np.log(squares),
        variance=squares / design.freedom,
        noise=shrunk @ design.loadings.transpose(0, 2, 1),
    )


def autocorrelation_weights(likelihoods: Floats) -> Floats:
    """Posterior weight of each autocorrelation.

    Args:
        likelihoods: Shape (H,): the sum of ``autocorrelation_likelihood`` over the curves that share it.

    Returns:
        Shape (H,), summing to 1.
    """
    weights: Floats = AUTOCORRELATION_PRIOR * np.exp(likelihoods - likelihoods.max())
    weights /= weights.sum()
    return weights


def design_of(steps: Floats, degree: int) -> Design:
    """The design of a pattern of steps; only their ratios to the median spacing matter."""
    return _design(*_pattern(steps.tobytes()), degree)


@lru_cache(maxsize=_PATTERNS)
def _pattern(steps: bytes) -> tuple[float, tuple[float, ...]]:
    """What a design depends on of its steps, which are those of many metrics and pairs of runs."""
    found = np.frombuffer(steps)
    unit = float(np.median(np.diff(found)))
    apart = np.maximum(np.diff(found) / unit, LEAST_SPACING).cumsum()
    return round(float(found[0]) / unit, 3), tuple(np.round(apart, 3).tolist())


@lru_cache(maxsize=_CACHED)
def _design(start: float, apart: tuple[float, ...], degree: int) -> Design:
    """The design of steps at ``start`` and so far behind it, in median spacings."""
    behind = np.array((0.0, *apart))
    count = len(behind)
    # Time is logarithmic, since losses fall like powers of it, and as long as the points are many: as long as the steps
    # would be, a gap in them would make every trend of the grid one that follows each point.
    time = np.log1p(behind / (start + 1.0))
    time *= (count - 1) / time[-1]
    wiener = _integrated_wiener(time, degree)
    polynomial = ((time - time.mean()) / time.std())[:, None] ** np.arange(degree + 1)
    distance = np.abs(behind[:, None] - behind)
    return _rotated(wiener, polynomial, np.array([phi**distance if phi else np.eye(count) for phi in AUTOCORRELATIONS]))


def _integrated_wiener(time: Floats, times: int) -> Floats:
    """Covariance of a Wiener process that is integrated once or twice, started at 0 (Wahba 1978)."""
    low, high = np.minimum(time[:, None], time), np.maximum(time[:, None], time)
    once: Floats = low**2 * (3.0 * high - low) / 6.0
    twice: Floats = low**3 * (10.0 * high**2 - 5.0 * high * low + low**2) / 120.0
    return once if times == 1 else twice


def _rotated(wiener: Floats, polynomial: Floats, correlation: Floats) -> Design:
    """The design of a trend whose covariance is ``wiener``, shape (m, m), about ``polynomial``, shape (m, p)."""
    root = np.linalg.cholesky(correlation)
    whitened = np.linalg.solve(root, polynomial)
    basis, triangle = np.linalg.qr(whitened, mode="complete")
    outside = basis[:, :, polynomial.shape[1] :]
    to_coordinates = np.linalg.solve(root.mT, outside).mT
    eigenvalues, rotation = np.linalg.eigh(to_coordinates @ wiener @ to_coordinates.mT)
    inflation = 1.0 + WANDERING[:, None] * np.maximum(eigenvalues, 0.0)[:, None, :]
    diagonals = np.abs(np.diagonal(triangle, axis1=1, axis2=2)), np.diagonal(root, axis1=1, axis2=2)
    log_determinant = -0.5 * np.log(inflation).sum(axis=2)
    log_determinant -= sum(np.log(each).sum(axis=1) for each in diagonals)[:, None]
    scores, loadings = rotation.mT @ to_coordinates, root @ outside @ rotation
    return Design(scores, loadings, 1.0 / inflation, log_determinant, correlation)
