"""The noise of eval losses, and what the lowest of them would be without luck."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.core.ranking.eval_noise import (
    DIFFERENCE_ORDER,
    DIFFERENCES_PER_FREEDOM,
    MIN_EVALUATIONS,
    NoiseUnknown,
    local_trend,
    noise_of,
    student_t_quantile,
    trend_residuals,
)


def curve(values, steps=None) -> MetricCurve:
    values = np.asarray(values, dtype=np.float64)
    steps = np.arange(1, len(values) + 1) * 10 if steps is None else np.asarray(steps)
    unknown = np.full(len(values), np.nan)
    return complete_curve(steps.astype("int64"), values, unknown, unknown)


def run_with(values, steps=None, train_steps=()) -> RunCurves:
    curves = {"eval_loss": curve(values, steps), "train_loss": curve(np.ones(len(train_steps)), train_steps)}
    return RunCurves("a", MappingProxyType(curves))


def noisy(count: int, noise: float, seed: int, trend=lambda t: np.exp(-3.0 * t)) -> np.ndarray:
    return trend(np.arange(count) / count) + noise * np.random.default_rng(seed).standard_normal(count)


@pytest.mark.parametrize("noise", [0.001, 0.05])
def test_the_noise_of_a_simulated_curve_is_found(noise):
    squares = [noise_of(run_with(noisy(60, noise, seed))).noise ** 2 for seed in range(60)]
    assert np.sqrt(np.mean(squares)) == pytest.approx(noise, rel=0.1)


def test_the_degrees_of_freedom_are_those_that_the_estimate_varies_with():
    residuals = trend_residuals(np.arange(40_003.0), np.random.default_rng(5).standard_normal(40_003))
    squares = (residuals.reshape(-1, 40) ** 2).mean(axis=1)
    # A mean square with v degrees of freedom has the variance 2 / v.
    assert 2.0 / squares.var() == pytest.approx(40 / DIFFERENCES_PER_FREEDOM, rel=0.15)
    weights = np.array([1.0, -3.0, 3.0, -1.0]) / np.sqrt(20.0)
    assert (np.correlate(weights, weights, "full") ** 2).sum() == pytest.approx(DIFFERENCES_PER_FREEDOM, abs=0.005)


def test_the_noise_is_that_near_the_lowest_evaluation():
    values = noisy(100, 0.0, 0)
    values += np.where(np.arange(100) < 60, 0.1, 0.001) * np.random.default_rng(1).standard_normal(100)
    values[99] = 0.0
    assert noise_of(run_with(values)).noise < 0.03


def test_the_lowest_of_many_is_corrected_upwards_and_the_more_the_flatter_the_curve():
    flat = [noise_of(run_with(noisy(80, 0.01, seed, np.zeros_like))) for seed in range(40)]
    falling = [noise_of(run_with(noisy(80, 0.01, seed, lambda t: -2.0 * t))) for seed in range(40)]
    lowest = np.mean([one.lowest for one in flat])
    expected = np.mean([one.expected for one in flat])
    assert lowest < -0.022
    assert abs(expected) < 0.006
    luck = [np.mean([one.expected - one.lowest for one in runs]) for runs in (falling, flat)]
    assert 0.0 <= luck[0] < luck[1] / 2.0


@pytest.mark.parametrize("count", range(MIN_EVALUATIONS))
def test_too_few_evaluations_cannot_tell(count):
    found = noise_of(run_with(np.linspace(1.0, 0.5, count)))
    assert found.noise is None
    assert found.expected is None
    assert found.evaluations == count
    assert found.unknown is (NoiseUnknown.TOO_FEW if count else NoiseUnknown.NO_EVAL_LOSS)
    assert found.lowest == (None if not count else 1.0 if count == 1 else 0.5)


def test_repeated_and_non_finite_values_are_no_evaluations():
    repeated = np.repeat([1.0, 0.8, 0.7, 0.65], 10)
    found = noise_of(run_with(repeated, train_steps=np.arange(1, 41) * 10))
    assert (found.evaluations, found.noise) == (4, None)
    broken = np.array([1.0, np.nan, 0.8, np.inf, 0.7, -np.inf])
    assert noise_of(run_with(broken)).evaluations == 3


def test_an_incomplete_curve_cannot_tell():
    whole = curve(noisy(30, 0.01, 0))
    found = noise_of(RunCurves("a", MappingProxyType({"eval_loss": replace(whole, logged=31)})))
    assert found.noise is None
    assert found.unknown is NoiseUnknown.NOT_ALL_READ


def test_rounded_values_have_the_noise_of_their_rounding():
    found = noise_of(run_with(np.round(np.linspace(2.0, 1.0, 11), 1)))
    assert found.noise == pytest.approx(0.1 / np.sqrt(12.0))


def test_a_constant_curve_has_no_noise_and_no_luck():
    found = noise_of(run_with(np.full(20, 0.5)))
    assert found.noise == pytest.approx(0.0, abs=1e-12)
    assert found.expected == pytest.approx(0.5)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(0.0, 10.0), min_size=MIN_EVALUATIONS, max_size=40),
    st.floats(0.1, 10.0),
    st.floats(-5.0, 5.0),
    st.integers(1, 1000),
)
def test_noise_scales_with_the_losses_and_ignores_where_they_lie(values, factor, shift, between):
    values = np.array(values)
    if np.ptp(values) < 1e-3:
        return
    one = noise_of(run_with(values))
    other = noise_of(run_with(values * factor + shift, np.arange(1, len(values) + 1) * between))
    # Which of equal values is the lowest may change with rounding.
    if np.argmin(values) == np.argmin(values * factor + shift):
        assert other.noise == pytest.approx(one.noise * factor, rel=1e-5, abs=1e-9)
    assert one.expected >= one.lowest


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 100), min_size=7, max_size=40), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_a_parabola_has_no_residuals_and_is_its_own_trend(spacing, a, b, c):
    x = np.cumsum(spacing).astype(np.float64)
    u = x / x[-1]
    y = a + b * u + c * u**2
    assert np.abs(trend_residuals(x, y)).max() < 1e-9
    assert len(trend_residuals(x, y)) == len(x) - DIFFERENCE_ORDER
    np.testing.assert_allclose(local_trend(x, y, 7), y, atol=1e-6)


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    # Tables of Student's t.
    [(0.975, 1, 12.706), (0.95, 2, 2.920), (0.995, 5, 4.032), (0.9, 10, 1.372), (0.975, 120, 1.980), (0.05, 2, -2.920)],
)
def test_quantiles_of_student_t_are_those_of_the_tables(probability, freedom, expected):
    assert student_t_quantile(probability, freedom) == pytest.approx(expected, abs=1e-3)
