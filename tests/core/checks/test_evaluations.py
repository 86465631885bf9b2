from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of
from lib.core.curves.metric_curves import RunCurves
from tests.core.checked_runs import curves_of, falling, result_of, run_of


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
    assert result_of("eval_rebound", eval_loss=values).outcome is outcome


def test_eval_values_that_were_only_repeated_are_not_evaluations():
    evals = np.repeat([3.0, 2.0, 1.0, 2.0], 50)
    result = result_of("eval_rebound", eval_loss=evals, train_loss=np.linspace(3, 1, 200))
    assert result.outcome is Outcome.CANNOT_TELL or result.sentence.endswith("its best is 1.0000 at step 1010.")


def test_equal_evaluations_are_no_repeats_where_most_of_the_train_curve_was_not_read():
    evals = [1.0, *[0.5] * 15, *[0.9] * 15]
    made = curves_of(train_loss=np.linspace(2.0, 1.0, 310), eval_loss=evals).curves
    evaluated = replace(made["eval_loss"], step=made["eval_loss"].step * 10)
    kept = replace(made["train_loss"].where(slice(None, None, 30)), logged=310)
    read = RunCurves("run", MappingProxyType({"train_loss": kept, "eval_loss": evaluated}))
    assert checks_of(run_of(), read).of("eval_rebound").outcome is Outcome.FOUND


@pytest.mark.parametrize(
    ("config", "outcome"),
    [
        ({"trainer_state": {"eval_steps": 50}}, Outcome.CANNOT_TELL),
        ({"training": {"eval_steps": 50}}, Outcome.FOUND),
        ({"training": {"eval_steps": 500}}, Outcome.NOT_FOUND),
        ({"eval_strategy": "no", "eval_steps": 50}, Outcome.NOT_FOUND),
        ({"evaluation_strategy": "epoch"}, Outcome.FOUND),
    ],
)
def test_a_trainers_default_for_evaluations_is_no_plan(config, outcome):
    assert result_of("evaluations_absent", run_of(config=config), train_loss=falling(20)).outcome is outcome


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ([2.55, 3.14, 3.9, 3.5, 4.46], Outcome.FOUND),
        ([2.55, 4.46, 3.14, 3.9, 3.5], Outcome.FOUND),
        ([1.58, 1.64, 1.7], Outcome.FOUND),
        ([1.58, 1.64], Outcome.CANNOT_TELL),
        ([1.58, 1.59, 1.6], Outcome.CANNOT_TELL),
        ([1.58, 1.7, 1.57], Outcome.CANNOT_TELL),
    ],
)
def test_an_eval_loss_that_was_best_at_first_only_got_worse(values, outcome):
    assert result_of("eval_rebound", eval_loss=values).outcome is outcome


def test_the_base_model_is_no_best_evaluation():
    steps = np.array([0, 100, 200, 300])
    (finding,) = result_of("eval_rebound", eval_loss=(steps, [1.5, 1.58, 1.64, 1.7])).findings
    assert (finding.step, finding.extent) == (100, 300)
    assert "best at its first evaluation, 1.5800 at step 100, and 1.6400 to 1.7000 ever since" in finding.sentence
    assert result_of("eval_rebound", eval_loss=(steps, [1.0, 1.58, 1.5, 1.45])).outcome is Outcome.CANNOT_TELL


MOVING = np.linspace(2.0, 1.0, 100) + 0.01 * np.sin(np.arange(100))
SPACED = np.arange(100, 1001, 100)
FULL = 1.0 + np.exp(-np.arange(10) / 3.0)


def identical(values, train=MOVING):
    return result_of("identical_evaluations", eval_loss=(SPACED[: len(values)], values), train_loss=train)


def test_equal_evaluations_while_the_train_loss_moves_are_of_the_same_weights():
    frozen = FULL.copy()
    frozen[3:7] = frozen[3]
    (finding,) = identical(frozen).findings
    assert (finding.step, finding.extent, finding.touches_verdict) == (400, 700, True)
    assert identical(np.repeat(FULL[:5], 2)).outcome is Outcome.NOT_FOUND
    assert identical([1.2345678] * 4).outcome is Outcome.FOUND


def test_rounded_evaluations_may_agree():
    assert identical(np.round(FULL, 1)).outcome is not Outcome.FOUND
    flat = np.round(0.5 + 0.001 * np.exp(-np.arange(10)), 4)
    assert identical(flat).outcome is Outcome.CANNOT_TELL
    assert identical([1.2] * 6).outcome is Outcome.CANNOT_TELL
    assert identical([1.2345] * 6).outcome is Outcome.FOUND


def test_equal_evaluations_of_a_dead_training_are_what_it_is():
    assert identical([1.2345678] * 4, np.concatenate((MOVING[:10], np.zeros(90)))).outcome is Outcome.NOT_FOUND
