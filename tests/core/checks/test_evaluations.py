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
