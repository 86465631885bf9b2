from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.series import (
    bucket_of,
    hover_grid,
    nearest_points,
    real_evaluations,
    reduce_indices,
    smooth_by_each,
)

# Few different values on purpose: repeated x and tied extremes are the hard cases.
COORDINATES = st.one_of(
    st.integers(-20, 20).map(float),
    st.floats(-1e12, 1e12),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(allow_nan=False), st.sampled_from([math.nan, math.inf, -math.inf])
)
CURVES = st.lists(st.tuples(COORDINATES, VALUES), max_size=120).map(
    lambda points: tuple(np.array(points, dtype=np.float64).reshape(-1, 2).T)
)
SERIES = st.lists(st.one_of(VALUES, st.floats(-1e6, 1e6)), max_size=60).map(lambda v: np.array(v, dtype=float))
WEIGHTS = st.floats(0.0, 0.999)


def smoothed_by(values, weight):
    """What one weight gives."""
    return next(smooth_by_each(values, (weight,)))


def finite_positions(x, y):
    return [i for i in range(len(x)) if math.isfinite(x[i]) and math.isfinite(y[i])]


def kept_by_definition(x, y, buckets):
    """First, last, minimum and maximum of every bucket, by plain Python."""
    points = finite_positions(x, y)
    by_bucket: dict[int, list[int]] = {}
    for i, bucket in zip(points, bucket_of(x[points], buckets), strict=True):
        by_bucket.setdefault(int(bucket), []).append(i)
    kept = set()
    for members in by_bucket.values():
        in_order = sorted(members, key=lambda i: (x[i], i))
        kept |= {in_order[0], in_order[-1]}
        kept |= {min(in_order, key=lambda i: y[i]), max(in_order, key=lambda i: y[i])}
    return sorted(kept)


@given(curve=CURVES, buckets=st.integers(1, 40))
@settings(deadline=None, max_examples=300)
def test_reduction_keeps_first_last_minimum_and_maximum_of_every_bucket_and_nothing_else(curve, buckets):
    x, y = curve
    points = finite_positions(x, y)
    expected = points if len(points) <= 4 * buckets else kept_by_definition(x, y, buckets)
    assert reduce_indices(x, y, buckets).tolist() == expected


@given(curve=CURVES, buckets=st.integers(1, 40))
@settings(deadline=None)
def test_reduced_positions_are_sorted_unique_finite_and_at_most_four_a_bucket(curve, buckets):
    x, y = curve
    kept = reduce_indices(x, y, buckets)
    assert (np.diff(kept) > 0).all()
    assert np.isfinite(y[kept]).all()
    assert len(kept) <= 4 * buckets


@given(steps=st.lists(st.integers(0, 10**9), min_size=1, max_size=200, unique=True), buckets=st.integers(1, 20))
@settings(deadline=None)
def test_integer_steps_reduce_like_the_same_steps_as_floats(steps, buckets):
    x = np.sort(np.array(steps, dtype=np.int64))
    y = np.cos(x * 0.7)
    assert reduce_indices(x, y, buckets).tolist() == reduce_indices(x.astype(float), y, buckets).tolist()


@given(
    low=st.one_of(st.integers(-(10**6), 10**6).map(float), st.floats(-1e300, 1e300)),
    width=st.one_of(st.integers(1, 1000).map(float), st.floats(1e-12, 1e300)),
    buckets=st.integers(1, 60),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=300)
def test_points_a_rounding_away_from_a_border_fall_where_bucket_of_puts_them(low, width, buckets, seed):
    random = np.random.default_rng(seed)
    edges = low + width * np.arange(buckets + 1) / buckets
    near = [edges, *(np.nextafter(edges, end) for end in (-np.inf, np.inf))]
    x = np.sort(
        np.concatenate([*near, near[1] - np.spacing(near[1]), edges[random.integers(0, buckets + 1, 2 * buckets)]])
    )
    y = random.integers(0, 3, len(x)).astype(float)
    assert reduce_indices(x, y, buckets).tolist() == kept_by_definition(x, y, buckets)


@pytest.mark.parametrize("buckets", [7, 78, 462, 858, 1001])
def test_whole_steps_on_the_border_of_two_buckets_fall_where_bucket_of_puts_them(buckets):
    # 6006 = 2 * 3 * 7 * 11 * 13: with these numbers of buckets every border lies on a step.
    steps, y = np.arange(6007), np.sin(np.arange(6007.0))
    assert reduce_indices(steps, y, buckets).tolist() == kept_by_definition(steps, y, buckets)


def test_a_range_too_wide_for_a_difference_has_buckets_too():
    x = np.linspace(-1.0, 1.0, 9) * np.finfo(np.float64).max
    assert bucket_of(x, 4).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert reduce_indices(x, np.zeros(9), 2).tolist() == [0, 3, 4, 8]


