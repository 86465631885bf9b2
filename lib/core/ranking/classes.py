"""Which runs are ranked together: those whose values mean the same, of every training one.

Data, evaluation set, labels and method count whatever decides; what a loss is averaged over, and by which formula,
where one decides; what a reward is the sum of, where that does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lib.core.aspects.facts import Agreement
from lib.core.facts.metrics import Better
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.comparability import Comparability, ComparabilityClass, Pair, Pairs, classed
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.deciding import Deciding, RunMetrics, deciding_of
from lib.core.ranking.policy import ScoringPolicy
from lib.core.ranking.scoring import Recommendation, RunScore
from lib.core.ranking.values import RunValues


@dataclass(frozen=True, slots=True)
class OtherClass:
    """Runs that could be recommended, and whose values mean something else than those that are ranked.

    Attributes:
        recommendation: Among themselves, by their own metric.
        differing: In what they differ from the ranked runs; empty where too little is recorded.
    """

    recommendation: Recommendation
    differing: tuple[Aspect, ...] = ()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs, best first."""
        return tuple(each.run_id for each in self.recommendation.scores)


def same_trainings(runs: Sequence[RunSummary]) -> dict[str, str]:
    """For every run that is a part of another's training, or the same, the run that stands for it.

    That is one that may be recommended, where there is one, then the longest, then the first by name.
    """
    trainings: dict[str, list[RunSummary]] = {}
    for run in runs:
        trainings.setdefault(run.same_training_as or run.run_id, []).append(run)
    found: dict[str, str] = {}
    for together in trainings.values():
        first = min(
            together,
            key=lambda run: (
                run.status is not RunStatus.COMPLETED,
                -(run.current_step or 0),
                run.same_training_as is not None,
                run.name,
                run.run_id,
            ),
        )
        found |= {run.run_id: first.run_id for run in together if run is not first}
    return found


def classes_of(
    runs: Sequence[RunSummary],
    metrics: Mapping[str, RunMetrics],
    pairs: Pairs,
    by: str | None,
    direction: Better | None,
) -> list[tuple[Deciding, list[RunSummary]]]:
    """The runs by classes, each with its deciding metric: first by what always matters, then by what that is of.

    Args:
        runs: In the order of their ids.
        metrics: What they say about theirs, by run id.
        pairs: Of these runs.
        by: As for ``deciding_of``.
        direction: The same.
    """
    found = []
    all_ids = [run.run_id for run in runs]
    for run_ids in _run_ids(classed(all_ids, [pair.but_for_loss for pair in pairs.among(all_ids)])):
        members = [run for run in runs if run.run_id in run_ids]
        deciding = deciding_of([metrics[run.run_id] for run in members], by, direction)
        if not (deciding.follows_from_loss or deciding.is_reward):
            found.append((deciding, members))
            continue
        # Only runs that can be ranked by it part a class: the others have no values to be told apart.
        holders = [
            run
            for run in members
            if any(run.run_id in one.run_ids for one in deciding.candidates if one.metric == deciding.metric)
        ]
        holder_ids = [run.run_id for run in holders]
        for part in _run_ids(classed(holder_ids, [counting(pair, deciding) for pair in pairs.among(holder_ids)])):
            own = [run for run in holders if run.run_id in part]
            found.append((deciding_of([metrics[run.run_id] for run in own], by, direction), own))
        rest = [run for run in members if run not in holders]
        if rest:
            found.append((deciding, rest))
    return found


def counting(pair: Pair, deciding: Deciding) -> Pair:
    """Two runs by what matters for the metric that decides between them."""
    return pair.counting(loss=deciding.follows_from_loss, reward=deciding.is_reward)


def _run_ids(comparability: Comparability) -> list[tuple[str, ...]]:
    return [each.run_ids for each in comparability.classes]


def comparability_within(found: Sequence[tuple[Deciding, Sequence[RunValues]]], pairs: Pairs) -> Comparability:
    """What is known of the runs with a score: of two that are ranked together by what matters for their metric."""
    class_of = {each.run_id: (number, deciding) for number, (deciding, own) in enumerate(found) for each in own}

    def known_of(pair: Pair) -> Pair:
        (one, deciding), (other, _) = (class_of[run_id] for run_id in pair.run_ids)
        return counting(pair, deciding) if one == other else pair

    known = tuple(known_of(pair) for pair in pairs.among(class_of))
    classes = []
    for _, own in found:
        ids = {each.run_id for each in own}
        inside = [pair for pair in known if set(pair.run_ids) <= ids]
        classes.append(_one_class(ids, inside))
    return Comparability(tuple(classes), known)


def _one_class(run_ids: Collection[str], pairs: Sequence[Pair]) -> ComparabilityClass:
    unsure, cautions = (
        tuple(aspect for aspect in Aspect if any(aspect in pair.having(agreement) for pair in pairs))
        for agreement in (Agreement.CANNOT_TELL, Agreement.DIFFERENT)
    )
    return ComparabilityClass(tuple(sorted(run_ids)), unsure, cautions)


def other_class(
    scores: tuple[RunScore, ...],
    deciding: Deciding,
    policy: ScoringPolicy,
    main: Sequence[RunSummary],
    comparability: Comparability,
) -> OtherClass:
    """A class that is not ranked, with what differs from the one that is."""
    mine, theirs = {run.run_id for run in main}, {each.run_id for each in scores}
    differing = {
        aspect
        for pair in comparability.pairs
        if len(mine & set(pair.run_ids)) == 1 and set(pair.run_ids) & theirs
        for aspect in pair.decisive
    }
    recommendation = Recommendation(scores, (), policy, deciding)
    return OtherClass(recommendation, tuple(aspect for aspect in Aspect if aspect in differing))
