"""The decision about some runs: who is recommended, among whom, by what, and how far that holds.

Classes come first: only runs whose values mean the same are ranked together, each class by its own metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib.core.aspects.facts import Agreement
from lib.core.curves.evidence import measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.metrics import Better
from lib.core.facts.remember import Kept, Remember
from lib.core.facts.runs import RunSummary
from lib.core.noise.best_set import Outcome
from lib.core.ranking.classes import OtherClass, classes_of, comparability_within, counting, other_class, same_trainings
from lib.core.ranking.comparability import Comparability, Pairs, relative_improvement
from lib.core.ranking.deciding import Deciding, RunMetrics, deciding_of
from lib.core.ranking.flip import Flip, flip_of
from lib.core.ranking.left_out import broke_down_at, died_level, left_out, without_value
from lib.core.ranking.metric_names import EVAL_LOSS, REWARD
from lib.core.ranking.policy import ScoringPolicy
from lib.core.ranking.scoring import TIE_DECIMALS, LeftOut, Recommendation, RunScore, Unscorable, ranked
from lib.core.ranking.standing import Contest, Lead, configurations, contest, lead_among, others_among
from lib.core.ranking.values import RunValues, values_of


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about some runs.

    Attributes:
        recommendation: Among the runs that are ranked: those of one class, and all that are left out anyway.
        comparability: Of the runs that have a score.
        other_classes: The other classes, the one with most runs first.
        improvements: Of every run with a score, by how much of its own first evaluation the best eval loss is lower,
            a share; ``None`` where it cannot be told. The one figure that means the same in all classes.
        contest: Which of the ranked runs may have the best true value of the deciding metric.
        lead: Whether the lead of the recommended run is beyond the noise.
        flip: What would make another run the recommended one.
        alongside: Runs that are left out and whose values are not known to mean something else than those that are
            ranked, with their values; all runs with values where none is ranked.
        others: Who may be best by every other evaluation metric of known direction that all ranked runs logged, and by
            which the recommended one has not the best value.
        values: Of all runs that have any, by the metric of their class, else by that which decides.
        alone: Of the others that have any by the metric that would decide about each by itself, with that metric.
    """

    recommendation: Recommendation
    comparability: Comparability
    other_classes: tuple[OtherClass, ...]
    improvements: Mapping[str, float | None]
    contest: Contest
    lead: Lead
    flip: Flip
    alongside: Mapping[str, RunValues]
    others: tuple[Contest, ...] = ()
    values: Mapping[str, RunValues] = field(default_factory=dict)
    alone: Mapping[str, tuple[Deciding, RunValues]] = field(default_factory=dict)

    @property
    def deciding(self) -> Deciding:
        """By which metric the ranked runs are ranked."""
        return self.recommendation.deciding

    @property
    def parts(self) -> tuple[Recommendation, ...]:
        """What is recommended in each class, that of the ranked runs first."""
        return (self.recommendation, *(each.recommendation for each in self.other_classes))

    def deciding_of(self, run_id: str) -> Deciding:
        """By which metric the values of a run are: that of its class."""
        others = (each.recommendation for each in self.other_classes if run_id in each.run_ids)
        return next((each.deciding for each in others), self.deciding)

    def shipped(self, run_id: str) -> tuple[Deciding, RunValues | None]:
        """What counts of a run, whoever is beside it, and by which metric; the values are ``None`` where none are."""
        return self.alone.get(run_id) or (self.deciding_of(run_id), self.values.get(run_id))

    @property
    def scores(self) -> dict[str, RunScore]:
        """The scores of all classes, by run id: they may be read, but not compared across classes."""
        return {each.run_id: each for part in self.parts for each in part.scores}

    def common_score(self, run_id: str) -> RunScore | None:
        """The score of a ranked run, which compares with all others that have one; ``None`` for every other run."""
        return self.scores[run_id] if self.has_main_class and run_id in self.ranked else None

    @property
    def ranked(self) -> tuple[str, ...]:
        """The runs whose scores are compared, best first."""
        return tuple(each.run_id for each in self.recommendation.scores)

    @property
    def comparable(self) -> frozenset[str]:
        """The runs whose values are compared: those that are ranked, and ``alongside`` them."""
        return frozenset((*self.ranked, *self.alongside))

    @property
    def has_main_class(self) -> bool:
        """Whether one class has more runs than any other, so that its ranking speaks for the selection.

        Else the class of the recommended run is one of several, and there is no common winner.
        """
        return all(len(each.run_ids) < len(self.ranked) for each in self.other_classes)

    @property
    def recommended(self) -> str | None:
        """The run to ship, or the first of those that tie; ``None`` where no run is recommended.

        The best of one class of several is recommended to nobody (``has_main_class``).
        """
        return self.recommendation.run_id if self.has_main_class else None

    @property
    def tied(self) -> tuple[str, ...]:
        """The recommended run and those that may be as good, best first; () where there is no such.

        Scores that are equal are so whatever the noise is, but where settings are compared and win. Nothing ties where
        nothing is recommended.
        """
        scores = self.recommendation.scores
        if not scores or self.recommendation.settings or not self.has_main_class:
            return ()
        level = [each.run_id for each in scores if each.run_id in self.lead.level_with or _is_level(scores[0], each)]
        together = tuple(dict.fromkeys((scores[0].run_id, *level)))
        return together if len(together) > 1 else ()


