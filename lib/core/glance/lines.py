"""The lines of the verdict at a glance: why, what would decide a tie, and the strongest objection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lib.core.checkpoints.advice import Fate
from lib.core.checks.check import Group
from lib.core.facts.findings import Severity
from lib.core.noise.best_set import Outcome
from lib.core.noise.pairs import Basis
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import TIE_DECIMALS, LeftOut, Recommendation, RunScore, lead_of
from lib.core.text.phrases import first_of, listed
from lib.core.text.precision import decimals_for, measured, rough, to_decimals, together
from lib.core.text.sentences import Sentence, in_a_row, said
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.comparability import ASPECT_WORDS
from lib.core.verdict.grounds import Grounds
from lib.core.verdict.metric_words import best_word, metric_name, values_shown
from lib.core.verdict.overview import HeadlineKind, Overview
from lib.core.verdict.reasons import why_alone

NAMES_SHOWN = 3
"""Runs that a sentence names."""


def by_score(recommendation: Recommendation) -> bool:
    """Whether the score ranks: not a run alone, nor by a metric, nor where no gap is known."""
    return recommendation.gaps_count and len(recommendation.scores) > 1


def shown_values(decision: Decision) -> dict[str, str]:
    """What ranks, of every ranked run, with the digits that its noise allows: the score, else the deciding metric."""
    if by_score(decision.recommendation):
        return {each.run_id: to_decimals(each.total, 1) for each in decision.recommendation.scores}
    shown = values_shown(decision)
    return {run_id: shown[run_id] for run_id in decision.ranked}


def shown_losses(scores: Sequence[RunScore]) -> dict[str, str]:
    """The eval losses of ranked runs at their best steps, with the digits that their noise allows."""
    losses = together([each.eval_loss for each in scores], [each.values.eval_error for each in scores])
    return {each.run_id: text for each, text in zip(scores, losses, strict=True)}


def shown_gaps(scores: Sequence[RunScore]) -> dict[str, str]:
    """The gaps of ranked runs, with the digits that their noise allows."""
    decimals = gap_decimals(scores)
    return {each.run_id: to_decimals(each.gap, decimals, "+") for each in scores}


def gap_decimals(scores: Sequence[RunScore]) -> int:
    """How many decimals the gaps of these runs have, and of those beside them."""
    known = [each for each in scores if each.gap is not None]
    decimals = decimals_for([each.gap for each in known], [each.values.gap_error for each in known])
    return min(max(decimals, 2), 3) if known else 3


def why(overview: Overview) -> Sentence:
    """Why the first is first, with the numbers that decide: its own, and those of the runner-up."""
    decision = overview.grounds.decision
    match overview.headline.kind:
        case HeadlineKind.NOT_COMPARABLE:
            return _why_not_comparable(decision)
        case HeadlineKind.TIE:
            return in_a_row(_why_tie(decision, overview.grounds.labels))
    return in_a_row(_why_winner(decision, overview.grounds.labels))


def _why_winner(decision: Decision, names: Mapping[str, str]) -> Iterator[Sentence]:
    recommendation = decision.recommendation
    winner, runner_up = recommendation.winner, recommendation.runner_up
    if winner is None:
        return
    shown = shown_values(decision)
    own, metric = shown[winner.run_id], metric_name(decision.deciding.metric)
    if runner_up is None:
        if winner.gap is not None and decision.deciding.is_loss:
            loss = shown_losses(recommendation.scores)[winner.run_id]
            yield said(f"{_capital(metric)} {{}}, and a gap of {{}}.", loss, _size(winner, recommendation))
        else:
            yield said(f"Best {metric}: {{}}.", own)
        yield (f"{_capital(why_alone(decision))}.",)
        return
    settings = decision.lead.settings
    if settings is not None:
        ahead, within = measured(settings.difference.value, settings.difference.error), rough(settings.within)
        yield said(f"Its settings are ahead by {{}} of {metric} between seeds; {{}} could be noise.", ahead, within)
        yield said(f"This run has {metric} {{}}.", values_shown(decision)[winner.run_id])
        return
    if not recommendation.gaps_count:
        yield said(f"{_capital(best_word(decision.deciding))} {metric}, {{}}.", own)
    else:
        yield _score_and_parts(winner, own, metric, recommendation)
    yield said("Runner-up: {} with {}.", names[runner_up.run_id], shown[runner_up.run_id])


def _score_and_parts(winner: RunScore, own: str, metric: str, recommendation: Recommendation) -> Sentence:
    loss = shown_losses(recommendation.scores)[winner.run_id]
    is_lowest = winner.value == min(each.value for each in recommendation.scores)
    if winner.gap is None:
        if is_lowest:
            return said(f"Lowest {metric}, {{}}, and best score, {{}} of 100. Its gap is unknown.", loss, own)
        return said(f"Best score, {{}} of 100, with {metric} {{}}. Its gap is unknown.", own, loss)
    gap = _size(winner, recommendation)
    is_small = winner.gap_label == recommendation.policy.bands[1].label
    if is_lowest:
        return said(f"Lowest {metric}, {{}}, and best score, {{}} of 100. Gap {{}}.", loss, own, gap)
    only = "only " if is_small else ""
    return said(f"Best score, {{}} of 100: {metric} {{}}, and a gap of {only}{{}}.", own, loss, gap)


def _size(score: RunScore, recommendation: Recommendation) -> str:
    return shown_gaps(recommendation.scores)[score.run_id].removeprefix("+")


def _why_tie(decision: Decision, names: Mapping[str, str]) -> Iterator[Sentence]:
    recommendation, tied = decision.recommendation, decision.tied
    shown = shown_values(decision)
    values = [shown[run_id] for run_id in tied]
    what = "score" if recommendation.gaps_count else metric_name(decision.deciding.metric)
    scores = [each for each in recommendation.scores if each.run_id in tied]
    if not any(round(lead_of(scores[0], each), TIE_DECIMALS) for each in scores):
        yield said(f"They have the same {what}, {{}}.", values[0])
        return
    if len(set(values)) == 1:
        yield said(f"All have a {what} of {{}}; what differs is less than the noise.", values[0])
    else:
        joined = "and" if len(values) == 2 else "to"
        plural = f"{what}s" if what == "score" or what.startswith("eval loss") else f"values of {what}"
        yield said(f"Their {plural}, {{}} {joined} {{}}, differ by less than the noise.", values[0], values[-1])
    unknown = decision.lead.unknown_gaps
    if unknown:
        yield said("The gap of {} is unknown, and could turn the order.", _few(unknown, names))
    elif recommendation.gaps_count:
        losses = shown_losses(recommendation.scores)
        gaps = shown_gaps(recommendation.scores)
        first = tied[0]
        gap = gaps[first].removeprefix("+")
        yield said("{} has eval loss {} and gap {}.", names[first], losses[first], gap)


def _why_not_comparable(decision: Decision) -> Sentence:
    aspects = differing(decision)
    if not aspects:
        return ("Too little is recorded to tell whether their values mean the same.",)
    return (f"{_capital(ASPECT_WORDS[aspects[0]].why)}.",)


def differing(decision: Decision) -> tuple[Aspect, ...]:
    """In what the classes of runs differ, the most telling first."""
    found = {aspect for other in decision.other_classes for aspect in other.differing}
    return tuple(aspect for aspect in Aspect if aspect in found)


def why_none(grounds: Grounds) -> Sentence:
    """Why no run is recommended."""
    recommendation = grounds.decision.recommendation
    if not recommendation.unscorable:
        return ("No run is selected.",)
    unknown = next((each for each in recommendation.unscorable if each.code is LeftOut.NO_DIRECTION), None)
    if unknown is not None:
        return said("Nothing says whether more or less {} is better: choose which.", metric_name(unknown.detail))
    logged = sorted({metric for each in recommendation.unscorable for metric in each.logged})
    if logged:
        return said("None logged what decides. Logged, and can be chosen: {}.", first_of(logged, NAMES_SHOWN))
    completed = [each for each in recommendation.unscorable if each.code in _WITHOUT_VALUE]
    if completed:
        return said("No completed run has a finite value of {}.", metric_name(recommendation.deciding.metric))
    if any(each.code is LeftOut.BROKE_DOWN for each in recommendation.unscorable):
        return ("The selected runs that ended broke down: their last losses are no numbers.",)
    return ("None of the selected runs is completed.",)


_WITHOUT_VALUE = frozenset((
    LeftOut.NO_EVAL_LOSS, LeftOut.NO_FINITE_EVAL_LOSS, LeftOut.BASE_ONLY, LeftOut.NO_VALUE, LeftOut.NO_METRIC,
))  # fmt: skip
HAVE_ENDED = _WITHOUT_VALUE | {LeftOut.NO_DIRECTION}
"""Why runs are left out that completed."""


def to_decide(decision: Decision, assessed: Mapping[str, Assessment | None], names: Mapping[str, str]) -> Sentence:
    """What to do about a tie, as far as the data support it; () without one.

    Named is what only some of the tied runs have, in this order: the best of another metric beyond its noise, no
    critical finding about their data or training, a checkpoint of the best evaluation that exists. Then what would
    part them.
    """
    tied = decision.tied
    if not tied:
        return ()
    return in_a_row(each for each in (_tells(decision, assessed, names), _would_part(decision, names)) if each)


def _tells(decision: Decision, assessed: Mapping[str, Assessment | None], names: Mapping[str, str]) -> Sentence:
    tied = decision.tied
    # What stands at the top of a report, not what is nested in it; and only where such metrics agree.
    preferred = {
        other.metric: best[0]
        for other in decision.others
        if "/" not in other.metric and other.best.outcome is Outcome.WINNER and len(other.members) == 1
        for best in [[run_id for run_id in other.members if run_id in tied]]
        if best
    }
    if len(set(preferred.values())) == 1:
        metric, best = next(iter(preferred.items()))
        raw = next(other.raw for other in decision.others if other.metric == metric)
        shown = together([raw[best], *(raw[run_id] for run_id in tied if run_id != best)])
        template = f"{_capital(metric_name(metric))} prefers {{}}: {{}} against {listed(shown[1:])}."
        return said(template, names[best], shown[0])
    tellers = (
        ("trained without critical findings", [each for each in tied if _is_sound(assessed.get(each))]),
        ("is known to have kept the best checkpoint", [each for each in tied if _is_kept(assessed.get(each))]),
    )
    for what, having in tellers:
        if 0 < len(having) < len(tied):
            return said(f"Only {{}} {what}.", _few(having, names))
    return ()


def _would_part(decision: Decision, names: Mapping[str, str]) -> Sentence:
    """What would settle a tie that noise makes, as far as that is what holds it; nothing where the scores are equal."""
    lead = decision.lead
    if not lead.level_with:
        return ()
    if lead.unknown_gaps:
        return ("A train loss that can be compared would part them.",)
    if set(lead.for_gap) == set(lead.level_with) and _train_is_louder(decision):
        return ("More evaluation data would not part them: the noise of their train losses is larger.",)
    if Basis.SEEDS in lead.bases:
        repeats = {each: len(decision.contest.repeats(each)) for each in decision.tied}
        fewest = [each for each in decision.tied if repeats[each] == min(repeats.values())]
        which = "each of these settings" if len(fewest) == len(repeats) else _few(fewest, names)
        return (f"Another seed of {which} would tell most.",)
    if Basis.SEED_EVALUATIONS in lead.bases:
        return ("More evaluation data would tell more than another seed.",)
    return ("More evaluation data would show whether they differ.",)


def _train_is_louder(decision: Decision) -> bool:
    """Whether the train losses of the tied runs leave more open of their gaps than the eval losses do."""
    found = [decision.values[each] for each in decision.tied]
    return sum((each.train_error or 0.0) ** 2 - (each.eval_error or 0.0) ** 2 for each in found) > 0.0


def against(overview: Overview) -> Sentence:
    """The strongest objection, or that there is none."""
    return ("None found." if overview.strongest is None else overview.strongest.short,)


def _few(run_ids: Sequence[str], names: Mapping[str, str]) -> str:
    return first_of([names[run_id] for run_id in run_ids], NAMES_SHOWN)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_sound(assessed: Assessment | None) -> bool:
    if assessed is None:
        return False
    findings = (*assessed.checks.doubts, *assessed.checks.findings_in(Group.HEALTH))
    return not any(finding.severity is Severity.CRITICAL for finding in findings)


def _is_kept(assessed: Assessment | None) -> bool:
    return assessed is not None and assessed.checkpoint.fate is Fate.KEPT
