"""What speaks against the recommended run, or against trusting the verdict: the strongest objection first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lib.core.checks.check import Group, and_more, most_severe
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import TOLD_COMPLETED, RunStatus, RunSummary
from lib.core.gap.negative_gap import Explanation
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.noise import estimate, train_window
from lib.core.noise.best_set import Outcome
from lib.core.ranking.comparability_aspects import Aspect
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import follows_from_loss
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.text.phrases import in_sentence
from lib.core.text.precision import measured, to_decimals
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.changes import if_completed
from lib.core.verdict.checkpoints import missing_checkpoint
from lib.core.verdict.comparability import caution, unknown_aspects
from lib.core.verdict.grounds import Grounds
from lib.core.verdict.lowest_loss import risen_loss
from lib.core.verdict.metric_words import apart, metric_name, read_by_guess, unlike_scales
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.reasons import ReasonCode
from lib.core.verdict.ties import lead_sentence, unknown_noise
from lib.core.verdict.unchecked import unchecked

# fmt: off
NARROW_WEIGHT = Limit(0.10, "Narrow weight",
    "A recommendation that ends within this distance of the present eval weight hangs on the weight: nobody can tell"
    " 0.70 from 0.80 by reason.")
# fmt: on

OTHERS_SHOWN = Count(1, "Others shown", "Metrics that say otherwise and are named with their values.")
METRIC_LIMIT = 40
"""Characters of a metric's name."""

ESSENTIAL_ASPECTS = frozenset((Aspect.METHOD, Aspect.DATASET))
"""Where it is open whether these are the same, it is open whether the losses are of the same thing at all. The other
aspects shift losses of the same kind."""

UNFINISHED = frozenset((RunStatus.RUNNING, RunStatus.PAUSED))
"""Runs that may go on, and may overtake."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A recommended run and all that may speak against it."""

    grounds: Grounds
    decision: Decision
    runs: Sequence[RunSummary]
    assessed: Mapping[str, Assessment | None]
    winner: RunScore

    @property
    def own(self) -> Assessment | None:
        return self.assessed.get(self.winner.run_id)

    @property
    def rivals(self) -> list[str]:
        """The runner-up and those that cannot be told from the recommended run, best first."""
        lead, runner_up = self.decision.lead, self.decision.recommendation.runner_up
        close = {runner_up.run_id if runner_up else "", *lead.level_with, *lead.undecided}
        return [each for each in self.decision.ranked if each in close]

    def called(self, run_id: str) -> str:
        return self.grounds.labels[run_id]


def objections_to(
    grounds: Grounds, runs: Sequence[RunSummary], assessed: Mapping[str, Assessment | None]
) -> tuple[Objection, ...]:
    """Gather what speaks against the recommended run.

    Args:
        grounds: Of the decision about these runs.
        runs: The runs.
        assessed: By run id; ``None`` where a run's curves could not be read.

    Returns:
        The strongest first, in the order of ``KINDS``; empty where nothing was found, or no run is recommended.
    """
    winner = grounds.decision.recommendation.winner
    if winner is None:
        return ()
    case = _Case(grounds, grounds.decision, runs, assessed, winner)
    if not grounds.decision.has_main_class:
        # What speaks against the best of one class of several speaks against no recommendation.
        common = "The runs have no common ranking: it is only the best of those that compare with it."
        return (Objection("no_common_ranking", common),)
    found = [objection for look in _LOOKS for objection in look(case)]
    return tuple(sorted(found, key=lambda objection: objection.rank))


def _ranking(case: _Case) -> Iterator[Objection]:
    """Whether there is a ranking, and whether its order is more than chance."""
    decision, labels = case.decision, case.grounds.labels
    if is_alone := len(decision.ranked) == 1:
        yield Objection("alone", case.grounds.sentence(ReasonCode.ALONE))
    if decision.tied:
        # Scores that are equal are so whatever the noise is.
        is_noise = bool(decision.lead.level_with)
        yield Objection("tie", lead_sentence(decision, labels) if is_noise else "Its score is shared.")
    elif not is_alone and decision.lead.outcome is Outcome.CANNOT_TELL:
        yield Objection("noise_unknown", unknown_noise(decision.contest, labels))
    elif not is_alone and decision.lead.few:
        yield Objection(
            "few_evaluations",
            f"A compared run has fewer than {estimate.PARABOLA_POINTS} evaluations, which tell little of their noise.",
        )
    if not is_alone and not decision.lead.is_gap_error_known:
        yield Objection(
            "gap_error_unknown",
            "How far the gaps are off cannot be told:"
            f" that takes {train_window.MIN_TRAIN_POINTS} train losses up to the best step.",
        )
    interval = decision.flip.interval
    if interval is None or is_alone:
        return
    weight = decision.recommendation.policy.eval_weight
    ends = (interval.low, interval.below), (interval.high, interval.above)
    near = sorted((abs(weight - end), end, rival) for end, rival in ends if rival is not None)
    for away, end, rival in near[:1]:
        if away <= NARROW_WEIGHT:
            said = f"{case.called(rival)} would win with an eval weight beyond {end:.1%}; it is {weight:.0%}."
            yield Objection("narrow_weights", said)


