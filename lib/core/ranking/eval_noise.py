"""How far the lowest eval loss of a run can be trusted: its noise, and what it would be without luck.

The model is ``y[i] = f(t[i]) + noise[i]``: a smooth trend and fluctuations from one evaluation to the next. Three
things are not fluctuations of this kind and are not in the estimate: what another seed would change, what another
evaluation set would change, and drifts that last for several evaluations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lib.core.curves.evidence import measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.limits import Count, Limit, Limits

# fmt: off
MIN_EVALUATIONS = Count(6, "Min evaluations",
    "Fewer measured eval losses say nothing about noise: a trend of three parameters leaves 3 residuals of 6.")
NOISE_EVALUATIONS = Count(24, "Noise evaluations",
    "The noise is that of so many evaluations around the best one: it falls with the learning rate.")
DIFFERENCE_ORDER = Count(3, "Difference order",
    "Residuals are divided differences of this order: a trend that is a parabola over 4 evaluations leaves none.")
DIFFERENCES_PER_FREEDOM = Limit(2.31, "Differences per freedom",
    "Neighbouring residuals share values: the mean square of n of them varies like that of n / 2.31 independent ones."
    " It is the sum of the squared autocorrelations of white noise under the third difference (1, -3, 3, -1).")
TREND_SHARE = Limit(0.25, "Trend share", "The trend is fitted to this share of all evaluations around each one ...")
TREND_EVALUATIONS = Limits((7, 25), "Trend evaluations", "... but to at least and at most so many.")
DRAWS = Count(400, "Draws", "Simulated curves for the expected minimum; its own error is then about 0.03 of the noise.")
# fmt: on


class NoiseUnknown(StrEnum):
    """Why the noise of a run cannot be told."""

    NOT_ALL_READ = "not_all_read"
    NO_EVAL_LOSS = "no_eval_loss"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class EvalNoise:
    """What a run's eval curve says about its own lowest value.

    Attributes:
        evaluations: How many finite measured eval losses there are.
        lowest: The lowest of them, nats; ``None`` without any.
        noise: Standard deviation of one evaluation about the trend near it, nats; ``None`` where it cannot
            be told.
        expected: ``lowest`` less the amount by which the lowest of so many noisy values is too low, nats.
        freedom: Degrees of freedom of ``noise``; 0 without it.
        unknown: Why ``noise`` cannot be told; ``None`` where it can.
    """

    evaluations: int
    lowest: float | None = None
    noise: float | None = None
    expected: float | None = None
    freedom: float = 0.0
    unknown: NoiseUnknown | None = None


def noise_of(run: RunCurves) -> EvalNoise:
    """Estimate the noise of a run's eval losses where they are lowest, and correct the lowest for selection.

    The noise is the root mean square of normalised third divided differences (Gasser, Sroka and Jennen-Steinmetz,
    "Residual variance and residual pattern in nonlinear regression", Biometrika 1986, with order 3 in place of 2) of
    the evaluations around the lowest; it is at least the rounding error of the values, resolution / sqrt(12).

    The lowest of many noisy values is too low. By how much is the mean, over curves drawn as trend plus noise, of
    their lowest value less the lowest of the trend (a parametric bootstrap; Efron and Tibshirani, "An Introduction to
    the Bootstrap", 1993, section 10.2). The trend is a local parabola.
    """
    curve = run.get("eval_loss")
    if not curve.is_complete:
        return EvalNoise(len(curve), unknown=NoiseUnknown.NOT_ALL_READ)
    known = measured(run, "eval_loss").finite()
    count = len(known)
    if not count:
        return EvalNoise(0, unknown=NoiseUnknown.NO_EVAL_LOSS)
    best = int(known.value.argmin())
    lowest = float(known.value[best])
    if count < MIN_EVALUATIONS:
        return EvalNoise(count, lowest, unknown=NoiseUnknown.TOO_FEW)
    steps = known.step.astype(np.float64)
    near = _nearest(count, best, NOISE_EVALUATIONS)
    residuals = trend_residuals(steps[near], known.value[near])
    noise = max(math.sqrt(float(np.mean(residuals**2))), _rounding(known.value))
    fewest, most = TREND_EVALUATIONS
    width = min(max(round(count * TREND_SHARE), fewest), most)
    luck = _luck_of_lowest(local_trend(steps, known.value, width), noise)
    freedom = max(len(residuals) / DIFFERENCES_PER_FREEDOM, 1.0)
    return EvalNoise(count, lowest, noise, lowest + luck, freedom)


def trend_residuals(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divided differences of order ``DIFFERENCE_ORDER``, scaled to have the variance of one value.

    Args:
        x: Shape (n,), strictly increasing, n above the order.
        y: Shape (n,).

    Returns:
        Shape (n - order,). All 0 where y is a polynomial of a lower degree than the order.
    """
    places = np.arange(len(x) - DIFFERENCE_ORDER)[:, None] + np.arange(DIFFERENCE_ORDER + 1)
    at = x[places] / (x[-1] - x[0])
    apart = at[:, :, None] - at[:, None, :]
    apart[:, range(DIFFERENCE_ORDER + 1), range(DIFFERENCE_ORDER + 1)] = 1.0
    weights = 1.0 / apart.prod(axis=2)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    residuals: NDArray[np.float64] = (weights * y[places]).sum(axis=1)
    return residuals


def local_trend(x: NDArray[np.float64], y: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """The value at each x of the parabola fitted to the ``width`` points around it.

    Args:
        x: Shape (n,), strictly increasing.
        y: Shape (n,).
        width: At least 3; at the ends, and where there are fewer points, what there is.

    Returns:
        Shape (n,).
    """
    width = min(width, len(x))
    starts = np.clip(np.arange(len(x)) - width // 2, 0, len(x) - width)
    places = starts[:, None] + np.arange(width)
    around = x[places] - x[:, None]
    around /= np.abs(around).max(axis=1, keepdims=True)
    basis = around[:, :, None] ** np.arange(3)
    turned = basis.transpose(0, 2, 1)
    return np.linalg.solve(turned @ basis, turned @ y[places][:, :, None])[:, 0, 0]


def student_t_quantile(probability: float, freedom: float) -> float:
    """The value that Student's t with ``freedom`` degrees of freedom (at least 1) stays below so often.

    With ``t = sqrt(v) * tan(a)`` the density of ``a`` is proportional to ``cos(a) ** (v - 1)``, which is smooth and is
    summed numerically (Abramowitz and Stegun, 26.7.3 and 26.7.4, state it as a finite series).

    Example:
        >>> round(student_t_quantile(0.975, 2), 3), round(student_t_quantile(0.975, 30), 3)
        (4.303, 2.042)
    """
    return _student_t_quantile(probability, round(min(max(freedom, 1.0), 1000.0), 2))


@lru_cache(maxsize=4096)
def _student_t_quantile(probability: float, freedom: float) -> float:
    if probability < 0.5:
        return -_student_t_quantile(1.0 - probability, freedom)
    angles = np.linspace(0.0, math.pi / 2.0, 20_001)
    density = np.cos(angles) ** (freedom - 1.0)
    below = np.concatenate(([0.0], np.cumsum(density[1:] + density[:-1])))
    angle = np.interp(2.0 * probability - 1.0, below / below[-1], angles)
    return math.sqrt(freedom) * math.tan(float(angle))


def _nearest(count: int, centre: int, width: int) -> slice:
    start = min(max(centre - width // 2, 0), max(count - width, 0))
    return slice(start, start + width)


def _rounding(values: NDArray[np.float64]) -> float:
    """The error that writing the values with a few decimals causes; next to nothing for values with all digits."""
    distinct = np.unique(values)
    return float(np.diff(distinct).min()) / math.sqrt(12.0) if len(distinct) > 1 else 0.0


def _luck_of_lowest(trend: NDArray[np.float64], noise: float) -> float:
    """By how much the lowest of ``trend`` plus noise is lower than the lowest of the trend, on average; at least 0."""
    lowest = (trend + noise * _draws(len(trend))).min(axis=1)
    return max(float(trend.min() - lowest.mean()), 0.0)


@lru_cache(maxsize=8)
def _draws(count: int) -> NDArray[np.float64]:
    # Always the same draws: the same curves give the same verdict.
    return np.random.default_rng(0).standard_normal((DRAWS, count))
