from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.health_runs import KINDS, NOW, clean_run, planted_run
from lib.core.checks.health import METRICS_READ, health_of
from lib.core.checks.health_checks import FINDINGS_LISTED, LARGEST, POINTS_NEEDED, Outcome
from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.core.facts.findings import Severity
from lib.core.facts.liveness import STALLED_S
from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunStatus, RunSummary

MIDDLE, LARGE = 1, 2
SEEDS = 40
CODES = (
    "nonfinite_value",
    "divergence",
    "loss_spike",
    "gradient_spike",
    "eval_rebound",
    "plateau",
    "clipping_saturation",
    "throughput_decay",
    "memory_creep",
    "stalled",
    "reporting_gap",
)
VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(allow_nan=False), st.sampled_from([math.nan, math.inf, -math.inf])
)


def curves_of(every=10, elapsed=None, **values):
    made = {}
    for metric, curve in values.items():
        n = len(curve)
        seconds = np.full(n, np.nan) if elapsed is None else np.asarray(elapsed, dtype=np.float64)
        step = np.arange(1, n + 1) * every
        made[metric] = complete_curve(step, np.asarray(curve, dtype=np.float64), np.full(n, np.nan), seconds)
    return RunCurves("run", MappingProxyType(made))


def run_of(**facts):
    return RunSummary(run_id="run", name="run", status=RunStatus.COMPLETED, **facts)


def check_of(code, run=None, now=None, **values):
    return health_of(run or run_of(), curves_of(**values), now).check(code)


def reduced(curve: MetricCurve) -> MetricCurve:
    kept = curve.where(slice(None, None, 3))
    return replace(kept, logged=len(curve), lost=curve.lost, median=float(np.nanmedian(curve.value)))


@pytest.mark.parametrize("kind", KINDS)
def test_planted_trouble_is_found_where_it_begins(kind):
    found = right = 0
    for seed in range(SEEDS):
        planted = planted_run(kind, MIDDLE, seed)
        findings = health_of(planted.run, planted.curves, NOW).check(planted.code).findings
        found += bool(findings)
        tolerance = planted.interval + KINDS[kind].tolerance * planted.length
        right += any(abs(finding.step - planted.step) <= tolerance for finding in findings)
    assert found >= 0.9 * SEEDS
    assert right >= 0.9 * found


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_trouble_is_found_no_more_often_than_the_largest(kind):
    found = [0, 0, 0]
    for size in (0, LARGE):
        for seed in range(10):
            planted = planted_run(kind, size, seed)
            found[size] += bool(health_of(planted.run, planted.curves, NOW).check(planted.code).findings)
    assert found[0] <= found[LARGE]


def test_at_most_one_clean_run_in_a_hundred_has_a_finding():
    alarms = [health_of(*clean_run(seed), NOW).findings for seed in range(1000, 1100)]
    assert sum(map(bool, alarms)) <= 1


def test_every_check_has_an_outcome_and_a_sentence():
    for run, curves in (clean_run(1), (run_of(), RunCurves("run"))):
        health = health_of(run, curves, NOW)
        assert tuple(check.code for check in health.checks) == CODES
        assert sum(len(health.with_outcome(outcome)) for outcome in Outcome) == len(CODES)
        assert all(check.sentence.endswith(".") and check.title for check in health.checks)
    with pytest.raises(KeyError, match="No health check is called 'flatness'"):
        health.check("flatness")


def test_a_run_without_curves_cannot_be_told():
    health = health_of(run_of(), RunCurves("run"))
    assert {check.code for check in health.with_outcome(Outcome.CANNOT_TELL)} == set(CODES) - {"stalled"}
    assert health.check("divergence").sentence == "Cannot tell: the train loss was not logged."
    assert health.findings == ()


def test_a_metric_that_was_not_asked_for_is_not_called_unlogged():
    health = health_of(run_of(), RunCurves("run", unread=tuple(METRICS)))
    assert health.check("memory_creep").sentence == "Cannot tell: the GPU memory was not read."
    assert health.check("eval_rebound").sentence == "Cannot tell: the eval loss was not read."


def test_curves_of_another_run_are_refused():
    with pytest.raises(ValueError, match="curves of run 'run', got those of 'other'"):
        health_of(run_of(), RunCurves("other"))


