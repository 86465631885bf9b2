"""Why the recommended run is first, why another is behind it, and why a run was left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from lib.core.facts.limits import Count
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import (
    LeftOut,
    Recommendation,
    Rule,
    RunScore,
    Unscorable,
    deciding_rule,
)
from lib.core.text import formatting

REASONS_SHOWN = Count(
    3, "Reasons shown", "Reasons that the panel shows; what else there is to say is among the details."
)


class ReasonCode(StrEnum):
    """What a reason says."""

    EVAL_LOSS = "eval_loss"
    GAP = "gap"
    ALONE = "alone"
    TIE = "tie"
    MARGIN = "margin"
    WOULD_CHANGE = "would_change"
    NOTHING_SELECTED = "nothing_selected"
    NONE_ELIGIBLE = "none_eligible"


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence about the recommendation; it names no run."""

    code: ReasonCode
    sentence: str


LEFT_OUT: Mapping[LeftOut, str] = MappingProxyType(
    {
        LeftOut.RUNNING: "still running",
        LeftOut.QUEUED: "not started yet",
        LeftOut.PAUSED: "paused",
        LeftOut.FAILED: "failed",
        LeftOut.CANCELLED: "cancelled",
        LeftOut.UNKNOWN: "status not understood: {}",
        LeftOut.NO_EVAL_LOSS: "no eval loss logged",
        LeftOut.NO_FINITE_EVAL_LOSS: "no finite eval loss logged",
    }
)


class RuleWords(NamedTuple):
    """A rule of the order for people.

    Attributes:
        goes_to: Which of two runs it puts first.
        wins_by: What a run has that it puts first.
    """

    goes_to: str
    wins_by: str


TIE_BREAKS: Mapping[Rule, RuleWords] = MappingProxyType(
    {
        Rule.LOWER_EVAL_LOSS: RuleWords("the lower E", "its lower eval loss"),
        Rule.KNOWN_GAP: RuleWords("a known gap", "its known gap"),
        Rule.SMALLER_GAP: RuleWords("the smaller absolute gap", "its smaller gap"),
        Rule.KNOWN_COMPLETION: RuleWords("a known time of completion", "its known time of completion"),
        Rule.EARLIER_COMPLETION: RuleWords("the earlier completion", "having completed earlier"),
        Rule.LOWER_ID: RuleWords("the lower id", "its id, the last tie-break"),
    }
)
"""The rules that decide between equal composites, in their order."""


def left_out(unscorable: Unscorable) -> str:
    """Why a run may not be recommended, as the end of a sentence."""
    return LEFT_OUT[unscorable.code].format(unscorable.status_text)


def tie_break(winner: RunScore, other: RunScore) -> str:
    """What puts ``winner`` before ``other`` though their composites are equal."""
    rule = deciding_rule(winner, other)
    words = TIE_BREAKS[rule].wins_by
    if rule is not Rule.SMALLER_GAP:
        return words
    return f"{words} ({formatting.signed(winner.gap)} against {formatting.signed(other.gap)})"


def is_tied(winner: RunScore, other: RunScore) -> bool:
    """Whether their composites are equal."""
    return deciding_rule(winner, other) is not Rule.HIGHER_COMPOSITE


def why_behind(winner: RunScore, other: RunScore) -> str:
    """How far a ranked run is behind the recommended one, or what decides between the two."""
    if is_tied(winner, other):
        level = f"{formatting.points(other.total)}, level with the recommended run"
        return f"{level}, which wins by {tie_break(winner, other)}."
    shown, _ = formatting.told_apart(other.total, winner.total)
    behind, _ = formatting.told_apart(winner.total - other.total, 0.0)
    return f"{shown}, {behind} points behind."


def why_alone(decision: Decision) -> str:
    """Why the recommended run is ranked with no other."""
    if decision.other_classes:
        return "it is the best of its own class of comparable runs, and the only one in it"
    return "it is the only completed run with an eval loss among the selected"


def reasons_of(decision: Decision) -> tuple[Reason, ...]:
    """Why the recommended run is first, or why none is: at least one reason."""
    recommendation = decision.recommendation
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None:
        return (_why_none(recommendation),)
    said = [_eval_loss(winner, recommendation), _gap(winner, recommendation)]
    if runner_up is None:
        start = "I" if decision.other_classes else "It had no competition: i"
        return (*said, Reason(ReasonCode.ALONE, f"{start}{why_alone(decision).removeprefix('i')}."))
    return (*said, _lead(winner, runner_up), _would_change(winner, runner_up, decision))


