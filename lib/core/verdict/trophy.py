"""What the page says about the verdict: the lowest eval loss, the leader so far, why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lib.core.facts.runs import RunSummary, eval_loss_of
from lib.core.ranking.comparability import Outcome, comparability_of
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation, RunScore
from lib.core.text import formatting
from lib.core.verdict.summary import SummaryInput


def trophy(rows: Sequence[SummaryInput]) -> tuple[str, ...]:
    """The ``run_id`` of the run with the lowest eval loss, completed or not; several where they tie."""
    losses = {row.run.run_id: loss for row in rows if (loss := eval_loss_of(row.run)) is not None}
    lowest = min(losses.values(), default=None)
    return tuple(run_id for run_id, loss in losses.items() if loss == lowest)


def trophy_sentence(
    recommendation: Recommendation, rows: Sequence[SummaryInput], labels: Mapping[str, str]
) -> str | None:
    """Say why a run with the lowest eval loss is not the recommended one.

    Returns:
        A sentence for each such run; ``None`` where there is none, or where no run is recommended.
    """
    winner, holders = recommendation.winner, trophy(rows)
    if winner is None:
        return None
    by_id = {row.run.run_id: row for row in rows}
    scores = {score.run_id: score for score in recommendation.ranking.scores}
    sentences = []
    for run_id in holders:
        if run_id == winner.run_id:
            continue
        verb = "has" if len(holders) == 1 else "shares"
        shown = formatting.loss(eval_loss_of(by_id[run_id].run))
        if run_id not in scores:
            why = _why_left_out(recommendation, by_id[run_id])
            but = f"but cannot be recommended: {why}" if why else "but was not ranked with the recommended run"
        else:
            but = _why_behind(winner, scores[run_id], _called(winner.run_id, labels), by_id)
        sentences.append(f"{_called(run_id, labels)} {verb} the lowest eval loss ({shown}), {but}.")
    return " ".join(sentences) or None


def leader_so_far(
    rows: Sequence[SummaryInput], recommendation: Recommendation, labels: Mapping[str, str]
) -> str | None:
    """Say who leads by eval loss, or why nobody does; ``None`` where a run is recommended."""
    if recommendation.run_id is not None:
        return None
    if not rows:
        return "There is no leader so far: no run is selected."
    by_id = {row.run.run_id: row for row in rows}
    leaders = trophy(rows)
    if not leaders:
        return _why_no_leader(rows, labels)
    differing = _differing([row.run for row in rows if eval_loss_of(row.run) is not None])
    if differing:
        return f"There is no leader so far: the eval losses cannot be compared (different {differing})."
    shown = formatting.loss(eval_loss_of(by_id[leaders[0]].run))
    reasons = {run_id: _why_left_out(recommendation, by_id[run_id]) for run_id in leaders}
    bracketed = {run_id: f" ({why})" if why else "" for run_id, why in reasons.items()}
    if len(leaders) == 1:
        return f"Leader so far by eval loss: {_called(leaders[0], labels)} with {shown}{bracketed[leaders[0]]}."
    tied = ", ".join(_called(run_id, labels) + bracketed[run_id] for run_id in leaders)
    return f"Leaders so far by eval loss, tied with {shown}: {tied}."


def why_not_others(recommendation: Recommendation, labels: Mapping[str, str]) -> list[str]:
    """A line for every selected run but the recommended: how far behind, or why it was left out."""
    lines = []
    winner = recommendation.winner
    for score in recommendation.ranking.scores if winner else ():
        if score.run_id == winner.run_id:
            continue
        called = _called(score.run_id, labels)
        if _level(winner, score):
            lines.append(
                f"{called}: {formatting.points(score.total)}, level with the recommended run, which wins by"
                f" {_tie_break(winner, score)}."
            )
        else:
            shown, _ = formatting.apart(score.total, winner.total)
            behind, _ = formatting.apart(winner.total - score.total, 0.0)
            lines.append(f"{called}: {shown}, {behind} points behind.")
    lines += [f"{_called(left.run_id, labels)}: left out, {left.why}." for left in recommendation.ranking.unscorable]
    return lines


def apart_lines(decision: Decision, labels: Mapping[str, str]) -> list[str]:
    """A line for every run whose eval loss does not compare with the ranked ones: what differs, and how far it came.

    How far is the share of its own first evaluation by which its best one is lower: the one figure that may stand
    beside those of other classes, where it is labelled as that.
    """
    lines = []
    for apart in decision.apart:
        for place, run_id in enumerate(apart.run_ids, 1):
            own = "" if len(apart.run_ids) == 1 else f" (number {place} of its own class)"
            share = decision.improvements.get(run_id)
            by = "cannot tell" if share is None else f"by {formatting.percent(share)}"
            lines.append(f"{_called(run_id, labels)}{own}: {apart.why}; {by}.")
    return lines


def _called(run_id: str, labels: Mapping[str, str]) -> str:
    return labels.get(run_id, run_id)


def _why_left_out(recommendation: Recommendation, row: SummaryInput) -> str | None:
    whys = {left.run_id: left.why for left in recommendation.ranking.unscorable}
    return whys.get(row.run.run_id, row.unscorable)


def _why_no_leader(rows: Sequence[SummaryInput], labels: Mapping[str, str]) -> str:
    logged = {row.run.run_id: _first_logged(row.run) for row in rows}
    shown = ", ".join(
        f"{_called(run_id, labels)}: {formatting.loss(value)}" for run_id, value in logged.items() if value is not None
    )
    if shown:
        return f"There is no leader so far: no selected run has a finite eval loss ({shown})."
    return "There is no leader so far: no selected run has logged an eval loss."


def _differing(runs: Sequence[RunSummary]) -> str:
    """What makes the eval losses of some of these runs mean different things; "" for nothing that is known."""
    titles = dict.fromkeys(
        result.aspect.title
        for pair in comparability_of(runs).pairs
        for result in pair.having(Outcome.DIFFERENT)
        if result.decides
    )
    return ", ".join(title[0].lower() + title[1:] for title in titles)


def _level(first: RunScore, second: RunScore) -> bool:
    return round(first.total, TIE_DECIMALS) == round(second.total, TIE_DECIMALS)


def _why_behind(winner: RunScore, score: RunScore, called: str, rows: Mapping[str, SummaryInput]) -> str:
    """Why a run whose eval loss is no higher than the winner's is behind it: gap points, or a tie-break."""
    if _level(winner, score):
        completed = {run_id: row.run.completed_at for run_id, row in rows.items()}
        return (
            f"and its score is the same ({formatting.points(score.total)}); {called} wins the tie by"
            f" {_tie_break(winner, score, completed)}"
        )
    gap = (
        "its gap is unknown, which"
        if score.gap is None
        else f"its gap of {formatting.signed(score.gap)} ({score.gap_label})"
    )
    own, best = formatting.apart(score.total, winner.total)
    return (
        f"but {gap} gives {score.gap_points:g} gap points against {winner.gap_points:g} of {called};"
        f" in total {own} against {best}"
    )


def _tie_break(winner: RunScore, other: RunScore, completed: Mapping[str, datetime | None] | None = None) -> str:
    """What put ``winner`` before ``other`` though their totals are equal; the rules of ``scoring.rank``."""
    if winner.eval_loss != other.eval_loss:
        return "its lower eval loss"
    if other.gap is None and winner.gap is not None:
        return "its known gap"
    if winner.gap is not None and abs(winner.gap) != abs(other.gap):
        return f"its smaller gap ({formatting.signed(winner.gap)} against {formatting.signed(other.gap)})"
    if completed is None:
        return "having completed earlier, or else by its id"
    if completed.get(winner.run_id) != completed.get(other.run_id):
        return "having completed earlier"
    return "its id, the last tie-break"


def _first_logged(run: RunSummary) -> float | None:
    return next((v for v in (run.best_eval_loss, run.eval_loss, run.final_eval_loss) if v is not None), None)
