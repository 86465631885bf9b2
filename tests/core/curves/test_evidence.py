from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.evidence import RunEvidence, evidence_of, stored_differs, with_evidence
from lib.core.curves.metric_curves import RunCurves, tidy_curve
from lib.core.facts.runs import RunSummary
from tests.curves import reduced

NAN = math.nan
RUN = RunSummary(run_id="r", name="r")


def curves_of(*rows):
    """Rows of (metric, step, value) or (metric, step, value, epoch, elapsed_s), all of run "r"."""
    written = {}
    for metric, step, value, *place in rows:
        written.setdefault(metric, []).append((step, value, *(place or (NAN, NAN))))
    columns = {metric: zip(*points, strict=True) for metric, points in written.items()}
    return RunCurves("r", {metric: tidy_curve(*map(np.array, column)) for metric, column in columns.items()})


TYPICAL = curves_of(
    ("train_loss", 10, 2.0, 0.5, 0.0),
    ("train_loss", 20, 1.5, 1.0, 60.0),
    ("train_loss", 30, 1.2, 1.5, 120.0),
    ("train_loss", 40, NAN, 2.0, 180.0),
    ("eval_loss", 20, 1.6, NAN, 65.0),
    ("eval_loss", 40, 1.7, NAN, 190.0),
    ("learning_rate", 10, 1e-4),
    ("learning_rate", 20, 2e-4),
    ("learning_rate", 30, 0.0),
    ("tokens_per_second", 10, 10.0),
    ("tokens_per_second", 20, 1000.0),
    ("tokens_per_second", 30, 1010.0),
    ("samples_per_second", 10, 3.0),
    ("gpu_memory_allocated_gb", 10, 11.0),
    ("gpu_memory_allocated_gb", 20, 12.5),
    ("grad_norm", 10, math.inf),
    ("grad_norm", 20, NAN),
)


def test_the_series_of_a_run_are_summed_up():
    assert evidence_of(TYPICAL) == RunEvidence(
        run_id="r",
        first_step=10,
        last_step=40,
        best_eval_loss=1.6,
        best_step=20,
        best_epoch=1.0,
        last_eval_loss=1.7,
        last_eval_step=40,
        last_train_loss=1.2,
        peak_learning_rate=2e-4,
        median_tokens_per_second=1000.0,
        median_samples_per_second=3.0,
        duration_s=190.0,
    )


@pytest.mark.parametrize("curves", [{}, {"train_loss": tidy_curve(np.array([], "int64"), *[np.array([])] * 3)}])
def test_a_run_without_values_has_no_evidence(curves):
    assert evidence_of(RunCurves("r", curves)) == RunEvidence(run_id="r")


@given(
    losses=st.lists(st.one_of(st.integers(-2, 2).map(float), st.floats(), st.sampled_from([NAN, math.inf])), min_size=1)
)
@settings(deadline=None, max_examples=50)
def test_the_best_evaluation_is_the_first_finite_minimum(losses):
    evidence = evidence_of(curves_of(*(("eval_loss", step, loss) for step, loss in enumerate(losses, 1))))
    known = [loss for loss in losses if math.isfinite(loss)]
    assert evidence.best_eval_loss == (min(known) if known else None)
    assert evidence.best_step == (losses.index(min(known)) + 1 if known else None)
    assert evidence.base_eval_loss is None


def test_an_evaluation_before_training_is_of_the_base_model():
    evidence = evidence_of(curves_of(("eval_loss", 0, 1.5), ("eval_loss", 100, 1.58), ("eval_loss", 200, 1.64)))
    assert (evidence.base_eval_loss, evidence.best_eval_loss, evidence.best_step) == (1.5, 1.58, 100)
    only = evidence_of(curves_of(("eval_loss", 0, 1.5), ("train_loss", 10, 1.4)))
    assert (only.base_eval_loss, only.best_eval_loss, only.last_eval_loss) == (1.5, None, None)
    lost = evidence_of(curves_of(("eval_loss", 0, NAN), ("eval_loss", 100, 1.58)))
    assert (lost.base_eval_loss, lost.best_eval_loss) == (None, 1.58)


