"""Curves as arrays: which of repeated values wins, what is left out, and how news join what is held."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import (
    NO_CURVE,
    MetricCurve,
    RunCurves,
    complete_curve,
    cut,
    extended,
    frame_of,
    holds,
    tidy_curve,
)
from lib.core.facts import sizes
from tests.core.curves.plain_curves import COLUMNS, LONG, same
from tests.curves import FRAME_DTYPES, check_curve, checked, curves_of_frame

VALUES = st.one_of(st.floats(), st.just(0.0), st.integers(-2, 2).map(float))
WRITTEN = st.lists(
    st.tuples(st.sampled_from(["train_loss", "eval_loss", "grad_norm"]), st.integers(0, 8), VALUES), max_size=30
)


def run_of(rows, run_id="a") -> RunCurves:
    """Rows of (metric, step, value), in the order in which they were written."""
    columns: dict[str, list] = {}
    for place, (metric, step, value) in enumerate(rows):
        columns.setdefault(metric, []).append((step, value, math.nan, float(place)))
    return RunCurves(run_id, {metric: curve_of(points) for metric, points in columns.items()})


def curve_of(points) -> MetricCurve:
    step, *others = zip(*points, strict=True) if points else [()] * 4
    return tidy_curve(np.array(step, "int64"), *(np.array(column, "float64") for column in others))


def all_same(left: RunCurves, right: RunCurves) -> bool:
    return left.curves.keys() == right.curves.keys() and all(
        same(curve, right.curves[metric]) for metric, curve in left.curves.items()
    )


def copy_of(run: RunCurves) -> RunCurves:
    copied = {
        metric: replace(curve, **{name: getattr(curve, name).copy() for name in COLUMNS})
        for metric, curve in run.curves.items()
    }
    return replace(run, curves=copied)


def test_train_and_eval_rows_of_one_step_both_stay() -> None:
    frame = checked({"a": run_of([("train_loss", 10, 1.0), ("eval_loss", 10, 1.2)])})
    assert frame[["metric", "step", "value"]].values.tolist() == [["eval_loss", 10, 1.2], ["train_loss", 10, 1.0]]


def test_the_last_value_written_for_a_step_wins_also_when_it_is_not_finite() -> None:
    curve = run_of([("x", 10, 1.0), ("x", 11, 0.9), ("x", 10, math.inf)]).get("x")
    assert curve.step.tolist() == [10, 11]
    assert curve.value.tolist() == [math.inf, 0.9]
    assert (curve.logged, curve.lost) == (2, 1)


def test_nan_is_a_value_that_the_run_logged() -> None:
    curve = run_of([("x", 1, 0.5), ("x", 1, math.nan)]).get("x")
    assert np.array_equal(curve.value, [math.nan], equal_nan=True)
    assert (len(curve), curve.logged, curve.lost) == (1, 1, 1)


@given(WRITTEN)
@settings(deadline=None)
def test_what_was_written_last_is_kept_for_each_metric_and_step_in_order(rows) -> None:
    run = run_of(rows)
    checked({"a": run})
    last = {row[:2]: (place, row[2]) for place, row in enumerate(rows)}
    found = {
        (metric, int(step)): (int(place), float(value))
        for metric, curve in run.curves.items()
        for step, place, value in zip(curve.step, curve.elapsed_s, curve.value, strict=True)
    }
    assert repr(sorted(found.items())) == repr(sorted((key, (at, float(value))) for key, (at, value) in last.items()))


@given(WRITTEN)
@settings(deadline=None)
def test_tidying_twice_changes_nothing_more_and_leaves_the_arrays_alone(rows) -> None:
    step = np.array([row[1] for row in rows], "int64")
    others = [np.array(column, "float64") for column in ([row[2] for row in rows], [0.0] * len(rows), range(len(rows)))]
    before = [array.copy() for array in (step, *others)]
    once = tidy_curve(step, *others)
    assert same(tidy_curve(once.step, once.value, once.epoch, once.elapsed_s), once)
    for array, earlier in zip((step, *others), before, strict=True):
        assert np.array_equal(array, earlier, equal_nan=True)


@given(WRITTEN, st.integers(0, 10), st.integers(0, 30))
@settings(deadline=None)
def test_extending_by_the_points_from_any_step_on_gives_what_reading_the_whole_gives(rows, after, held) -> None:
    # What was held is older: points below the step are all in it, and any of those from it on may be.
    is_new = [place >= held and row[1] >= after for place, row in enumerate(rows)]
    earlier, newer = ([row for row, new in zip(rows, is_new, strict=True) if new is wanted] for wanted in (False, True))
    every = run_of([*earlier, *newer])
    news = cut(every, after, 10**9)
    grown = extended(run_of(earlier), news, after)
    checked({"a": grown})
    assert all_same(grown, every)
    assert holds(grown, news)


@given(WRITTEN, st.lists(st.integers(0, 8), max_size=4))
@settings(deadline=None)
def test_a_run_read_in_pieces_equals_the_run_read_as_a_whole(rows, stops) -> None:
    in_order = sorted(rows, key=lambda row: row[1])
    every, grown, last = run_of(in_order), RunCurves("a"), 0
    for stop in [*sorted(stops), 8]:
        grown = extended(grown, cut(run_of([row for row in in_order if row[1] <= stop]), last, stop), last)
        last = stop
    assert all_same(grown, every)


@given(WRITTEN, st.integers(0, 9))
@settings(deadline=None)
def test_extending_twice_by_the_same_points_changes_nothing_more(rows, after) -> None:
    whole = run_of(rows)
    news = cut(whole, after, 10**9)
    assert all_same(extended(whole, news, after), whole)
    assert holds(whole, news)


@given(WRITTEN, WRITTEN)
@settings(deadline=None)
def test_extending_and_cutting_leave_what_was_given_alone(rows, more) -> None:
    held, news = run_of(rows), run_of(more)
    before = copy_of(held), copy_of(news)
    extended(held, news, 3)
    cut(held, 2, 5)
    assert all_same(held, before[0])
    assert all_same(news, before[1])


def test_an_evaluation_that_comes_after_its_training_row_joins_it_and_a_new_value_replaces_the_old() -> None:
    held = run_of([("train_loss", 5, 1.0), ("train_loss", 10, 0.9)])
    news = run_of([("train_loss", 10, 0.8), ("eval_loss", 10, 1.1), ("train_loss", 15, math.nan)])
    assert not holds(held, news)
    grown = extended(held, news, 10)
    assert grown.get("train_loss").step.tolist() == [5, 10, 15]
    assert grown.get("train_loss").value[:2].tolist() == [1.0, 0.8]
    assert (grown.get("train_loss").logged, grown.get("train_loss").lost) == (3, 1)
    assert grown.get("eval_loss").value.tolist() == [1.1]


def test_no_news_leave_the_run_as_it_is_and_the_first_points_may_be_news() -> None:
    held = run_of([("train_loss", 5, 1.0)])
    assert extended(held, RunCurves("a"), 5) is held
    assert holds(held, RunCurves("a"))
    assert all_same(extended(RunCurves("a"), held, 0), held)
    assert not holds(RunCurves("a"), held)


def test_what_was_noticed_of_a_run_stays_with_it_when_it_grows() -> None:
    held = replace(run_of([("train_loss", 5, 1.0)]), unread=("perplexity",))
    grown = extended(held, run_of([("train_loss", 6, 1.0)]), 5)
    assert (grown.run_id, grown.unread) == ("a", ("perplexity",))
    assert cut(grown, 6, 6).unread == ("perplexity",)


def test_news_of_a_metric_that_was_not_read_are_no_curve_of_it() -> None:
    held = replace(run_of([("train_loss", 5, 1.0)]), unread=("perplexity",))
    news = run_of([("perplexity", 6, 3.0), ("eval_loss", 6, 1.0)])
    assert extended(held, news, 5).curves.keys() == {"train_loss", "eval_loss"}
    assert not holds(held, news)
    assert holds(held, run_of([("perplexity", 6, 3.0)]))


@pytest.mark.parametrize(("value", "is_held"), [(0.9, True), (0.8, False), (math.nan, False)])
def test_news_are_held_only_with_the_same_value(value, is_held) -> None:
    held = run_of([("train_loss", 5, 1.0), ("train_loss", 10, 0.9)])
    assert holds(held, run_of([("train_loss", 10, value)])) is is_held


def test_a_nan_that_is_held_is_no_news() -> None:
    held = run_of([("train_loss", 5, 1.0), ("train_loss", 10, math.nan)])
    assert holds(held, run_of([("train_loss", 10, math.nan)]))


@given(WRITTEN, st.integers(-2, 10), st.integers(-2, 10))
@settings(deadline=None)
def test_a_cut_keeps_the_points_from_first_to_last_and_no_empty_curve(rows, first, last) -> None:
    part = cut(run_of(rows), first, last)
    frame = checked({"a": run_of(rows)})
    expected = frame[frame["step"].between(first, last)].reset_index(drop=True)
    pd.testing.assert_frame_equal(checked({"a": part}), expected)


@given(st.dictionaries(st.sampled_from("abc"), WRITTEN))
@settings(deadline=None)
def test_a_table_of_curves_is_sorted_and_gives_the_curves_back(rows) -> None:
    runs = {run_id: run_of(written, run_id) for run_id, written in rows.items()}
    frame = checked(runs)
    pd.testing.assert_frame_equal(frame, frame.sort_values(["run_id", "metric", "step"], ignore_index=True))
    back = curves_of_frame(frame)
    assert back.keys() == {run_id for run_id, run in runs.items() if run.curves}
    assert all(all_same(run, runs[run_id]) for run_id, run in back.items())
    only = frame_of(runs.values(), ["eval_loss"])
    pd.testing.assert_frame_equal(only, frame[frame["metric"] == "eval_loss"].reset_index(drop=True))


def test_an_empty_table_keeps_every_column_and_dtype() -> None:
    for runs in ([], [RunCurves("a")], [RunCurves("a", {"x": NO_CURVE})]):
        frame = frame_of(runs)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FRAME_DTYPES
        assert curves_of_frame(frame) == {}


def test_a_metric_that_was_never_logged_has_no_points() -> None:
    run = run_of([("train_loss", 1, 1.0)])
    assert len(run.get("eval_loss")) == run.get("eval_loss").logged == 0
    assert run.get("eval_loss").is_complete
    assert (run.points, run.logged, run.is_complete) == (1, 1, True)


@given(LONG, st.data())
@settings(deadline=None)
def test_points_of_a_mask_are_a_curve_of_their_own(curve, data) -> None:
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(curve), max_size=len(curve))), bool)
    part = curve.where(keep)
    check_curve(part)
    assert part.is_complete
    assert part.step.tolist() == curve.step[keep].tolist()


def test_the_name_of_a_metric_is_no_longer_than_a_link_carries_and_still_its_own():
    curve = complete_curve(*(np.arange(3.0) for _ in range(4)))
    named = RunCurves("a", {f"{'m' * 100_000}{end}": curve for end in "ab"} | {"\ud800\x00": curve, "eval_f1": curve})
    assert len(named.curves) == 4
    assert {"\ufffd\ufffd", "eval_f1"} < named.curves.keys()
    assert max(map(len, named.curves)) <= sizes.LONGEST_METRIC <= sizes.LONGEST_PARAMETER
