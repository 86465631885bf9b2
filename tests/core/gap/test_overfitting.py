from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunSummary
from lib.core.gap.negative_gap import LORA_DROPOUT_LOSS_SHARE, Explanation
from lib.core.gap.overfitting import overfitting_of, slope_at_end, theil_sen

RUN = RunSummary(run_id="r", name="r")


def curve(steps, values, epochs=None):
    steps = np.array(steps, dtype=np.int64)
    epochs = np.full(len(steps), np.nan) if epochs is None else np.array(epochs, dtype=np.float64)
    return complete_curve(steps, np.array(values, dtype=np.float64), epochs, np.full(len(steps), np.nan))


def judged(train, evaluations, run=RUN, step=None, metric="eval_loss", **others):
    curves = RunCurves("r", {"train_loss": train, "eval_loss": evaluations, **others})
    return overfitting_of(run, curves, step, metric)


STEPS = np.arange(10, 1010, 10)
EVAL_STEPS = np.arange(100, 1100, 100)
EVALS = curve(EVAL_STEPS, [0.9, 0.7, 0.6, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8], EVAL_STEPS / 250)


def test_the_gap_is_that_of_the_best_step():
    found = judged(curve(STEPS, 1.0 - STEPS / 1000), EVALS)
    # 5 % of 400 steps: the values logged at 390 and 400.
    said = "At the best evaluation, step 400, the eval loss is 0.5000 and the train loss 0.6050 (the mean of 2 values"
    assert found.sentences[0].startswith(f"{said} of steps 390 to 400)")
    assert found.gap == pytest.approx(0.5 - 0.605)
    assert found.rebound == pytest.approx(0.3)
    assert found.slope_per_1000_steps == pytest.approx(0.5)
    assert found.sentences[2].startswith("Over the last 4 evaluations the eval loss rises")
    assert "(+0.125 per epoch)" in found.sentences[2]


def test_all_is_of_the_checkpoint_that_is_shipped_where_another_metric_than_the_loss_chose_it():
    found = judged(curve(STEPS, 1.0 - STEPS / 1000), EVALS, step=800)
    # 5 % of 800 steps: the values logged at 770, 780, 790 and 800, whose mean is 0.215.
    assert found.gap == pytest.approx(0.7 - 0.215)
    assert found.sentences[0].startswith("At the checkpoint to ship, step 800, the eval loss is 0.7000 and the train")
    assert found.sentences[0].endswith("The lowest eval loss is 0.5000, at step 400.")
    assert found.rebound == pytest.approx(0.1)
    assert found.sentences[1] == "The last eval loss is 0.8000, at step 1,000: 0.1000 above that of step 800."


def test_an_eval_loss_that_falls_on_after_the_checkpoint_is_no_rebound():
    found = judged(curve(STEPS, 1.0 - STEPS / 1000), EVALS, step=100)
    assert found.rebound == pytest.approx(-0.1)
    assert found.sentences[1] == "The last eval loss is 0.8000, at step 1,000: 0.1000 below that of step 100."
    last = judged(curve(STEPS, 1.0 - STEPS / 1000), EVALS, step=1000)
    assert last.sentences[1] == "The checkpoint to ship is that of the last evaluation: there is no rebound."


def test_a_step_without_an_eval_loss_has_no_gap_and_says_so():
    found = judged(curve(STEPS, 1.0 - STEPS / 1000), EVALS, step=450)
    assert (found.gap, found.rebound) == (None, None)
    assert found.sentences[0] == (
        "The gap at the checkpoint to ship (step 450) cannot be told: no eval loss is logged there."
    )
    assert dict(found.cannot_tell)["rebound"] == "no eval loss is logged at step 450"


def test_the_loss_of_a_named_set_is_called_by_its_name():
    named = curve([200, 400], [0.8, 0.75])
    found = judged(curve(STEPS, np.full(len(STEPS), 0.6)), EVALS, metric="eval_alpha_loss", eval_alpha_loss=named)
    assert found.gap == pytest.approx(0.15)
    assert found.sentences[0].startswith("At the best evaluation, step 400, the eval_alpha_loss is 0.7500")


@given(later=st.lists(st.floats(0.0, 5.0), min_size=60, max_size=60), extra=st.integers(0, 200))
@settings(deadline=None, max_examples=50)
def test_what_the_train_loss_does_after_the_best_step_does_not_move_the_gap(later, extra):
    losses = 0.4 + 0.1 * np.sin(STEPS)
    before = judged(curve(STEPS, losses), EVALS)
    changed = np.concatenate((losses[STEPS <= 400], later, np.zeros(extra)))
    steps = np.arange(10, 10 * len(changed) + 10, 10)
    after = judged(curve(steps, changed), EVALS)
    assert (after.gap, after.sentences[0], after.negative) == (before.gap, before.sentences[0], before.negative)


def test_a_window_shorter_than_the_logging_interval_holds_the_last_value():
    found = judged(curve([100, 200, 300, 400, 500], [0.9, 0.8, 0.7, 0.3, 0.1]), EVALS)
    assert "the train loss 0.3000 (the value logged at step 400)" in found.sentences[0]


