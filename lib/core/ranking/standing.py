"""How far the order of the ranked runs is more than noise: in the deciding metric alone, and in what ranks them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib.core.facts.metrics import Better
from lib.core.facts.runs import RunSummary
from lib.core.noise.best_set import Beaten, BestSet, Compared, Outcome, best_of
from lib.core.noise.estimate import Estimate
from lib.core.noise.lead import Scored, lead_left
from lib.core.noise.pairs import Basis
from lib.core.ranking.deciding import RunMetrics
from lib.core.ranking.repeats import repeat_groups, seed_of
from lib.core.ranking.scoring import (
    Recommendation,
    RunScore,
    composite,
    loss_points,
    lowest_loss,
    point_bands,
)
from lib.core.ranking.scoring import lead_of as ahead_of


@dataclass(frozen=True, slots=True)
class Contest:
    """Which of some runs may have the best true value of a metric.

    Attributes:
        metric: Its name.
        run_ids: The runs, in the order in which ``best`` counts them.
        best: What was found, of values whose sign is turned where more is better.
        sign: -1 where it was turned, else 1.
        measured: How many measured evaluations each run has.
        raw: The best single value of each run that has one.
        worst: The worst one, likewise.
        settings: The configuration of each run, where configurations are compared; else each is its own.
    """

    metric: str
    run_ids: tuple[str, ...]
    best: BestSet = field(repr=False)
    sign: float
    measured: Mapping[str, int] = field(repr=False)
    raw: Mapping[str, float] = field(repr=False)
    worst: Mapping[str, float] = field(repr=False)
    settings: Mapping[str, Hashable] = field(repr=False)

    @property
    def members(self) -> tuple[str, ...]:
        """Runs that may be the best."""
        return tuple(self.run_ids[each] for each in self.best.members)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Those of them with too few evaluations to tell."""
        return tuple(self.run_ids[each] for each in self.best.undecided)

    def estimate(self, run_id: str) -> Estimate | None:
        """Of one run; its ``value`` is in the turned sign (``value_of``)."""
        return self.best.estimates[self.run_ids.index(run_id)]

    def value_of(self, estimate: Estimate) -> float:
        """The estimated value as the metric has it."""
        return self.sign * estimate.value

    def beaten(self, run_id: str) -> tuple[str, Beaten] | None:
        """Why a run is out, and the run that beats it."""
        found = self.best.beaten.get(self.run_ids.index(run_id))
        return None if found is None else (self.run_ids[found.by], found)

    def repeats(self, run_id: str) -> frozenset[str]:
        """The run and all that differ from it in nothing but the seed, where configurations are compared."""
        return frozenset(each for each in self.run_ids if self.settings[each] == self.settings[run_id])

    def compared(self, first: str, second: str) -> Compared | None:
        """How far ``first`` is worse than ``second``; ``None`` where they are of one configuration, or unknown."""
        return self.best.compared.get((self.run_ids.index(first), self.run_ids.index(second)))


@dataclass(frozen=True, slots=True)
class Lead:
    """Which ranked runs cannot be told from the recommended one, by what ranks them.

    Attributes:
        outcome: ``WINNER`` where each can be told from it.
        level_with: Those that may be as good, best first.
        undecided: Those of which it cannot be told, as the noise of one of the two is unknown.
        for_gap: Those of ``level_with`` that are so for what the gaps may hide alone.
        unknown_gaps: The runs of the ranking whose gap is unknown, where that makes a tie.
        never_better: Those that were never better than before training, and so are behind whatever the noise is.
        bases: What the errors of the comparisons were taken from.
        few: One of the two compared runs has 3 to 5 evaluations.
        is_gap_error_known: The errors of all gaps that count are known.
        settings: Where configurations are compared and that of the recommended run wins, how far the nearest of the
            others is behind it.
        within: Of each rival that can be compared, how far it could be behind by noise alone, in what ranks: it may be
            as good where it is no further behind. In points or in the deciding metric, at least 0.
    """

    outcome: Outcome
    level_with: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    for_gap: tuple[str, ...] = ()
    unknown_gaps: tuple[str, ...] = ()
    never_better: tuple[str, ...] = ()
    bases: frozenset[Basis] = frozenset()
    few: bool = False
    is_gap_error_known: bool = True
    settings: Compared | None = None
    within: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)


