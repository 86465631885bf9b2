"""The rule that ranks, applied to runs line by line, with the numbers put in: a score can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lib.core.curves.train_window import WINDOW_SHARE
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.ranking.policy import GapBand, ScoringPolicy
from lib.core.ranking.scoring import Recommendation, RunScore, deciding_rule, lead_of, lowest_loss, point_bands
from lib.core.text import formatting
from lib.core.text.log_units import in_epochs
from lib.core.text.phrases import listed
from lib.core.text.precision import to_decimals, together
from lib.core.verdict.metric_words import best_word, margin_words, metric_name
from lib.core.verdict.reasons import TIE_BREAKS

DIGITS = 7
"""Significant digits of the numbers that are put in: with fewer the last shown digit of a score could differ."""
LEAST_SHARE = 5e-7
"""Smaller shares of a band are 0 in the digits that are shown."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the rule.

    Attributes:
        title: What is worked out.
        rule: How.
        values: What it comes to for each run, best run first.
        put_in: The same rule with the numbers of each run; "" where there is nothing to put in.
        is_result: Whether it is what ranks.
    """

    title: str
    rule: str
    values: tuple[str, ...]
    put_in: tuple[str, ...]
    is_result: bool = False


def steps(recommendation: Recommendation, *, with_points: bool = True) -> tuple[Step, ...]:
    """The rule applied to the ranked runs; without their points where these are of a class that is not ranked.

    Where the logs of all count epochs, that is what it speaks of.
    """
    found = tuple(_steps(recommendation, with_points=with_points))
    if not all(score.values.in_epochs for score in recommendation.scores):
        return found
    return tuple(replace(each, title=in_epochs(each.title), rule=in_epochs(each.rule)) for each in found)


def _steps(recommendation: Recommendation, *, with_points: bool) -> Iterator[Step]:
    scores, deciding, policy = recommendation.scores, recommendation.deciding, recommendation.policy
    words = metric_name(deciding.metric)
    yield _step("Best step", f"the earliest at which the {words} is {best_word(deciding)}", scores, _at)
    if not deciding.is_loss:
        title = words[:1].upper() + words[1:]
        rule = f"ranks: {best_word(deciding)} first, no points"
        yield Step(title, rule, together([score.value for score in scores]), ("",) * len(scores), True)
    loss = (
        "Eval loss E" if deciding.metric == EVAL_LOSS or not deciding.is_loss else f"{words[:1].upper()}{words[1:]}, E"
    )
    # Numbers that are worked on with have all their digits; where no points are, those that people read.
    numbers = _numbers if deciding.is_loss and with_points else together
    losses = numbers([score.eval_loss for score in scores])
    yield Step(loss, "logged at that step", losses, ("",) * len(scores))
    if deciding.is_loss and with_points:
        yield _loss_points(scores, policy)
    trained = numbers([score.train_loss for score in scores])
    yield Step(
        "Train loss T", f"mean over the last {WINDOW_SHARE:.0%} of the steps up to it", trained, ("",) * len(scores)
    )
    yield Step(
        "Gap",
        "E − T",
        tuple(_number(score.gap, "+") if numbers is _numbers else to_decimals(score.gap, 4, "+") for score in scores),
        tuple(score.gap_label for score in scores),
    )
    if deciding.is_loss and with_points and recommendation.gaps_count:
        yield _error(scores)
        yield from _shares(scores, policy)
        yield _gap_points(scores, policy)
    if deciding.is_loss and with_points:
        yield _composite(recommendation)
    if len(scores) > 1 and not recommendation.settings:
        yield _behind(scores)


def _step(title: str, rule: str, scores: Sequence[RunScore], show: object, *, is_result: bool = False) -> Step:
    assert callable(show)
    return Step(title, rule, tuple(show(score) for score in scores), ("",) * len(scores), is_result)


def _at(score: RunScore) -> str:
    return formatting.count(score.values.step)


def _number(value: float | None, sign: str = "") -> str:
    """A number with the digits that are needed to work on with it."""
    if value is None:
        return formatting.NOT_RECORDED
    return f"{value + 0.0:{sign}.{DIGITS}g}"


def _numbers(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(map(_number, values))


def _loss_points(scores: Sequence[RunScore], policy: ScoringPolicy) -> Step:
    lowest, offset = lowest_loss(score.values for score in scores), policy.loss_offset
    return Step(
        "Eval-loss points",
        f"100 × ((B + {offset:g}) / (E + {offset:g}))^{policy.loss_power}, where B = {_number(lowest)} is the lowest E"
        " of the ranked runs",
        tuple(_points(score.loss_points) for score in scores),
        tuple(
            f"100 × ({_number(lowest + offset)} / {_number(max(score.value, 0.0) + offset)})^{policy.loss_power}"
            for score in scores
        ),
    )


def _points(value: float | None) -> str:
    return formatting.NOT_RECORDED if value is None else f"{value:.4f}"


def _error(scores: Sequence[RunScore]) -> Step:
    def put_in(score: RunScore) -> str:
        parts = [each for each in (score.values.eval_error, score.values.train_error) if each]
        return f"√({' + '.join(f'{each:.4g}²' for each in parts)})" if len(parts) > 1 else ""

    def shown(score: RunScore) -> str:
        if score.gap is None:
            return formatting.NOT_RECORDED
        return f"{score.values.gap_error:.4g}" if score.values.gap_error else "not known: counts as 0"

    return Step(
        "Error of the gap s",
        "√(error of E² + error of T²)",
        tuple(map(shown, scores)),
        tuple(map(put_in, scores)),
    )


def _shares(scores: Sequence[RunScore], policy: ScoringPolicy) -> Iterator[Step]:
    """How likely the gap lies in each band, those in which none does left out."""
    of_each = [_shares_of(score, policy) for score in scores]
    low = -math.inf
    for place, band in enumerate(policy.bands):
        shares = [shares[place] if shares else None for shares in of_each]
        bounds, low = (low, band.below), band.below
        if not any(share is not None and share >= LEAST_SHARE for share in shares):
            continue
        own = [point_bands(score.values, policy).points[place] for score in scores]
        put_in = tuple(
            f"{points:g} points here: chance or averaging explains it"
            if points != band.points and (share or 0.0) >= LEAST_SHARE
            else ""
            for points, share in zip(own, shares, strict=True)
        )
        values = tuple(formatting.NOT_RECORDED if share is None else f"{share:.6f}" for share in shares)
        yield Step(
            f"Share of {band_words(bounds[0], band)}", f"of a normal gap ± s; {band.points:g} points", values, put_in
        )


def band_words(low: float, band: GapBand) -> str:
    """Which gaps a band holds.

    Example:
        >>> band_words(0.05, GapBand(0.1, 80.0, "good")), band_words(-math.inf, GapBand(0.0, 40.0, "leak"))
        ('0.05 ≤ gap < 0.1', 'gap < 0')
    """
    if low == -math.inf:
        return f"gap < {band.below:g}"
    return f"gap ≥ {low:g}" if band.below == math.inf else f"{low:g} ≤ gap < {band.below:g}"


def _shares_of(score: RunScore, policy: ScoringPolicy) -> tuple[float, ...]:
    if score.gap is None:
        return ()
    return point_bands(score.values, policy).shares(score.gap, score.values.gap_error)


def _gap_points(scores: Sequence[RunScore], policy: ScoringPolicy) -> Step:
    def put_in(score: RunScore) -> str:
        shares = _shares_of(score, policy)
        if not shares:
            return f"{policy.unknown_band.points:g}, as the gap is unknown"
        points = point_bands(score.values, policy).points
        return " + ".join(
            f"{share:.6f} × {each:g}" for share, each in zip(shares, points, strict=True) if share >= LEAST_SHARE
        )

    return Step(
        "Gap points",
        "shares × points of the bands",
        tuple(_points(score.gap_points) for score in scores),
        tuple(map(put_in, scores)),
    )


def _composite(recommendation: Recommendation) -> Step:
    scores, policy = recommendation.scores, recommendation.policy
    values = tuple(formatting.points(score.total) for score in scores)
    if not recommendation.gaps_count:
        return Step("Composite", "the eval-loss points alone, as no gap is known", values, ("",) * len(scores), True)
    weights = policy.eval_weight, policy.gap_weight
    return Step(
        "Composite",
        f"{weights[0]:.2f} × eval-loss points + {weights[1]:.2f} × gap points",
        values,
        tuple(
            f"{weights[0]:.2f} × {_points(score.loss_points)} + {weights[1]:.2f} × {_points(score.gap_points)}"
            for score in scores
        ),
        True,
    )


def _behind(scores: Sequence[RunScore]) -> Step:
    def shown(score: RunScore) -> str:
        if score is scores[0]:
            return formatting.NOT_RECORDED
        lead = lead_of(scores[0], score)
        return _number(lead) if score.total is None else formatting.points(lead)

    return Step(
        "Behind the first", "the first one's value less its own", tuple(map(shown, scores)), ("",) * len(scores)
    )


def order_words(recommendation: Recommendation, names: Mapping[str, str]) -> tuple[str, ...]:
    """How the order comes about: who is before whom by a tie-break; best first decides all else."""
    scores, deciding = recommendation.scores, recommendation.deciding
    said = []
    for first, second in pairwise(scores):
        rule = deciding_rule(first, second, deciding)
        if rule in TIE_BREAKS:
            pair = f"{names[first.run_id]} and {names[second.run_id]}"
            said.append(f"{pair} are level; the first has {TIE_BREAKS[rule].goes_to}.")
    return tuple(said)


def ranking_headline(decision: Decision, names: Mapping[str, str]) -> str:
    """Who is first, with what, and how far ahead."""
    recommendation = decision.recommendation
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None:
        return "No selected run can be ranked"
    if not decision.has_main_class:
        return "These runs do not compare: each is ranked among those it compares with"
    name = names[winner.run_id]
    if winner.total is None:
        value = f"{_number(winner.value)} of {metric_name(recommendation.deciding.metric)}"
    else:
        value = f"{formatting.points(winner.total)} points"
    if runner_up is None:
        return f"Only {name} can be ranked: {value}"
    if tied := decision.tied:
        others = listed([names[run_id] for run_id in tied if run_id != winner.run_id])
        return f"{name} is first with {value}, but {others} may be as good"
    lead = margin_words(recommendation)
    ahead = f", {lead} before {names[runner_up.run_id]}" if lead else ""
    return f"{name} is first with {value}{ahead}"
