"""A curve less the baseline's: only between the baseline's own neighbouring points, and no extreme is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.charts.drawn import Curve, View, drawn_of
from lib.core.baseline.curves import baseline_at, less_baseline

values = st.floats(-1e6, 1e6)
logged = st.one_of(values, st.just(np.nan), st.just(np.inf))


@st.composite
def curves(draw, value=values, least=1):
    steps = draw(st.lists(st.integers(0, 400), min_size=least, max_size=40, unique=True))
    x = np.array(sorted(steps), dtype=np.float64)
    return x, draw(arrays(np.float64, len(x), elements=value))


@given(curves(logged))
def test_a_curve_less_itself_is_zero_wherever_it_is_a_number(curve):
    found, inside = less_baseline(*curve, *curve)
    assert inside.all()
    finite = np.isfinite(curve[1])
    assert (found[finite] == 0.0).all()
    assert np.isnan(found[~finite]).all(), "what is no number has no difference"


@given(curves(), curves())
def test_at_equal_steps_the_other_way_round_turns_the_sign(one, other):
    shared = np.intersect1d(one[0], other[0])
    there = less_baseline(shared, one[1][np.isin(one[0], shared)], *other)[0]
    back = less_baseline(shared, other[1][np.isin(other[0], shared)], *one)[0]
    np.testing.assert_array_equal(there, -back)


@given(curves(), curves(logged))
def test_nothing_is_said_beyond_the_baseline_and_between_two_points_nothing_beyond_both(curve, base):
    x, _ = curve
    found, inside = baseline_at(x, *base)
    np.testing.assert_array_equal(inside, (x >= base[0][0]) & (x <= base[0][-1]))
    assert np.isnan(found[~inside]).all()
    for at, value in zip(x[inside], found[inside], strict=True):
        after = int(np.searchsorted(base[0], at))
        before = after if base[0][after] == at else after - 1
        near = base[1][[before, after]]
        if np.isfinite(near).all():
            low, high = sorted(near)
            assert low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)
        else:
            assert np.isnan(value), "a gap of the baseline stays one"


@settings(deadline=None)
@given(curves(logged, least=2), curves(logged, least=2), st.integers(1, 6))
def test_an_extreme_of_the_difference_is_drawn(curve, base, buckets):
    found, inside = less_baseline(*curve, *base)
    x, y = curve[0][inside], found[inside]
    if not np.isfinite(y).any():
        return
    drawn = drawn_of(Curve("a", 0, x, y, ".4f"), View("Step", buckets=buckets))
    assert np.nanmax(y) in drawn.line[1]
    assert np.nanmin(y) in drawn.line[1]
    assert set(drawn.line[1]) <= set(y), "nothing is drawn that is not a point"


def test_a_spike_stands_as_high_above_a_level_baseline_as_above_itself():
    x = np.arange(1000.0)
    y = np.where(x == 517, 99.0, 1.0)
    found, _ = less_baseline(x, y, np.array([0.0, 999.0]), np.array([0.5, 0.5]))
    drawn = drawn_of(Curve("a", 0, x, found, ".4f"), View("Step", buckets=10))
    assert drawn.line[1].max() == 98.5


@pytest.mark.parametrize(
    ("base_x", "expected"),
    [
        ([1.0, 3.0], [np.nan, 1.0, 1.5, 2.0, np.nan]),
        ([3.0, 1.0], [np.nan, 2.0, 1.5, 1.0, np.nan]),
        ([np.nan, 2.0], [np.nan, np.nan, 2.0, np.nan, np.nan]),
        ([2.0, 2.0], [np.nan, np.nan, 2.0, np.nan, np.nan]),
    ],
)
def test_positions_that_go_back_repeat_or_are_missing(base_x, expected):
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    found, inside = baseline_at(x, np.array(base_x), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(inside, ~np.isnan(expected))


def test_a_baseline_without_points_has_no_range():
    found, inside = less_baseline(np.array([1.0]), np.array([2.0]), np.zeros(0), np.zeros(0))
    assert np.isnan(found).all()
    assert not inside.any()