@pytest.mark.parametrize("points", [5, 20, POINTS_NEEDED - 1])
def test_few_points_cannot_be_told(points):
    rising = np.linspace(1.0, 9.0, points)
    curves = {metric: rising for metric in METRICS_READ if metric != "eval_loss"}
    health = health_of(run_of(), curves_of(elapsed=np.arange(points), **curves))
    told = {check.code for check in health.checks if check.outcome is not Outcome.CANNOT_TELL}
    assert told == {"nonfinite_value", "stalled"}
    assert f"{points} finite points" in health.check("divergence").sentence


def test_what_was_found_reads_from_the_worst_to_the_least():
    loss = np.concatenate((np.linspace(4.0, 1.0, 100), np.full(60, 9.0)))
    loss[130] = math.nan
    norm = np.ones(160)
    norm[40] = 50.0
    findings = health_of(run_of(), curves_of(train_loss=loss, grad_norm=norm)).findings
    assert [(finding.code, finding.step) for finding in findings] == [
        ("divergence", 1010),
        ("nonfinite_value", 1310),
        ("gradient_spike", 410),
    ]
    assert all(finding.evidence["metric"] in METRICS for finding in findings)


# Reduced curves


def test_equal_evaluations_are_no_repeats_where_most_of_the_train_curve_was_not_read():
    evals = [1.0, *[0.5] * 15, *[0.9] * 15]
    made = curves_of(train_loss=np.linspace(2.0, 1.0, 310), eval_loss=evals).curves
    evaluated = replace(made["eval_loss"], step=made["eval_loss"].step * 10)
    kept = replace(made["train_loss"].where(slice(None, None, 30)), logged=310)
    read = RunCurves("run", MappingProxyType({"train_loss": kept, "eval_loss": evaluated}))
    assert health_of(run_of(), read).check("eval_rebound").outcome is Outcome.FOUND


def test_a_reduced_curve_is_judged_only_for_what_stays_true():
    planted = planted_run("NaN or infinity", LARGE, 1)
    metrics = {
        metric: curve if METRICS[metric].evaluated else reduced(curve)
        for metric, curve in planted.curves.curves.items()
    }
    health = health_of(planted.run, RunCurves("run", MappingProxyType(metrics)), NOW)
    assert health.check("nonfinite_value").findings[0].evidence["count"] == 50
    assert health.check("eval_rebound").outcome is Outcome.NOT_FOUND
    for code in ("divergence", "loss_spike", "gradient_spike", "plateau", "throughput_decay", "memory_creep"):
        assert "only the reduced curve" in health.check(code).sentence
        assert health.check(code).outcome is Outcome.CANNOT_TELL
    assert health.check("reporting_gap").outcome is Outcome.CANNOT_TELL


@pytest.mark.parametrize(("limit", "outcome"), [(0.5, Outcome.FOUND), (2.0, Outcome.NOT_FOUND)])
def test_clipping_of_a_reduced_curve_follows_from_the_median_of_all_norms(limit, outcome):
    curve = reduced(curves_of(grad_norm=np.linspace(0.8, 1.2, 300)).get("grad_norm"))
    curves = RunCurves("run", MappingProxyType({"grad_norm": curve}))
    check = health_of(run_of(config={"max_grad_norm": limit}), curves).check("clipping_saturation")
    assert check.outcome is outcome


# Single checks at their borders


def test_a_constant_curve_has_neither_spikes_nor_divergence():
    health = health_of(run_of(), curves_of(train_loss=np.ones(200), grad_norm=np.ones(200)))
    assert not health.findings


def test_a_steep_start_is_no_row_of_loss_spikes():
    loss = 1.0 + 10.0 * np.exp(-np.arange(200) / 4)
    assert check_of("loss_spike", train_loss=loss).outcome is Outcome.NOT_FOUND


def test_one_odd_batch_is_worth_knowing_and_several_are_a_warning():
    loss = np.ones(300)
    loss[100] = 2.0
    loss[200:203] = 2.0
    single, row = check_of("loss_spike", train_loss=loss).findings
    assert (single.severity, single.step, single.extent) == (Severity.INFO, 1010, None)
    assert (row.severity, row.step, row.extent) == (Severity.WARNING, 2010, 2030)


