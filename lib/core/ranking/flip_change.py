"""The smallest change of one number of a run that makes it win over all that it is ranked with.

Whether it wins is asked of ``lib.core.ranking.scoring.first_among``, with its rounding and its tie-breaks: at the edges
of the bands, at places between them that lie closer than the error of the gap smooths, and then ever closer to where it
begins. Between two neighbouring places the points fall or rise one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lib.core.ranking.policy import ScoringPolicy
from lib.core.ranking.scoring import TIE_DECIMALS, RunScore, first_among
from lib.core.ranking.values import RunValues

NARROW = 1e-12
"""A range of eval losses or gaps no wider than this is one of rounding errors."""

_HALVINGS = 60
_ERRORS = 4
"""Edges are smoothed by the error of the gap to so many errors on both sides."""
_PER_ERROR = 3
"""Places in one error."""
_UNIFORM = 40
"""Places from end to end besides."""


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change of one number of a rival that makes it win.

    Attributes:
        target: The number it would have; it wins there or just beyond it, on the other side from where it is now, or
            just below where ``delta`` is 0.
        delta: ``target`` less the present number; ``None`` where there is none (an unknown gap).
    """

    target: float
    delta: float | None


def eval_loss_change(scores: Sequence[RunScore], rival: RunScore, policy: ScoringPolicy) -> Change | None:
    """The smallest change of the rival's eval loss that makes it win, its train loss unchanged.

    A rival that becomes the one with the lowest loss takes points from all others. A higher eval loss can win too, by
    leaving the band of negative gaps. Eval losses below 0 are not looked at.
    """
    values, train = rival.values, rival.train_loss if rival.gap is not None else None

    def moved(eval_loss: float) -> RunValues:
        gap = None if train is None else eval_loss - train
        return replace(values, value=eval_loss, eval_loss=eval_loss, gap=gap)

    ends = [0.0, values.value, *(each.value for each in scores)]
    if train is not None:
        ends += [train + edge for edge in _edges(values, policy)]
    places = [place for place in _places(ends) if place >= 0.0]
    return _nearest(values.value, places, moved, scores, rival, policy)


def gap_change(scores: Sequence[RunScore], rival: RunScore, policy: ScoringPolicy) -> Change | None:
    """The smallest change of the rival's gap that makes it win, its eval loss unchanged; so the train loss changes.

    For an unknown gap it is the gap nearest to 0 that would win.
    """
    values, eval_loss = rival.values, rival.value

    def moved(gap: float) -> RunValues:
        return replace(values, train_loss=eval_loss - gap, gap=gap, unknown=None, doubt=None)

    present = 0.0 if rival.gap is None else rival.gap
    same = [sign * abs(each.gap) for each in scores if each.gap is not None for sign in (1.0, -1.0)]
    places = list(_places([present, *same, *_edges(values, policy)]))
    found = _nearest(present, places, moved, scores, rival, policy)
    return replace(found, delta=None) if found is not None and rival.gap is None else found


def value_change(scores: Sequence[RunScore], rival: RunScore) -> Change:
    """The smallest change of the rival's value of the deciding metric that makes it the best."""
    target = scores[0].value
    return Change(target, target - rival.value)


def _edges(values: RunValues, policy: ScoringPolicy) -> Iterable[float]:
    """The edges of the bands, and places about them as far as the error of the gap smooths them."""
    reach = range(-_ERRORS * _PER_ERROR, _ERRORS * _PER_ERROR + 1) if values.gap_error else (0,)
    for band in policy.bands[:-1]:
        # An edge is one after rounding.
        for beside in (-2.0 * 10.0**-TIE_DECIMALS, 0.0):
            yield band.below + beside
        yield from (band.below + at * values.gap_error / _PER_ERROR for at in reach)


def _places(ends: Sequence[float]) -> list[float]:
    low, high = min(ends), max(ends)
    # Beyond the last edge and the highest loss the points only fall.
    between = (low + (high - low) * at / _UNIFORM for at in range(_UNIFORM + 1))
    return sorted({*ends, *between})


def _nearest(
    present: float,
    places: Sequence[float],
    moved: Callable[[float], RunValues],
    scores: Sequence[RunScore],
    rival: RunScore,
    policy: ScoringPolicy,
) -> Change | None:
    is_first = first_among([each.values for each in scores if each is not rival], policy)

    def wins(place: float) -> bool:
        return is_first(moved(place))

    found: list[float] = []
    for side in (
        [place for place in reversed(places) if place <= present],
        [place for place in places if place >= present],
    ):
        lost = present
        for place in side:
            if wins(place):
                found.append(_closest(lost, place, wins))
                break
            lost = place
    target = min(found, key=lambda place: abs(place - present), default=None)
    if target is None:
        return None
    # Of values that differ by rounding errors the plain one is meant, though it may win only just beyond that.
    plain = [place for place in (present, *(each.value for each in scores), *places) if abs(place - target) <= NARROW]
    if plain:
        target = plain[0]
    return Change(target, target - present)


def _closest(lost: float, won: float, wins: Callable[[float], bool]) -> float:
    """Where it begins to win, on the way from a place where it does not to one where it does."""
    if lost == won or wins(lost):
        return lost
    for _ in range(_HALVINGS):
        middle = (lost + won) / 2.0
        if middle in (lost, won):
            break
        if wins(middle):
            won = middle
        else:
            lost = middle
    return won
