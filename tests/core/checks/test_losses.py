from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.health_runs import NOW, planted_run
from lib.core.checks.check import Outcome
from lib.core.checks.losses import METRICS_NAMED
from lib.core.checks.registry import checks_of
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, result_of, run_of

MIDDLE = 1


def test_nonfinite_values_put_a_verdict_into_doubt_only_in_losses():
    bad = [1.0, math.nan, math.inf]
    seen = result_of("nonfinite_value", train_loss=bad, eval_loss=bad, grad_norm=bad).findings
    assert [(each.evidence["metric"], each.severity, each.touches_verdict) for each in seen] == [
        ("train_loss", Severity.CRITICAL, True),
        ("eval_loss", Severity.CRITICAL, True),
        ("grad_norm", Severity.WARNING, False),
    ]
    assert all((each.step, each.extent) == (20, 30) for each in seen)


@pytest.mark.parametrize(
    ("lost", "of", "severity"),
    [
        ([40], 80, Severity.WARNING),
        ([0, 78], 80, Severity.WARNING),
        ([79], 80, Severity.CRITICAL),
        ([40, 41, 42], 80, Severity.WARNING),
        (range(40, 45), 80, Severity.CRITICAL),
        (range(500, 510), 2_000, Severity.WARNING),
        (range(500, 620), 2_000, Severity.CRITICAL),
        ([3], 8, Severity.CRITICAL),
    ],
)
def test_a_few_losses_that_are_no_numbers_are_no_breakdown_where_numbers_follow(lost, of, severity):
    values = np.linspace(2.0, 1.0, of)
    values[list(lost)] = math.nan
    for metric in ("train_loss", "eval_loss"):
        (seen,) = result_of("nonfinite_value", **{metric: values}).findings
        assert (seen.severity, seen.touches_verdict) == (severity, True)


def test_nonfinite_values_of_other_metrics_are_one_finding_however_many_they_are():
    bad = [1.0, math.nan, math.nan]
    (alone,) = result_of("nonfinite_value", learning_rate=bad).findings
    assert alone.sentence == "Learning rate is NaN or infinite 2 times, first at step 20."
    many = {f"metric_{number}": bad for number in range(METRICS_NAMED + 2)}
    (others,) = result_of("nonfinite_value", **many).findings
    assert (others.severity, others.touches_verdict, others.step) == (Severity.WARNING, False, 20)
    assert "and 2 more, first at step 20." in others.sentence
    # What is made of a loss is NaN with it.
    (loss,) = result_of("nonfinite_value", train_loss=bad, perplexity=bad).findings
    assert loss.severity is Severity.CRITICAL


def test_nan_before_the_first_number_of_a_metric_beside_the_training_is_no_warning():
    """A mean over no step yet, as the time of a step that some programs print."""
    (mean,) = result_of("nonfinite_value", train_loss=[2.0, 1.5, 1.0], step_avg=[math.nan, 3.0, 3.1]).findings
    assert mean.severity is Severity.INFO
    assert mean.sentence == "step_avg is NaN or infinite once at step 10, before its first number."
    several = {"step_avg": [math.nan, 3.0, 3.1], "tokens": [math.nan, math.nan, 1.0]}
    assert [each.severity for each in result_of("nonfinite_value", **several).findings] == [Severity.INFO]
    for values in ([math.nan, 3.0, math.nan], [3.0, math.nan, 3.0], [math.nan] * 3):
        assert result_of("nonfinite_value", step_avg=values).findings[0].severity is Severity.WARNING
    (loss,) = result_of("nonfinite_value", train_loss=[math.nan, 1.5, 1.0]).findings
    assert loss.severity is Severity.CRITICAL


def test_a_steep_start_is_no_divergence_and_a_constant_curve_neither():
    assert result_of("divergence", train_loss=1.0 + 10.0 * np.exp(-np.arange(200) / 4)).outcome is Outcome.NOT_FOUND
    assert result_of("divergence", train_loss=np.ones(200)).outcome is Outcome.NOT_FOUND


