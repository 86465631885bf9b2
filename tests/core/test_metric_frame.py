"""The frame in which curves travel: its schema, and which of repeated values wins."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.metric_frame import (
    CURVE,
    METRIC_FRAME_DTYPES,
    check_metric_frame,
    empty_metric_frame,
    extend_metric_frame,
    tidy_metric_frame,
)

COLUMNS = list(METRIC_FRAME_DTYPES)


def frame(*rows: tuple) -> pd.DataFrame:
    """Rows of (run, metric, step, value) as a frame with the schema's columns, not yet tidy."""
    return pd.DataFrame(
        [
            (run, metric, step, math.nan, float(position), value)
            for position, (run, metric, step, value) in enumerate(rows)
        ],
        columns=COLUMNS,
    )


def values(tidy: pd.DataFrame) -> list[tuple]:
    return list(tidy[["run_id", "metric", "step", "value"]].itertuples(index=False, name=None))


def test_an_empty_frame_keeps_every_column_and_dtype() -> None:
    empty = empty_metric_frame()
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == dict(METRIC_FRAME_DTYPES)
    assert len(empty) == 0
    assert check_metric_frame(empty) is empty


@pytest.mark.parametrize("rows", [pd.DataFrame(), pd.DataFrame(columns=COLUMNS), empty_metric_frame()])
def test_no_rows_make_an_empty_metric_frame(rows) -> None:
    pd.testing.assert_frame_equal(tidy_metric_frame(rows), empty_metric_frame())


def test_train_and_eval_rows_of_one_step_both_stay() -> None:
    tidy = tidy_metric_frame(frame(("a", "train_loss", 10, 1.0), ("a", "eval_loss", 10, 1.2)))
    assert values(tidy) == [("a", "eval_loss", 10, 1.2), ("a", "train_loss", 10, 1.0)]


def test_the_last_value_written_for_a_step_wins_also_when_it_is_not_finite() -> None:
    tidy = tidy_metric_frame(
        frame(("a", "train_loss", 10, 1.0), ("a", "train_loss", 11, 0.9), ("a", "train_loss", 10, math.inf))
    )
    assert values(tidy) == [("a", "train_loss", 10, math.inf), ("a", "train_loss", 11, 0.9)]


def test_nan_is_a_value_that_the_run_logged() -> None:
    tidy = tidy_metric_frame(frame(("a", "train_loss", 1, 0.5), ("a", "train_loss", 1, math.nan)))
    assert len(tidy) == 1
    assert math.isnan(tidy["value"].iloc[0])


def test_a_frame_carries_nothing_beyond_its_schema() -> None:
    tidy = tidy_metric_frame(frame(("a", "train_loss", 1, 0.5)).assign(job_token="secret")[["job_token", *COLUMNS]])
    assert list(tidy.columns) == COLUMNS


def test_steps_that_come_as_other_numbers_become_integers() -> None:
    rows = frame(("a", "train_loss", 1, 1)).astype({"step": "float64", "value": "int64"})
    check_metric_frame(tidy_metric_frame(rows))


WRITTEN = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["train_loss", "eval_loss"]),
        st.integers(0, 5),
        st.one_of(st.floats(), st.just(0.0)),
    ),
    max_size=30,
)


@given(WRITTEN)
@settings(deadline=None)
def test_what_was_written_last_is_kept_for_each_run_metric_and_step_in_order(rows) -> None:
    tidy = check_metric_frame(tidy_metric_frame(frame(*rows)))
    last = {row[:3]: row[3] for row in rows}
    assert [row[:3] for row in values(tidy)] == sorted(last)
    assert all(math.isnan(last[row[:3]]) if math.isnan(row[3]) else last[row[:3]] == row[3] for row in values(tidy))


@given(WRITTEN)
@settings(deadline=None)
def test_tidying_twice_changes_nothing_more(rows) -> None:
    once = tidy_metric_frame(frame(*rows))
    pd.testing.assert_frame_equal(tidy_metric_frame(once), once)


