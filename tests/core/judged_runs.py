"""Runs with the recommendation among them, and their rows, as a page would have them."""

from __future__ import annotations

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.scoring import ScoringPolicy, recommend
from lib.core.verdict.summary import SummaryInput

REAL = {
    "8 3e-6": (0.3416392, 0.2926),
    "8 2e-5": (0.3325018, 0.0415),
    "8 3e-5": (0.3293153, 0.0203),
    "8 4e-5": (0.3317475, 0.0136),
    "8 1e-3": (0.3625869, 0.3243),
}


def run(run_id, best=None, train_loss=None, status=RunStatus.COMPLETED, **fields):
    fields = {"best_eval_loss": best, "loss": train_loss} | fields
    return RunSummary(run_id=run_id, name=f"name {run_id}", status=status, **fields)


def judged(*runs, policy=None):
    """The recommendation, the rows and the labels of these runs, as a page would have them."""
    recommendation = recommend(runs, policy or ScoringPolicy())
    scores = {score.run_id: score for score in recommendation.ranking.scores}
    whys = {left.run_id: left.why for left in recommendation.ranking.unscorable}
    rows = [
        SummaryInput(run=r, label=f"L{r.run_id}", score=scores.get(r.run_id), unscorable=whys.get(r.run_id))
        for r in runs
    ]
    return recommendation, rows, {row.run.run_id: row.label for row in rows}


def real_runs():
    return [run(name, *losses) for name, losses in REAL.items()]
