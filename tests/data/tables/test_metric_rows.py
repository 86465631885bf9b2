"""Laws and borders of reading rows of the metrics table into curves."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import MalformedRow
from lib.core.facts.metrics import LOGGED
from lib.data.tables.metric_rows import curves_of_rows, curves_of_table
from tests.curves import check_curve, checked

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def frame_from(table: pa.Table, *run_ids: str) -> pd.DataFrame:
    """What a table says of some runs, of all by default."""
    wanted = run_ids or sorted(set(table["job_id"].cast(pa.string()).drop_null().to_pylist()))
    return checked(curves_of_table(table, wanted))


def run_from(table: pa.Table) -> RunCurves:
    return curves_of_table(table, ["a"])["a"]


def table_of(rows: list[dict], **types: pa.DataType) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names}
    return pa.table(columns)


def stamp(second: float) -> datetime:
    return START + timedelta(seconds=second)


def values_of(frame: pd.DataFrame, metric: str) -> dict[int, float]:
    curve = frame[frame["metric"] == metric]
    return dict(zip(curve["step"], curve["value"], strict=True))


TWO_ROWS_A_STEP = [
    {"id": 1, "job_id": "a", "step": 10, "epoch": 0.1, "train_loss": 2.0, "timestamp": stamp(0)},
    {"id": 2, "job_id": "a", "step": 10, "epoch": 0.1, "eval_loss": 1.8, "timestamp": stamp(4)},
    {"id": 3, "job_id": "a", "step": 20, "epoch": 0.2, "train_loss": 1.0, "timestamp": stamp(10)},
    {"id": 4, "job_id": "b", "step": 10, "epoch": 0.1, "train_loss": 3.0, "timestamp": stamp(100)},
]


def test_train_and_eval_values_of_one_step_come_together_from_two_rows():
    frame = frame_from(table_of(TWO_ROWS_A_STEP))
    assert values_of(frame[frame.run_id == "a"], "train_loss") == {10: 2.0, 20: 1.0}
    assert values_of(frame[frame.run_id == "a"], "eval_loss") == {10: 1.8}
    assert frame["elapsed_s"].tolist() == [4.0, 0.0, 10.0, 0.0]


def test_null_is_no_row_and_nan_and_zero_are_rows():
    rows = [
        {"id": i, "job_id": "a", "step": i, "train_loss": value}
        for i, value in enumerate([None, math.nan, 0.0, math.inf])
    ]
    values = values_of(frame_from(table_of(rows)), "train_loss")
    assert list(values) == [1, 2, 3]
    assert math.isnan(values[1])
    assert (values[2], values[3]) == (0.0, math.inf)


@given(data=st.data())
@settings(deadline=None, max_examples=50)
def test_the_last_value_by_time_and_id_wins_whatever_the_order_of_rows(data):
    value = st.none() | st.sampled_from([0.0, 1.0, math.nan, math.inf])
    made = data.draw(
        st.lists(
            st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 2), value, value),
            min_size=1,
            max_size=12,
        )
    )
    rows = [
        {"id": n, "job_id": job, "step": step, "timestamp": stamp(at), "train_loss": loss, "eval_loss": other}
        for n, (job, step, at, loss, other) in enumerate(made)
    ]
    types = {"train_loss": pa.float64(), "eval_loss": pa.float64(), "job_id": pa.string()}
    frame = frame_from(table_of(rows, **types))
    shuffled = frame_from(table_of(data.draw(st.permutations(rows)), **types))
    pd.testing.assert_frame_equal(frame, shuffled)

    expected: dict[tuple, float] = {}
    for row in sorted(rows, key=lambda row: (row["timestamp"], row["id"])):
        for metric in ("train_loss", "eval_loss"):
            if row[metric] is not None:
                expected[row["job_id"], metric, row["step"]] = row[metric]
    found = {(r.run_id, r.metric, r.step): r.value for r in frame.itertuples()}
    assert found.keys() == expected.keys()
    assert all(found[key] == expected[key] or math.isnan(expected[key]) for key in found)


def test_rows_without_a_run_or_a_whole_step_are_left_out_and_counted():
    rows = [
        {"job_id": "a", "step": 1.0, "train_loss": 1.0},
        {"job_id": None, "step": 2.0, "train_loss": 1.0},
        {"job_id": "a", "step": None, "train_loss": 1.0},
        {"job_id": "a", "step": -1.0, "train_loss": 1.0},
        {"job_id": "a", "step": 1.5, "train_loss": 1.0},
        {"job_id": "a", "step": math.nan, "train_loss": 1.0},
    ]
    table = table_of(rows)
    assert values_of(frame_from(table), "train_loss") == {1: 1.0}
    facts = run_from(table).rows
    assert (facts.received, facts.unplaced) == (5, 4)


def test_without_timestamps_the_id_decides_and_time_is_unknown():
    rows = [
        {"id": 2, "job_id": "a", "step": 1, "train_loss": 2.0, "timestamp": None},
        {"id": 1, "job_id": "a", "step": 1, "train_loss": 1.0, "timestamp": None},
    ]
    for table in (table_of(rows), table_of(rows).drop_columns("timestamp")):
        frame = frame_from(table)
        assert frame["value"].tolist() == [2.0]
        assert frame["elapsed_s"].isna().all()
        assert frame["epoch"].isna().all()


def test_numbers_and_moments_may_come_as_text():
    rows = [
        {"id": "1", "job_id": "a", "step": "1", "train_loss": "0.5", "timestamp": "2026-03-01T08:00:00+00:00"},
        {"id": "2", "job_id": "a", "step": "2", "train_loss": "NaN", "timestamp": "2026-03-01T08:00:01.5+00:00"},
        {"id": "3", "job_id": "a", "step": "3", "train_loss": "-Infinity", "timestamp": None},
        {"id": "4", "job_id": "a", "step": "4", "train_loss": "n/a", "timestamp": "2026-03-01T08:00:02+00:00"},
        {"id": "10", "job_id": "a", "step": "1", "train_loss": "0.25", "timestamp": "2026-03-01T08:00:00Z"},
    ]
    frame = frame_from(table_of(rows))
    values = values_of(frame, "train_loss")
    assert (values[1], values[3]) == (0.25, -math.inf)
    assert math.isnan(values[2])
    assert 4 not in values
    assert frame["elapsed_s"].fillna(-1).tolist() == [0.0, 1.5, -1.0]


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ns", tz="UTC"), pa.timestamp("us"), pa.timestamp("ms", tz="Asia/Tokyo")]
)
def test_moments_of_any_unit_and_zone_give_the_same_seconds(kind):
    table = table_of(TWO_ROWS_A_STEP)
    stamps = table["timestamp"].cast(pa.timestamp("us", tz="UTC")).cast(kind)
    changed = table.set_column(table.column_names.index("timestamp"), "timestamp", stamps)
    pd.testing.assert_frame_equal(frame_from(changed), frame_from(table))


def test_every_metric_is_read_and_further_numeric_columns_become_metrics():
    row = {"id": 1, "job_id": "a", "step": 1, "epoch": 0.5, "timestamp": START}
    row |= {name: float(n) for n, name in enumerate(LOGGED)}
    row |= {"num_input_tokens_seen": 12, "note": "text", "is_best": True, "user_id": 3, "worker_token": 4}
    frame = frame_from(table_of([row]))
    assert set(frame["metric"]) == {*LOGGED, "num_input_tokens_seen"}
    assert values_of(frame, "num_input_tokens_seen") == {1: 12.0}


@pytest.mark.parametrize("columns", [{}, {"train_loss": pa.array([], pa.float64())}])
def test_runs_without_rows_are_absent(columns):
    table = pa.table({"job_id": pa.array([], pa.string()), "step": pa.array([], pa.int64()), **columns})
    assert curves_of_table(table, ["a"]) == {}
    assert curves_of_table(table_of(TWO_ROWS_A_STEP), ["c"]) == {}
    assert curves_of_rows("a", table.drop_columns("job_id")).curves == {}


def test_metrics_that_are_all_null_have_no_curve():
    table = table_of([{"id": 1, "job_id": "a", "step": 1, "train_loss": None}])
    assert run_from(table).curves == {}
    assert run_from(table.set_column(3, "train_loss", pa.array([None], pa.float64()))).curves == {}


def test_runs_come_in_the_order_asked_for_and_once_each():
    assert list(curves_of_table(table_of(TWO_ROWS_A_STEP), ["b", "a", "b", "c"])) == ["b", "a"]


def test_times_count_from_the_first_row_of_the_run_also_where_it_is_not_among_these():
    rows = table_of(TWO_ROWS_A_STEP).filter(pa.array([False, True, True, False])).drop_columns("job_id")
    assert checked({"a": curves_of_rows("a", rows)})["elapsed_s"].tolist() == [0.0, 6.0]
    first_us = int(START.timestamp() * 1_000_000)
    moved = curves_of_rows("a", rows, started_us=first_us)
    assert checked({"a": moved})["elapsed_s"].tolist() == [4.0, 10.0]


def test_how_many_rows_were_expected_is_kept_beside_how_many_came():
    facts = curves_of_rows("a", table_of(TWO_ROWS_A_STEP).drop_columns("job_id"), expected=7).rows
    assert (facts.received, facts.expected) == (4, 7)


@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_curves_with_gaps_at_the_same_rows_are_those_that_each_has_alone(data):
    value = st.none() | st.sampled_from([0.0, 1.5, math.nan])
    rows = data.draw(st.lists(st.tuples(st.integers(0, 6), value, value, st.booleans()), min_size=1, max_size=12))
    made = [
        {"id": n, "job_id": "a", "step": step, "x": x, "y": y, "z": x if same else y, "timestamp": stamp(n)}
        for n, (step, x, y, same) in enumerate(rows)
    ]
    table = table_of(made, **dict.fromkeys("xyz", pa.float64()))
    together = run_from(table)
    for metric in "xyz":
        alone = run_from(table.select(["id", "job_id", "step", "timestamp", metric]))
        one, other = alone.get(metric), together.get(metric)
        check_curve(other)
        for name in ("step", "value", "epoch", "elapsed_s"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


@pytest.mark.parametrize("column", ["job_id", "step"])
def test_a_metrics_table_without_a_place_column_is_malformed(column):
    with pytest.raises(MalformedRow, match=f"column {column}"):
        curves_of_table(table_of(TWO_ROWS_A_STEP).drop_columns(column), ["a"])


def test_half_a_million_rows_are_read_in_about_a_second():
    count = 500_000
    steps = np.arange(count) // 5
    table = pa.table(
        {
            "id": np.arange(count),
            "job_id": np.array([f"run-{n}" for n in range(5)])[np.arange(count) % 5],
            "step": steps,
            "timestamp": pa.array(steps * 1_000_000, pa.timestamp("us", tz="UTC")),
            "train_loss": np.ones(count),
            "learning_rate": np.ones(count),
            "eval_loss": pa.array(np.ones(count), mask=steps % 20 != 0),
        }
    )
    curves = curves_of_table(table, [f"run-{n}" for n in range(5)])
    assert sum(run.points for run in curves.values()) == 2 * count + count // 20


SECONDS = [1_767_225_600.0, 1_767_225_601.5, 1_767_225_604.0]
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def elapsed_of(stamps):
    """Seconds since the first row, by step; the rows lie in the reverse order."""
    rows = pa.table({"step": [3, 2, 1], "train_loss": [0.1, 0.2, 0.3], "timestamp": stamps.take([2, 1, 0])})
    curve = curves_of_rows("a", rows).curves["train_loss"]
    return dict(zip(curve.step.tolist(), curve.elapsed_s.tolist(), strict=True))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(25, 3), "as written", "in a row"]
)
def test_a_clock_that_shows_numbers_is_read_in_its_unit(unit, kind):
    numbers = [each * UNITS[unit] for each in SECONDS]
    if kind == "as written":
        stamps = pa.array([f" {each:.3f}" if unit == "s" else f"{each:.0f}" for each in numbers])
    elif kind == "in a row":
        # As a database of several writers may have them.
        stamps = pa.array([f"{numbers[0]:.0f}", "2026-01-01T00:00:01.5Z", f"{numbers[2]:.0f}"])
    elif unit == "s" and pa.types.is_integer(kind):
        assert elapsed_of(pa.array([int(each) for each in numbers]).cast(kind)) == {1: 0.0, 2: 1.0, 3: 4.0}
        return
    else:
        stamps = pa.array(numbers).cast(kind, safe=False)
    assert elapsed_of(stamps) == pytest.approx({1: 0.0, 2: 1.5, 3: 4.0}, abs=1e-5)


@pytest.mark.parametrize(
    "stamps",
    [
        pa.array([0, 0, 0]),
        pa.array([0.0, 1.5, 4.0]),
        pa.array([-5, -4, -3]),
        pa.array([-(2**63), 2**63 - 1, 0]),
        pa.array([math.nan, math.inf, -math.inf]),
        pa.array(["0", "-5", "1999"]),
        pa.array(["9" * 4000, "-20260101", "soon"]),
        pa.array([True, False, True]),
        pa.array([None, None, None]),
        pa.array([[1], [2], [3]]),
        pa.array([{"a": 1}, {"a": 2}, {"a": 3}]),
        pa.array([b"\xff", b"\xfe", b"\xfd"]),
    ],
    ids=str,
)
def test_what_no_clock_shows_is_no_time(stamps):
    assert all(math.isnan(each) for each in elapsed_of(stamps).values())


@pytest.mark.parametrize("written", ["20260101", "2026-01-01", "2026-01-01T09:00:00+09:00", "2026-01-01 00:00:00"])
def test_a_date_is_one_however_it_is_written(written):
    assert elapsed_of(pa.array([written, "2026-01-01T00:00:01.5Z", "1767225604"])) == {1: 0.0, 2: 1.5, 3: 4.0}


def test_one_row_without_a_time_takes_none_from_the_others():
    assert elapsed_of(pa.array([0, 1_767_225_601, 1_767_225_604])) == pytest.approx(
        {1: math.nan, 2: 0.0, 3: 3.0}, nan_ok=True
    )