def contest(
    run_ids: Iterable[str],
    metrics: Mapping[str, RunMetrics],
    metric: str,
    better: Better | None,
    repeats: Mapping[str, Hashable],
) -> Contest:
    """Say which of these runs, whose values compare, may have the best true value of a metric.

    Args:
        run_ids: In any order.
        metrics: What they say about theirs, by run id.
        metric: Which metric.
        better: Its direction; lower where it is not known.
        repeats: Of ``configurations``.
    """
    sign = -1.0 if better == "higher" else 1.0
    run_ids = tuple(sorted(run_ids))
    fits = [metrics[run_id].fitted(metric, sign) for run_id in run_ids]
    found = best_of(fits, [repeats.get(run_id, run_id) for run_id in run_ids] if repeats else None)
    values = {run_id: metrics[run_id].values(metric) for run_id in run_ids}
    raw = {run_id: sign * float((sign * each).min()) for run_id, each in values.items() if len(each)}
    worst = {run_id: sign * float((sign * each).max()) for run_id, each in values.items() if len(each)}
    measured = {run_id: len(each) for run_id, each in values.items()}
    settings = {run_id: repeats.get(run_id, run_id) if found.seed_freedom else run_id for run_id in run_ids}
    return Contest(metric, run_ids, found, sign, measured, raw, worst, settings)


def configurations(runs: Sequence[RunSummary]) -> dict[str, Hashable]:
    """The configuration of each repeat, without the second run of one seed: that tells nothing of seeds."""
    groups = repeat_groups(runs)
    found: dict[str, Hashable] = {}
    seen = set()
    for run in sorted(runs, key=lambda run: run.run_id):
        key = groups.get(run.run_id), seed_of(run)
        if run.run_id in groups and key not in seen:
            seen.add(key)
            found[run.run_id] = ("repeats of", groups[run.run_id])
    return found


def lead_among(recommendation: Recommendation, found: Contest) -> tuple[Lead, frozenset[str]]:
    """Say which of the ranked runs may be as good as the best, by the composite or by the deciding metric.

    The best is the first by score. Where configurations are compared it is the first run of the one that is ahead of
    all others beyond the noise: a single run of another may have had the luckier seed.

    Returns:
        The lead, and the runs of the configuration that wins; none of them where runs are compared, or none wins.
    """
    scores = recommendation.scores
    if len(scores) < 2:
        return Lead(Outcome.CANNOT_TELL), frozenset()
    first = lead_of(scores[0], recommendation, found)
    seen: set[str] = set()
    for score in scores if found.best.seed_freedom else ():
        if score.run_id in seen:
            continue
        settings = found.repeats(score.run_id)
        seen |= settings
        lead = first if score is scores[0] else lead_of(score, recommendation, found)
        if lead.outcome is Outcome.WINNER and lead.bases:
            others = [found.compared(each.run_id, score.run_id) for each in scores if each.run_id not in settings]
            nearest = min((one for one in others if one is not None), key=lambda one: one.difference.value)
            return replace(lead, settings=nearest), settings
    return first, frozenset()


