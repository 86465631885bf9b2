from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.axes import Axis, position, why_not
from lib.core.metric_frame import empty_metric_frame, tidy_metric_frame
from lib.core.runs import RunSummary

RUN = RunSummary(run_id="r", name="r")
NAN = math.nan


def frame_of(steps, epochs=None, elapsed=None, metric="train_loss", values=None):
    n = len(steps)
    return tidy_metric_frame(
        pd.DataFrame(
            {
                "run_id": ["r"] * n,
                "metric": [metric] * n,
                "step": steps,
                "epoch": epochs or [NAN] * n,
                "elapsed_s": elapsed or [NAN] * n,
                "value": values or [1.0] * n,
            }
        )
    )


def test_steps_are_themselves():
    assert position(frame_of([0, 10, 20]), Axis.STEP, RUN).tolist() == [0.0, 10.0, 20.0]


def test_logged_epochs_are_kept_and_gaps_are_filled_in_proportion_to_the_steps():
    frame = frame_of([0, 50, 100, 150, 200, 300], [NAN, NAN, 1.0, NAN, 2.0, NAN])
    assert position(frame, Axis.EPOCH, RUN).tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]


def test_an_epoch_of_zero_is_logged_and_not_replaced_by_the_plan():
    run = replace(RUN, total_epochs=3.0, total_steps=30)
    assert position(frame_of([0, 10], [0.0, 0.0]), Axis.EPOCH, run).tolist() == [0.0, 0.0]


def test_epochs_follow_from_the_plan_where_none_is_logged():
    run = replace(RUN, total_epochs=3.0, total_steps=300)
    assert position(frame_of([0, 100, 250]), Axis.EPOCH, run).tolist() == [0.0, 1.0, 2.5]


@given(
    points=st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, unique_by=lambda p: p[0]),
    rate=st.floats(1e-3, 1.0),
)
@settings(deadline=None)
def test_missing_epochs_of_a_steady_run_are_found_exactly(points, rate):
    points.sort()
    steps = [step for step, _ in points]
    frame = frame_of(steps, [step * rate if logged else NAN for step, logged in points])
    found = position(frame, Axis.EPOCH, RUN)
    # A single epoch logged at step 0 says nothing about the rate.
    if any(logged and step for step, logged in points):
        assert found == pytest.approx(np.array(steps) * rate)


def test_hours_come_from_the_seconds_and_stay_unknown_where_no_time_is_logged():
    found = position(frame_of([0, 1, 2], elapsed=[0.0, NAN, 7200.0]), Axis.HOURS, RUN)
    assert found[[0, 2]].tolist() == [0.0, 2.0]
    assert math.isnan(found[1])


def test_samples_are_steps_times_the_effective_batch():
    assert position(frame_of([0, 5]), Axis.SAMPLES, RUN, samples_per_step=32).tolist() == [0.0, 160.0]


@pytest.mark.parametrize("metric", ["num_input_tokens_seen", "total_tokens"])
def test_logged_token_counts_are_completed_over_the_steps(metric):
    counts = frame_of([10, 20], metric=metric, values=[1000.0, 3000.0])
    frame = pd.concat([counts, frame_of([0, 5, 10, 15, 20, 30])], ignore_index=True)
    found = position(frame, Axis.TOKENS, replace(RUN, total_tokens_processed=7, current_step=1))
    assert found.tolist() == [1000.0, 3000.0, 0.0, 500.0, 1000.0, 2000.0, 3000.0, 4500.0]


def test_tokens_follow_from_the_total_where_no_count_is_logged():
    run = replace(RUN, total_tokens_processed=10_000, current_step=100)
    assert position(frame_of([0, 50]), Axis.TOKENS, run).tolist() == [0.0, 5000.0]


@pytest.mark.parametrize(
    ("axis", "run", "samples_per_step"),
    [
        (Axis.EPOCH, RUN, None),
        (Axis.EPOCH, replace(RUN, total_epochs=3.0), None),
        (Axis.EPOCH, replace(RUN, total_epochs=3.0, total_steps=0), None),
        (Axis.HOURS, RUN, None),
        (Axis.SAMPLES, RUN, None),
        (Axis.SAMPLES, RUN, 0.0),
        (Axis.SAMPLES, RUN, NAN),
        (Axis.TOKENS, RUN, None),
        (Axis.TOKENS, replace(RUN, total_tokens_processed=10), None),
        (Axis.TOKENS, replace(RUN, total_tokens_processed=10, current_step=0), None),
    ],
)
def test_an_axis_without_its_data_has_no_positions_and_says_why(axis, run, samples_per_step):
    assert position(frame_of([0, 1]), axis, run, samples_per_step) is None
    assert why_not(axis).endswith(".")


@pytest.mark.parametrize("axis", list(Axis))
def test_every_axis_has_a_title_and_stands_an_empty_frame(axis):
    assert axis.axis_title
    found = position(empty_metric_frame(), axis, RUN, 8)
    assert found is None or len(found) == 0
