"""Runs with the grounds of the decision about them."""

from __future__ import annotations

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import ScoringPolicy
from lib.core.verdict.grounds import grounds_of

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
    """The grounds of the decision about these runs, without curves."""
    labels = {r.run_id: f"L{r.run_id}" for r in runs}
    return grounds_of(decide(runs, {}, policy or ScoringPolicy()), runs, labels)


def real_runs():
    return [run(name, *losses) for name, losses in REAL.items()]
