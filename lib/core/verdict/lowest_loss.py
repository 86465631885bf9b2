"""The run with the lowest eval loss: why it is not the recommended one, or who leads where none is recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.facts.runs import RunSummary, eval_loss_of, eval_losses_of
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.verdict.comparability import aspect_names
from lib.core.verdict.metric_words import metric_words
from lib.core.verdict.reasons import is_tied, tie_break
from lib.core.verdict.seeds import settings_behind


def lowest_losses(runs: Sequence[RunSummary]) -> tuple[str, ...]:
    """The ids of the runs with the lowest eval loss, completed or not; several where they tie."""
    losses = {run.run_id: loss for run in runs if (loss := eval_loss_of(run)) is not None}
    lowest = min(losses.values(), default=None)
    return tuple(run_id for run_id, loss in losses.items() if loss == lowest)


def lowest_shipped(decision: Decision) -> tuple[str, ...]:
    """The ids of the compared runs whose checkpoint to ship has the lowest eval loss; several where they tie."""
    losses = {
        run_id: loss
        for run_id in sorted(decision.comparable)
        if (loss := decision.values[run_id].eval_loss) is not None
    }
    return tuple(run_id for run_id, loss in losses.items() if loss == min(losses.values()))


def why_lowest_is_not_first(decision: Decision, left_out: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
    """Why a run with the lowest loss of those that are compared is not the recommended one.

    Args:
        decision: About these runs.
        left_out: Why runs may not be recommended, by id.
        labels: What the runs are called.

    Returns:
        A sentence for each such run; ``None`` where there is none, where no run is recommended, and where another
        metric than a loss decides.
    """
    winner, scores = decision.recommendation.winner, decision.scores
    if winner is None or not decision.deciding.is_loss:
        return None
    losses = {run_id: decision.values[run_id].value for run_id in sorted(decision.comparable)}
    holders = [run_id for run_id, loss in losses.items() if loss == min(losses.values())]
    words = metric_words(decision.deciding.metric)
    sentences: list[str] = []
    for run_id in holders:
        if run_id == winner.run_id:
            continue
        verb = "has" if len(holders) == 1 else "shares"
        but = (
            f"but cannot be recommended: {left_out[run_id]}"
            if run_id in left_out
            else _why_behind(winner, scores[run_id], labels[winner.run_id], decision)
        )
        sentences.append(f"{labels[run_id]} {verb} the lowest {words} ({formatting.loss(losses[run_id])}), {but}.")
    return " ".join(sentences) or None


def leader_so_far(
    decision: Decision, runs: Sequence[RunSummary], left_out: Mapping[str, str], labels: Mapping[str, str]
) -> str | None:
    """Who leads by eval loss, or why nobody does; ``None`` where a run is recommended. The arguments are as above."""
    if decision.recommendation.run_id is not None:
        return None
    if not runs:
        return "There is no leader so far: no run is selected."
    with_loss = {run.run_id: loss for run in runs if (loss := eval_loss_of(run)) is not None}
    leaders = lowest_losses(runs)
    if not leaders:
        return _why_no_leader(runs, labels)
    pairs = comparability_of([run for run in runs if run.run_id in with_loss]).pairs
    differing = aspect_names(dict.fromkeys(aspect for pair in pairs for aspect in pair.decisive))
    if differing:
        return f"There is no leader so far: the eval losses cannot be compared (different {differing})."
    shown = formatting.loss(with_loss[leaders[0]])
    if len(leaders) == 1:
        return f"Leader so far by eval loss: {labels[leaders[0]]} with {shown} ({left_out[leaders[0]]})."
    named = ", ".join(f"{labels[run_id]} ({left_out[run_id]})" for run_id in leaders)
    return f"Leaders so far by eval loss, tied with {shown}: {named}."


def _why_no_leader(runs: Sequence[RunSummary], labels: Mapping[str, str]) -> str:
    logged = [
        f"{labels[run.run_id]}: {formatting.loss(value)}"
        for run in runs
        if (value := next((each for each in eval_losses_of(run) if each is not None), None)) is not None
    ]
    if logged:
        return f"There is no leader so far: no selected run has a finite eval loss ({', '.join(logged)})."
    return "There is no leader so far: no selected run has logged an eval loss."


def _why_behind(winner: RunScore, score: RunScore, name: str, decision: Decision) -> str:
    """Why a run whose loss is no higher than the winner's is behind it: settings, gap points, or a tie-break."""
    if decision.lead.settings is not None and score.run_id not in decision.recommendation.settings:
        return f"but {settings_behind(score, decision)}"
    if is_tied(winner, score, decision.deciding):
        points, by = formatting.points(score.total), tie_break(winner, score, decision.deciding)
        return f"and its score is the same ({points}); {name} wins the tie by {by}"
    gap = (
        "its gap is unknown, which"
        if score.gap is None
        else f"its gap of {formatting.signed(score.gap)} ({score.gap_label})"
    )
    own, best = formatting.told_apart(score.total or 0.0, winner.total or 0.0)
    mine, theirs = formatting.told_apart(score.gap_points, winner.gap_points, 0)
    return f"but {gap} gives {mine} gap points against {theirs} of {name}; in total {own} against {best}"