@pytest.mark.parametrize(
    ("train", "why"),
    [
        (curve([], []), "no train loss is logged up to there"),
        (curve([500, 600], [0.4, 0.3]), "no train loss is logged up to there"),
        (curve([10, 20, 30], [0.4, 0.3, 0.2]), "the last train loss before it is of step 30"),
        (curve(STEPS, np.where(STEPS > 300, np.nan, 0.5)), "no train loss there is finite"),
        (replace(curve([10, 400, 990], [0.4, 0.3, 0.2]), logged=100), "the train loss was read in part"),
    ],
)
def test_a_gap_that_cannot_be_told_says_why(train, why):
    found = judged(train, EVALS)
    assert (found.gap, found.negative) == (None, None)
    assert dict(found.cannot_tell)["gap"].startswith(why)
    assert why in found.sentences[0]
    assert found.rebound is not None


def test_a_hole_elsewhere_does_not_matter():
    assert judged(curve(STEPS, np.where(STEPS > 400, np.nan, 0.4)), EVALS).gap == pytest.approx(0.1)


@pytest.mark.parametrize("method", ["grpo", "ppo"])
def test_a_policy_loss_has_no_gap(method):
    found = judged(curve(STEPS, 0.0 * STEPS), EVALS, replace(RUN, config={"training": {"method": method}}))
    assert found.gap is None
    assert "no measure of fit" in found.sentences[0]


def test_without_an_eval_loss_nothing_can_be_told():
    for evaluations in (curve([], []), curve([100], [np.nan])):
        found = judged(curve(STEPS, 0.0 * STEPS), evaluations)
        assert (found.gap, found.rebound, found.slope_per_1000_steps) == (None, None, None)
        assert found.sentences == ("Overfitting cannot be told: no finite eval loss is logged.",)


def test_a_loss_of_zero_is_a_loss():
    found = judged(curve([100, 200], [0.25, 0.25]), curve([100, 200], [0.0, 0.5]))
    assert (found.gap, found.rebound) == (-0.25, 0.5)


def test_a_train_loss_of_exactly_zero_makes_no_gap():
    found = judged(curve([100, 200], [0.0, 0.0]), curve([100, 200], [1.0, 1.5]))
    assert (found.gap, found.negative, found.rebound) == (None, None, 0.5)
    assert "exactly 0" in dict(found.cannot_tell)["gap"]


def test_the_best_at_the_end_has_no_rebound():
    found = judged(curve(STEPS, 0.4 + 0.0 * STEPS), curve([100, 200], [0.6, 0.5]))
    assert (found.rebound, found.slope_per_1000_steps) == (0.0, None)
    assert found.sentences[1] == "The best evaluation is the last one: there is no rebound."
    assert dict(found.cannot_tell)["slope_per_1000_steps"].endswith("there are 2")


def test_a_rebound_to_nan_is_not_a_number():
    found = judged(curve(STEPS, 0.4 + 0.0 * STEPS), curve([100, 200, 300], [0.6, 0.5, np.nan]))
    assert found.rebound is None
    assert "the last eval loss, at step 300, is NaN" in found.sentences[1]


def falling(pace, noise=0.0):
    return curve(STEPS, 2.0 - pace * STEPS + noise * np.resize([1.0, -1.0], len(STEPS)))


NO_DROPOUT = {"training": {"dropout": 0.0}}
DROPOUT = {"training": {"dropout": 0.1}}
# The train loss up to the best evaluation at step 400, the eval loss below it, the configuration, the verdict.
NEGATIVE = {
    "the loss falls so fast that its average lags": (falling(1e-3), 0.008, NO_DROPOUT, Explanation.EXPLAINED),
    "further below than the lag": (falling(1e-3), 0.05, NO_DROPOUT, Explanation.NOT_EXPLAINED),
    "within the noise of the mean": (falling(0.0, noise=0.1), 0.1, NO_DROPOUT, Explanation.EXPLAINED),
    "further below than noise": (falling(0.0, noise=0.1), 0.3, NO_DROPOUT, Explanation.NOT_EXPLAINED),
    "within what recorded dropout does": (falling(0.0), 0.45, DROPOUT, Explanation.EXPLAINED),
    "further below than dropout": (falling(0.0), 0.55, DROPOUT, Explanation.NOT_EXPLAINED),
    "dropout not recorded": (falling(0.0), 0.2, {}, Explanation.CANNOT_TELL),
    "too far below for any usual dropout": (falling(0.0), 0.6, {}, Explanation.NOT_EXPLAINED),
    "an architecture without dropout": (
        falling(0.0), 0.2, {"training": {"base_model": "meta-llama/Llama-3-8B"}}, Explanation.NOT_EXPLAINED,
    ),
    "dropout in LoRA layers": (
        falling(0.0), 0.04, {"lora": {"r": 8, "lora_dropout": 0.05}, "model": {"name": "Qwen/Qwen3-8B"}},
        Explanation.EXPLAINED,
    ),
    "dropout in LoRA layers not recorded": (
        falling(0.0), 0.04, {"lora": {"r": 8}, "model": {"name": "Qwen/Qwen3-8B"}}, Explanation.CANNOT_TELL,
    ),
    "too few train losses": (curve([399, 400], [2.0, 2.0]), 0.1, NO_DROPOUT, Explanation.CANNOT_TELL),
}  # fmt: skip