def _is_level(first: RunScore, other: RunScore) -> bool:
    pairs = ((first.total, other.total),) if first.total is not None else ((first.value, other.value),)
    return all(round(one or 0.0, TIE_DECIMALS) == round(two or 0.0, TIE_DECIMALS) for one, two in pairs)


def decide(
    runs: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    policy: ScoringPolicy,
    by: str | None = None,
    direction: Better | None = None,
    remember: Remember | None = None,
) -> Decision:
    """Decide about some runs, the same whatever their order.

    Ranked is the class with most runs that may be recommended; of several such the first by its runs' ids. A run whose
    training broke down is left out where one that was trained to its end may be as good: that one is shipped.

    Args:
        runs: With what their curves show put in (``lib.core.curves.evidence.with_evidence``).
        curves: By run id; runs may lack.
        policy: Weights and bands.
        by: The metric that somebody chose to rank by.
        direction: Which direction of it is better, where somebody says so.
        remember: Keeps what follows from one of the runs, or from two; for this decision where there is none.
    """
    remember = remember or Kept()
    runs = sorted(runs, key=lambda run: run.run_id)
    curves = {run.run_id: curves.get(run.run_id) or RunCurves(run.run_id) for run in runs}
    died: dict[str, Unscorable] = {}
    decision = _decide(runs, curves, policy, by, direction, remember, died)
    # Without them the first may be another, which is level with others.
    while more := _died_level(decision, runs, curves, remember):
        died |= more
        decision = _decide(runs, curves, policy, by, direction, remember, died)
    return decision


def _died_level(
    decision: Decision, runs: Sequence[RunSummary], curves: Mapping[str, RunCurves], remember: Remember
) -> dict[str, Unscorable]:
    """The runs that a decision would ship, and that broke down where one that is as good did not, with the reason."""
    # Of few evaluations a noise is so wide that far better runs are level with others: that is no reason to drop them.
    if decision.recommended is None or decision.lead.few:
        return {}
    named = decision.tied or (decision.recommended,)
    level = {*named, *decision.contest.repeats(decision.recommended)}.intersection(decision.ranked)
    if len(level) < 2:
        return {}

    def broke_down(run: RunSummary) -> int | None:
        step = decision.values[run.run_id].step
        return remember((run.run_id,), "broke down", step, lambda: broke_down_at(run, curves[run.run_id], step))

    return died_level((run for run in runs if run.run_id in named), level, broke_down)