def test_a_loss_of_zero_is_the_best_there_can_be():
    evidence = evidence_of(curves_of(("eval_loss", 0, 0.5, 0.0, 0.0), ("eval_loss", 1, 0.0, 0.0, 0.0)))
    assert (evidence.best_eval_loss, evidence.best_step, evidence.best_epoch) == (0.0, 1, 0.0)
    assert evidence.duration_s == 0.0


def test_repeated_evaluations_count_once_and_keep_the_step_at_which_they_were_measured():
    rows = [("train_loss", step, 1.0) for step in range(12)]
    rows += [("eval_loss", step, 0.9 if step < 6 else 0.8) for step in range(12)]
    evidence = evidence_of(curves_of(*rows))
    assert (evidence.best_step, evidence.last_eval_step) == (6, 6)


LONG = [
    (metric, step, value, step / 100, step * 2.0)
    for step in range(600)
    for metric, value in (
        ("train_loss", NAN if step in (100, 101, 300) else 2 - step / 400 + math.sin(step)),
        ("learning_rate", 1e-4 * math.exp(-((step - 200) ** 2))),
        ("tokens_per_second", math.inf if step == 7 else 1000.0 + step % 37),
        ("samples_per_second", 3.0 + step % 11),
        ("gpu_memory_allocated_gb", 20 + math.cos(step)),
        ("grad_norm", -math.inf if step % 50 == 3 else 1.0),
        *((("eval_loss", 1.5 + (step - 410) ** 2 / 1e6),) if step % 20 == 10 else ()),
    )
]


@given(buckets=st.integers(1, 200), median=st.none() | st.floats(1.0, 1e6))
@settings(deadline=None, max_examples=30)
def test_a_reduced_run_says_the_same_but_for_medians_that_nobody_told(buckets, median):
    whole = curves_of(*LONG)
    few = {
        metric: curve if metric == "eval_loss" else replace(reduced(curve, buckets), median=median)
        for metric, curve in whole.curves.items()
    }
    expected = asdict(evidence_of(whole))
    for name in ("tokens_per_second", "samples_per_second"):
        if not few[name].is_complete:
            expected[f"median_{name}"] = median
    assert asdict(evidence_of(RunCurves("r", few))) == expected


def test_a_clock_that_was_set_back_gives_no_duration():
    assert evidence_of(curves_of(("train_loss", 1, 1.0, NAN, -5.0))).duration_s is None


def test_the_series_correct_what_the_job_row_misstates():
    stored = replace(RUN, best_eval_loss=1.65, best_step=40, best_epoch=2.0, samples_per_second=0.1, perplexity=5.0)
    run = with_evidence(stored, evidence_of(TYPICAL))
    assert (run.best_eval_loss, run.best_step, run.best_epoch) == (1.6, 20, 1.0)
    assert (run.samples_per_second, run.tokens_per_second) == (3.0, 1000.0)
    assert run.perplexity == 5.0


def test_the_series_fill_what_the_job_row_lacks():
    run = with_evidence(replace(RUN, loss=None), evidence_of(TYPICAL))
    assert (run.loss, run.eval_loss, run.max_learning_rate) == (1.2, 1.7, 2e-4)
    assert (run.duration_s, run.current_step) == (190.0, 40)


def test_what_the_job_row_has_is_kept_zero_included():
    stored = replace(
        RUN, loss=0.0, eval_loss=0.0, max_learning_rate=0.0, duration_s=0.0, current_step=0, learning_rate=1e-9
    )
    run = with_evidence(stored, evidence_of(TYPICAL))
    for name in ("loss", "eval_loss", "max_learning_rate", "duration_s", "current_step", "learning_rate"):
        assert getattr(run, name) == getattr(stored, name)


@pytest.mark.parametrize("curves", [TYPICAL, curves_of(("train_loss", 1, NAN))], ids=["finite rows", "NaN rows"])
def test_a_nonfinite_value_that_the_job_stored_stays_visible(curves):
    run = with_evidence(replace(RUN, loss=math.inf), evidence_of(curves))
    assert run.loss == math.inf


