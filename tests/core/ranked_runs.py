"""Runs that are ranked by what is stored of them, and random ones."""

from __future__ import annotations

from collections.abc import Iterable

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.deciding import EVAL_LOSS_DECIDES
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.ranking.scoring import Recommendation, RunScore, ranked
from lib.core.ranking.values import values_of

LOSS_ONLY, GAP_ONLY = ScoringPolicy(eval_weight=1.0), ScoringPolicy(eval_weight=0.0)


def completed(run_id: str = "a", eval_loss=0.5, loss=0.48, **fields) -> RunSummary:
    return RunSummary(
        run_id=run_id,
        name=fields.pop("name", run_id),
        status=RunStatus.COMPLETED,
        best_eval_loss=eval_loss,
        loss=loss,
        **fields,
    )


def recommend(runs: Iterable[RunSummary], policy: ScoringPolicy = DEFAULT_POLICY) -> Recommendation:
    """The recommendation among completed runs that compare, without curves."""
    found = [
        values_of(run, RunCurves(run.run_id), EVAL_LOSS_DECIDES) for run in runs if run.status is RunStatus.COMPLETED
    ]
    return Recommendation(ranked([one for one in found if one is not None], policy=policy), (), policy)


def score(run: RunSummary, policy: ScoringPolicy = DEFAULT_POLICY) -> RunScore:
    """The score of one run by itself."""
    return recommend([run], policy).scores[0]