@pytest.mark.parametrize("x", [np.zeros(100), np.repeat(np.arange(5.0), 20), np.arange(100.0)[::-1]])
def test_repeated_and_backward_x_lose_no_extreme(x):
    y = np.sin(np.arange(100.0))
    kept = set(reduce_indices(x, y, 3).tolist())
    assert {0, 99, int(y.argmin()), int(y.argmax())} <= kept
    assert len(kept) <= 12


def test_among_equal_x_the_written_order_decides_first_and_last():
    x, y = np.tile([2.0, 1.0, 0.0], 400), np.zeros(1200)
    assert reduce_indices(x, y, 3).tolist() == kept_by_definition(x, y, 3)


@given(x=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50), buckets=st.integers(1, 50))
@settings(deadline=None)
def test_buckets_rise_with_x_and_span_the_range(x, buckets):
    x = np.sort(np.array(x))
    found = bucket_of(x, buckets)
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert found[-1] == (buckets - 1 if x[-1] > x[0] else 0)


def test_buckets_are_equally_wide_half_open_and_the_last_one_is_closed():
    x = np.array([0.0, 2.49, 2.5, 5.0, 7.5, 9.99, 10.0, math.nan, math.inf])
    assert bucket_of(x, 4).tolist() == [0, 0, 1, 2, 3, 3, 3, -1, -1]


def test_no_bucket_is_an_error():
    with pytest.raises(ValueError, match="at least one bucket, got 0"):
        reduce_indices(np.arange(3.0), np.arange(3.0), 0)
    with pytest.raises(ValueError, match="at least one bucket, got 0"):
        bucket_of(np.arange(3.0), 0)


@given(values=SERIES, weight=WEIGHTS)
@settings(deadline=None)
def test_a_smoothed_value_lies_within_the_values_so_far_and_nonfinite_ones_pass_through(values, weight):
    smoothed = smoothed_by(values, weight)
    known = np.isfinite(values)
    assert np.array_equal(smoothed[~known], values[~known], equal_nan=True)
    for i in np.flatnonzero(known):
        so_far = values[: i + 1][known[: i + 1]]
        assert so_far.min() <= smoothed[i] <= so_far.max()


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), weight=WEIGHTS)
@settings(deadline=None)
def test_smoothing_is_the_debiased_moving_average(values, weight):
    smoothed, average = smoothed_by(np.array(values), weight), 0.0
    for t, value in enumerate(values):
        average = weight * average + (1 - weight) * value
        expected = average / (1 - weight ** (t + 1))
        assert smoothed[t] == pytest.approx(expected, rel=1e-6, abs=1e-3)


@given(values=SERIES, weight=WEIGHTS)
@settings(deadline=None)
def test_nonfinite_values_do_not_change_the_smoothing_of_the_others(values, weight):
    known = np.isfinite(values)
    assert np.array_equal(smoothed_by(values, weight)[known], smoothed_by(values[known], weight))


@given(value=st.floats(-1e300, 1e300), n=st.integers(1, 50), weight=WEIGHTS)
@settings(deadline=None)
def test_a_constant_stays_exactly_constant(value, n, weight):
    assert (smoothed_by(np.full(n, value), weight) == value).all()


def test_smoothing_a_diverged_loss_stays_within_it():
    values = np.tile([1.0e308, 1.7e308], 50)
    smoothed = smoothed_by(values, 0.99)
    assert ((smoothed >= 1.0e308) & (smoothed <= 1.7e308)).all()


@given(values=SERIES)
@settings(deadline=None)
def test_weight_zero_changes_nothing(values):
    assert np.array_equal(smoothed_by(values, 0.0), values, equal_nan=True)


