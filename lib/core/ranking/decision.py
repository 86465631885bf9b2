"""The decision about some runs: who is recommended, among whom, and how far that holds.

The score of ``lib.core.ranking.scoring`` stays the score. Here it is asked only of runs whose eval losses mean
the same, and stands beside what says when to trust it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.core.aspects.facts import Agreement
from lib.core.curves.evidence import measured
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.runs import RunSummary, eval_loss_of
from lib.core.ranking.comparability import Comparability, comparability_of, relative_improvement
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.flip import Flip, flip_of
from lib.core.ranking.repeats import repeat_groups
from lib.core.ranking.score_tie import ScoreTie, score_tie
from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation, RunScore, ScoringPolicy, recommend, score
from lib.core.ranking.tie import TieVerdict, verdict_on


@dataclass(frozen=True, slots=True)
class OtherClass:
    """Runs that could be recommended, and whose eval losses mean something else than those that are ranked.

    Attributes:
        recommendation: Among themselves.
        differing: In what they differ from the ranked runs; empty where too little is recorded.
    """

    recommendation: Recommendation
    differing: tuple[Aspect, ...] = ()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs, best first."""
        return tuple(each.run_id for each in self.recommendation.scores)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about some runs.

    Attributes:
        recommendation: Among the runs that are ranked: those of one class, and all that are left out anyway.
        comparability: Of the runs that have a score.
        other_classes: The other classes, the one with most runs first.
        improvements: Of every run with a score, by how much of its own first evaluation the best is lower, a
            share; ``None`` where it cannot be told. The one figure that means the same in all classes.
        lowest: Which of the ranked runs may have the lowest true eval loss.
        lead: Whether the lead of the recommended run is beyond the noise.
        flip: What would make another run the recommended one.
        alongside: Runs that are left out and have an eval loss that is not known to mean something else than
            those that are ranked; all such runs where none is ranked.
    """

    recommendation: Recommendation
    comparability: Comparability
    other_classes: tuple[OtherClass, ...]
    improvements: Mapping[str, float | None]
    lowest: TieVerdict
    lead: ScoreTie
    flip: Flip
    alongside: tuple[str, ...] = ()

    @property
    def scores(self) -> dict[str, RunScore]:
        """The scores of all classes, by run id: they may be read, but not compared across classes."""
        parts = (self.recommendation, *(each.recommendation for each in self.other_classes))
        return {each.run_id: each for part in parts for each in part.scores}

    @property
    def ranked(self) -> tuple[str, ...]:
        """The runs whose scores are compared, best first."""
        return tuple(each.run_id for each in self.recommendation.scores)

    @property
    def comparable(self) -> frozenset[str]:
        """The runs whose eval losses are compared: those that are ranked, and ``alongside`` them."""
        return frozenset((*self.ranked, *self.alongside))

    @property
    def has_main_class(self) -> bool:
        """Whether one class has more runs than any other, so that its ranking speaks for the selection.

        Else the class of the recommended run is one of several, chosen by scores that do not compare.
        """
        return all(len(each.run_ids) < len(self.ranked) for each in self.other_classes)

    @property
    def tied(self) -> tuple[str, ...]:
        """The recommended run and those whose composite may be as high, best first; () where there is no such.

        Composites that are equal are so whatever the noise is.
        """
        winner = self.recommendation.winner
        if winner is None:
            return ()
        best = round(winner.total, TIE_DECIMALS)
        level = [
            each.run_id
            for each in self.recommendation.scores
            if each.run_id in self.lead.level_with or round(each.total, TIE_DECIMALS) == best
        ]
        together = tuple(dict.fromkeys((winner.run_id, *level)))
        return together if len(together) > 1 else ()


def decide(runs: Sequence[RunSummary], curves: Mapping[str, RunCurves], policy: ScoringPolicy) -> Decision:
    """Decide about some runs, the same whatever their order.

    Ranked is the class with most runs that may be recommended; of several such the one that holds the
    highest composite.

    Args:
        runs: With what their curves show put in (``lib.core.curves.evidence.with_evidence``).
        curves: By run id; runs may lack.
        policy: Weights and bands.
    """
    runs = sorted(runs, key=lambda run: run.run_id)
    scores = {run.run_id: found for run in runs if isinstance(found := score(run, policy), RunScore)}
    scored = [run for run in runs if run.run_id in scores]
    comparability = comparability_of(scored, curves)
    classes = sorted(
        (each.run_ids for each in comparability.classes),
        key=lambda ids: (-len(ids), -max(scores[run_id].total for run_id in ids), ids),
    )
    main = set(classes[0]) if classes else set()
    ranked = [run for run in runs if run.run_id in main or run.run_id not in scores]
    recommendation = recommend(ranked, policy)
    members = [run for run in ranked if run.run_id in main]

    def evaluations_of(run: RunSummary) -> MetricCurve:
        return measured(curves.get(run.run_id) or RunCurves(run.run_id), "eval_loss")

    lowest = verdict_on(curves, members, repeat_groups(members))
    return Decision(
        recommendation=recommendation,
        comparability=comparability,
        other_classes=tuple(_other_class(ids, main, scored, comparability, policy) for ids in classes[1:]),
        improvements={run.run_id: relative_improvement(evaluations_of(run)) for run in scored},
        lowest=lowest,
        lead=score_tie(recommendation, lowest),
        flip=flip_of(recommendation),
        alongside=_alongside([run for run in runs if run.run_id not in scores], members, curves),
    )


def _other_class(
    ids: Sequence[str],
    main: set[str],
    scored: Sequence[RunSummary],
    comparability: Comparability,
    policy: ScoringPolicy,
) -> OtherClass:
    """A class that is not ranked, with what differs from the one that is."""
    differing = {
        aspect
        for pair in comparability.pairs
        if len(main & set(pair.run_ids)) == 1 and set(pair.run_ids) & set(ids)
        for aspect in pair.decisive
    }
    members = [run for run in scored if run.run_id in ids]
    return OtherClass(recommend(members, policy), tuple(aspect for aspect in Aspect if aspect in differing))


def _alongside(
    left_out: Sequence[RunSummary], members: Sequence[RunSummary], curves: Mapping[str, RunCurves]
) -> tuple[str, ...]:
    def is_alike(run: RunSummary) -> bool:
        pairs = comparability_of([run, *members[:1]], curves).pairs
        return all(pair.agreement is not Agreement.DIFFERENT for pair in pairs)

    return tuple(run.run_id for run in left_out if eval_loss_of(run) is not None and is_alike(run))