@given(WRITTEN, st.integers(0, 7), st.integers(0, 30))
@settings(deadline=None)
def test_extending_by_the_rows_from_any_step_on_gives_what_tidying_all_rows_gives(rows, after, held) -> None:
    # What was held is older: rows below the step are all in it, and any of those from it on may be.
    is_new = [place >= held and row[2] >= after for place, row in enumerate(rows)]
    earlier, newer = (
        [row for row, is_so in zip(rows, is_new, strict=True) if is_so is wanted] for wanted in (False, True)
    )
    every = frame(*earlier, *newer)
    frame_held = tidy_metric_frame(every.iloc[: len(earlier)])
    new = tidy_metric_frame(every[every["step"] >= after])
    extended = extend_metric_frame(frame_held, new, after)
    pd.testing.assert_frame_equal(check_metric_frame(extended), tidy_metric_frame(every))


@given(WRITTEN, st.integers(0, 7))
@settings(deadline=None)
def test_extending_twice_by_the_same_rows_changes_nothing_more(rows, after) -> None:
    whole = tidy_metric_frame(frame(*rows))
    new = tidy_metric_frame(whole[whole["step"] >= after])
    pd.testing.assert_frame_equal(extend_metric_frame(whole, new, after), whole)


def test_an_evaluation_that_comes_after_its_training_row_joins_it_and_a_new_value_replaces_the_old() -> None:
    held = tidy_metric_frame(frame(("a", "train_loss", 5, 1.0), ("a", "train_loss", 10, 0.9)))
    new = tidy_metric_frame(
        frame(("a", "train_loss", 10, 0.8), ("a", "eval_loss", 10, 1.1), ("a", "train_loss", 15, 0.7))
    )
    assert values(extend_metric_frame(held, new, 10)) == [
        ("a", "eval_loss", 10, 1.1),
        ("a", "train_loss", 5, 1.0),
        ("a", "train_loss", 10, 0.8),
        ("a", "train_loss", 15, 0.7),
    ]


def test_no_news_leave_the_frame_as_it_is_and_the_first_rows_may_be_news() -> None:
    held = tidy_metric_frame(frame(("a", "train_loss", 5, 1.0)))
    assert extend_metric_frame(held, empty_metric_frame(), 5) is held
    pd.testing.assert_frame_equal(extend_metric_frame(empty_metric_frame(), held, 0), held)


@given(WRITTEN)
@settings(deadline=None)
def test_extending_leaves_both_frames_alone(rows) -> None:
    held = tidy_metric_frame(frame(*rows[: len(rows) // 2]))
    new = tidy_metric_frame(frame(*rows[len(rows) // 2 :]))
    before = held.copy(deep=True), new.copy(deep=True)
    extend_metric_frame(held, new, 3)
    pd.testing.assert_frame_equal(held, before[0])
    pd.testing.assert_frame_equal(new, before[1])


@given(WRITTEN)
@settings(deadline=None)
def test_tidying_leaves_the_rows_it_was_given_alone(rows) -> None:
    given_rows = frame(*rows)
    before = given_rows.copy(deep=True)
    tidy_metric_frame(given_rows)
    pd.testing.assert_frame_equal(given_rows, before)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_column_is_named(name) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        check_metric_frame(empty_metric_frame().drop(columns=name))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_another_dtype_is_named_with_both(name) -> None:
    wrong = empty_metric_frame().astype({name: "bool"})
    with pytest.raises(ValueError, match=f"'{name}' is bool, expected {METRIC_FRAME_DTYPES[name]}"):
        check_metric_frame(wrong)


@pytest.mark.parametrize("steps", [(2, 2), (2, 1)])
def test_a_curve_that_repeats_a_step_or_goes_back_is_named(steps) -> None:
    rows = frame(*(("run-1", "train_loss", step, 1.0) for step in steps)).astype(dict(METRIC_FRAME_DTYPES))
    with pytest.raises(ValueError, match=f"'train_loss' of run 'run-1' does not increase at step {steps[1]}"):
        check_metric_frame(rows)


def test_the_same_step_in_different_curves_is_no_repetition() -> None:
    rows = frame(("a", "train_loss", 1, 1.0), ("a", "eval_loss", 1, 1.0), ("b", "train_loss", 1, 1.0))
    tidy = check_metric_frame(tidy_metric_frame(rows))
    assert len(tidy.groupby(CURVE)) == 3
