"""Who wins among real runs."""

from __future__ import annotations

from lib.core.ranking.score_tie import score_tie
from lib.core.ranking.tie import verdict_on

from lib.core.ranking.scoring import recommend


def test_three_learning_rates_cannot_be_told_apart(source, runs):
    batch_8 = [run for run in runs.values() if "old_results-8-" in run.run_id]
    assert len(batch_8) == 6
    names = {run.run_id: run.name for run in batch_8}
    curves = source.load_curves(list(names), ["eval_loss", "train_loss"])
    verdict = verdict_on(curves, batch_8)
    assert [names[run_id] for run_id in verdict.best_set] == ["8 3e-5", "8 4e-5", "8 2e-5"]
    tie = score_tie(recommend(batch_8), verdict)
    assert {names[run_id] for run_id in tie.level_with} == {"8 1e-3", "8 3e-4"}
