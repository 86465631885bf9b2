from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checks.health import health_of
from lib.core.checks.health_checks import LARGEST
from lib.core.checks.health_spikes import spike_limits
from lib.core.checks.stability import (
    END_POINTS,
    LOSS_POINTS,
    SPIKE_HISTORY,
    UNSTABLE_VARIATION,
    UNSTEADY_VARIATION,
    Level,
    stability_of,
)
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus, RunSummary

VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(allow_nan=False), st.sampled_from([math.nan, math.inf, -math.inf])
)


def curves_of(every=10, **curves):
    made = {}
    for metric, values in curves.items():
        nothing = np.full(len(values), np.nan)
        step = np.arange(len(values)) * every
        made[metric] = complete_curve(step, np.asarray(values, dtype=np.float64), nothing, nothing)
    return RunCurves("r", MappingProxyType({metric: curve for metric, curve in made.items() if len(curve)}))


def clean_run(seed):
    """A loss and a gradient norm that fall smoothly with ordinary noise."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([60, 200, 1000]))
    decay = np.exp(-np.arange(n) / (n * rng.choice([0.05, 0.2, 1.0])))
    loss = 1 + 2 * decay + rng.normal(0, 0.05, n)
    return loss, (0.5 + 2 * decay) * np.exp(rng.normal(0, 0.2, n))


def codes(stability):
    return [finding.code for finding in stability.findings]


def test_at_most_one_clean_run_in_a_hundred_is_flagged():
    levels = []
    for seed in range(100):
        loss, gradient = clean_run(seed)
        levels.append(stability_of(curves_of(train_loss=loss, grad_norm=gradient)).level)
    assert sum(level is not Level.STEADY for level in levels) <= 1


def test_planted_spikes_are_found_at_their_steps():
    missed = 0
    for seed in range(40):
        loss, gradient = clean_run(seed)
        at = int(np.random.default_rng(1000 + seed).integers(30, len(gradient)))
        # Five times what the noise is about: a spike on top of a dip is a smaller one.
        gradient[at] = 5 * np.median(gradient[max(at - 5, 0) : at + 6])
        stability = stability_of(curves_of(train_loss=loss, grad_norm=gradient))
        spikes = [finding for finding in stability.findings if finding.code == "gradient_spike"]
        missed += [finding.evidence["peak_step"] for finding in spikes] != [at * 10]
    assert missed <= 1


def test_a_spike_is_a_warning_and_makes_a_run_unsteady():
    loss, gradient = np.linspace(2, 1, 200), np.ones(200)
    gradient[100] = 5.0
    stability = stability_of(curves_of(train_loss=loss, grad_norm=gradient))
    (spike,) = stability.findings
    assert (stability.level, stability.spikes) == (Level.UNSTEADY, 1)
    assert (spike.code, spike.severity, spike.step, spike.extent) == (
        "gradient_spike",
        Severity.WARNING,
        1000,
        None,
    )
    assert spike.evidence["value"] == 5.0
    assert "step 1000" in spike.sentence


def test_neighbouring_points_above_the_limit_are_one_spike():
    gradient = np.ones(200)
    gradient[100:104] = [5.0, 9.0, 8.0, 6.0]
    (spike,) = stability_of(curves_of(train_loss=np.ones(200), grad_norm=gradient)).findings
    assert (spike.step, spike.extent, spike.evidence["peak_step"]) == (1000, 1030, 1010)


def test_many_spikes_make_a_run_unstable():
    gradient = np.ones(200)
    gradient[[40, 90, 150]] = 20.0
    stability = stability_of(curves_of(train_loss=np.ones(200), grad_norm=gradient))
    assert (stability.level, stability.spikes) == (Level.UNSTABLE, 3)


@pytest.mark.parametrize("constant", [0.0, 1e-9, 1.0, LARGEST, 1.7e308])
def test_a_constant_gradient_norm_has_no_spikes(constant):
    stability = stability_of(curves_of(train_loss=np.ones(100), grad_norm=np.full(100, constant)))
    assert stability.level is Level.STEADY


def test_large_first_gradients_are_no_spikes():
    gradient = np.ones(200)
    gradient[:SPIKE_HISTORY] = 50.0
    assert stability_of(curves_of(train_loss=np.ones(200), grad_norm=gradient)).spikes == 0


def test_a_start_that_falls_steeply_has_no_spikes():
    gradient = 0.01 + np.exp(-np.arange(200) / 5)
    assert stability_of(curves_of(train_loss=np.ones(200), grad_norm=gradient)).spikes == 0


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_spikes_do_not_depend_on_the_unit_of_the_gradient_norm(scale, seed):
    _, gradient = clean_run(seed)
    gradient[40] *= 20
    limits = spike_limits(gradient)
    assert spike_limits(gradient * scale) == pytest.approx(limits * scale, rel=1e-9)


def test_loss_variation_is_the_deviation_about_the_local_trend_over_the_mean():
    n = 100
    wave = np.where(np.arange(n) % 2, 0.1, -0.1)
    loss = 5.0 - 0.03 * np.arange(n) + wave
    end = loss[-20:]
    slope, offset = np.polyfit(np.arange(20), end, 1)
    residuals = end - slope * np.arange(20) - offset
    expected = math.sqrt((residuals**2).sum() / 18) / end.mean()
    assert stability_of(curves_of(train_loss=loss)).loss_variation_at_end == pytest.approx(expected)


def test_a_straight_slope_does_not_vary():
    stability = stability_of(curves_of(train_loss=np.linspace(9, 1, 50)))
    assert stability.loss_variation_at_end == pytest.approx(0.0, abs=1e-12)
    assert stability.level is Level.STEADY


@pytest.mark.parametrize(
    ("swing", "level"),
    [
        (0.9 * UNSTEADY_VARIATION, Level.STEADY),
        (1.1 * UNSTEADY_VARIATION, Level.UNSTEADY),
        (1.1 * UNSTABLE_VARIATION, Level.UNSTABLE),
    ],
)
def test_the_level_follows_from_the_loss_variation(swing, level):
    loss = 1.0 + swing * np.where(np.arange(500) % 2, 1.0, -1.0)
    stability = stability_of(curves_of(train_loss=loss))
    assert stability.level is level
    assert codes(stability) == ([] if level is Level.STEADY else ["loss_variation"])


def test_noise_before_the_end_does_not_count():
    loss = np.ones(100)
    loss[:80:2] = 5.0
    assert stability_of(curves_of(train_loss=loss)).loss_variation_at_end == 0.0


def test_too_few_points_cannot_tell_and_say_how_many_are_needed():
    stability = stability_of(curves_of(train_loss=np.ones(LOSS_POINTS - 1)))
    assert stability.level is Level.CANNOT_TELL
    assert stability.loss_variation_at_end is None
    assert stability.spikes is None
    assert f"{LOSS_POINTS - 1} finite points" in stability.sentence
    assert stability_of(curves_of(train_loss=np.ones(LOSS_POINTS))).level is Level.STEADY


def test_a_run_without_rows_cannot_be_judged():
    assert stability_of(RunCurves("r")).level is Level.CANNOT_TELL


def test_a_reduced_curve_cannot_be_judged():
    curves = curves_of(train_loss=np.ones(100))
    reduced = replace(curves.get("train_loss"), logged=5000)
    stability = stability_of(replace(curves, curves={"train_loss": reduced}))
    assert (stability.level, stability.loss_variation_at_end) == (Level.CANNOT_TELL, None)
    assert "reduced" in stability.sentence


def test_a_run_that_diverged_is_unstable():
    loss = np.concatenate((np.linspace(4, 1, 100), np.full(60, 9.0)))
    stability = stability_of(curves_of(train_loss=loss))
    assert (stability.level, codes(stability)) == (Level.UNSTABLE, ["divergence"])


@pytest.mark.parametrize("end", [np.zeros(50), np.where(np.arange(50) % 2, 1.0, -1.0)])
def test_a_loss_without_a_scale_cannot_tell(end):
    stability = stability_of(curves_of(train_loss=end))
    assert stability.level is Level.CANNOT_TELL
    assert "no scale" in stability.sentence


def test_a_zero_among_positive_losses_is_a_value():
    loss = np.full(50, 1e-3)
    loss[-1] = 0.0
    assert stability_of(curves_of(train_loss=loss)).loss_variation_at_end > 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("metric", "level"),
    [("train_loss", Level.UNSTABLE), ("eval_loss", Level.UNSTABLE), ("grad_norm", Level.UNSTEADY)],
)
def test_nonfinite_values_are_counted_with_their_first_step(metric, level, bad):
    curves = {"train_loss": np.ones(100), metric: np.ones(100)}
    curves[metric][[30, 60]] = bad
    stability = stability_of(curves_of(**curves))
    (finding,) = stability.findings
    assert (stability.level, stability.nonfinite) == (level, {metric: 2})
    assert (finding.code, finding.step, finding.extent) == ("nonfinite_value", 300, 600)
    assert finding.sentence.endswith("2 times, first at step 300.")


def test_a_short_run_that_turned_nan_is_unstable_all_the_same():
    assert stability_of(curves_of(train_loss=[2.0, math.nan])).level is Level.UNSTABLE


@given(loss=st.lists(VALUES, max_size=80), gradient=st.lists(VALUES, max_size=80))
@settings(deadline=None, max_examples=50)
def test_any_series_gets_a_verdict_with_a_sentence(loss, gradient):
    stability = stability_of(curves_of(train_loss=loss, grad_norm=gradient))
    assert stability.sentence.endswith(".")
    assert (stability.level in (Level.STEADY, Level.CANNOT_TELL)) == (not stability.findings)
    variation = stability.loss_variation_at_end
    assert variation is None or (math.isfinite(variation) and variation >= 0.0)
    if sum(map(math.isfinite, loss)) < END_POINTS:
        assert variation is None


def test_checks_that_were_made_already_change_nothing() -> None:
    random = np.random.default_rng(4)
    gradient = np.exp(random.normal(0.0, 0.2, 300))
    gradient[150] = 40.0
    loss = np.where(np.arange(300) == 200, np.nan, 2.0 + random.normal(0.0, 0.3, 300))
    curves = curves_of(train_loss=loss, grad_norm=gradient)
    run = RunSummary(run_id="r", name="r", status=RunStatus.COMPLETED)
    assert stability_of(curves, health_of(run, curves).checks) == stability_of(curves)