def test_the_stored_best_stays_where_no_eval_loss_is_logged():
    stored = replace(RUN, best_eval_loss=0.4, best_step=7, best_epoch=1.0)
    run = with_evidence(stored, evidence_of(curves_of(("train_loss", 1, 1.0))))
    assert (run.best_eval_loss, run.best_step, run.best_epoch) == (0.4, 7, 1.0)


@pytest.mark.parametrize(("stored_step", "epoch"), [(5, 1.25), (9, None)])
def test_a_stored_best_epoch_is_kept_only_for_the_same_step(stored_step, epoch):
    stored = replace(RUN, best_eval_loss=0.5, best_step=stored_step, best_epoch=1.25)
    assert with_evidence(stored, evidence_of(curves_of(("eval_loss", 5, 0.5)))).best_epoch == epoch


def test_a_run_without_rows_is_returned_unchanged():
    assert with_evidence(RUN, RunEvidence(run_id="r")) is RUN


def test_evidence_about_another_run_is_refused():
    with pytest.raises(ValueError, match="about run 's', not about 'r'"):
        with_evidence(RUN, RunEvidence(run_id="s"))


def test_a_stored_best_that_is_not_the_minimum_is_said():
    evidence = RunEvidence(run_id="r", best_eval_loss=0.41117, best_step=350)
    assert stored_differs(replace(RUN, best_eval_loss=0.421), evidence) == (
        "The job's stored best eval loss is 0.4210; the lowest logged one is 0.4112 at step 350."
    )
    assert stored_differs(replace(RUN, best_eval_loss=0.4), evidence) is not None


@given(lowest=st.floats(0.0, 1e6))
@settings(deadline=None)
def test_rounding_is_no_difference(lowest):
    evidence = RunEvidence(run_id="r", best_eval_loss=lowest, best_step=1)
    for stored in (lowest, round(lowest, 4), lowest * (1 + 1e-7)):
        assert stored_differs(replace(RUN, best_eval_loss=stored), evidence) is None


@given(stored=st.floats(0.0, 10.0), lowest=st.floats(0.0, 10.0))
@settings(deadline=None)
def test_a_difference_is_never_said_with_two_equal_numbers(stored, lowest):
    evidence = RunEvidence(run_id="r", best_eval_loss=lowest, best_step=1)
    said = stored_differs(replace(RUN, best_eval_loss=stored), evidence)
    assert said is None or f"{stored:.4f}" != f"{lowest:.4f}"
    if abs(stored - lowest) > 2e-4:
        assert said is not None


def test_a_difference_that_the_shown_decimals_hide_is_not_said():
    evidence = RunEvidence(run_id="r", best_eval_loss=0.42096, best_step=1)
    assert stored_differs(replace(RUN, best_eval_loss=0.42104), evidence) is None


@pytest.mark.parametrize(("stored", "lowest"), [(None, 0.4), (NAN, 0.4), (0.4, None)])
def test_there_is_no_difference_to_an_unknown_best(stored, lowest):
    evidence = RunEvidence(run_id="r", best_eval_loss=lowest, best_step=1)
    assert stored_differs(replace(RUN, best_eval_loss=stored), evidence) is None


def test_the_evaluation_before_training_is_of_the_base_model_and_no_best():
    evidence = evidence_of(curves_of(("eval_loss", 0, 0.5), ("eval_loss", 100, 0.7), ("eval_loss", 200, 0.6)))
    assert (evidence.base_eval_loss, evidence.best_eval_loss, evidence.best_step) == (0.5, 0.6, 200)
    alone = evidence_of(curves_of(("eval_loss", 0, 0.5)))
    assert (alone.base_eval_loss, alone.best_eval_loss, alone.last_eval_loss) == (0.5, None, None)
    stored = RunSummary(run_id="r", name="r", best_eval_loss=0.5)
    assert stored_differs(stored, evidence) is None