def test_of_many_spikes_the_greatest_are_listed_and_all_are_counted():
    norm = np.ones(4000)
    norm[50::100] = np.linspace(10.0, 50.0, 40)
    check = check_of("gradient_spike", grad_norm=norm)
    assert (check.events, len(check.findings)) == (40, FINDINGS_LISTED)
    assert min(finding.evidence["value"] for finding in check.findings) > 29.0
    assert [finding.step for finding in check.findings] == sorted(finding.step for finding in check.findings)


def test_a_loss_that_changes_sign_has_no_scale():
    loss = np.where(np.arange(100) % 2, 0.01, -0.01)
    for code in ("divergence", "loss_spike"):
        assert "has no scale" in check_of(code, train_loss=loss).sentence


def test_a_tiny_rise_after_a_deep_fall_is_no_divergence():
    loss = np.concatenate((np.linspace(2.0, 0.01, 100), np.linspace(0.01, 0.02, 50)))
    assert check_of("divergence", train_loss=loss).outcome is Outcome.NOT_FOUND


def test_a_fall_with_the_learning_rate_at_its_height_is_no_plateau():
    n = 400
    falling, flat = np.linspace(3.0, 1.0, n), np.concatenate((np.linspace(3.0, 1.0, n // 4), np.ones(n - n // 4)))
    level, decayed = np.full(n, 1e-4), np.linspace(1e-4, 0.0, n) ** 4
    assert check_of("plateau", train_loss=falling, learning_rate=level).outcome is Outcome.NOT_FOUND
    assert check_of("plateau", train_loss=flat, learning_rate=level).findings[0].severity is Severity.INFO
    # The rate is at half its height only at the beginning, where the loss still fell.
    assert check_of("plateau", train_loss=flat, learning_rate=decayed).outcome is not Outcome.FOUND
    assert check_of("plateau", train_loss=flat).outcome is Outcome.CANNOT_TELL


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([3.0, 2.0, 1.5], Outcome.CANNOT_TELL),
        ([3.0, 2.0, 1.0, 1.5], Outcome.CANNOT_TELL),
        ([3.0, 2.0, 1.0, 0.9], Outcome.NOT_FOUND),
        ([1.0, 1.4, 1.8, 2.2, 2.6], Outcome.FOUND),
        ([1.2, 1.0, 1.1, 1.2, 1.3, math.nan], Outcome.FOUND),
        ([1.2, 1.0, 1.0, 1.005, 1.01, 1.02], Outcome.NOT_FOUND),
        ([1.2, 1.1, 1.0, 0.99, 0.98, 0.97, 1.5], Outcome.CANNOT_TELL),
        ([1.2, 1.1, 0.97, 0.98, 0.98, 0.97, 1.5], Outcome.NOT_FOUND),
    ],
)
def test_eval_rebound_needs_two_evaluations_above_the_best(values, outcome):
    assert check_of("eval_rebound", eval_loss=values).outcome is outcome


def test_eval_values_that_were_only_repeated_are_not_evaluations():
    evals = np.repeat([3.0, 2.0, 1.0, 2.0], 50)
    check = check_of("eval_rebound", eval_loss=evals, train_loss=np.linspace(3, 1, 200))
    assert check.judged in (0, 4)


def test_norms_above_a_configured_limit_are_clipped_and_without_one_it_cannot_be_told():
    norm = np.linspace(2.0, 3.0, 100)
    clipped = check_of("clipping_saturation", run_of(config={"max_grad_norm": 1.0}), grad_norm=norm)
    assert (clipped.findings[0].severity, clipped.findings[0].step) == (Severity.WARNING, 10)
    assert clipped.findings[0].evidence["share"] == 1.0
    assert check_of("clipping_saturation", grad_norm=norm).outcome is Outcome.CANNOT_TELL
    above = check_of("clipping_saturation", run_of(config={"max_grad_norm": 5.0}), grad_norm=norm)
    assert above.outcome is Outcome.NOT_FOUND


def test_norms_rounded_to_a_few_values_are_not_called_pinned():
    norm = np.where(np.arange(100) % 2, 0.1, 0.2)
    assert check_of("clipping_saturation", grad_norm=norm).outcome is Outcome.CANNOT_TELL


def test_short_dips_of_the_throughput_are_no_decay():
    speed = np.full(200, 1000.0)
    speed[::10] = 100.0
    assert check_of("throughput_decay", tokens_per_second=speed).outcome is Outcome.NOT_FOUND
    speed = np.where(np.arange(200) < 120, speed, 0.6 * speed)
    (finding,) = check_of("throughput_decay", tokens_per_second=speed).findings
    assert (finding.step, finding.extent) == (1210, 2000)


def test_samples_per_second_are_looked_at_where_there_are_no_tokens():
    speed = np.repeat([100.0, 50.0], 100)
    (finding,) = check_of("throughput_decay", samples_per_second=speed).findings
    assert finding.evidence["metric"] == "samples_per_second"


def test_a_jump_of_the_memory_is_no_creep():
    jump = np.repeat([20.0, 30.0], 100)
    assert check_of("memory_creep", gpu_memory_allocated_gb=jump).outcome is Outcome.NOT_FOUND
    climb = check_of("memory_creep", gpu_memory_allocated_gb=np.linspace(20.0, 30.0, 200))
    assert climb.outcome is Outcome.FOUND


@pytest.mark.parametrize(("silent_s", "outcome"), [(STALLED_S - 1.0, Outcome.NOT_FOUND), (STALLED_S, Outcome.FOUND)])
def test_a_running_run_that_is_silent_is_stalled(silent_s, outcome):
    run = replace(run_of(updated_at=NOW - timedelta(seconds=silent_s)), status=RunStatus.RUNNING)
    check = check_of("stalled", run, NOW, train_loss=np.ones(30))
    assert check.outcome is outcome
    assert [finding.step for finding in check.findings] == [300] * (outcome is Outcome.FOUND)
    assert check_of("stalled", run, None).outcome is Outcome.CANNOT_TELL


def test_long_intervals_that_recur_are_a_rhythm_and_a_lone_one_is_a_gap():
    intervals = np.full(99, 5.0)
    intervals[::10] = 3000.0
    rhythm = check_of("reporting_gap", elapsed=np.append(0.0, np.cumsum(intervals)), train_loss=np.ones(100))
    assert rhythm.outcome is Outcome.NOT_FOUND
    intervals = np.full(99, 5.0)
    intervals[50] = 3000.0
    lone = check_of("reporting_gap", elapsed=np.append(0.0, np.cumsum(intervals)), train_loss=np.ones(100))
    assert [(finding.step, finding.extent) for finding in lone.findings] == [(510, 520)]


# Laws


@given(values=st.dictionaries(st.sampled_from(METRICS_READ), st.lists(VALUES, min_size=1, max_size=90)))
@settings(deadline=None, max_examples=60)
def test_any_curves_get_an_outcome_of_every_check(values):
    health = health_of(run_of(config={"max_grad_norm": 1.0}), curves_of(**values), NOW)
    for check in health.checks:
        assert bool(check.findings) == (check.outcome is Outcome.FOUND)
        assert check.events >= len(check.findings)
        assert check.sentence.endswith(".")
        for finding in check.findings:
            assert (finding.code, finding.run_id) == (check.code, "run")
            assert finding.extent is None or finding.step < finding.extent
            assert len(finding.sentence) < 300


@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 10))
@settings(deadline=None, max_examples=15)
def test_losses_in_another_unit_are_judged_alike(scale, seed):
    planted = planted_run("divergence, jump", MIDDLE, seed)
    curves = dict(planted.curves.curves)
    loss = curves["train_loss"]
    scaled = replace(planted.curves, curves={**curves, "train_loss": replace(loss, value=loss.value * scale)})
    for code in ("divergence", "loss_spike", "plateau"):
        before = health_of(planted.run, planted.curves, NOW).check(code)
        after = health_of(planted.run, scaled, NOW).check(code)
        assert [finding.step for finding in before.findings] == [finding.step for finding in after.findings]


def test_values_too_large_to_compute_with_are_said_to_be():
    loss = np.ones(100)
    loss[50] = 2 * LARGEST
    assert "too large to compute with" in check_of("divergence", train_loss=loss).sentence
    assert "too large to compute with" in check_of("eval_rebound", eval_loss=loss).sentence