def _other_metrics(case: _Case) -> Iterator[Objection]:
    """Metrics by which another ranked run is better beyond their noise."""
    found: dict[str, list[str]] = {}
    for other in case.decision.others:
        beaten = other.beaten(case.winner.run_id)
        if beaten is None:
            continue
        by, _ = beaten
        is_task = case.decision.deciding.follows_from_loss and not follows_from_loss(other.metric)
        own, theirs = apart(other.raw[case.winner.run_id], other.raw[by])
        metric = formatting.shorten(metric_name(other.metric), METRIC_LIMIT)
        said = f"By {metric}, {case.called(by)} is better beyond the noise: {theirs} against its {own}."
        found.setdefault("task_metric" if is_task else "other_metric", []).append(said)
    for code, sentences in found.items():
        more = len(sentences) - OTHERS_SHOWN
        further = f" Others that say so: {more}." if more > 0 else ""
        yield Objection(code, " ".join(sentences[:OTHERS_SHOWN]) + further)


def _base(case: _Case) -> Iterator[Objection]:
    """Whether training made anything better at all."""
    if case.winner.never_better:
        words = metric_name(case.decision.deciding.metric)
        now, before = measured(case.winner.value), measured(case.winner.values.base)
        yield Objection("never_better", f"Never better than the base model: {words} {now}, before training {before}.")


def _guessed(case: _Case) -> Iterator[Objection]:
    """Whether a metric that the ranking rests on is read as it by a guess at its name, or of more than one scale."""
    if said := unlike_scales(case.decision, case.grounds.labels):
        yield Objection("scales_unlike", said)
    if said := read_by_guess(case.decision, case.runs, case.grounds.labels):
        yield Objection("guessed", said)


def _ended(case: _Case) -> Iterator[Objection]:
    """Whether it is only said that the winner's training ended."""
    if any(run.run_id == case.winner.run_id and run.raw_status == TOLD_COMPLETED for run in case.runs):
        yield Objection("told_completed", "Its log does not say that its training ended: somebody here said so.")


def _comparability(case: _Case) -> Iterator[Objection]:
    """Whether the ranked losses are known to mean the same."""
    if len(case.decision.ranked) < 2:
        return
    ranked = case.decision.comparability.class_of(case.winner.run_id)
    for code, aspects in (
        ("losses_unlike", [each for each in ranked.unsure if each in ESSENTIAL_ASPECTS]),
        ("comparability_open", [each for each in ranked.unsure if each not in ESSENTIAL_ASPECTS]),
    ):
        if aspects:
            yield Objection(code, unknown_aspects(aspects))
    for aspect in ranked.cautions:
        yield Objection("comparability_caution", caution(aspect))


def _data(case: _Case) -> Iterator[Objection]:
    """What puts the data of the recommended run and its closest rivals into doubt, and what could not be read."""
    for run_id in case.decision.ranked:
        if run_id in case.assessed and case.assessed[run_id] is None:
            whose = "Its metrics" if run_id == case.winner.run_id else f"The metrics of {case.called(run_id)}"
            yield Objection("unread", f"{whose} could not be read, so nothing in them was checked.")
    for run_id in (case.winner.run_id, *case.rivals):
        assessed = case.assessed.get(run_id)
        is_winner = run_id == case.winner.run_id
        # That its training broke down is an objection of its own.
        said = assessed.breakdowns if is_winner and assessed is not None else ()
        doubts = () if assessed is None else tuple(each for each in assessed.checks.doubts if each not in said)
        if assessed is None or not doubts:
            continue
        worst = most_severe(doubts)
        code = f"{'winner' if is_winner else 'rival'}_{'data' if worst.severity is Severity.CRITICAL else 'doubts'}"
        whose = "Its data" if is_winner else f"The data of {case.called(run_id)}"
        yield Objection(
            code,
            f"{whose} raise doubts: {worst.sentence}{and_more(len(doubts))}",
            brief=f"{whose} raise doubts: {_brief(assessed, worst, len(doubts))}",
            place=worst.place if is_winner else None,
        )


def _unchecked(case: _Case) -> Iterator[Objection]:
    """Which checks that matter could not be made."""
    if case.own is None:
        return
    rivals = [own.checks for each in case.rivals if (own := case.assessed.get(each)) is not None]
    missing = unchecked(case.own.checks, rivals, gaps_count=case.decision.recommendation.gaps_count)
    if missing.results:
        first, count = missing.results[0], f"{len(missing.results)} of {missing.matter} checks that matter"
        why = f"{first.check.title.lower()}, as {first.because}{and_more(len(missing.results))}"
        said = f"{count} could not be made"
        yield Objection("unchecked", f"{said}: {why}", said, f"{said}.")


