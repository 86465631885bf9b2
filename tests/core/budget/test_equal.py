"""Runs at equal budgets: amounts by their closed forms, crossings, and the Pareto front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.budget.equal import equal_budgets
from lib.core.budget.words import budget_lines
from lib.core.curves.axes import Axis
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from tests.core.decided_runs import run


def course(run_id, values, every=10, hours=None):
    """The evaluations of a run, one each so many steps."""
    steps = np.arange(1, len(values) + 1, dtype=np.int64) * every
    nothing = np.full(len(values), np.nan)
    elapsed = nothing if hours is None else np.arange(1, len(values) + 1) * 3600.0 * hours / len(values)
    return RunCurves(run_id, {"eval_loss": complete_curve(steps, np.asarray(values, float), nothing, elapsed)})


def budgets(runs, curves):
    curves = {each.run_id: each for each in curves}
    runs = [replace(each, best_eval_loss=float(np.nanmin(curves[each.run_id].get("eval_loss").value))) for each in runs]
    decision = decide(runs, curves, DEFAULT_POLICY)
    return {each.axis: each for each in equal_budgets(runs, curves, decision)}, decision


def batched(run_id, batch, **config):
    return run(run_id, batch_size=batch, gradient_accumulation_steps=2, **config)


def test_samples_are_steps_times_the_effective_batch():
    found, _ = budgets([batched("a", 4), batched("b", 16)], [course("a", [3, 2, 1]), course("b", [3, 2.5, 2.2])])
    samples = found[Axis.SAMPLES]
    assert found[Axis.STEP].amount == 30
    assert samples.amount == 30 * 4 * 2
    assert dict(samples.values) == {"a": 1.0}
    assert samples.later == {"b": 10 * 16 * 2}


def test_the_value_at_the_budget_is_the_best_up_to_there():
    found, _ = budgets(
        [batched("a", 4), batched("b", 8)], [course("a", [3, 1.5, 2, 1.8, 1.2, 1.1]), course("b", [2.5, 2.2, 0.5])]
    )
    samples = found[Axis.SAMPLES]
    assert samples.amount == 480
    assert dict(samples.values) == {"b": 0.5, "a": 1.1}
    assert samples.derived["a"].startswith("derived: config.training.batch_size")
    # At equal steps b had its third evaluation when a had its third.
    assert found[Axis.STEP].amount == 30
    assert dict(found[Axis.STEP].values) == {"b": 0.5, "a": 1.5}


def test_hours_are_those_that_were_logged_and_the_front_is_of_what_was_taken():
    runs = [run("fast"), run("slow"), run("worse")]
    fast, slow = course("fast", [3, 2, 1.5], hours=1), course("slow", [3, 2, 1.0], hours=2)
    found, _ = budgets(runs, [fast, slow, course("worse", [3, 2.6, 2.5], hours=7)])
    assert found[Axis.HOURS].amount == pytest.approx(1.0)
    assert found[Axis.HOURS].front == ("fast", "slow")
    assert found[Axis.HOURS].later == {"worse": pytest.approx(7 / 3)}
    assert found[Axis.STEP].leader == "slow"


def test_a_run_without_a_batch_size_has_no_place_among_samples():
    found, decision = budgets(
        [batched("a", 4), batched("b", 4), run("c")], [course("a", [3, 2]), course("b", [3, 2.5]), course("c", [3, 1])]
    )
    assert set(found[Axis.SAMPLES].missing) == {"c"}
    lines = dict(budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B", "c": "C"}))
    assert "C has no place here. The effective batch size is not known" in lines["Equal samples"]
    assert "The order is another than at equal steps." in lines["Equal samples"]


@given(cross=st.floats(60, 900), every=st.integers(5, 50), other=st.integers(5, 50))
@settings(max_examples=60, deadline=None)
def test_a_crossing_is_found_within_one_logging_interval(cross, every, other):
    # Straight lines that meet at ``cross``: the one falls from 30, the other from 29 and slower.
    one = [30.0 - step / cross - 1e-3 * step for step in range(every, 1001, every)]
    two = [29.0 - 1e-3 * step for step in range(other, 1001, other)]
    found, _ = budgets([run("one"), run("two")], [course("one", one, every), course("two", two, other)])
    step = found[Axis.STEP]
    changed = [each.at for each in step.crossings if each.after == "one"]
    if step.amount >= cross + every:
        assert step.leader == "one"
        assert changed
    assert all(abs(at - cross) <= every + other for at in changed)


def test_the_order_at_equal_budget_is_that_of_curves_that_are_cut_there():
    a, b = course("a", [3, 2, 1.5, 1.4, 1.3, 1.2]), course("b", [3.5, 1.9, 1.6])
    found, _ = budgets([run("a"), run("b")], [a, b])
    cut = {"a": RunCurves("a", {"eval_loss": a.get("eval_loss").where(slice(0, 3))}), "b": b}
    decision = decide([run("a", 1.5), run("b", 1.6)], cut, DEFAULT_POLICY)
    assert tuple(found[Axis.STEP].values) == decision.ranked


def test_where_less_is_worse_the_highest_leads():
    curves = {}
    runs = []
    for name, values in (("a", [0.1, 0.5, 0.4]), ("b", [0.3, 0.35, 0.9])):
        runs.append(run(name, None))
        curve = course(name, values).get("eval_loss")
        curves[name] = RunCurves(name, {"eval_f1": curve})
    decision = decide(runs, curves, DEFAULT_POLICY, "eval_f1")
    (step,) = equal_budgets(runs, curves, decision)[:1]
    assert dict(step.values) == {"b": 0.9, "a": 0.5}
    assert [(each.before, each.after, each.at) for each in step.crossings] == [("b", "a", 20.0), ("a", "b", 30.0)]


def test_runs_that_do_not_compare_have_no_common_budget():
    runs = [run("a", 0.5, method="sft"), run("b", 0.6, method="dpo")]
    found, _ = budgets(runs, [course("a", [3, 2, 1]), course("b", [3, 2.5, 2])])
    assert found == {}


def test_runs_with_the_same_value_lead_together():
    found, decision = budgets([run("a"), run("b"), run("c")], [course(name, [3, 2, value]) for name, value in
                                                               (("a", 1), ("b", 1), ("c", 1.5))])  # fmt: skip
    lines = dict(budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B", "c": "C"}))
    assert "A and B lead in eval loss" in lines["Equal steps"]
