"""What would flip the verdict: another eval weight, or another eval loss or gap of a rival.

Composites are linear in the eval weight, so the weights with which a run stays the winner are an interval, whose ends
have a closed form. Who wins at an end is asked of ``scoring.rank``, with its rounding and its tie-breaks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lib.core.ranking.flip_change import Change, as_run, eval_loss_change, gap_change
from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation, RunScore, ScoringPolicy, rank
from lib.core.text import formatting


@dataclass(frozen=True, slots=True)
class WeightInterval:
    """Where the present winner stays the winner, the other weights and bands unchanged.

    Attributes:
        low, high: The ends, shares of 1; the present weight is between them.
        low_holds, high_holds: The winner still wins at the end itself.
        below, above: The run that takes over beyond the end; ``None`` where the end is 0 or 1 and the winner holds it.
    """

    low: float
    high: float
    low_holds: bool
    high_holds: bool
    below: str | None
    above: str | None


@dataclass(frozen=True, slots=True)
class RivalFlip:
    """What would make one rival win at the present weight.

    Attributes:
        run_id: The rival.
        margin: Composite of the winner less the rival's, points.
        eval_loss: The smallest change of its eval loss to a value from 0 on, its train loss unchanged, so that its gap
            changes by as much; ``None`` where none makes it win.
        gap: The smallest change of its gap by its train loss alone, its eval loss unchanged; ``None`` where none does.
    """

    run_id: str
    margin: float
    eval_loss: Change | None
    gap: Change | None


@dataclass(frozen=True, slots=True)
class Flip:
    """What would flip a recommendation.

    Attributes:
        run_id: The recommended run; ``None`` without one.
        weight: The present eval weight.
        interval: Where the recommendation stays; ``None`` without a recommended run.
        rivals: The other eligible runs, best first: the first one has the smallest margin.
        nearest_by_weight: The run that takes over first when the weight moves; ``None`` where none does.
        sentences: For people.
    """

    run_id: str | None
    weight: float
    interval: WeightInterval | None
    rivals: tuple[RivalFlip, ...]
    nearest_by_weight: str | None
    sentences: tuple[str, ...]


def flip_of(recommendation: Recommendation, labels: Mapping[str, str] | None = None) -> Flip:
    """Say what would flip a recommendation.

    Args:
        recommendation: Of ``lib.core.ranking.scoring.recommend``.
        labels: What the runs are called in sentences; their ids by default.
    """
    scores, policy = recommendation.ranking.scores, recommendation.policy
    weight = policy.eval_weight
    if not scores:
        return Flip(None, weight, None, (), None, ("No run is recommended, so there is nothing to flip.",))
    winner, *others = scores
    interval = weight_interval(scores, policy)
    rivals = tuple(
        RivalFlip(
            run_id=rival.run_id,
            margin=winner.total - rival.total,
            eval_loss=eval_loss_change(winner, rival, policy),
            gap=gap_change(winner, rival, policy),
        )
        for rival in others
    )
    if not others:
        sentences = ("Nothing can flip the verdict: the recommended run is the only eligible one.",)
    else:
        called = {score.run_id: (labels or {}).get(score.run_id, score.run_id) for score in scores}
        sentences = (
            *_weight_sentences(interval, weight, called),
            _change_sentence(called[others[0].run_id], others[0], rivals[0]),
        )
    return Flip(winner.run_id, weight, interval, rivals, _nearest(interval, weight), sentences)


def weight_interval(scores: tuple[RunScore, ...], policy: ScoringPolicy) -> WeightInterval:
    """The eval weights with which the first of ``scores`` stays first.

    With eval points a and gap points g the winner c is ahead of rival r by ``D(w) = w (ac - ar) + (1 - w) (gc - gr)``,
    linear in w: each rival gives one bound ``w = (gr - gc) / ((ac - ar) + (gr - gc))`` at most. Points are compared
    rounded to ``TIE_DECIMALS``, so an end may be off by 1e-9 points, divided by how fast D changes.

    Args:
        scores: Of ``rank``, best first, at least one.
        policy: With which they were ranked.
    """
    winner, *rivals = scores
    weight = policy.eval_weight
    low, high = 0.0, 1.0
    for rival in rivals:
        loss_lead = winner.loss_points - rival.loss_points
        gap_lead = winner.gap_points - rival.gap_points
        # At w = 0 the lead is gap_lead, at w = 1 it is loss_lead; only where the signs differ is there a bound.
        if gap_lead < 0.0 < loss_lead or (gap_lead < 0.0 and loss_lead == 0.0):
            low = max(low, min(gap_lead / (gap_lead - loss_lead), weight))
        elif loss_lead < 0.0 < gap_lead or (loss_lead < 0.0 and gap_lead == 0.0):
            high = min(high, max(gap_lead / (gap_lead - loss_lead), weight))
    below, above = _first_at(scores, policy, low, -1), _first_at(scores, policy, high, +1)
    return WeightInterval(
        low=low,
        high=high,
        low_holds=_first_at(scores, policy, low) == winner.run_id,
        high_holds=_first_at(scores, policy, high) == winner.run_id,
        below=None if below == winner.run_id else below,
        above=None if above == winner.run_id else above,
    )


def _first_at(scores: tuple[RunScore, ...], policy: ScoringPolicy, weight: float, beyond: int = 0) -> str:
    """The run that wins at a weight or, if ``beyond`` is -1 or 1, just below or above it."""
    within = 0.0 <= weight + beyond * 1e-12 <= 1.0
    ranked = rank([as_run(score) for score in scores], replace(policy, eval_weight=weight)).scores
    if not beyond or not within:
        return ranked[0].run_id
    # Of those level at the bound, the one whose composite grows fastest beyond it; the order of ``ranked`` is that of
    # the tie-breaks.
    level = [one for one in ranked if abs(one.total - ranked[0].total) <= 2.0 * 10.0**-TIE_DECIMALS]
    return max(level, key=lambda one: beyond * (one.loss_points - one.gap_points)).run_id


def _nearest(interval: WeightInterval, weight: float) -> str | None:
    ends = [(weight - interval.low, interval.below), (interval.high - weight, interval.above)]
    return min(((away, run_id) for away, run_id in ends if run_id is not None), default=(0.0, None))[1]


def _weight_sentences(interval: WeightInterval, weight: float, called: Mapping[str, str]) -> tuple[str, ...]:
    if interval.below is None and interval.above is None:
        return ("It stays the recommended run whatever the eval weight is.",)
    # Rounded so that what the sentences promise holds of the numbers that they show.
    low, high = math.ceil(interval.low * 1000.0) / 10.0, math.floor(interval.high * 1000.0) / 10.0
    now = weight * 100.0
    sentences = [
        f"It stays the recommended run for eval weights from {min(low, now):.4g}% to {max(high, now):.4g}%;"
        f" the weight is {now:.4g}%."
    ]
    if interval.below is not None:
        sentences.append(f"Below {math.floor(interval.low * 1000.0) / 10.0:.4g}%, {called[interval.below]} would be.")
    if interval.above is not None:
        sentences.append(f"Above {math.ceil(interval.high * 1000.0) / 10.0:.4g}%, {called[interval.above]} would be.")
    return tuple(sentences)


def _change_sentence(called: str, rival: RunScore, flip: RivalFlip) -> str:
    ways = []
    if flip.eval_loss is not None:
        ways.append(f"with {_shown('eval loss', flip.eval_loss, rival.eval_loss)}, its train loss unchanged")
    if flip.gap is not None:
        ways.append(f"with {_shown('gap', flip.gap, rival.gap)}, its eval loss unchanged")
    ahead = f"{flip.margin:.2f} points behind" if flip.margin >= 0.01 else "less than 0.01 points behind"
    if not ways:
        return f"Neither its eval loss nor its gap alone would make the runner-up {called} win ({ahead})."
    return f"The runner-up {called} ({ahead}) would win {', or '.join(ways)}."


def _shown(what: str, change: Change, present: float | None) -> str:
    article = "an" if what == "eval loss" else "a"
    band = f', in the gap band "{change.band}"' if change.crosses else ""
    if present is None:
        return f"{article} {what} known to be about {formatting.loss(change.target)}{band}"
    if change.delta == 0.0:
        return f"any {'lower eval loss' if what == 'eval loss' else 'smaller gap'}{band}"
    target, now = formatting.apart(change.target, present, 4)
    return f"{article} {what} of about {target} (it has {now}){band}"