def test_several_weights_give_what_each_gives():
    values = np.array([2.0, math.nan, 2.0, 4.0, math.inf, 1.0])
    half, none, most = smooth_by_each(values, (0.5, 0.0, 0.75))
    # Weight 0.5: (2 / 4 + 2 / 2 + 4) / 1.75 and (2 / 8 + 2 / 4 + 4 / 2 + 1) / 1.875.
    assert half == pytest.approx([2.0, math.nan, 2.0, 5.5 / 1.75, math.inf, 3.75 / 1.875], abs=1e-12, nan_ok=True)
    assert np.array_equal(none, values, equal_nan=True)
    # Weight 0.75: (2 * 9 + 2 * 12 + 4 * 16) / 37 and (2 * 27 + 2 * 36 + 4 * 48 + 64) / 175.
    assert most == pytest.approx([2.0, math.nan, 2.0, 106 / 37, math.inf, 382 / 175], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
def test_a_weight_outside_zero_to_one_is_an_error(weight):
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        smoothed_by(np.ones(3), weight)


def test_repeated_evaluations_are_told_from_measured_ones():
    train = np.arange(0, 100)
    values = np.repeat([2.0, 1.5, 1.2, 1.1], 20)
    real = real_evaluations(np.arange(20, 100), values, train)
    assert np.flatnonzero(real).tolist() == [0, 20, 40, 60]


def test_repeated_nan_evaluations_are_one_measurement():
    real = real_evaluations(np.arange(10), np.full(10, math.nan), np.arange(10))
    assert np.flatnonzero(real).tolist() == [0]


@pytest.mark.parametrize(
    ("eval_steps", "values", "train_steps"),
    [
        (np.arange(0, 100, 10), np.ones(10), np.arange(100)),  # sparse: equal values are measured ones
        (np.arange(20), np.linspace(2, 1, 20), np.arange(20)),  # dense, yet all different
        (np.arange(4), np.array([1.0, 1.0, 2.0, 3.0]), np.arange(4)),  # one tie in three
        (np.arange(20), np.ones(20), np.array([])),  # nothing to compare with
        (np.array([5]), np.array([1.0]), np.arange(9)),
        (np.array([]), np.array([]), np.arange(9)),
    ],
)
def test_all_evaluations_are_real_where_repeats_are_not_plain(eval_steps, values, train_steps):
    assert real_evaluations(eval_steps, values, train_steps).all()


@given(train=st.lists(st.integers(0, 300), min_size=1, unique=True), values=st.lists(st.integers(0, 2), max_size=60))
@settings(deadline=None)
def test_saying_how_many_train_points_there_are_changes_nothing_where_all_are_there(train, values):
    steps, losses = np.arange(len(values)) * 5, np.array(values, float)
    told = real_evaluations(steps, losses, np.sort(train), len(train))
    assert told.tolist() == real_evaluations(steps, losses, np.sort(train)).tolist()


@pytest.mark.parametrize("every", [1, 10, 100])
def test_repeats_are_told_alike_where_most_train_points_were_left_out(every):
    # An evaluation in every tenth row is measured however few of the other rows came along.
    train, sparse = np.arange(10_000), np.arange(0, 10_000, 10)
    left = train[::every]
    assert real_evaluations(sparse, np.ones(len(sparse)), left, len(train)).all()
    dense = np.repeat(np.linspace(2, 1, 100), 100)
    real = real_evaluations(train, dense, left, len(train))
    assert np.flatnonzero(real).tolist() == list(range(0, 10_000, 100))


@given(
    xs=st.lists(st.lists(COORDINATES, max_size=40).map(lambda x: np.array(x, dtype=float)), max_size=4),
    count=st.integers(2, 30),
)
@settings(deadline=None)
def test_the_hover_grid_holds_logged_positions_with_the_first_and_the_last(xs, count):
    logged = sorted({v for x in xs for v in x.tolist() if math.isfinite(v)})
    grid = hover_grid(xs, count).tolist()
    assert len(grid) <= count
    assert grid == sorted(set(grid))
    assert set(grid) <= set(logged)
    assert grid[:1] == logged[:1]
    assert grid[-1:] == logged[-1:]
    if len(logged) <= count:
        assert grid == logged


def test_the_hover_grid_is_spread_evenly_over_the_axis():
    dense_at_first = np.concatenate([np.linspace(0, 1, 1000), np.arange(2, 101)])
    assert np.diff(hover_grid([dense_at_first], 11)).round(6).tolist() == [10.0] * 10


def test_a_hover_grid_of_one_position_is_an_error():
    with pytest.raises(ValueError, match="count >= 2, got 1"):
        hover_grid([np.arange(5.0)], 1)


@given(curve=CURVES, grid=st.lists(st.floats(-30, 30), max_size=20))
@settings(deadline=None)
def test_the_nearest_point_is_shown_and_none_far_beyond_the_ends(curve, grid):
    x, y = curve
    values, origins = nearest_points(x, y, np.array(grid))
    placed = sorted((i for i in range(len(x)) if math.isfinite(x[i])), key=lambda i: (x[i], i))
    for at, value, origin in zip(grid, values, origins, strict=True):
        apart = (x[placed[-1]] - x[placed[0]]) / max(len(placed) - 1, 1) if placed else 0.0
        if not placed or not x[placed[0]] - apart <= at <= x[placed[-1]] + apart:
            assert math.isnan(value)
            assert math.isnan(origin)
            continue
        least = min(abs(x[i] - at) for i in placed)
        # Of two that are as near, the earlier; rounding may make one of several such.
        before = [x[i] for i in placed if x[i] <= at and abs(x[i] - at) == least]
        assert origin == before[-1] if before else abs(origin - at) == least
        last = [i for i in placed if x[i] == origin][-1]
        assert value == y[last] or math.isnan(y[last])
