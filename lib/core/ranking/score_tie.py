"""Is the recommended run's lead in the composite score within the noise of the eval losses?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation, RunScore, ScoringPolicy, band_of
from lib.core.ranking.tie import Estimate, TieKind, TieVerdict, comparison_quantile, welch_freedom


@dataclass(frozen=True, slots=True)
class ScoreTie:
    """Which eligible runs' composites cannot be told from the recommended run's.

    Attributes:
        kind: ``WINNER`` where every rival's composite can be told from the recommended run's.
        level_with: Rivals whose composite may be as high, best first.
        undecided: Rivals about which it cannot be told, as the noise of one of the two is unknown.
        band_may_change: Runs of which the noise reaches into another gap band, in some comparison.
    """

    kind: TieKind
    level_with: tuple[str, ...]
    undecided: tuple[str, ...]
    band_may_change: tuple[str, ...]


def score_tie(recommendation: Recommendation, verdict: TieVerdict) -> ScoreTie:
    """Carry the standard errors of the eval losses into the composites.

    A rival can be told from the recommended run if even the lowest composite that the latter may have is above the
    highest that the rival may have. "May have": its eval loss is moved by up to ``h = q * e / r``, where e is its
    standard error, q the quantile of ``lib.core.ranking.tie`` and ``r = (e1 + e2) / sqrt(e1**2 + e2**2)`` makes the two
    reaches add up to that of a difference (Goldstein and Healy, "The graphical presentation of a collection of means",
    JRSS A 1995). The train loss is taken as exact, so the gap moves with the eval loss, through other bands too.

    Args:
        recommendation: Of ``lib.core.ranking.scoring.recommend``.
        verdict: On the same runs, or more.
    """
    scores = recommendation.scores
    if len(scores) < 2:
        return ScoreTie(TieKind.CANNOT_TELL, (), (), ())
    winner, *rivals = scores
    level_with: list[str] = []
    undecided: list[str] = []
    moved: set[str] = set()
    for rival in rivals:
        if winner.run_id not in verdict.estimates or rival.run_id not in verdict.estimates:
            undecided.append(rival.run_id)
            continue
        (low, _), (_, high), crossing = _ranges(winner, rival, len(scores), verdict, recommendation.policy)
        moved |= crossing
        if round(low - high, TIE_DECIMALS) <= 0.0:
            level_with.append(rival.run_id)
    kind = TieKind.CANNOT_TELL if undecided else TieKind.WINNER
    if level_with:
        kind = TieKind.TIE
    band_may_change = tuple(score.run_id for score in scores if score.run_id in moved)
    return ScoreTie(kind, tuple(level_with), tuple(undecided), band_may_change)


def composite_range(score: RunScore, low: float, high: float, policy: ScoringPolicy) -> tuple[float, float]:
    """The lowest and the highest composite for eval losses from ``low`` to ``high``, the train loss unchanged.

    In every band the gap points are fixed and the eval-loss points fall, so the extremes are at the ends of the bands.
    """
    cuts = [low, high]
    if score.train_loss is not None:
        cuts += [edge for band in policy.bands if low < (edge := score.train_loss + band.below) < high]
    totals: list[float] = []
    for start, end in pairwise(sorted(cuts)):
        gap = None if score.train_loss is None else (start + end) / 2.0 - score.train_loss
        points = policy.gap_weight * band_of(gap, policy).points
        totals += [points + policy.eval_weight * 100.0 * math.exp(-max(loss, 0.0)) for loss in (start, end)]
    return min(totals), max(totals)


def _ranges(
    winner: RunScore, rival: RunScore, contenders: int, verdict: TieVerdict, policy: ScoringPolicy
) -> tuple[tuple[float, float], tuple[float, float], set[str]]:
    """The composites that the two may have, and which of them may be in more than one gap band."""
    first, second = verdict.estimates[winner.run_id], verdict.estimates[rival.run_id]
    both = first.error + second.error
    share = math.hypot(first.error, second.error) / both if both else 1.0
    quantile = comparison_quantile(welch_freedom(first, second), contenders, verdict.level)
    ranges: list[tuple[float, float]] = []
    crossing: set[str] = set()
    for score, estimate in ((winner, first), (rival, second)):
        centre = score.eval_loss + _luck(estimate, verdict)
        reach = quantile * share * estimate.error
        ranges.append(composite_range(score, centre - reach, centre + reach, policy))
        if score.train_loss is not None:
            bands = {band_of(loss - score.train_loss, policy) for loss in (centre - reach, centre + reach)}
            if len(bands | {band_of(score.gap, policy)}) > 1:
                crossing.add(score.run_id)
    return ranges[0], ranges[1], crossing


def _luck(estimate: Estimate, verdict: TieVerdict) -> float:
    """By how much the lowest logged eval loss is too low."""
    return estimate.loss - (verdict.noises[estimate.run_id].lowest or 0.0)
