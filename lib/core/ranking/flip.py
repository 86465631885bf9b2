"""What would flip the verdict: another eval weight, or another eval loss, gap or value of a rival.

Composites are linear in the eval weight, so the weights with which a run stays the winner are an interval, whose ends
have a closed form. Who wins at an end is asked of ``scoring.ranked``, with its rounding and its tie-breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib.core.ranking.deciding import EVAL_LOSS_DECIDES
from lib.core.ranking.flip_change import Change, eval_loss_change, gap_change, value_change
from lib.core.ranking.policy import ScoringPolicy
from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation, RunScore, ranked


@dataclass(frozen=True, slots=True)
class WeightInterval:
    """Where the present winner stays the winner, the other weights and bands unchanged.

    Attributes:
        low, high: The ends, shares of 1; the present weight is between them.
        below, above: The run that takes over beyond the end; ``None`` where the end is 0 or 1 and the winner holds it.
    """

    low: float
    high: float
    below: str | None
    above: str | None


@dataclass(frozen=True, slots=True)
class RivalFlip:
    """What would make one rival win at the present weight.

    Attributes:
        eval_loss: The smallest change of its eval loss to a value from 0 on, its train loss unchanged, so that its gap
            changes by as much; ``None`` where none makes it win.
        gap: The smallest change of its gap by its train loss alone, its eval loss unchanged; ``None`` where none does.
        value: Where a metric other than a loss decides, the smallest change of that; the others are then ``None``.
    """

    eval_loss: Change | None = None
    gap: Change | None = None
    value: Change | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """What would flip a recommendation.

    Attributes:
        interval: Where the recommendation stays; ``None`` without a recommended run, and without a composite.
        runner_up: What would make the runner-up win; ``None`` without one.

    Both are ``None`` where settings win between seeds: the score of a single run does not turn that.
    """

    interval: WeightInterval | None
    runner_up: RivalFlip | None


def flip_of(recommendation: Recommendation) -> Flip:
    """Say what would flip a recommendation."""
    scores, policy, deciding = recommendation.scores, recommendation.policy, recommendation.deciding
    if not scores or recommendation.settings:
        return Flip(None, None)
    interval = weight_interval(recommendation) if deciding.is_loss else None
    if len(scores) == 1:
        return Flip(interval, None)
    rival = scores[1]
    if not deciding.is_loss:
        return Flip(None, RivalFlip(value=value_change(scores, rival)))
    return Flip(interval, RivalFlip(eval_loss_change(scores, rival, policy), gap_change(scores, rival, policy)))


def weight_interval(recommendation: Recommendation) -> WeightInterval:
    """The eval weights with which the first of at least one ranked run stays first.

    With eval points a and gap points g the winner c is ahead of rival r by ``D(w) = w (ac - ar) + (1 - w) (gc - gr)``,
    linear in w: each rival gives one bound ``w = (gr - gc) / ((ac - ar) + (gr - gc))`` at most. Points are compared
    rounded to ``TIE_DECIMALS``, so an end may be off by 1e-9 points, divided by how fast D changes.
    """
    scores, policy = recommendation.scores, recommendation.policy
    winner, *rivals = scores
    weight = policy.eval_weight
    low, high = 0.0, 1.0
    for rival in rivals if recommendation.gaps_count else ():
        loss_lead = (winner.loss_points or 0.0) - (rival.loss_points or 0.0)
        gap_lead = winner.gap_points - rival.gap_points
        # At w = 0 the lead is gap_lead, at w = 1 it is loss_lead; only where the signs differ is there a bound.
        if gap_lead < 0.0 < loss_lead or (gap_lead < 0.0 and loss_lead == 0.0):
            low = max(low, min(gap_lead / (gap_lead - loss_lead), weight))
        elif loss_lead < 0.0 < gap_lead or (loss_lead < 0.0 and gap_lead == 0.0):
            high = min(high, max(gap_lead / (gap_lead - loss_lead), weight))
    below, above = _first_at(scores, policy, low, -1), _first_at(scores, policy, high, +1)
    return WeightInterval(
        low,
        high,
        below=None if below == winner.run_id else below,
        above=None if above == winner.run_id else above,
    )


def _first_at(scores: tuple[RunScore, ...], policy: ScoringPolicy, weight: float, beyond: int) -> str:
    """The run that wins just below a weight (``beyond`` is -1) or just above it (1); at the ends, at it."""
    within = 0.0 <= weight + beyond * 1e-12 <= 1.0
    found = ranked([score.values for score in scores], EVAL_LOSS_DECIDES, replace(policy, eval_weight=weight))
    totals = {score.run_id: score.total or 0.0 for score in found}
    if not within:
        return found[0].run_id
    # Of those level at the bound, the one whose composite grows fastest beyond it; the order of ``found`` is that of
    # the tie-breaks.
    level = [one for one in found if abs(totals[one.run_id] - totals[found[0].run_id]) <= 2.0 * 10.0**-TIE_DECIMALS]
    return max(level, key=lambda one: beyond * ((one.loss_points or 0.0) - one.gap_points)).run_id