def _decide(
    runs: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    policy: ScoringPolicy,
    by: str | None,
    direction: Better | None,
    remember: Remember,
    died: Mapping[str, Unscorable],
) -> Decision:
    """As ``decide``, without the runs ``died``; runs in order, curves of all."""
    metrics = {run.run_id: _metrics_of(run, curves[run.run_id], remember) for run in runs}

    def values_by(deciding: Deciding, run: RunSummary) -> RunValues | None:
        key = deciding.metric, deciding.better
        return remember((run.run_id,), "values", key, lambda: values_of(run, curves[run.run_id], deciding))

    standing_for = same_trainings(runs)
    unranked_for = {
        run.run_id: why
        for run in runs
        if (why := died.get(run.run_id) or left_out(run, curves[run.run_id], standing_for)) is not None
    }
    eligible = [run for run in runs if run.run_id not in unranked_for]
    pairs = Pairs(runs, curves, remember)
    classes = classes_of(eligible, metrics, pairs, by, direction)
    values: dict[str, RunValues] = {}
    found: list[tuple[Deciding, list[RunValues]]] = []
    for deciding, members in classes:
        known = [each for run in members if (each := values_by(deciding, run)) is not None]
        if deciding.metric is None or deciding.better is None:
            known = []
        values |= {each.run_id: each for each in known}
        unranked_for |= {
            run.run_id: without_value(run, deciding, curves) for run in members if run.run_id not in values
        }
        if known:
            found.append((deciding, known))
    found.sort(key=lambda each: (-len(each[1]), min(one.run_id for one in each[1])))
    unscorable = tuple(unranked_for[run.run_id] for run in runs if run.run_id in unranked_for)
    deciding, first = found[0] if found else (deciding_of([*metrics.values()], by, direction), [])
    in_order = Recommendation(ranked(first, deciding, policy), unscorable, policy, deciding)
    main = [run for run in runs if run.run_id in {each.run_id for each in first}]
    scored = [run for run in runs if run.run_id in values]
    comparability = comparability_within(found, pairs)
    repeats = configurations(main)
    ids = [each.run_id for each in first]
    contested = contest(ids, metrics, deciding.metric or EVAL_LOSS, deciding.better, repeats)
    lead, settings = _lead(in_order, contested)
    recommendation = replace(in_order, settings=settings)
    unranked = {
        run.run_id: one for run in runs if run.run_id in unranked_for and (one := values_by(deciding, run)) is not None
    }
    alone = {
        run.run_id: (own, one)
        for run in runs
        if run.run_id not in values and run.run_id not in unranked
        for own in (deciding_of([metrics[run.run_id]]),)
        if own.better is not None and (one := values_by(own, run)) is not None
    }
    alongside = {
        run.run_id: unranked[run.run_id]
        for run in runs
        if run.run_id in unranked
        and unranked_for[run.run_id].code is not LeftOut.SAME_TRAINING
        and _is_alike(run, main, pairs, deciding)
    }
    return Decision(
        recommendation=recommendation,
        comparability=comparability,
        other_classes=tuple(
            other_class(ranked(each, metric, policy), metric, policy, main, comparability) for metric, each in found[1:]
        ),
        improvements={run.run_id: relative_improvement(measured(curves[run.run_id], EVAL_LOSS)) for run in scored},
        contest=contested,
        lead=lead,
        flip=flip_of(recommendation),
        alongside=alongside,
        others=others_among(recommendation, metrics, repeats),
        values={**unranked, **values},
        alone=alone,
    )


def _metrics_of(run: RunSummary, curves: RunCurves, remember: Remember) -> RunMetrics:
    return remember((run.run_id,), "metrics", (), lambda: RunMetrics(run, curves))


def _lead(recommendation: Recommendation, own: Contest) -> tuple[Lead, frozenset[str]]:
    if recommendation.deciding.metric == REWARD:
        # A mean over steps has no evaluations to take its noise from.
        undecided = tuple(each.run_id for each in recommendation.scores[1:])
        return Lead(Outcome.CANNOT_TELL, undecided=undecided), frozenset()
    return lead_among(recommendation, own)


def _is_alike(run: RunSummary, main: Sequence[RunSummary], pairs: Pairs, deciding: Deciding) -> bool:
    if not main:
        return True
    pair = counting(pairs.of(run.run_id, main[0].run_id), deciding)
    return pair.agreement is not Agreement.DIFFERENT
