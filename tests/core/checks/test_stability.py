from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checks.registry import checks_of
from lib.core.checks.stability import (
    END_POINTS,
    LOSS_POINTS,
    UNSTABLE_VARIATION,
    UNSTEADY_VARIATION,
    Stability,
    Steadiness,
    stability_of,
)
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, run_of

VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(allow_nan=False), st.sampled_from([math.nan, math.inf, -math.inf])
)


def stability(**series) -> Stability:
    logged = {metric: values for metric, values in series.items() if len(values)}
    return stability_of(checks_of(run_of(), curves_of(**logged)))


def smooth_run(seed):
    """A loss and a gradient norm that fall smoothly with ordinary noise."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([60, 200, 1000]))
    decay = np.exp(-np.arange(n) / (n * rng.choice([0.05, 0.2, 1.0])))
    loss = 1 + 2 * decay + rng.normal(0, 0.05, n)
    return loss, (0.5 + 2 * decay) * np.exp(rng.normal(0, 0.2, n))


def codes(found):
    return [finding.code for finding in found.findings]


def test_at_most_one_clean_run_in_a_hundred_is_flagged():
    levels = []
    for seed in range(100):
        loss, gradient = smooth_run(seed)
        levels.append(stability(train_loss=loss, grad_norm=gradient).steadiness)
    assert sum(level is not Steadiness.STEADY for level in levels) <= 1


def test_a_spike_is_a_warning_and_makes_a_run_unsteady():
    loss, gradient = np.linspace(2, 1, 200), np.ones(200)
    gradient[100] = 5.0
    found = stability(train_loss=loss, grad_norm=gradient)
    (spike,) = found.findings
    assert (found.steadiness, found.spikes) == (Steadiness.UNSTEADY, 1)
    assert (spike.code, spike.severity, spike.step, spike.extent) == (
        "gradient_spike",
        Severity.WARNING,
        1010,
        None,
    )
    assert spike.evidence["value"] == 5.0
    assert "step 1,010" in spike.sentence


def test_many_spikes_make_a_run_unstable():
    gradient = np.ones(200)
    gradient[[40, 90, 150]] = 20.0
    found = stability(train_loss=np.ones(200), grad_norm=gradient)
    assert (found.steadiness, found.spikes) == (Steadiness.UNSTABLE, 3)


def test_loss_variation_is_the_deviation_about_the_local_trend_over_the_mean():
    n = 100
    wave = np.where(np.arange(n) % 2, 0.1, -0.1)
    loss = 5.0 - 0.03 * np.arange(n) + wave
    end = loss[-20:]
    slope, offset = np.polyfit(np.arange(20), end, 1)
    residuals = end - slope * np.arange(20) - offset
    expected = math.sqrt((residuals**2).sum() / 18) / end.mean()
    assert stability(train_loss=loss).variation == pytest.approx(expected)


def test_a_straight_slope_does_not_vary():
    found = stability(train_loss=np.linspace(9, 1, 50))
    assert found.variation == pytest.approx(0.0, abs=1e-12)
    assert found.steadiness is Steadiness.STEADY


@pytest.mark.parametrize(
    ("swing", "level"),
    [
        (0.9 * UNSTEADY_VARIATION, Steadiness.STEADY),
        (1.1 * UNSTEADY_VARIATION, Steadiness.UNSTEADY),
        (1.1 * UNSTABLE_VARIATION, Steadiness.UNSTABLE),
    ],
)
def test_the_level_follows_from_the_loss_variation(swing, level):
    loss = 1.0 + swing * np.where(np.arange(500) % 2, 1.0, -1.0)
    found = stability(train_loss=loss)
    assert found.steadiness is level
    assert codes(found) == ([] if level is Steadiness.STEADY else ["loss_variation"])


def test_noise_before_the_end_does_not_count():
    loss = np.ones(100)
    loss[:80:2] = 5.0
    assert stability(train_loss=loss).variation == 0.0


def test_too_few_points_cannot_tell_and_say_how_many_are_needed():
    found = stability(train_loss=np.ones(LOSS_POINTS - 1))
    assert found.steadiness is Steadiness.CANNOT_TELL
    assert found.variation is None
    assert found.spikes is None
    assert f"{LOSS_POINTS - 1} finite points" in found.sentence
    assert stability(train_loss=np.ones(LOSS_POINTS)).steadiness is Steadiness.STEADY


def test_a_run_without_rows_cannot_be_judged():
    assert stability().steadiness is Steadiness.CANNOT_TELL


def test_a_reduced_curve_cannot_be_judged():
    curves = curves_of(train_loss=np.ones(100))
    reduced = replace(curves.get("train_loss"), logged=5000)
    found = stability_of(checks_of(run_of(), replace(curves, curves={"train_loss": reduced})))
    assert (found.steadiness, found.variation) == (Steadiness.CANNOT_TELL, None)
    assert "reduced" in found.sentence


def test_a_run_that_diverged_is_unstable():
    loss = np.concatenate((np.linspace(4, 1, 100), np.full(60, 9.0)))
    found = stability(train_loss=loss)
    assert (found.steadiness, codes(found)) == (Steadiness.UNSTABLE, ["divergence"])


@pytest.mark.parametrize("end", [np.zeros(50), np.where(np.arange(50) % 2, 1.0, -1.0)])
def test_a_loss_without_a_scale_cannot_tell(end):
    found = stability(train_loss=end)
    assert found.steadiness is Steadiness.CANNOT_TELL
    assert "no scale" in found.sentence


def test_a_zero_among_positive_losses_is_a_value():
    loss = np.full(50, 1e-3)
    loss[-1] = 0.0
    assert stability(train_loss=loss).variation > 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("metric", "level"),
    [("train_loss", Steadiness.UNSTABLE), ("eval_loss", Steadiness.UNSTABLE), ("grad_norm", Steadiness.UNSTEADY)],
)
def test_nonfinite_values_are_counted_with_their_first_step(metric, level, bad):
    curves = {"train_loss": np.ones(100), metric: np.ones(100)}
    curves[metric][30:61:5] = bad
    found = stability(**curves)
    (finding,) = found.findings
    assert found.steadiness is level
    assert (finding.code, finding.step, finding.extent) == ("nonfinite_value", 310, 610)
    assert finding.sentence.endswith("7 times, first at step 310.")


def test_a_loss_that_was_no_number_once_and_went_on_is_unsteady_and_no_breakdown():
    loss = np.ones(100)
    loss[40] = math.nan
    assert stability(train_loss=loss).steadiness is Steadiness.UNSTEADY


def test_a_short_run_that_turned_nan_is_unstable_all_the_same():
    assert stability(train_loss=[2.0, math.nan]).steadiness is Steadiness.UNSTABLE


@given(loss=st.lists(VALUES, max_size=80), gradient=st.lists(VALUES, max_size=80))
@settings(deadline=None, max_examples=50)
def test_any_series_gets_a_verdict_with_a_sentence(loss, gradient):
    found = stability(train_loss=loss, grad_norm=gradient)
    assert found.sentence.endswith(".")
    assert (found.steadiness in (Steadiness.STEADY, Steadiness.CANNOT_TELL)) == (not found.findings)
    variation = found.variation
    assert variation is None or (math.isfinite(variation) and variation >= 0.0)
    if sum(map(math.isfinite, loss)) < END_POINTS:
        assert variation is None


def test_what_is_not_of_the_training_makes_no_run_unsteady():
    assert stability(train_loss=np.ones(100), learning_rate=np.full(100, math.nan)).steadiness is Steadiness.STEADY


def test_the_summary_says_what_the_checks_said():
    known = checks_of(run_of(), curves_of(train_loss=np.linspace(2, 1, 100), grad_norm=np.ones(100)))
    said = " ".join(known.of(code).sentence for code in ("loss_variation", "gradient_spike"))
    assert stability_of(known).sentence == said
    assert "Gradient-norm spikes: Cannot tell" in stability(train_loss=np.linspace(2, 1, 100)).sentence
