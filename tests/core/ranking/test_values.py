"""What counts of a run: all of one step."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.gap.plausibility import Implausible
from lib.core.ranking.deciding import EVAL_LOSS_DECIDES, Basis, Deciding
from lib.core.ranking.values import GapUnknown, values_of

F1 = Deciding("eval_f1", "higher", Basis.CHOSEN)
REWARD = Deciding("reward", "higher", Basis.TRAIN_REWARD)


def curve(points):
    steps, values = np.array(list(points), dtype=np.int64), np.array(list(points.values()), dtype=float)
    return complete_curve(steps, values, np.full(len(steps), np.nan), np.full(len(steps), np.nan))


def run(**fields):
    return RunSummary(run_id="a", name="a", status=RunStatus.COMPLETED, **fields)


def values(deciding=EVAL_LOSS_DECIDES, config=None, fields=(), **metrics):
    curves = RunCurves("a", {name: curve(points) for name, points in metrics.items()})
    return values_of(run(config={"training": config or {}}, **dict(fields)), curves, deciding)


TRAIN = {step: 2.0 - 0.001 * step for step in range(10, 1001, 10)}


def test_the_gap_is_of_the_best_step_whatever_came_after():
    found = values(eval_loss={200: 1.9, 400: 1.7, 600: 1.75, 1000: 2.5}, train_loss=TRAIN)
    inside = [loss for step, loss in TRAIN.items() if 380 < step <= 400]
    assert (found.step, found.value, found.eval_loss, found.is_matched) == (400, 1.7, 1.7, True)
    assert found.train_loss == pytest.approx(sum(inside) / len(inside))
    assert found.gap == found.eval_loss - found.train_loss
    assert found.train_error is not None
    assert found.gap_error > 0.0


def test_of_equal_evaluations_the_earliest_counts_and_step_0_never():
    found = values(eval_loss={0: 1.0, 200: 1.7, 400: 1.7})
    assert (found.step, found.base) == (200, 1.0)
    assert values(eval_loss={0: 1.0}) is None


def test_with_another_metric_the_losses_are_those_of_its_best_step():
    found = values(F1, eval_f1={200: 0.2, 600: 0.7}, eval_loss={200: 1.9, 600: 2.1}, train_loss=TRAIN)
    assert (found.value, found.step, found.eval_loss) == (0.7, 600, 2.1)
    elsewhere = values(F1, eval_f1={300: 0.7}, eval_loss={200: 1.9, 600: 2.1}, train_loss=TRAIN)
    assert (elsewhere.gap, elsewhere.unknown) == (None, GapUnknown.NO_EVAL_LOSS)


def test_a_named_set_is_the_eval_loss():
    found = values(
        Deciding("eval_alpha_loss", "lower", Basis.NAMED_SET),
        eval_alpha_loss={200: 1.9, 400: 1.7},
        eval_loss={200: 9.0, 400: 9.0},
        train_loss=TRAIN,
    )
    assert (found.eval_loss, found.gap) == (1.7, pytest.approx(0.1, abs=0.01))


def test_without_series_the_stored_values_count_and_are_not_matched():
    found = values_of(run(best_eval_loss=0.4, best_step=7, loss=0.35), RunCurves("a"), EVAL_LOSS_DECIDES)
    assert (found.value, found.step, found.train_loss, found.is_matched) == (0.4, 7, 0.35, False)
    assert (found.gap_error, found.train_error) == (0.0, None)
    assert values_of(run(eval_loss=0.4, best_step=7), RunCurves("a"), EVAL_LOSS_DECIDES).step is None


@pytest.mark.parametrize(
    ("train", "config", "code"),
    [
        (dict.fromkeys(TRAIN, 0.0), {}, Implausible.ZERO),
        ({step: float("nan") for step in TRAIN}, {}, Implausible.NO_VALUE),
        (dict.fromkeys(TRAIN, 8 * 1.6), {"gradient_accumulation_steps": 8}, Implausible.MULTIPLE),
        (dict.fromkeys(TRAIN, 40.0), {"vocab_size": 32_000}, Implausible.ABOVE_GUESSING),
    ],
)
def test_a_train_loss_that_cannot_be_one_leaves_the_gap_unknown(train, config, code):
    found = values(eval_loss={200: 1.9, 400: 1.7}, train_loss=train, config=config)
    assert (found.gap, found.unknown, found.doubt.code) == (None, GapUnknown.IMPLAUSIBLE, code)


def test_a_train_loss_that_dies_after_the_best_step_does_not_touch_the_gap():
    dead = {step: loss if step < 600 else 0.0 for step, loss in TRAIN.items()}
    assert values(eval_loss={400: 1.7, 800: 1.7}, train_loss=dead).gap == pytest.approx(0.1, abs=0.01)
    lost = {step: loss if step < 1000 else float("nan") for step, loss in TRAIN.items()}
    assert values(eval_loss={800: 1.9, 1000: 1.7}, train_loss=lost).gap is not None


def test_the_mean_reward_is_of_the_last_tenth_of_the_steps():
    found = values(REWARD, reward={step: float(step) for step in range(10, 1001, 10)})
    assert (found.value, found.step) == (pytest.approx(955.0), 1000)
    assert found.unknown in (GapUnknown.NO_EVAL_LOSS, GapUnknown.NO_MEASURE)


def test_values_do_not_depend_on_the_order_of_metrics_and_scale_with_the_losses():
    one = values(eval_loss={200: 1.9, 400: 1.7, 600: 1.8}, train_loss=TRAIN)
    double = values(
        eval_loss={200: 3.8, 400: 3.4, 600: 3.6}, train_loss={step: 2 * loss for step, loss in TRAIN.items()}
    )
    assert double.gap == pytest.approx(2 * one.gap)
    assert double.gap_error == pytest.approx(2 * one.gap_error, rel=1e-6)
