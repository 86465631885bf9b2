from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.curves.metric_curves import RunCurves, tidy_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.importer.job_rows import JOB_COLUMNS, job_row
from lib.importer.metric_rows import as_batches, columns_of, new_rows

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunSummary(run_id="a", name="a", started_at=BEGAN)


def curves(**points):
    """Curves of lists of step and value; seconds are ten a step."""
    made = {}
    for name, rows in points.items():
        step = np.array([row[0] for row in rows], np.int64)
        value = np.array([row[1] for row in rows], np.float64)
        made[name] = tidy_curve(step, value, np.full(len(step), np.nan), step * 10.0)
    return RunCurves("a", MappingProxyType(made))


def written(rows, **how):
    named = {"columns": ("step", "epoch", "timestamp"), "size": 1000, "whole_epochs": False} | how
    return [row for batch in as_batches(rows, "job", **named) for row in batch]


def test_values_of_one_moment_are_one_row_and_blanks_stay_blank():
    found = curves(train_loss=[(1, 2.0), (2, math.nan), (3, -math.inf)], eval_loss=[(2, 0.0)])
    rows = written(new_rows(RUN, found, None, {"train_loss": "train_loss", "eval_loss": "eval_loss"}))
    assert rows == [
        {
            "step": step,
            "job_id": "job",
            "epoch": None,
            "timestamp": f"2026-01-01T00:00:{10 * step}+00:00",
            "train_loss": train,
            "eval_loss": evaluated,
        }
        for step, train, evaluated in ((1, 2.0, None), (2, "NaN", 0.0), (3, "-Infinity", None))
    ]
    json.dumps(rows, allow_nan=False)


def test_of_what_is_there_only_the_rest_is_new():
    every = [(step, 1.0 / step) for step in range(1, 11)]
    rows = new_rows(RUN, curves(train_loss=every), curves(train_loss=every[:6]), {"train_loss": "train_loss"})
    assert rows.step.tolist() == [7, 8, 9, 10]
    assert (rows.known, rows.changed, rows.is_of_another_run) == (6, 0, False)
    same = new_rows(RUN, curves(train_loss=every), curves(train_loss=every), {"train_loss": "train_loss"})
    assert (len(same), written(same)) == (0, [])


def test_a_value_that_changed_is_written_as_the_later_one():
    old = curves(train_loss=[(1, 1.0), (2, 2.0), (3, 3.0)])
    late = curves(train_loss=[(1, 1.0), (2, 2.0), (3, 9.0)])
    rows = new_rows(RUN, late, old, {"train_loss": "train_loss"})
    assert (rows.step.tolist(), rows.changed) == ([3], 1)
    (row,) = written(rows)
    assert row["timestamp"] == "2026-01-01T00:00:30.000001+00:00"


@pytest.mark.parametrize("other", [[(1, 5.0), (2, 2.0)], [(2, 5.0), (3, 2.0)]])
def test_what_begins_otherwise_is_another_run(other):
    mine = curves(train_loss=[(1, 1.0), (2, 2.0), (3, 3.0)], grad_norm=[(1, 1.0)])
    there = curves(train_loss=other, grad_norm=[(1, 1.0)])
    columns = {"train_loss": "train_loss", "grad_norm": "grad_norm"}
    assert new_rows(RUN, mine, there, columns).is_of_another_run


@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(allow_nan=True)), max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.floats(allow_nan=True)), max_size=40),
    st.integers(0, 40),
    st.integers(1, 7),
)
def test_whatever_was_written_by_then_the_rest_makes_it_whole(train, evaluated, until, size):
    whole = curves(train_loss=train, eval_loss=evaluated)
    columns = {"train_loss": "train_loss", "eval_loss": "eval_loss"}
    first = written(new_rows(RUN, whole, None, columns))[:until]
    points = {name: [(row["step"], float(row[name])) for row in first if row.get(name) is not None] for name in columns}
    there = curves(**points)
    second = written(new_rows(RUN, whole, there, columns), size=size)
    for name in columns:
        found = {row["step"]: float(row[name]) for row in (*first, *second) if row.get(name) is not None}
        curve = whole.get(name)
        assert sorted(found) == curve.step.tolist()
        assert np.array_equal([found[step] for step in sorted(found)], curve.value, equal_nan=True)


def test_metrics_take_the_columns_that_there_are():
    there = ("step", "job_id", "train_loss", "eval_f1", "eval_rouge_1")
    metrics = ("train_loss", "eval/f1", "eval_f1", "eval/rouge-1", "nothing", "job_id", "step")
    assert columns_of(metrics, there) == {
        "train_loss": "train_loss",
        "eval_f1": "eval_f1",
        "eval/rouge-1": "eval_rouge_1",
    }


def test_a_row_of_a_job_has_no_secret_and_nothing_that_json_cannot_say():
    config = {
        "args": {"hub_token": "hf_planted", "lr": math.nan, "betas": (0.9, math.inf), "note": "a\x00b\ud800"},
        "report": {"api_key": {"value": "planted"}, "max_tokens": 5},
        "commands": ["--hf_token", "planted-5f3a", {"password": "planted"}],
    }
    run = RunSummary(
        run_id="a",
        name="a\x00",
        config=config,
        status=RunStatus.UNKNOWN,
        raw_status="log ends at step 5",
        loss=math.inf,
        current_epoch=2.75,
        best_epoch=1.5,
        progress=0.5,
    )
    row = job_row(run, "job", "user", JOB_COLUMNS, {"current_epoch"})
    said = json.dumps(row, allow_nan=False)
    assert "planted" not in said
    assert "\\u0000" not in said
    assert (row["status"], row["loss"], row["progress"]) == ("unknown", "Infinity", 50.0)
    assert (row["current_epoch"], row["best_epoch"], row["model_name"]) == (2, 1.5, "a\ufffd")
    assert row["config"]["args"]["lr"] == "NaN"
    assert row["config"]["report"]["max_tokens"] == 5
    assert row["config"]["commands"][0] == "--hf_token"
    assert set(job_row(run, "job", "user", ("id", "status"), ())) == {"id", "status"}
