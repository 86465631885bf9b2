"""The smallest change of one number of a run that makes it win over the recommended run.

Between two band edges the composite falls strictly with the eval loss, so every bound has a closed form. Whether the
run wins at the bound itself is asked of ``lib.core.ranking.scoring.recommend``, with its rounding and its tie-breaks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.scoring import TIE_DECIMALS, GapBand, RunScore, ScoringPolicy, band_of, recommend

NARROW = 1e-12
"""A range of eval losses or gaps no wider than this is one of rounding errors."""


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change of one number of a rival that makes it win.

    Attributes:
        target: The number it would have, nats.
        delta: ``target`` less the present number; ``None`` where there is none (an unknown gap).
        reached: It wins at the target itself; otherwise just beyond it, on the other side from where it is now, or
            just below where ``delta`` is 0.
        band: The label of the gap band that it would be in.
        crosses: It is in another band now.
    """

    target: float
    delta: float | None
    reached: bool
    band: str
    crosses: bool


def eval_loss_change(
    winner: RunScore, rival: RunScore, policy: ScoringPolicy, highest: float = math.inf
) -> Change | None:
    """The smallest change of the rival's eval loss that makes it win, its train loss unchanged.

    In a band, which is an interval of eval losses, the rival wins below the loss that gives it the winner's composite:
    ``-ln((total - (1 - w) g) / (100 w))``. A higher eval loss can win too, by leaving the band of negative gaps. Eval
    losses below 0 do not occur with cross-entropy and are not looked at, nor are those above ``highest``.
    """
    found: list[Change] = []
    base = rival.train_loss or 0.0
    for band, start, end in _bands(rival, policy):
        low, high = max(base + start, 0.0), min(base + end, _level_loss(winner, band, policy), highest)
        if low > high:
            continue
        target = min(max(rival.eval_loss, low), high)
        moved = replace(rival, eval_loss=target)
        reached = _band_at(target, rival, policy) is band and _wins(moved, winner, policy)
        # A range of one point is only that point; winning just below its end takes a range.
        if reached or high - low > NARROW:
            found.append(_change(target, rival.eval_loss, reached, band, rival, policy))
    return min(found, key=_size, default=None)


def gap_change(winner: RunScore, rival: RunScore, policy: ScoringPolicy) -> Change | None:
    """The smallest change of the rival's gap that makes it win, its eval loss unchanged; so the train loss changes.

    The gap counts by its band, so the change leads to the nearest edge of a band with enough points; only where the
    composites and the eval losses are level does the size of the gap itself decide. For an unknown gap it is the gap
    nearest to 0 that would win.
    """
    found: list[Change] = []
    for band, start, end in _gap_bands(policy):
        low, high = start, end
        total = policy.eval_weight * rival.loss_points + policy.gap_weight * band.points
        lead = round(total, TIE_DECIMALS) - round(winner.total, TIE_DECIMALS)
        if lead < 0.0 or (lead == 0.0 and rival.eval_loss > winner.eval_loss):
            continue
        if lead == 0.0 and rival.eval_loss == winner.eval_loss and winner.gap is not None:
            low, high = max(low, -abs(winner.gap)), min(high, abs(winner.gap))
        if low > high:
            continue
        present = 0.0 if rival.gap is None else rival.gap
        target = min(max(present, low), high)
        moved = replace(rival, train_loss=rival.eval_loss - target)
        reached = band_of(target, policy) is band and _wins(moved, winner, policy)
        if reached or high - low > NARROW:
            found.append(_change(target, rival.gap, reached, band, rival, policy))
    return min(found, key=_size, default=None)


def _size(change: Change) -> tuple[float, bool]:
    """How large a change is; one that wins at its target comes before one that wins just beyond the same."""
    return abs(change.target if change.delta is None else change.delta), not change.reached


def _change(
    target: float, present: float | None, reached: bool, band: GapBand, rival: RunScore, policy: ScoringPolicy
) -> Change:
    delta = None if present is None else target - present
    return Change(target, delta, reached, band.label, band is not band_of(rival.gap, policy))


def _bands(rival: RunScore, policy: ScoringPolicy) -> Iterator[tuple[GapBand, float, float]]:
    """The bands that the rival can be in by its eval loss, each with its least gap and the end of its gaps."""
    if rival.train_loss is None:
        yield policy.unknown_band, -math.inf, math.inf
    else:
        yield from _gap_bands(policy)


def _gap_bands(policy: ScoringPolicy) -> Iterator[tuple[GapBand, float, float]]:
    start = -math.inf
    for band in policy.bands:
        end = math.inf if band is policy.bands[-1] else band.below
        yield band, start, end
        start = max(start, end)


def _band_at(eval_loss: float, rival: RunScore, policy: ScoringPolicy) -> GapBand:
    return band_of(None if rival.train_loss is None else eval_loss - rival.train_loss, policy)


def _level_loss(winner: RunScore, band: GapBand, policy: ScoringPolicy) -> float:
    """The eval loss with which a run in ``band`` has the winner's composite; infinite where every one gives more."""
    spare = winner.total - policy.gap_weight * band.points
    if not policy.eval_weight:
        # The eval loss cannot change the composite; it decides between equal ones.
        lead = -round(spare, TIE_DECIMALS)
        return winner.eval_loss if lead == 0.0 else math.copysign(math.inf, lead)
    if spare <= 0.0:
        return math.inf
    level = -math.log(spare / (100.0 * policy.eval_weight))
    # Its own loss is recovered from its points with a rounding error that would part what is level.
    return winner.eval_loss if math.isclose(level, winner.eval_loss, rel_tol=1e-12, abs_tol=1e-12) else level


def _wins(rival: RunScore, winner: RunScore, policy: ScoringPolicy) -> bool:
    return recommend([as_run(rival), as_run(winner)], policy).scores[0].run_id == rival.run_id


def as_run(score: RunScore) -> RunSummary:
    """A run that is scored as this one, whatever the policy."""
    return RunSummary(
        run_id=score.run_id,
        name=score.run_id,
        status=RunStatus.COMPLETED,
        best_eval_loss=score.eval_loss,
        loss=score.train_loss,
        completed_at=score.completed_at,
    )
