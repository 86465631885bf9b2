"""Runs with the grounds of the decision about them, and their rows, as a page would have them."""

from __future__ import annotations

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import decide
from lib.core.ranking.scoring import ScoringPolicy
from lib.core.verdict.grounds import grounds_of
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
    """The grounds of the decision about these runs, without curves, and their rows, as a page would have them."""
    labels = {r.run_id: f"L{r.run_id}" for r in runs}
    grounds = grounds_of(decide(runs, {}, policy or ScoringPolicy()), runs, labels)
    scores = grounds.decision.scores
    rows = [
        SummaryInput(
            run=r, label=labels[r.run_id], score=scores.get(r.run_id), unscorable=grounds.left_out.get(r.run_id)
        )
        for r in runs
    ]
    return grounds, rows


def real_runs():
    return [run(name, *losses) for name, losses in REAL.items()]
