"""Why the recommended run is first, why another is behind it, and why a run was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from lib.core.facts.foreign import isolated
from lib.core.gap.plausibility import Implausible
from lib.core.ranking.deciding import Deciding
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import (
    LeftOut,
    Recommendation,
    Rule,
    RunScore,
    Unscorable,
    deciding_rule,
)
from lib.core.ranking.values import GapUnknown, RunValues
from lib.core.text import formatting
from lib.core.text.log_units import in_epochs
from lib.core.text.precision import decimals_for, to_decimals
from lib.core.verdict.changes import ways_to_win
from lib.core.verdict.metric_words import apart, at_step, best_word, lead_words, metric_name, shown_score, values_shown
from lib.core.verdict.seeds import settings_ahead, settings_behind


class ReasonCode(StrEnum):
    """What a reason says."""

    EVAL_LOSS = "eval_loss"
    VALUE = "value"
    GAP = "gap"
    ALONE = "alone"
    TIE = "tie"
    MARGIN = "margin"
    SETTINGS = "settings"
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
        LeftOut.UNKNOWN: "not known to have completed: {status}",
        LeftOut.BROKE_DOWN: "its training broke down: from step {detail} on its losses are no numbers",
        LeftOut.DIED_LEVEL: "its training broke down at {detail}, and one that did not may be as good",
        LeftOut.SAME_TRAINING: "its log is that of {detail}, or the beginning of it: one training",
        LeftOut.NO_EVAL_LOSS: "no eval loss logged",
        LeftOut.NO_FINITE_EVAL_LOSS: "no finite eval loss logged",
        LeftOut.BASE_ONLY: "evaluated only before training, as the base model",
        LeftOut.NO_VALUE: "no {detail} logged",
        LeftOut.NO_METRIC: "it logged nothing that can decide, only {logged}",
        LeftOut.NO_DIRECTION: "whether more or less {detail} is better is not known",
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
        Rule.LOWER_EVAL_LOSS: RuleWords("the lower eval loss", "its lower eval loss"),
        Rule.KNOWN_GAP: RuleWords("a known gap", "its known gap"),
        Rule.SMALLER_GAP: RuleWords("the smaller absolute gap", "its smaller gap"),
        Rule.KNOWN_COMPLETION: RuleWords("a known time of completion", "its known time of completion"),
        Rule.EARLIER_COMPLETION: RuleWords("the earlier completion", "having completed earlier"),
        Rule.LOWER_ID: RuleWords("the lower id", "its id, the last tie-break"),
    }
)
"""The rules that decide between equal composites, in their order."""


def left_out(unscorable: Unscorable, labels: Mapping[str, str]) -> str:
    """Why a run may not be recommended, as the end of a sentence.

    Args:
        unscorable: Which run, and why.
        labels: What the runs are called.
    """
    detail = labels.get(unscorable.detail, unscorable.detail)
    if unscorable.code is LeftOut.NO_VALUE:
        detail = metric_name(unscorable.detail)
    logged = ", ".join(map(isolated, unscorable.logged))
    return LEFT_OUT[unscorable.code].format(status=unscorable.status_text, detail=detail, logged=logged)


def tie_break(winner: RunScore, other: RunScore, deciding: Deciding) -> str:
    """What puts ``winner`` before ``other`` though their scores are equal."""
    rule = deciding_rule(winner, other, deciding)
    words = TIE_BREAKS[rule].wins_by
    if rule is not Rule.SMALLER_GAP:
        return words
    return f"{words} ({formatting.signed(winner.gap)} against {formatting.signed(other.gap)})"


def is_tied(winner: RunScore, other: RunScore, deciding: Deciding) -> bool:
    """Whether their scores are equal."""
    return deciding_rule(winner, other, deciding) is not Rule.BETTER


def why_behind(other: RunScore, decision: Decision) -> str:
    """How far a ranked run is behind the recommended one, or what decides between the two."""
    winner, deciding = decision.recommendation.winner, decision.deciding
    if winner is None:
        return shown_score(other)
    if decision.lead.settings is not None:
        return f"{shown_score(other)}; {settings_behind(other, decision)}."
    if is_tied(winner, other, deciding):
        level = f"{shown_score(other)}, level with the recommended run"
        return f"{level}, which wins by {tie_break(winner, other, deciding)}."
    if winner.total is None or other.total is None:
        shown_in = values_shown(decision)
        mine, best = shown_in[other.run_id], shown_in[winner.run_id]
        if mine == best:
            mine, best = apart(other.value, winner.value)
        return f"{mine}, against {best} of the recommended run."
    shown, _ = formatting.told_apart(other.total, winner.total)
    behind, _ = formatting.told_apart(winner.total - other.total, 0.0)
    return f"{shown}, {behind} points behind."


def why_alone(decision: Decision) -> str:
    """Why the recommended run is ranked with no other."""
    if decision.other_classes:
        return "it is the best of its own class of comparable runs, and the only one in it"
    codes = {each.code for each in decision.recommendation.unscorable}
    if codes == {LeftOut.SAME_TRAINING}:
        return "the others are the same training"
    broke_down = codes & {LeftOut.BROKE_DOWN, LeftOut.DIED_LEVEL}
    which = f"the only {'one' if broke_down else 'completed run'} with {_value_words(decision.deciding)}"
    return f"it is {which} among the selected{' that did not break down' if broke_down else ''}"


def _value_words(deciding: Deciding) -> str:
    words = metric_name(deciding.metric)
    return f"an {words}" if words.startswith("eval loss") else f"a value of {words}"


def reasons_of(decision: Decision) -> tuple[Reason, ...]:
    """Why the recommended run is first, or why none is: at least one reason."""
    recommendation = decision.recommendation
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None:
        return (_why_none(recommendation),)
    said = [_value(winner, decision), _gap(winner, recommendation)]
    if runner_up is None:
        start = "I" if decision.other_classes else "It had no competition: i"
        return (*said, Reason(ReasonCode.ALONE, f"{start}{why_alone(decision).removeprefix('i')}."))
    if decision.lead.settings is not None:
        return (Reason(ReasonCode.SETTINGS, settings_ahead(decision.lead.settings, recommendation.deciding)), *said)
    return (*said, _lead(winner, runner_up, recommendation.deciding), _would_change(decision))


def _why_none(recommendation: Recommendation) -> Reason:
    if not recommendation.unscorable:
        return Reason(ReasonCode.NOTHING_SELECTED, "No run is selected, so there is nothing to recommend.")
    unknown = next((each for each in recommendation.unscorable if each.code is LeftOut.NO_DIRECTION), None)
    if unknown is not None:
        return Reason(
            ReasonCode.NONE_ELIGIBLE,
            f"No run can be recommended: {metric_name(unknown.detail)} decides, and nothing says whether more or less"
            " of it is better.",
        )
    logged = sorted({isolated(metric) for each in recommendation.unscorable for metric in each.logged})
    of_metrics = f" Logged are {', '.join(logged)}, which can be chosen." if logged else ""
    if any(each.code is LeftOut.NO_METRIC for each in recommendation.unscorable):
        return Reason(
            ReasonCode.NONE_ELIGIBLE,
            f"No run can be recommended: nothing that was logged decides by itself.{of_metrics}",
        )
    return Reason(
        ReasonCode.NONE_ELIGIBLE,
        f"No run can be recommended: only completed runs with {_value_words(recommendation.deciding)} can be, and none"
        f" of the selected is.{of_metrics}",
    )


def _value(winner: RunScore, decision: Decision) -> Reason:
    recommendation, deciding, policy = decision.recommendation, decision.deciding, decision.recommendation.policy
    words, place, shown = metric_name(deciding.metric), at_step(winner.values), values_shown(decision)
    if winner.loss_points is None and winner is not recommendation.scores[0]:
        said = f"Its {words} is the {best_word(deciding)} of its settings: {shown[winner.run_id]}{place}."
        return Reason(ReasonCode.VALUE, said)
    if winner.loss_points is None:
        said = f"Its {words} is the {best_word(deciding)} of the ranked runs: {shown[winner.run_id]}{place}."
        return Reason(ReasonCode.VALUE, said)
    weight = f" (weight {policy.eval_weight:.0%})" if recommendation.gaps_count else ""
    gives = f"gives {winner.loss_points:.2f} of 100 points{weight}"
    return Reason(ReasonCode.EVAL_LOSS, f"Its {words} is {shown[winner.run_id]}{place}, which {gives}.")


def _gap(winner: RunScore, recommendation: Recommendation) -> Reason:
    if winner.gap is None:
        said = f"The gap between eval and train loss is unknown: {why_gap_unknown(winner.values)}"
    else:
        where = "there" if winner.values.is_matched else "(train loss of the end of training)"
        label = winner.gap_label if winner.gap_label != "none" else "explained by averaging, noise or dropout"
        gap = to_decimals(winner.gap, max(decimals_for([winner.gap], [winner.values.gap_error]), 2), "+")
        said = f"The gap between eval and train loss {where} is {gap}: {label}"
    if not recommendation.deciding.is_loss:
        return Reason(ReasonCode.GAP, f"{said}. It is no part of the ranking.")
    if not recommendation.gaps_count:
        return Reason(ReasonCode.GAP, f"{said}. So it is for all ranked runs: the eval loss alone ranks.")
    gives = f"{formatting.points(winner.gap_points)} of 100 points (weight {recommendation.policy.gap_weight:.0%})"
    return Reason(ReasonCode.GAP, f"{said}, {gives}.")


GAP_UNKNOWN: Mapping[GapUnknown, str] = MappingProxyType(
    {
        GapUnknown.NO_EVAL_LOSS: "no eval loss was logged at that step",
        GapUnknown.NO_TRAIN_LOSS: "no train loss was logged just before that step",
        GapUnknown.NO_MEASURE: "the loss of this method is no measure of fit to the data",
    }
)

DOUBTS: Mapping[Implausible, str] = MappingProxyType(
    {
        Implausible.ZERO: "the train loss there is exactly 0",
        Implausible.NO_VALUE: "no train loss there is finite",
        Implausible.MULTIPLE: "the train loss there is about {factor} times the eval loss, as if summed over {over}",
        Implausible.ABOVE_GUESSING: "the train loss there is above that of guessing tokens, as if it were a sum",
    }
)


def why_gap_unknown(values: RunValues) -> str:
    """Why a run has no gap, as the end of a sentence."""
    if values.unknown is GapUnknown.IMPLAUSIBLE and values.doubt is not None:
        return DOUBTS[values.doubt.code].format(factor=values.doubt.factor, over=values.doubt.over)
    said = GAP_UNKNOWN.get(values.unknown or GapUnknown.NO_TRAIN_LOSS, "no train loss was logged")
    return in_epochs(said) if values.in_epochs else said


def _lead(winner: RunScore, runner_up: RunScore, deciding: Deciding) -> Reason:
    if is_tied(winner, runner_up, deciding):
        said = f"It ties with the runner-up and wins by {tie_break(winner, runner_up, deciding)}."
        return Reason(ReasonCode.TIE, said)
    return Reason(ReasonCode.MARGIN, f"It is {lead_words(winner, runner_up, deciding)} ahead of the runner-up.")


_NO_WAY = "Neither its eval loss nor its gap alone would make the runner-up win."


def _would_change(decision: Decision) -> Reason:
    ways = ways_to_win(decision)
    said = f"The runner-up needs {ways[0]} to win." if ways else _NO_WAY
    return Reason(ReasonCode.WOULD_CHANGE, said)
