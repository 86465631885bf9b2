"""The error of a mean train loss."""

from __future__ import annotations

import numpy as np
import pytest

from bench.noise import autocorrelated
from lib.core.noise.train_window import mean_error


def losses(count, noise, rng, phi=0.0):
    i = np.arange(1.0, count + 1.0)
    trend = 1.0 + (1.0 + i / 10.0) ** -0.5
    return i * 10.0, trend, trend + noise * autocorrelated(rng.standard_normal(count), phi)


@pytest.mark.parametrize(("count", "inside"), [(40, 1), (100, 5), (400, 20), (2000, 100)])
@pytest.mark.parametrize("phi", [0.0, 0.3])
def test_it_is_how_far_the_mean_is_from_that_of_the_trend(count, inside, phi):
    rng = np.random.default_rng((count, int(10 * phi)))
    off, errors = [], []
    for _ in range(60):
        steps, trend, values = losses(count, 0.1, rng, phi)
        found = mean_error(steps, values, steps[-inside], steps[-1])
        assert found is not None
        off.append(values[-inside:].mean() - trend[-inside:].mean())
        errors.append(found)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.sqrt(np.mean(np.square(off))), rel=0.4)


def test_only_losses_up_to_the_last_step_count():
    steps, _, values = losses(100, 0.1, np.random.default_rng(1))
    changed = values.copy()
    changed[60:] *= 50.0
    assert mean_error(steps, changed, 570.0, 600.0) == mean_error(steps, values, 570.0, 600.0)


def test_it_is_unknown_below_eight_losses_and_without_one_in_the_window():
    steps, _, values = losses(8, 0.1, np.random.default_rng(2))
    assert mean_error(steps, values, 80.0, 80.0) is not None
    assert mean_error(steps, values, 80.0, 79.0) is None
    values[3] = np.nan
    assert mean_error(steps, values, 80.0, 80.0) is None
    long, _, many = losses(20, 0.1, np.random.default_rng(2))
    assert mean_error(long, many, 101.0, 109.0) is None


@pytest.mark.parametrize("scale", [1e-12, 1e25])
def test_units_do_not_matter(scale):
    steps, _, values = losses(60, 0.1, np.random.default_rng(3))
    one, other = mean_error(steps, values, 500.0, 600.0), mean_error(steps, scale * values, 500.0, 600.0)
    assert other == pytest.approx(scale * one, rel=1e-6)


def test_losses_that_are_all_the_same_have_next_to_no_error():
    steps = np.arange(1.0, 31.0)
    assert mean_error(steps, np.full(30, 0.3), 20.0, 30.0) < 1e-12
