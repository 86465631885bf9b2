"""What is said about winner or tie: by eval loss alone, and by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib.core.ranking.decision import Decision
from lib.core.ranking.eval_noise import MIN_EVALUATIONS, EvalNoise, NoiseUnknown
from lib.core.ranking.tie import TieKind, TieVerdict
from lib.core.text import formatting
from lib.core.text.phrases import counted, listed
from lib.core.verdict.reasons import why_alone


def lead_sentence(decision: Decision, labels: Mapping[str, str]) -> str:
    """Whether the lead in the score is within the noise, and what the noise covers; "" without a recommended run."""
    if decision.recommendation.winner is None:
        return ""
    if len(decision.ranked) == 1:
        return f"There is no lead to compare with the noise: {why_alone(decision)}."
    lead, verdict = decision.lead, decision.lowest
    ahead = f"The recommended run's lead of {formatting.points(decision.recommendation.margin)} points"
    told = {
        TieKind.TIE: f"{ahead} is within the noise: {_names(lead.level_with, labels)} may score as high.",
        TieKind.WINNER: f"{ahead} is beyond the noise, at the {verdict.level:.0%} level.",
        TieKind.CANNOT_TELL: f"{ahead} cannot be compared with the noise.",
    }
    parts = [told[lead.kind]]
    if lead.undecided:
        parts.append(f"The noise is not known well enough to compare it with {_names(lead.undecided, labels)}.")
    if lead.band_may_change:
        parts.append(f"The noise reaches into another gap band for {_names(lead.band_may_change, labels)}.")
    if lead.kind is not TieKind.CANNOT_TELL:
        parts.append(
            "Seed-to-seed variation is in the noise; train losses are taken as exact."
            if verdict.seeds
            else "Seed-to-seed variation is not in the noise, and train losses are taken as exact."
        )
    return " ".join(parts)


def lowest_sentence(decision: Decision, labels: Mapping[str, str]) -> str:
    """Which of the ranked runs may have the lowest true eval loss, and what the noise covers."""
    verdict = decision.lowest
    if not verdict.best_set:
        return "No run has an eval loss, so there is nothing to compare."
    if len(decision.ranked) == 1:
        return f"There is nothing to compare it with: {why_alone(decision)}."
    undecided = [labels[run_id] for run_id in verdict.undecided]
    told = [labels[run_id] for run_id in verdict.best_set if run_id not in verdict.undecided]
    if not told:
        return (
            f"Which run has the lowest eval loss cannot be told: the noise is unknown for {listed(undecided)}."
            f" It takes {MIN_EVALUATIONS} measured eval losses of a run to estimate it."
        )
    start = {
        TieKind.TIE: f"Tie: {listed(told)} cannot be told apart by their eval losses at the {verdict.level:.0%} level.",
        TieKind.WINNER: f"{told[0]} has the lowest eval loss beyond the noise, at the {verdict.level:.0%} level.",
        TieKind.CANNOT_TELL: f"{told[0]} has the lowest eval loss of the runs whose noise is known.",
    }[verdict.kind]
    unknown = f" {listed(undecided)} may be as good or better: too little is known of the noise." if undecided else ""
    return f"{start}{unknown} {_covers(verdict.seeds)}"


def why_in_best_set(verdict: TieVerdict, run_id: str, labels: Mapping[str, str]) -> str:
    """Why a ranked run may have the lowest true eval loss, or may not."""
    beaten, one = verdict.beaten.get(run_id), verdict.estimates.get(run_id)
    if beaten is not None:
        above = f"{formatting.loss(beaten.behind)} above {labels[beaten.by]}"
        return f"Not the best: {above}; up to {formatting.loss(beaten.within)} would be within the noise."
    if one is not None:
        error = formatting.loss(one.error)
        return f"May be the best: {formatting.loss(one.loss)}, with a standard error of {error}."
    start = "Cannot be told" if run_id in verdict.undecided else "Not compared"
    return f"{start}: {why_unknown(verdict.noises[run_id])}."


def why_unknown(noise: EvalNoise) -> str:
    """Why the noise of a run cannot be told, as the end of a sentence; "" where it can."""
    match noise.unknown:
        case NoiseUnknown.NOT_ALL_READ:
            return "not all of its eval losses were read"
        case NoiseUnknown.NO_EVAL_LOSS:
            return "no finite eval loss in its curve"
        case NoiseUnknown.TOO_FEW:
            measured = counted(noise.evaluations, "measured eval loss", "measured eval losses")
            return f"{measured}, at least {MIN_EVALUATIONS} are needed"
        case None:
            return ""


def unknown_noise(verdict: TieVerdict, labels: Mapping[str, str]) -> str:
    """That the lead cannot be compared with the noise, and for which runs it is unknown."""
    unknown = [
        f"{labels[run_id]}: {why_unknown(noise)}"
        for run_id, noise in verdict.noises.items()
        if noise.unknown is not None
    ]
    return f"Whether its lead is beyond the noise cannot be told ({'; '.join(unknown)})."


def _covers(seeds: int) -> str:
    if not seeds:
        return (
            "The noise is how much eval losses vary from one evaluation to the next; what another seed or another"
            " evaluation set would change is not in it."
        )
    return (
        f"The noise is how much runs that differ only in their seed vary ({seeds} degree{'s' if seeds > 1 else ''} of"
        " freedom), taken to be the same for all."
    )


def _names(run_ids: Sequence[str], labels: Mapping[str, str]) -> str:
    return ", ".join(labels[run_id] for run_id in run_ids)
