"""The decision about some runs: who is recommended, among whom, and how far that holds.

The score of ``lib.core.scoring`` stays the score. Here it is asked only of runs whose eval losses mean
the same, and stands beside what says when to trust it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.comparability import Comparability, Outcome, comparability_of, relative_improvement
from lib.core.flip import Flip, flip_of
from lib.core.metric_curves import RunCurves
from lib.core.repeats import repeat_groups
from lib.core.runs import RunSummary
from lib.core.score_tie import ScoreTie, score_tie
from lib.core.scoring import Recommendation, RunScore, ScoringPolicy, recommend, score
from lib.core.series import real_evaluations
from lib.core.tie import TieVerdict, verdict_on


@dataclass(frozen=True, slots=True)
class Apart:
    """Runs that could be recommended, and whose eval losses mean something else than those that are ranked.

    Attributes:
        recommendation: Among themselves.
        why: What differs, in words, from the ranked runs.
    """

    recommendation: Recommendation
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about some runs.

    Attributes:
        recommendation: Among the runs that are ranked: those of one class, and all that are left out anyway.
        comparability: Of the runs that have a score.
        apart: The other classes, the one with most runs first.
        improvements: Of every run with a score, by how much of its own first evaluation the best is lower, a
            share; ``None`` where it cannot be told. The one figure that means the same in all classes.
        lowest: Which of the ranked runs may have the lowest true eval loss.
        lead: Whether the lead of the recommended run is beyond the noise.
        flip: What would make another run the recommended one.
    """

    recommendation: Recommendation
    comparability: Comparability
    apart: tuple[Apart, ...]
    improvements: Mapping[str, float | None]
    lowest: TieVerdict
    lead: ScoreTie
    flip: Flip

    @property
    def scores(self) -> dict[str, RunScore]:
        """The scores of all classes, by run id: they may be read, but not compared across classes."""
        parts = (self.recommendation, *(each.recommendation for each in self.apart))
        return {each.run_id: each for part in parts for each in part.ranking.scores}


def decide(
    runs: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    policy: ScoringPolicy,
    labels: Mapping[str, str] | None = None,
) -> Decision:
    """Decide about some runs, the same whatever their order.

    Ranked is the class with most runs that may be recommended; of several such the one that holds the
    highest composite.

    Args:
        runs: With what their curves show put in (``lib.core.evidence.with_evidence``).
        curves: By run id; runs may lack.
        policy: Weights and bands.
        labels: What the runs are called in sentences; their ids by default.
    """
    scores = {run.run_id: found for run in runs if isinstance(found := score(run, policy), RunScore)}
    scored = [run for run in runs if run.run_id in scores]
    comparability = comparability_of(scored)
    classes = sorted(
        (each.run_ids for each in comparability.classes),
        key=lambda ids: (-len(ids), -max(scores[run_id].total for run_id in ids), ids),
    )
    main = set(classes[0]) if classes else set()
    ranked = [run for run in runs if run.run_id in main or run.run_id not in scores]
    recommendation = recommend(ranked, policy)
    members = [run for run in ranked if run.run_id in main]
    lowest = verdict_on(curves, members, repeat_groups(members), labels=labels)
    return Decision(
        recommendation=recommendation,
        comparability=comparability,
        apart=tuple(
            Apart(recommend([run for run in scored if run.run_id in ids], policy), _why(comparability, main, ids))
            for ids in classes[1:]
        ),
        improvements={run.run_id: _improvement(curves.get(run.run_id)) for run in scored},
        lowest=lowest,
        lead=score_tie(recommendation, lowest, labels),
        flip=flip_of(recommendation, labels),
    )


def _why(comparability: Comparability, main: set[str], others: Sequence[str]) -> str:
    """What differs between two classes, or that too little is recorded to put the runs into either."""
    differing = {
        result.aspect.title: None
        for pair in comparability.pairs
        if len(main & set(pair.run_ids)) == 1 and set(pair.run_ids) & set(others)
        for result in pair.aspects
        if result.decides and result.outcome is Outcome.DIFFERENT
    }
    if differing:
        return f"another {', '.join(name[0].lower() + name[1:] for name in differing)}"
    return "too little is recorded to tell which of the others it can be compared with"


def _improvement(curves: RunCurves | None) -> float | None:
    if curves is None:
        return None
    evals, train = curves.get("eval_loss"), curves.get("train_loss")
    real = real_evaluations(evals.step, evals.value, train.step, train.logged)
    return relative_improvement(evals, np.asarray(real))