def test_a_tiny_rise_after_a_deep_fall_is_no_divergence():
    loss = np.concatenate((np.linspace(2.0, 0.01, 100), np.linspace(0.01, 0.02, 50)))
    assert result_of("divergence", train_loss=loss).outcome is Outcome.NOT_FOUND


def test_a_loss_that_changes_sign_has_no_scale():
    loss = np.where(np.arange(100) % 2, 0.01, -0.01)
    for code in ("divergence", "loss_spike", "loss_variation"):
        assert "has no scale" in result_of(code, train_loss=loss).sentence


def test_a_fall_with_the_learning_rate_at_its_height_is_no_plateau():
    n = 400
    falling, flat = np.linspace(3.0, 1.0, n), np.concatenate((np.linspace(3.0, 1.0, n // 4), np.ones(n - n // 4)))
    level, decayed = np.full(n, 1e-4), np.linspace(1e-4, 0.0, n) ** 4
    assert result_of("plateau", train_loss=falling, learning_rate=level).outcome is Outcome.NOT_FOUND
    assert result_of("plateau", train_loss=flat, learning_rate=level).findings[0].severity is Severity.INFO
    # The rate is at half its height only at the beginning, where the loss still fell.
    assert result_of("plateau", train_loss=flat, learning_rate=decayed).outcome is not Outcome.FOUND
    assert result_of("plateau", train_loss=flat).outcome is Outcome.CANNOT_TELL
    assert result_of("plateau", train_loss=flat, learning_rate=-level).outcome is Outcome.CANNOT_TELL


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 10))
@settings(deadline=None, max_examples=15)
def test_losses_in_another_unit_are_judged_alike(scale, seed):
    planted = planted_run("divergence, jump", MIDDLE, seed)
    loss = planted.curves.get("train_loss")
    curves = {**planted.curves.curves, "train_loss": replace(loss, value=loss.value * scale)}
    before = checks_of(planted.run, planted.curves, now=NOW)
    after = checks_of(planted.run, replace(planted.curves, curves=curves), now=NOW)
    for code in ("divergence", "loss_spike", "plateau"):
        assert [each.step for each in before.of(code).findings] == [each.step for each in after.of(code).findings]


def test_what_was_found_reads_from_the_worst_to_the_least():
    loss = np.concatenate((np.linspace(4.0, 1.0, 100), np.full(60, 9.0)))
    loss[130:140] = math.nan
    norm = np.ones(160)
    norm[40] = 50.0
    findings = checks_of(run_of(), curves_of(train_loss=loss, grad_norm=norm)).findings
    assert [(finding.code, finding.step) for finding in findings][:3] == [
        ("divergence", 1010),
        ("nonfinite_value", 1310),
        ("gradient_spike", 410),
    ]


def test_a_last_train_loss_that_is_no_number_is_told():
    said = result_of("nonfinite_value", train_loss=[*np.linspace(2.0, 1.0, 29), math.nan]).sentence
    assert said == "Train loss is NaN or infinite once at step 300, and the last train loss is NaN."


@pytest.mark.parametrize("code", ["divergence", "plateau", "eval_rebound", "identical_evaluations"])
def test_a_loss_that_measures_no_fit_to_data_says_nothing_by_its_course(code):
    """The loss of GRPO begins at 0 and rises with the distance from the reference model."""
    rising = np.linspace(0.0001, 0.02, 60)
    logged = {
        "train_loss": rising if code == "divergence" else 0.02 - rising.clip(max=0.01),
        "learning_rate": np.full(60, 1e-6),
        "eval_loss": (np.arange(1, 11) * 60, rising[:10] if code == "eval_rebound" else np.full(10, 0.00031)),
    }
    assert result_of(code, **logged).outcome is Outcome.FOUND
    for run, further in ((run_of(config={"method": "grpo"}), {}), (run_of(), {"reward": np.linspace(0.1, 0.9, 60)})):
        told = result_of(code, run, **logged, **further)
        assert told.outcome is Outcome.CANNOT_TELL
        assert "no measure of fit" in told.sentence
