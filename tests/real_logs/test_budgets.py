"""Finished curves of real trainings, cut at an equal budget: who does not cross there keeps its place."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from lib.core.budget.equal import equal_budgets
from lib.core.budget.spent import Budget, Kind
from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY


def best_until(curves, metric, step, sign):
    """The best value up to a step, lower is better, by plain numpy."""
    points = curves.get(metric)
    return float(np.nanmin(sign * points.value[points.step <= step]))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("by", ["eval_loss", "eval_macro-avg-f1score"])
def test_who_does_not_cross_keeps_its_place_at_a_part_of_the_budget(source, runs, by, share):
    sweep = [run for run in runs.values() if "old_results-8-" in run.run_id][:5]
    assert len(sweep) == 5
    curves = source.load_curves([run.run_id for run in sweep])
    known = [with_evidence(run, evidence_of(curves[run.run_id])) for run in sweep]
    decision = decide(known, curves, DEFAULT_POLICY, by)
    metric, sign = decision.deciding.metric, decision.deciding.sign
    (whole, *_) = equal_budgets(known, curves, decision)
    assert whole.kind is Kind.STEPS
    at = share * whole.amount
    (cut, *_) = equal_budgets(known, curves, decision, Budget((Kind.STEPS, at)))
    # The values are those of curves of which nothing after the budget is known.
    for run_id, value in cut.values.items():
        assert sign * value == best_until(curves[run_id], metric, at, sign)
    pairs = 0
    for one, other in combinations(cut.values, 2):
        grid = np.union1d(curves[one].get(metric).step, curves[other].get(metric).step)
        grid = grid[(grid >= at) & (grid <= whole.amount)]
        ahead = {
            best_until(curves[one], metric, step, sign) <= best_until(curves[other], metric, step, sign)
            for step in (at, *grid)
        }
        if len(ahead) == 1 and one in whole.values and other in whole.values:
            pairs += 1
            order = list(whole.values)
            before = order.index(one) < order.index(other)
            is_level = whole.values[one] == whole.values[other] or cut.values[one] == cut.values[other]
            assert before == ahead.pop() or is_level
    assert pairs > 3


@pytest.mark.parametrize("share", [0.4, 0.8])
def test_a_budget_of_a_part_is_that_of_runs_that_were_stopped_there(source, runs, share):
    sweep = [run for run in runs.values() if "old_results-8-" in run.run_id][:4]
    curves = source.load_curves([run.run_id for run in sweep])
    known = [with_evidence(run, evidence_of(curves[run.run_id])) for run in sweep]
    (whole, *_) = equal_budgets(known, curves, decide(known, curves, DEFAULT_POLICY, "eval_loss"))
    at = share * whole.amount
    decided = decide(known, curves, DEFAULT_POLICY, "eval_loss")
    (cut, *_) = equal_budgets(known, curves, decided, Budget((Kind.STEPS, at)))
    stopped = {
        run_id: RunCurves(run_id, {name: curve.where(curve.step <= at) for name, curve in own.curves.items()})
        for run_id, own in curves.items()
    }
    short = [
        with_evidence(
            replace(run, best_eval_loss=None, eval_loss=None, best_step=None), evidence_of(stopped[run.run_id])
        )
        for run in sweep
    ]
    (alone, *_) = equal_budgets(short, stopped, decide(short, stopped, DEFAULT_POLICY, "eval_loss"))
    assert dict(alone.values) == {key: cut.values[key] for key in alone.values}
    assert [key for key in cut.values if key in alone.values] == list(alone.values)