def lead_of(winner: RunScore, recommendation: Recommendation, found: Contest) -> Lead:
    """Say which of the ranked runs may be as good as one of them: of other configurations the first run by score."""
    scores, seen = recommendation.scores, set(found.repeats(winner.run_id))
    rivals: list[RunScore] = []
    for score in scores:
        if score.run_id not in seen:
            rivals.append(score)
            seen |= found.repeats(score.run_id)
    level: list[str] = []
    undecided: list[str] = []
    for_gap: list[str] = []
    unknown: set[str] = set()
    compared_with: list[Compared] = []
    within: dict[str, float] = {}
    for rival in rivals:
        compared = found.compared(rival.run_id, winner.run_id)
        mine, theirs = found.estimate(winner.run_id), found.estimate(rival.run_id)
        if mine is None or theirs is None:
            undecided.append(rival.run_id)
        elif rival.total is None:
            # Beaten by whomever, it is not the best.
            if rival.run_id in found.members and compared is not None:
                level.append(rival.run_id)
            if compared is not None:
                compared_with.append(compared)
                left = compared.difference.value - compared.within
                within[rival.run_id] = max(ahead_of(winner, rival) - left, 0.0)
        elif compared is not None:
            compared_with.append(compared)
            left = _left(winner, rival, mine, theirs, compared, recommendation, with_gaps=True)
            within[rival.run_id] = max(ahead_of(winner, rival) - left, 0.0)
            if left <= 0.0:
                level.append(rival.run_id)
                if _left(winner, rival, mine, theirs, compared, recommendation, with_gaps=False) > 0.0:
                    for_gap.append(rival.run_id)
                    if recommendation.gaps_count:
                        unknown |= {each.run_id for each in (winner, rival) if each.gap is None}
    # A run that never beat the base model cannot be the one to ship beside one that was not shown to be like that.
    never = {each.run_id for each in rivals if each.never_better and not winner.never_better}
    worse = [run_id for run_id in level if run_id in never]
    level = [run_id for run_id in level if run_id not in never]
    outcome = Outcome.TIE if level else Outcome.CANNOT_TELL if undecided else Outcome.WINNER
    counting = [each.values for each in scores if each.gap is not None] if recommendation.gaps_count else []
    return Lead(
        outcome,
        tuple(level),
        tuple(undecided),
        tuple(for_gap),
        tuple(each.run_id for each in scores if each.run_id in unknown),
        tuple(worse),
        frozenset(each.difference.basis for each in compared_with),
        few=found.best.few and bool(compared_with),
        is_gap_error_known=all(each.eval_error is not None and each.train_error is not None for each in counting),
        within=within,
    )


def _left(
    winner: RunScore,
    rival: RunScore,
    mine: Estimate,
    theirs: Estimate,
    compared: Compared,
    recommendation: Recommendation,
    *,
    with_gaps: bool,
) -> float:
    policy = recommendation.policy
    lowest = lowest_loss(each.values for each in recommendation.scores)

    def scored(score: RunScore, estimate: Estimate) -> Scored:
        bands = point_bands(score.values, policy)
        if not with_gaps:
            return Scored(estimate.value, estimate.error, None, 0.0, bands, (score.gap_points, score.gap_points))
        return Scored(estimate.value, estimate.error, score.gap, score.values.gap_error, bands, policy.gap_range)

    def total(loss: float, points: float) -> float:
        return composite(loss_points(loss, lowest, policy), points, policy, gaps_count=recommendation.gaps_count)

    return lead_left(
        scored(winner, mine),
        scored(rival, theirs),
        compared.difference.value,
        compared.within,
        compared.quantile,
        total,
    )


def others_among(
    recommendation: Recommendation, metrics: Mapping[str, RunMetrics], repeats: Mapping[str, Hashable]
) -> tuple[Contest, ...]:
    """The metrics by which the recommended run has not the best single value: only these may speak against it."""
    deciding, winner = recommendation.deciding, recommendation.run_id or ""
    ids = {each.run_id for each in recommendation.scores}
    if len(ids) < 2:
        return ()
    found = []
    for each in deciding.candidates:
        if each.better is None or not each.measures:
            continue
        if each.metric == deciding.metric or not ids <= set(each.run_ids):
            continue
        values = {run_id: metrics[run_id].values(each.metric) for run_id in ids}
        best = {
            run_id: (one.max() if each.better == "higher" else one.min()) for run_id, one in values.items() if len(one)
        }
        if winner in best and best[winner] != (max if each.better == "higher" else min)(best.values()):
            found.append(contest(ids, metrics, each.metric, each.better, repeats))
    return tuple(found)
