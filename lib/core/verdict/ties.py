"""What is said about winner or tie: by the deciding metric alone, and by what ranks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from lib.core.noise.best_set import Outcome
from lib.core.noise.pairs import Basis
from lib.core.noise.smoothing import MIN_POINTS
from lib.core.noise.train_window import MIN_TRAIN_POINTS
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import REWARD
from lib.core.ranking.noise_band import noise_band
from lib.core.ranking.standing import Contest
from lib.core.text.phrases import counted, first_of, listed
from lib.core.text.precision import rough, to_decimals
from lib.core.verdict.metric_words import best_word, difference_words, margin_words, metric_name
from lib.core.verdict.reasons import why_alone

NAMES_SHOWN = 3
"""Runs that a sentence names."""
SEEDS = frozenset((Basis.SEEDS, Basis.SEED_EVALUATIONS))
PAIRED = frozenset((Basis.PAIRED, Basis.COVARIANCE))


MOST_POINTS = 100.0
"""No score is further behind another."""


def noise_words(decision: Decision) -> str:
    """How far the noise of the ranking reaches, the same wherever it is said; "" where that is not known.

    Two digits of a noise mean something; points have the decimal that scores are shown with.
    """
    band = noise_band(decision)
    if band is None:
        return ""
    return behind_words(min(band, MOST_POINTS) if _has_points(decision) else band, decision)


def behind_words(distance: float, decision: Decision) -> str:
    """How far a ranked run is behind another, with its unit where that is not the one of the values shown beside it.

    A loss earns points of a score that stands nowhere where no gap is known.
    """
    if not _has_points(decision):
        return rough(distance)
    return f"{to_decimals(distance, 1)} points{'' if decision.recommendation.gaps_count else ' of the score'}"


def _has_points(decision: Decision) -> bool:
    return any(each.total is not None for each in decision.recommendation.scores)


def lead_sentence(decision: Decision, labels: Mapping[str, str]) -> str:
    """Whether the lead is within the noise; "" without a recommended run."""
    if decision.recommendation.winner is None:
        return ""
    if len(decision.ranked) == 1:
        return f"There is no lead to compare with the noise: {why_alone(decision)}."
    return " ".join(_lead_parts(decision, labels))


def _lead_parts(decision: Decision, labels: Mapping[str, str]) -> Iterator[str]:
    lead, best = decision.lead, decision.contest.best
    ahead = f"The lead of {margin_words(decision.recommendation)}"
    if lead.settings is not None:
        ahead = f"The lead of its settings, {difference_words(lead.settings, decision.deciding)},"
    noise = noise_words(decision)
    reach = f", up to {noise}" if noise else ""
    match lead.outcome:
        case Outcome.TIE:
            yield f"{ahead} is within the noise{reach}: {_names(lead.level_with, labels)} may be as good."
        case Outcome.WINNER if lead.never_better:
            yield f"{ahead} is over {_names(lead.never_better, labels)}, never better than before training."
        case Outcome.WINNER:
            yield f"{ahead} is beyond the noise{reach} ({best.level:.0%} level)."
        case Outcome.CANNOT_TELL:
            yield f"{ahead} cannot be compared with the noise."
    if lead.undecided:
        yield f"Too little is known of the noise of {_names(lead.undecided, labels)}, or of the first."
    if lead.unknown_gaps:
        yield f"The gap of {_names(lead.unknown_gaps, labels)} is unknown, and could turn the order."
    elif lead.for_gap:
        yield f"The noise of the gaps outweighs the lead over {_names(lead.for_gap, labels)}."
    if lead.outcome is not Outcome.CANNOT_TELL and not lead.is_gap_error_known:
        yield f"How far a gap is off takes {MIN_TRAIN_POINTS} train losses to tell."


def lowest_sentence(decision: Decision, labels: Mapping[str, str]) -> str:
    """Which of the ranked runs may have the best true value of the deciding metric."""
    found, words = decision.contest, metric_name(decision.deciding.metric)
    if not decision.ranked:
        return f"No run has a value of {words}, so there is nothing to compare."
    if len(decision.ranked) == 1:
        return f"There is nothing to compare it with: {why_alone(decision)}."
    if decision.deciding.metric == REWARD:
        return "A mean over steps has no evaluations, so its noise is not known."
    undecided = [labels[run_id] for run_id in found.undecided]
    told = [labels[run_id] for run_id in found.members if run_id not in found.undecided]
    if not told:
        return f"The noise is unknown: it takes {MIN_POINTS} evaluations of a run to tell."
    level, best = f"({found.best.level:.0%} level)", f"the {best_word(decision.deciding)} {words}"
    match found.best.outcome:
        case Outcome.TIE:
            start = f"{listed(told)} cannot be told apart {level}."
        case Outcome.WINNER if found.best.seed_freedom:
            start = f"The settings of {listed(told)} have {best} beyond the noise {level}."
        case Outcome.WINNER:
            verb = "has" if len(told) == 1 else "have"
            start = f"{listed(told)} {verb} {best} beyond the noise {level}."
        case _:
            start = f"{told[0]} has {best} of the runs whose noise is known."
    unknown = f" {listed(undecided)} may be as good: too little is known of the noise." if undecided else ""
    return f"{start}{unknown}"


def why_in_best_set(found: Contest, run_id: str, labels: Mapping[str, str]) -> str:
    """Why a ranked run may have the best true value, or may not."""
    beaten, one = found.beaten(run_id), found.estimate(run_id)
    if beaten is not None:
        # By how much stands beside it; how much would be noise is another number for each pair.
        return f"Not the best: {labels[beaten[0]]} is better, beyond the noise."
    if one is not None:
        return "May be the best."
    return f"Cannot be told: {why_unknown(found, run_id)}."


def why_unknown(found: Contest, run_id: str) -> str:
    """Why the noise of a run cannot be told, as the end of a sentence."""
    if found.metric == REWARD:
        return "its reward was not measured by evaluations"
    measured = counted(found.measured[run_id], "measured evaluation", "measured evaluations")
    return f"{measured}, at least {MIN_POINTS} are needed"


def unknown_noise(found: Contest, labels: Mapping[str, str]) -> str:
    """That the lead cannot be compared with the noise, and why."""
    unknown = [labels[run_id] for run_id in found.run_ids if found.estimate(run_id) is None]
    if found.metric == REWARD:
        return "Whether its lead is more than noise cannot be told: no evaluation measured the reward."
    few = f"fewer than {MIN_POINTS} evaluations"
    return f"Whether its lead is more than noise cannot be told: {few} of {first_of(unknown, NAMES_SHOWN)}."


def rests_on(bases: Collection[Basis]) -> str:
    """Which comparison a verdict rests on; "" where none was made."""
    if not bases:
        return ""
    if SEEDS & set(bases):
        return "It rests on repeats with other seeds: it is about the settings, not only these runs."
    paired = "the evaluations at the same steps, paired" if PAIRED & set(bases) else ""
    own = "each run's own evaluations" if Basis.SEPARATE in bases else ""
    if paired and own:
        return f"It rests on {paired}, and on {own} where those tell less."
    return f"It rests on {paired or own}."


def covers(found: Contest, bases: Collection[Basis]) -> str:
    """Which comparison it rests on, what the noise is of, and what it leaves out."""
    seeds = found.best.seed_freedom
    if seeds:
        return (
            f"{rests_on(bases)} Noise is how much runs that differ only in their seed vary"
            f" ({counted(seeds, 'degree', 'degrees')} of freedom), and at least what their evaluations leave open."
        )
    shared = " What they have in common there is taken off." if PAIRED & set(bases) else ""
    return (
        f"{rests_on(bases)}{shared} Noise is how much values vary from one evaluation to the next about a smooth trend."
        " More evaluation data makes it smaller. What another seed or data of another kind would change is not in it."
    ).strip()


def _names(run_ids: Sequence[str], labels: Mapping[str, str]) -> str:
    return first_of([labels[run_id] for run_id in run_ids], NAMES_SHOWN)
