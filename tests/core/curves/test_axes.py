from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.axes import Axis, place, why_not
from lib.core.curves.metric_curves import RunCurves, tidy_curve
from lib.core.facts.runs import RunSummary
from tests.curves import reduced

RUN = RunSummary(run_id="r", name="r")
NAN = math.nan


def curve_of(steps, epochs=None, elapsed=None, values=None):
    n = len(steps)
    columns = (
        np.array(column or [default] * n, float) for column, default in ((values, 1.0), (epochs, NAN), (elapsed, NAN))
    )
    return tidy_curve(np.array(steps, "int64"), *columns)


def positions(steps, axis, run=RUN, samples_per_step=None, epochs=None, elapsed=None):
    """Where the points of a run with one curve lie."""
    curve = curve_of(steps, epochs, elapsed)
    placing = place(RunCurves("r", {"train_loss": curve}), axis, run, samples_per_step)
    return None if placing is None else placing(curve)


def test_steps_are_themselves():
    assert positions([0, 10, 20], Axis.STEP).tolist() == [0.0, 10.0, 20.0]


def test_logged_epochs_are_kept_and_gaps_are_filled_in_proportion_to_the_steps():
    found = positions([0, 50, 100, 150, 200, 300], Axis.EPOCH, epochs=[NAN, NAN, 1.0, NAN, 2.0, NAN])
    assert found.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]


def test_an_epoch_of_zero_is_logged_and_not_replaced_by_the_plan():
    run = replace(RUN, total_epochs=3.0, total_steps=30)
    assert positions([0, 10], Axis.EPOCH, run, epochs=[0.0, 0.0]).tolist() == [0.0, 0.0]


def test_epochs_follow_from_the_plan_where_none_is_logged():
    run = replace(RUN, total_epochs=3.0, total_steps=300)
    assert positions([0, 100, 250], Axis.EPOCH, run).tolist() == [0.0, 1.0, 2.5]


@given(
    points=st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, unique_by=lambda p: p[0]),
    rate=st.floats(1e-3, 1.0),
)
@settings(deadline=None)
def test_missing_epochs_of_a_steady_run_are_found_exactly(points, rate):
    points.sort()
    steps = [step for step, _ in points]
    found = positions(steps, Axis.EPOCH, epochs=[step * rate if logged else NAN for step, logged in points])
    # A single epoch logged at step 0 says nothing about the rate.
    if any(logged and step for step, logged in points):
        assert found == pytest.approx(np.array(steps) * rate)


def test_hours_come_from_the_seconds_and_stay_unknown_where_no_time_is_logged():
    found = positions([0, 1, 2], Axis.HOURS, elapsed=[0.0, NAN, 7200.0])
    assert found[[0, 2]].tolist() == [0.0, 2.0]
    assert math.isnan(found[1])


def test_samples_are_steps_times_the_effective_batch():
    assert positions([0, 5], Axis.SAMPLES, samples_per_step=32).tolist() == [0.0, 160.0]


@pytest.mark.parametrize("metric", ["num_input_tokens_seen", "total_tokens"])
def test_logged_token_counts_are_completed_over_the_steps(metric):
    counts, loss = curve_of([10, 20], values=[1000.0, 3000.0]), curve_of([0, 5, 10, 15, 20, 30])
    run = replace(RUN, total_tokens_processed=7, current_step=1)
    placing = place(RunCurves("r", {metric: counts, "train_loss": loss}), Axis.TOKENS, run)
    assert placing(counts).tolist() == [1000.0, 3000.0]
    assert placing(loss).tolist() == [0.0, 500.0, 1000.0, 2000.0, 3000.0, 4500.0]


def test_tokens_follow_from_the_total_where_no_count_is_logged():
    run = replace(RUN, total_tokens_processed=10_000, current_step=100)
    assert positions([0, 50], Axis.TOKENS, run).tolist() == [0.0, 5000.0]


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
    assert positions([0, 1], axis, run, samples_per_step) is None
    assert why_not(axis).endswith(".")


@pytest.mark.parametrize("axis", list(Axis))
def test_every_axis_has_a_title_and_stands_a_run_without_values(axis):
    assert axis.axis_title
    placing = place(RunCurves("r"), axis, RUN, 8)
    assert placing is None or len(placing(curve_of([]))) == 0


def test_a_point_that_lacks_its_epoch_gets_it_from_the_other_curves_of_the_run():
    loss, evaluation = curve_of([0, 100], epochs=[0.0, 2.0]), curve_of([50, 100, 150])
    placing = place(RunCurves("r", {"train_loss": loss, "eval_loss": evaluation}), Axis.EPOCH, RUN)
    assert placing(evaluation).tolist() == [1.0, 2.0, 3.0]


@given(rate=st.floats(1e-3, 1.0), buckets=st.integers(1, 30))
@settings(deadline=None, max_examples=20)
def test_the_points_of_a_reduced_run_lie_where_they_lie_among_all_points(rate, buckets):
    steps = list(range(0, 3000, 7))
    whole = curve_of(steps, [step * rate for step in steps], [step * 2.0 for step in steps], np.cos(steps).tolist())
    few = reduced(whole, buckets)
    kept = np.isin(whole.step, few.step)
    for axis in (Axis.STEP, Axis.EPOCH, Axis.HOURS, Axis.SAMPLES):
        among_all = place(RunCurves("r", {"train_loss": whole}), axis, RUN, 8)(whole)[kept]
        assert place(RunCurves("r", {"train_loss": few}), axis, RUN, 8)(few).tolist() == among_all.tolist()