def _training(case: _Case) -> Iterator[Objection]:
    """What the recommended run's own curves say against it."""
    if case.own is None:
        return
    findings = case.own.checks.findings_in(Group.HEALTH)
    rebound = [each for each in findings if each.code == "eval_rebound"]
    said_already = (*rebound, *case.own.checks.doubts)
    warnings = [each for each in findings if each.severity is Severity.WARNING and each not in said_already]
    died_at, shipped = case.own.died_at, case.winner.values.step
    if broke := case.own.breakdowns:
        code, verb = ("winner_health", "broke down") if died_at is None else ("winner_died", "died")
        whole, brief = f"{broke[0].sentence}{and_more(len(broke))}", _brief(case.own, broke[0], len(broke))
        said, short = (f"Its training {verb}: {each}{_since_its_death(case.own, shipped)}" for each in (whole, brief))
        yield Objection(code, said, brief=short, place=broke[0].place)
    is_other = bool(rebound) and not case.decision.deciding.is_loss
    risen = risen_loss(case.called(case.winner.run_id), case.winner, rebound[0]) if is_other else ""
    if risen:
        yield Objection("loss_risen", risen, place=rebound[0].place)
    # What came after losses that are no numbers is no overfitting, nor a gap; those of dead weights say nothing.
    if died_at is None or (died_at == case.own.lost_from and shipped is not None and shipped < died_at):
        yield from _fit(case.own, () if risen or died_at is not None else rebound)
    if warnings:
        said = f"A warning about its training: {warnings[0].sentence}{and_more(len(warnings))}"
        brief = f"A warning about its training: {_brief(case.own, warnings[0], len(warnings))}"
        yield Objection("winner_warnings", said, brief=brief, place=warnings[0].place)


def _brief(assessed: Assessment, finding: Finding, many: int) -> str:
    """A finding by the title of its check, where it is, and how many more there are."""
    where = "" if finding.step is None else f" at {assessed.unit} {formatting.count(finding.step)}"
    titles = (each.check.title for each in assessed.checks.results if finding in each.findings)
    return f"{in_sentence(next(titles, finding.code))}{where}{and_more(many) or '.'}".replace(" And", ", and", 1)


def _since_its_death(assessed: Assessment, shipped: int | None) -> str:
    if (died_at := assessed.died_at) is None or shipped is None:
        return ""
    when = "from before that" if shipped < died_at else "of the model that was no longer trained"
    return f" Its best evaluation, at {assessed.unit} {formatting.count(shipped)}, is {when}."


def _fit(assessed: Assessment, rebound: Sequence[Finding]) -> Iterator[Objection]:
    """What its losses say of leakage and overfitting; those of a training that died say nothing of either."""
    over = assessed.overfitting
    if over.negative is not None and over.negative.explanation is not Explanation.EXPLAINED:
        is_leak = over.negative.explanation is Explanation.NOT_EXPLAINED
        said = f"Its eval loss is {measured(over.negative.size)} below its train loss"
        why = "and no ordinary cause explains that" if is_leak else "which leakage or an ordinary cause may explain"
        code = "leakage" if is_leak else "negative_gap_open"
        yield Objection(code, f"{said}. {over.negative.sentence}", brief=f"{said}, {why}.")
    if rebound:
        where = "" if rebound[0].step is None else f" from {assessed.unit} {formatting.count(rebound[0].step)} on"
        said = f"It overfits after its lowest eval loss: {rebound[0].sentence}"
        brief = f"It overfits{where}: later checkpoints are worse."
        yield Objection("overfitting", said, brief=brief, place=rebound[0].place)
    elif over.gap is not None and over.gap > GAP_WARNING:
        gap = to_decimals(over.gap, 3)
        yield Objection("overfitting", f"Its gap at the checkpoint to ship is {gap}: it may overfit.")


def _checkpoint(case: _Case) -> Iterator[Objection]:
    """Whether the weights that were measured can still be had."""
    if case.own is not None and (said := missing_checkpoint(case.own.checkpoint)):
        yield Objection("checkpoint_missing", said)


def _rivals(case: _Case) -> Iterator[Objection]:
    """Runs with a lower eval loss, and runs that are not finished."""
    decision, winner = case.decision, case.winner
    if said := case.grounds.lowest_not_first:
        if decision.contest.beaten(winner.run_id) is not None:
            yield Objection("lower_loss_beyond_noise", f"{said} This difference is beyond the noise.")
        else:
            yield Objection("lower_loss", said)
    for run in sorted(case.runs, key=lambda run: run.run_id):
        if run.run_id not in decision.alongside or run.status not in UNFINISHED:
            continue
        state = f"{case.called(run.run_id)} is {case.grounds.left_out[run.run_id]}"
        mine, best = if_completed(run.run_id, decision)
        if mine is not None:
            yield Objection("rival_ahead", f"{state} and would be first now, with {mine} against {best}.")
        elif run.status is RunStatus.RUNNING:
            yield Objection("may_overtake", f"{state} and may overtake it.")


_LOOKS: tuple[Callable[[_Case], Iterator[Objection]], ...] = (
    _other_metrics, _ranking, _base, _guessed, _ended, _comparability, _data, _unchecked, _training, _checkpoint,
    _rivals,
)  # fmt: skip
