"""Who wins among real runs."""

from __future__ import annotations

import pytest

from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY

GOOD = {"8 3e-5", "8 4e-5", "8 2e-5"}
SWEEP = {*GOOD, "8 3e-6", "8 1e-3"}


@pytest.mark.parametrize(
    ("by", "metric", "better"),
    [(None, "eval_macro-avg-f1score", "higher"), ("eval_loss", "eval_loss", "lower")],
)
def test_the_good_rates_of_a_sweep_stand_before_the_bad_ones(source, runs, by, metric, better):
    """The trainer chose by the macro F1, of which it logged two digits and no setting: ``best_metric`` names it."""
    sweep = [run for run in runs.values() if "old_results-8-" in run.run_id and run.name in SWEEP]
    assert {run.name for run in sweep} == SWEEP
    curves = source.load_curves([run.run_id for run in sweep])
    known = [with_evidence(run, evidence_of(curves[run.run_id])) for run in sweep]
    names = {run.run_id: run.name for run in sweep}
    decision = decide(known, curves, DEFAULT_POLICY, by)
    assert (decision.deciding.metric, decision.deciding.better) == (metric, better)
    first = decision.tied or (decision.recommendation.run_id,)
    assert {names[run_id] for run_id in first} <= GOOD
    assert [names[run_id] for run_id in decision.ranked][3:] == ["8 3e-6", "8 1e-3"]