def strongest(reasons: tuple[Reason, ...], recommendation: Recommendation) -> tuple[Reason, ...]:
    """At most ``REASONS_SHOWN`` of the reasons, the strongest first.

    The parts of the score come first, that one before the other which carries more of the lead over the runner-up. A
    part in which it is behind is no reason, nor is a gap that is level with the runner-up's and not of the best band.
    Then how far it is ahead, and what would turn that.
    """
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None or runner_up is None:
        return reasons[:REASONS_SHOWN]
    parts = (ReasonCode.EVAL_LOSS, ReasonCode.GAP)
    order = [*_carrying(winner, runner_up, recommendation), *(each.code for each in reasons if each.code not in parts)]
    by_code = {reason.code: reason for reason in reasons}
    return tuple(by_code[code] for code in order)[:REASONS_SHOWN]


def _carrying(winner: RunScore, runner_up: RunScore, recommendation: Recommendation) -> Iterator[ReasonCode]:
    """The parts of the score that speak for the winner over the runner-up, that which carries more first."""
    policy = recommendation.policy
    is_best_band = winner.gap_points >= max(band.points for band in policy.bands)
    parts = (
        (policy.eval_weight * (winner.loss_points - runner_up.loss_points), ReasonCode.EVAL_LOSS, True),
        (policy.gap_weight * (winner.gap_points - runner_up.gap_points), ReasonCode.GAP, is_best_band),
    )
    for carried, code, level_counts in sorted(parts, key=lambda part: -part[0]):
        if carried > 0.0 or (carried == 0.0 and level_counts):
            yield code


def _why_none(recommendation: Recommendation) -> Reason:
    if not recommendation.unscorable:
        return Reason(ReasonCode.NOTHING_SELECTED, "No run is selected, so there is nothing to recommend.")
    return Reason(
        ReasonCode.NONE_ELIGIBLE,
        "No run can be recommended: only completed runs with an eval loss can be, and none of the selected is.",
    )


def _eval_loss(winner: RunScore, recommendation: Recommendation) -> Reason:
    gives = f"gives {winner.loss_points:.2f} of 100 points (weight {recommendation.policy.eval_weight:.0%})"
    return Reason(ReasonCode.EVAL_LOSS, f"Its eval loss is {winner.eval_loss:z.4f}, which {gives}.")


def _gap(winner: RunScore, recommendation: Recommendation) -> Reason:
    said = (
        "unknown, because no finite train loss was logged"
        if winner.gap is None
        else f"{winner.gap:+z.4f}: {winner.gap_label}"
    )
    gives = f"{winner.gap_points:.0f} of 100 points (weight {recommendation.policy.gap_weight:.0%})"
    return Reason(ReasonCode.GAP, f"The gap between eval and train loss is {said}, {gives}.")


def _lead(winner: RunScore, runner_up: RunScore) -> Reason:
    if is_tied(winner, runner_up):
        said = f"It ties with the runner-up and wins by {tie_break(winner, runner_up)}."
        return Reason(ReasonCode.TIE, said)
    return Reason(ReasonCode.MARGIN, f"It is {shown_margin(winner.total - runner_up.total)} ahead of the runner-up.")


def shown_margin(points: float) -> str:
    """A difference of two composites in points, where one that rounds to nothing is said to be small."""
    return f"{points:.2f} points" if points >= 0.01 else "less than 0.01 points"


def _would_change(winner: RunScore, runner_up: RunScore, decision: Decision) -> Reason:
    change = None if decision.flip.runner_up is None else decision.flip.runner_up.lower_eval_loss
    if change is None or change.target <= 0.0:
        said = "No lower eval loss alone would make the runner-up win."
    elif not decision.recommendation.policy.eval_weight and change.target == winner.eval_loss:
        # The eval loss has no weight: it cannot change the composite, but it breaks the tie.
        said = (
            f"The runner-up would win the tie with an eval loss below {winner.eval_loss:z.4f} in its present gap band."
        )
    else:
        # Rounded down: what the sentence promises must hold of the number that it shows. "Just", because
        # a much lower eval loss may leave the gap band that makes it win.
        shown = math.floor(change.target * 1e4) / 1e4
        said = (
            f"The runner-up would win with an eval loss just below {shown:.4f}"
            f" (it has {formatting.loss(runner_up.eval_loss)}), its train loss unchanged."
        )
    return Reason(ReasonCode.WOULD_CHANGE, said)
