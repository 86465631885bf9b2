"""What the verdict panel says first: who wins, why, which checkpoint, and what to do about a tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.facts.findings import Severity
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import Recommendation
from lib.core.ranking.tie import TieKind
from lib.core.text import formatting
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.objections import Judged, objections_to
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.sureness import Surety, sureness_of
from lib.core.verdict.trophy import apart_lines, leader_so_far, trophy_sentence, why_not_others

REASONS_SHOWN = 3
"""Reasons that the panel shows; what else there is to say is among the details."""

PATH_LIMIT, PATH_TAIL = 44, 28
"""Characters of a checkpoint's path, and of its end, which names the step."""


class HeadlineKind(StrEnum):
    """What the first line of the panel says."""

    WINNER = "winner"
    TIE = "tie"
    APART = "not comparable"
    NONE = "no recommendation"


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line.

    Attributes:
        kind: What it says.
        run_ids: The runs that it names, the recommended one first; () without one.
    """

    kind: HeadlineKind
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """All that the panel says, in plain text.

    Attributes:
        headline: The first line.
        surety: How sure, and why.
        reasons: At most ``REASONS_SHOWN``; why none is recommended, where none is.
        checkpoint: Which checkpoint of the recommended run to ship; ``None`` where nothing was read of it, and
            without a recommended run.
        objections: All, the strongest first.
        strongest: The strongest that headline and sureness do not say already.
        way_out: What to do about a tie; "" for none.
        trophy: Why the lowest eval loss is not recommended, where the strongest objection does not say it.
        leader: Who leads, or why nobody does, where no run is recommended.
        others: Why not the others, a line each.
        apart: Runs whose eval losses do not compare with those that are ranked, a line each.
        improvement: Of the recommended run on its own first evaluation, a share, to stand beside ``apart``; ``None``
            where it cannot be told.
    """

    headline: Headline
    surety: Surety
    reasons: tuple[str, ...]
    checkpoint: str | None
    objections: tuple[Objection, ...]
    strongest: Objection | None
    way_out: str
    trophy: str | None
    leader: str | None
    others: tuple[str, ...]
    apart: tuple[str, ...]
    improvement: float | None


def panel_of(
    decision: Decision,
    rows: Sequence[SummaryInput],
    judged: Mapping[str, Judged | None],
    labels: Mapping[str, str],
    names: Mapping[str, str] | None = None,
) -> Panel:
    """Gather what the panel says.

    Args:
        decision: About these runs.
        rows: The runs.
        judged: By run id; ``None`` where a run's curves could not be read.
        labels: What the runs are called.
        names: What they are called in the lines of the others, where room is short; ``labels`` by default.
    """
    objections = objections_to(decision, rows, judged, labels)
    surety = sureness_of(decision, objections)
    strongest = strongest_objection(objections, surety)
    own = judged.get(decision.recommendation.run_id or "")
    compared = [row for row in rows if row.run.run_id in decision.comparable]
    trophy = trophy_sentence(decision.recommendation, compared, labels)
    names = names or labels
    return Panel(
        headline=headline(decision),
        surety=surety,
        reasons=strongest_reasons(decision),
        checkpoint=None if own is None else checkpoint_line(own.checkpoint),
        objections=objections,
        strongest=strongest,
        way_out=way_out(decision, judged, labels),
        trophy=None if strongest is not None and strongest.code.startswith("lower_loss") else trophy,
        leader=leader_so_far(rows, decision.recommendation, labels),
        others=tuple(why_not_others(decision.recommendation, names)),
        apart=tuple(apart_lines(decision, names)),
        improvement=decision.improvements.get(decision.recommendation.run_id or ""),
    )


def headline(decision: Decision) -> Headline:
    """Who wins, or that it is a tie, or that the runs have no common ranking."""
    winner = decision.recommendation.winner
    if winner is None:
        return Headline(HeadlineKind.NONE, ())
    if not decision.has_main_class:
        return Headline(HeadlineKind.APART, (winner.run_id, *(each.run_ids[0] for each in decision.apart)))
    if decision.tied:
        return Headline(HeadlineKind.TIE, decision.tied)
    return Headline(HeadlineKind.WINNER, (winner.run_id,))


def strongest_reasons(decision: Decision) -> tuple[str, ...]:
    """At most ``REASONS_SHOWN`` reasons for the recommended run, the strongest first.

    The parts of the score come first, that one before the other which carries more of the lead over the runner-up. A
    part in which it is behind is no reason, nor is a gap that is level with the runner-up's and not of the best band.
    Then how far it is ahead, and what would turn that.
    """
    recommendation = decision.recommendation
    reasons = {reason.code: str(reason) for reason in recommendation.reasons}
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None:
        return tuple(reasons.values())
    if runner_up is None:
        if decision.apart:
            reasons["no_competition"] = "It is the best of its own class of comparable runs, and the only one in it."
        return tuple(reasons.values())[:REASONS_SHOWN]
    order = [*_carrying(recommendation), "margin", "tie", "would_change"]
    return tuple(reasons[code] for code in order if code in reasons)[:REASONS_SHOWN]


def _carrying(recommendation: Recommendation) -> list[str]:
    """The parts of the score that speak for the recommended run over the runner-up, that which carries more first."""
    winner, runner_up, policy = recommendation.winner, recommendation.runner_up, recommendation.policy
    carried = {
        "eval_loss": policy.eval_weight * (winner.loss_points - runner_up.loss_points),
        "gap": policy.gap_weight * (winner.gap_points - runner_up.gap_points),
    }
    is_best_band = winner.gap_points >= max(band.points for band in policy.bands)
    level_counts = {"eval_loss": True, "gap": is_best_band}
    return [
        code
        for code, points in sorted(carried.items(), key=lambda item: -item[1])
        if points > 0.0 or (points == 0.0 and level_counts[code])
    ]


def strongest_objection(objections: Sequence[Objection], surety: Surety) -> Objection | None:
    """The strongest objection, but for what headline and sureness say already."""
    said = {"no_common_ranking", "alone", "noise_unknown", "tie"} & set(surety.because)
    return next((objection for objection in objections if objection.code not in said), None)


def checkpoint_line(advice: CheckpointAdvice) -> str:
    """Which checkpoint to ship, in a line; the whole of it is ``advice.sentence``."""
    path = None if advice.path is None else formatting.shorten_middle(advice.path, PATH_LIMIT, PATH_TAIL)
    if advice.eval_loss is None:
        return "cannot tell, because the best evaluation is not recorded" + (
            f"; the trainer kept {path}" if path else ""
        )
    best = "a step that is not recorded" if advice.step is None else f"step {advice.step}"
    if advice.exact:
        return f"{path or best} (best evaluation, {best})"
    there = "" if advice.saved_eval_loss is None else f", eval loss {formatting.loss(advice.saved_eval_loss)}"
    nearest = path if path and advice.path_step == advice.saved_step else f"the one of step {advice.saved_step}"
    if advice.fate in (Fate.DELETED, Fate.NEVER_SAVED, Fate.NOT_FOUND):
        gone = {Fate.DELETED: "gone", Fate.NEVER_SAVED: "never saved", Fate.NOT_FOUND: "not found"}[advice.fate]
        if advice.saved_step is None:
            return f"best evaluation at {best}, whose checkpoint is {gone}; no other is certain to exist"
        return f"best evaluation at {best}, whose checkpoint is {gone}; the nearest is {nearest}{there}"
    if advice.saved_step is None:
        kept = f"; the trainer kept {path}" if path else ""
        return f"best evaluation at {best}; whether its checkpoint exists cannot be told{kept}"
    return f"best evaluation at {best}; certain to exist is {nearest}{there}"


def way_out(decision: Decision, judged: Mapping[str, Judged | None], labels: Mapping[str, str]) -> str:
    """What to do about a tie, as far as the data support it; "" without one.

    Named is what only some of the tied runs have, in this order: no critical finding about their data or training, a
    checkpoint of the best evaluation that exists, an eval loss that may be the lowest where others' may not. Else
    none is preferred.
    """
    tied = decision.tied
    if not tied:
        return ""
    tellers = (
        ("without critical findings about data or training", [each for each in tied if _is_sound(judged.get(each))]),
        ("whose best checkpoint is known to exist", [each for each in tied if _is_kept(judged.get(each))]),
        ("that may have the lowest eval loss beyond the noise", _lowest(decision)),
    )
    for what, having in tellers:
        if 0 < len(having) < len(tied):
            names = " or ".join(labels.get(each, each) for each in having)
            start = f"Of these, {names} {'is the one' if len(having) == 1 else 'are those'} {what}."
            break
    else:
        start = "Nothing recorded prefers one."
    if not decision.lead.level_with:
        return start
    further = "More evaluation data" if decision.lowest.seeds else "Other seeds, or more evaluation data,"
    return f"{start} {further} would part them."


def _is_sound(judged: Judged | None) -> bool:
    return judged is not None and not any(
        finding.severity is Severity.CRITICAL for finding in (*judged.passport.doubts, *judged.health.findings)
    )


def _is_kept(judged: Judged | None) -> bool:
    return judged is not None and judged.checkpoint.exact and judged.checkpoint.fate is Fate.KEPT


def _lowest(decision: Decision) -> list[str]:
    if decision.lowest.kind is TieKind.CANNOT_TELL:
        return []
    return [each for each in decision.tied if each in decision.lowest.best_set]
