"""Curves of which a part of the points is kept: which, and what is still known of the others."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import (
    NO_CURVE,
    RunCurves,
    complete_curve,
    cut,
    extended,
)
from lib.core.curves.series import bucket_of, reduce_indices
from tests.core.curves.plain_curves import COLUMNS, LONG, plain, same
from tests.curves import check_curve, reduced


@given(LONG, st.integers(1, 12))
@settings(deadline=None)
def test_counts_of_a_reduced_curve_that_grows_are_those_of_the_grown_whole(curve, buckets) -> None:
    # The last point is kept where it is finite: it is where news begin.
    whole = plain([*curve.value, 1.0])
    after = int(whole.step[-1])
    news = complete_curve(np.array([after, after + 7, after + 14]), np.array([2.0, math.nan, 3.0]), *np.zeros((2, 3)))
    few = RunCurves("a", {"x": replace(reduced(whole, buckets), median=1.5)})
    grown = extended(few, RunCurves("a", {"x": news}), after).get("x")
    check_curve(grown)
    assert (grown.logged, grown.lost, grown.median) == (whole.logged + 2, whole.lost + 1, 1.5)
    assert grown.is_complete is few.is_complete


@given(LONG, st.integers(1, 30))
@settings(deadline=None, max_examples=200)
def test_reducing_keeps_of_each_bucket_first_last_extremes_and_both_ends_of_what_is_not_finite(curve, buckets) -> None:
    few = reduced(curve, buckets)
    check_curve(few)
    lost = np.flatnonzero(~np.isfinite(curve.value))
    first_lost, last_lost = {}, {}
    for at, bucket in zip(lost.tolist(), bucket_of(curve.step[lost], buckets).tolist(), strict=True):
        first_lost.setdefault(bucket, at)
        last_lost[bucket] = at
    ends = {*first_lost.values(), *last_lost.values()}
    kept = sorted({*reduce_indices(curve.step, curve.value, buckets).tolist(), *ends})
    for name in COLUMNS:
        assert np.array_equal(getattr(few, name), getattr(curve, name)[kept], equal_nan=True)


@given(LONG, st.integers(1, 30))
@settings(deadline=None)
def test_reducing_changes_neither_counts_nor_the_range_of_values_and_says_whether_all_is_there(curve, buckets) -> None:
    few = reduced(replace(curve, median=0.25), buckets)
    assert (few.logged, few.lost, few.median) == (curve.logged, curve.lost, 0.25)
    assert few.is_complete is (len(few) == len(curve))
    finite, whole = few.value[np.isfinite(few.value)], curve.value[np.isfinite(curve.value)]
    assert len(finite) <= 4 * buckets
    assert len(few) <= 6 * buckets
    if len(whole):
        known = curve.step[np.isfinite(curve.value)]
        assert (finite.min(), finite.max(), finite[0], finite[-1]) == (whole.min(), whole.max(), whole[0], whole[-1])
        assert {known[0], known[-1]} <= set(few.step)


@given(LONG, st.integers(1, 30))
@settings(deadline=None)
def test_reducing_twice_changes_nothing_more(curve, buckets) -> None:
    few = reduced(curve, buckets)
    again = reduced(few, buckets)
    assert same(again, few)


def test_a_short_curve_is_kept_as_it_is() -> None:
    curve = plain(np.arange(4000))
    assert reduced(curve, 1000) is curve
    assert len(reduced(plain(np.cos(np.arange(4001))), 1000)) < 4001
    assert reduced(NO_CURVE, 1) is NO_CURVE


def test_a_cut_of_a_reduced_curve_that_takes_all_of_it_still_says_what_is_missing() -> None:
    few = RunCurves("a", {"x": reduced(plain(np.cos(np.arange(100))), 2)})
    assert not few.is_complete
    assert not cut(few, 0, 10**9).is_complete