@pytest.mark.parametrize(("train", "below", "config", "explanation"), NEGATIVE.values(), ids=NEGATIVE)
def test_a_negative_gap_is_weighed_before_leakage_is_said(train, below, config, explanation):
    mean = train.value[(train.step > 380) & (train.step <= 400)].mean()
    evaluations = curve([300, 400, 500], [9.0, mean - below, 9.0])
    found = judged(train, evaluations, replace(RUN, config=config))
    assert found.gap == pytest.approx(-below)
    assert found.negative.explanation is explanation
    assert (": potential leakage" in found.sentences[0]) == (explanation is Explanation.NOT_EXPLAINED)


@pytest.mark.parametrize("size", [1e-300, 1e155, 1e300, 1.7e308])
def test_losses_at_the_ends_of_what_can_be_written_have_a_gap(size):
    steps = range(10, 1010, 10)
    train = curve(steps, [size * (1.0 - 0.1 * step / 1010) for step in steps])
    found = judged(train, curve([500, 1000], [0.9 * size, 0.4 * size]))
    assert found.gap / size == pytest.approx(0.4 - 0.902, abs=0.01)
    assert found.negative.explanation is Explanation.NOT_EXPLAINED
    assert len(found.negative.sentence) < 200


def test_what_lag_and_recorded_dropout_explain_is_given():
    config = {"lora": {"r": 8, "lora_dropout": 0.08}, "model": {"name": "Qwen/Qwen3-8B"}}
    negative = judged(falling(1e-3), curve([300, 400], [9.0, 1.5]), replace(RUN, config=config)).negative
    # The window's values are of steps 390 and 400, and average over the 10 steps before each.
    lag, dropout = 1e-3 * 10, LORA_DROPOUT_LOSS_SHARE * 0.08 * 1.605
    assert negative.size == pytest.approx(0.105)
    assert f"explain at most {lag + dropout:.4f} of it" in negative.sentence


def test_a_gap_above_zero_needs_no_explanation():
    assert judged(curve(STEPS, 0.1 + 0.0 * STEPS), EVALS).negative is None


@given(slope=st.floats(-1e-2, 1e-2), start=st.floats(0.1, 5.0), outlier=st.floats(-10, 10), where=st.integers(0, 11))
@settings(deadline=None, max_examples=60)
def test_the_slope_of_a_line_survives_an_outlier(slope, start, outlier, where):
    x = np.arange(12.0)
    y = start + slope * x
    y[where] += outlier
    # Of 66 pairs 11 are moved: the median stays among the slopes of the line.
    assert theil_sen(x, y) == pytest.approx(slope, abs=1e-9)


def test_theil_sen_of_one_x_is_no_slope():
    assert np.isnan(theil_sen(np.array([1.0, 1.0]), np.array([1.0, 2.0])))


def test_the_slope_is_that_of_the_end():
    values = np.concatenate((np.linspace(5.0, 1.0, 30), np.linspace(1.0, 2.0, 10)))
    slope = slope_at_end(curve(np.arange(1, 41) * 100, values))
    assert slope.evaluations == 10
    assert slope.per_1000_steps == pytest.approx(1000 * (1.0 / 9) / 100)


def test_whole_epochs_of_many_steps_give_no_slope_by_epoch():
    evaluations = curve(EVAL_STEPS, EVALS.value, np.repeat([1.0, 2.0], 5))
    found = judged(curve(STEPS, 0.4 + 0.0 * STEPS), evaluations)
    assert "per epoch" not in found.sentences[2]
    assert found.slope_per_1000_steps is not None


def test_repeated_evaluations_are_not_measured():
    steps = np.arange(10, 410, 10)
    repeated = curve(steps, np.repeat([0.9, 0.8, 0.7, 0.6], 10))
    found = judged(curve(steps, 0.4 + 0.0 * steps), repeated)
    assert found.sentences[2].startswith("Over the last 4 evaluations")
    assert found.slope_per_1000_steps == pytest.approx(-1.0)


def test_curves_of_another_run_are_refused():
    curves = RunCurves("other", {"eval_loss": EVALS})
    with pytest.raises(ValueError, match="other"):
        overfitting_of(RUN, curves)


def test_a_train_loss_that_ended_as_no_number_is_told_beside_the_gap_of_the_others():
    losses = np.full(len(STEPS), 0.4)
    losses[-1] = np.nan
    found = judged(curve(STEPS, losses), EVALS)
    assert found.gap == pytest.approx(0.1)
    assert found.sentences[0].endswith(f" The last train loss, at step {STEPS[-1]:,}, is NaN.")
    hole = np.where(STEPS == 390, np.nan, 0.4)
    assert judged(curve(STEPS, hole), EVALS).gap == pytest.approx(0.1)
