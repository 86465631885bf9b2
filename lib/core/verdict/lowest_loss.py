"""The lowest eval loss: why the run that has it is not recommended, who leads, and how far a run rose above its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.facts.findings import Finding
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunSummary, eval_loss_of, eval_losses_of
from lib.core.facts.values import finite
from lib.core.ranking.comparability import comparability_of
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.text.phrases import listed
from lib.core.text.precision import measured, together
from lib.core.verdict.comparability import aspect_names
from lib.core.verdict.metric_words import metric_name
from lib.core.verdict.reasons import is_tied, tie_break
from lib.core.verdict.seeds import settings_behind

# fmt: off
RISEN = Limit(0.5, "Risen eval loss",
    "An eval loss that rose by this share of its lowest, or more, up to the checkpoint that another metric chose is an"
    " objection of its own: a few percent come with every training that goes on, half is a model sure of its mistakes.")
# fmt: on

ASPECTS_SHOWN = 2
"""Differences that a sentence names."""


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
    if winner is None or decision.recommended is None or not decision.deciding.is_loss:
        return None
    losses = {run_id: decision.values[run_id].value for run_id in sorted(decision.comparable)}
    holders = [run_id for run_id, loss in losses.items() if loss == min(losses.values())]
    words = metric_name(decision.deciding.metric)
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
        sentences.append(f"{labels[run_id]} {verb} the lowest {words} ({measured(losses[run_id])}), {but}.")
    return " ".join(sentences) or None


def risen_loss(name: str, score: RunScore, rebound: Finding) -> str:
    """How far above its lowest eval loss a run is at the checkpoint to ship; "" where that is less than ``RISEN``.

    Args:
        name: What the run is called.
        score: Of the run.
        rebound: That its eval loss ended above its best, with that as evidence.
    """
    loss, best = score.eval_loss, finite(rebound.evidence.get("best"))
    if loss is None or best is None or rebound.step is None or score.values.step is None:
        return ""
    rise = (loss - best) / abs(best) if best else 0.0
    if rise < RISEN or score.values.step <= rebound.step:
        return ""
    before, now = together([best, loss], [score.values.eval_error])
    return (
        f"At the checkpoint to ship the eval loss of {name} is {rise:.0%} above its lowest: {now} against {before} at"
        f" {'epoch' if score.values.in_epochs else 'step'} {formatting.count(rebound.step)}."
    )


def leader_so_far(
    decision: Decision, runs: Sequence[RunSummary], left_out: Mapping[str, str], labels: Mapping[str, str]
) -> str | None:
    """Who leads by eval loss, or why nobody does; ``None`` where a run is recommended. The arguments are as above."""
    if decision.recommendation.run_id is not None:
        return None
    if not runs:
        return "No run is selected."
    with_loss = {run.run_id: loss for run in runs if (loss := eval_loss_of(run)) is not None}
    leaders = lowest_losses(runs)
    if not leaders:
        is_logged = any(value is not None for run in runs for value in eval_losses_of(run))
        return f"No selected run has {'a finite' if is_logged else 'logged an'} eval loss."
    pairs = comparability_of([run for run in runs if run.run_id in with_loss]).pairs
    differing = aspect_names(list(dict.fromkeys(aspect for pair in pairs for aspect in pair.decisive))[:ASPECTS_SHOWN])
    if differing:
        return f"None leads: the eval losses do not compare (different {differing})."
    shown, first = measured(with_loss[leaders[0]]), leaders[0]
    if len(leaders) == 1:
        return f"{labels[first]} has the lowest eval loss, {shown} ({left_out[first]})."
    return f"{listed([labels[run_id] for run_id in leaders])} share the lowest eval loss, {shown}."


def _why_behind(winner: RunScore, score: RunScore, name: str, decision: Decision) -> str:
    """Why a run whose loss is no higher than the winner's is behind it: settings, gap points, or a tie-break."""
    if decision.lead.settings is not None and score.run_id not in decision.recommendation.settings:
        return f"but {settings_behind(score, decision)}"
    if is_tied(winner, score, decision.deciding):
        return f"and the same score; {name} wins the tie by {tie_break(winner, score, decision.deciding)}"
    gap = "an unknown gap" if score.gap is None else f"a gap of {measured(score.gap, score.values.gap_error)}"
    own, best = formatting.told_apart(score.total or 0.0, winner.total or 0.0, 1)
    return f"but {gap}: it scores {own}, {name} {best}"
