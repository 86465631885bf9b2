"""What speaks against the recommended run, or against trusting the verdict: the strongest objection first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.checks.health import Health
from lib.core.checks.passport import Passport
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.gap.negative_gap import Explanation
from lib.core.gap.overfitting import Overfitting
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import RunScore, score
from lib.core.ranking.tie import TieKind
from lib.core.text import formatting
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.summary_columns import GAP_WARNING
from lib.core.verdict.trophy import trophy_sentence

NARROW_WEIGHT = 0.10
"""A recommendation that ends within this distance of the present eval weight hangs on the weight: nobody can tell
0.70 from 0.80 by reason."""

ESSENTIAL_ASPECTS = frozenset(("method", "dataset"))
"""Where it is open whether these are the same, it is open whether the losses are of the same thing at all. The other
aspects shift losses of the same kind."""

UNFINISHED = {RunStatus.RUNNING: "still running", RunStatus.PAUSED: "paused"}
"""Runs that may go on, and may overtake."""


class Judged(Protocol):
    """What is judged of one run."""

    @property
    def health(self) -> Health: ...
    @property
    def passport(self) -> Passport: ...
    @property
    def overfitting(self) -> Overfitting: ...
    @property
    def checkpoint(self) -> CheckpointAdvice: ...


@dataclass(frozen=True, slots=True)
class _Case:
    """A recommended run and all that may speak against it."""

    decision: Decision
    rows: Sequence[SummaryInput]
    judged: Mapping[str, Judged | None]
    labels: Mapping[str, str]
    winner: RunScore

    @property
    def own(self) -> Judged | None:
        return self.judged.get(self.winner.run_id)

    @property
    def rivals(self) -> list[str]:
        """The runner-up and those that cannot be told from the recommended run, best first."""
        lead = self.decision.lead
        return [each for place, each in enumerate(self.decision.ranked) if place == 1 or each in (
            *lead.level_with, *lead.undecided)]  # fmt: skip

    def called(self, run_id: str) -> str:
        return self.labels.get(run_id, run_id)


def objections_to(
    decision: Decision,
    rows: Sequence[SummaryInput],
    judged: Mapping[str, Judged | None],
    labels: Mapping[str, str],
) -> tuple[Objection, ...]:
    """Gather what speaks against the recommended run.

    Args:
        decision: About these runs.
        rows: The runs.
        judged: By run id; ``None`` where a run's curves could not be read.
        labels: What the runs are called.

    Returns:
        The strongest first, in the order of ``KINDS``; empty where nothing was found, or no run is recommended.
    """
    winner = decision.recommendation.winner
    if winner is None:
        return ()
    case = _Case(decision, rows, judged, labels, winner)
    found = [objection for look in _LOOKS for objection in look(case)]
    return tuple(sorted(found, key=lambda objection: objection.rank))


def _ranking(case: _Case) -> Iterator[Objection]:
    """Whether there is a ranking, and whether its order is more than chance."""
    decision = case.decision
    if not decision.has_main_class:
        yield Objection(
            "no_common_ranking",
            "No class of comparable runs is larger than the others, so the runs have no common ranking: it is only the"
            " best of its own class.",
        )
    elif len(decision.ranked) == 1:
        yield Objection("alone", "It had no competition: no other completed run with an eval loss is selected.")
    if decision.tied:
        yield Objection("tie", decision.lead.sentence if decision.lead.level_with else "Its score is shared.")
    elif len(decision.ranked) > 1 and decision.lead.kind is TieKind.CANNOT_TELL:
        unknown = [f"{case.called(run_id)}: {noise.reason}" for run_id, noise in decision.lowest.noises.items()
                   if noise.reason]  # fmt: skip
        yield Objection("noise_unknown", f"Whether its lead is beyond the noise cannot be told ({'; '.join(unknown)}).")
    interval = decision.flip.interval
    if interval is not None and len(decision.ranked) > 1:
        weight = decision.flip.weight
        near = [(abs(weight - end), end, rival) for end, rival in ((interval.low, interval.below),
                (interval.high, interval.above)) if rival is not None]  # fmt: skip
        for away, end, rival in sorted(near)[:1]:
            if away <= NARROW_WEIGHT:
                yield Objection(
                    "narrow_weights",
                    f"{case.called(rival)} would win with an eval weight beyond {end:.1%}; it is {weight:.0%}.",
                    rival,
                )


def _comparability(case: _Case) -> Iterator[Objection]:
    """Whether the ranked losses are known to mean the same."""
    if len(case.decision.ranked) < 2:
        return
    ranked = case.decision.comparability.class_of(case.winner.run_id)
    for code, aspects in (
        ("losses_unlike", [each for each in ranked.unsure if each.key in ESSENTIAL_ASPECTS]),
        ("comparability_open", [each for each in ranked.unsure if each.key not in ESSENTIAL_ASPECTS]),
    ):
        if aspects:
            names = ", ".join(_lower(each.title) for each in aspects)
            yield Objection(
                code, f"Not recorded well enough to tell whether it is the same in all ranked runs: {names}."
            )
    for aspect in ranked.cautions:
        yield Objection("comparability_caution", f"The ranked runs differ in {_lower(aspect.title)}: {aspect.why}.")


def _data(case: _Case) -> Iterator[Objection]:
    """What the passports of the recommended run and its closest rivals say, and what could not be read."""
    for run_id in case.decision.ranked:
        if run_id in case.judged and case.judged[run_id] is None:
            whose = "Its metrics" if run_id == case.winner.run_id else f"The metrics of {case.called(run_id)}"
            yield Objection("unread", f"{whose} could not be read, so nothing in them was checked.", run_id)
    for run_id in (case.winner.run_id, *case.rivals):
        judged = case.judged.get(run_id)
        if judged is None or not judged.passport.doubts:
            continue
        doubts = _severe_first(judged.passport.doubts)
        is_winner = run_id == case.winner.run_id
        severe = doubts[0].severity is Severity.CRITICAL
        code = f"{'winner' if is_winner else 'rival'}_{'data' if severe else 'doubts'}"
        whose = "Its data" if is_winner else f"The data of {case.called(run_id)}"
        yield Objection(code, f"{whose} raise doubts: {doubts[0].sentence}{_more(doubts)}", run_id)


def _training(case: _Case) -> Iterator[Objection]:
    """What the recommended run's own curves say against it."""
    if case.own is None:
        return
    findings = case.own.health.findings
    critical = [each for each in findings if each.severity is Severity.CRITICAL]
    rebound = [each for each in findings if each.code == "eval_rebound"]
    warnings = [each for each in findings if each.severity is Severity.WARNING and each not in rebound]
    if critical:
        yield Objection("winner_health", f"Its training broke down: {critical[0].sentence}{_more(critical)}")
    over = case.own.overfitting
    if over.negative is not None and over.negative.explanation is Explanation.NOT_EXPLAINED:
        yield Objection(
            "leakage", f"Its eval loss is {over.negative.size:.4f} below its train loss. {over.negative.sentence}"
        )
    if over.negative is not None and over.negative.explanation is Explanation.CANNOT_TELL:
        yield Objection(
            "negative_gap_open",
            f"Its eval loss is {over.negative.size:.4f} below its train loss. {over.negative.sentence}",
        )
    if rebound:
        yield Objection("overfitting", f"It overfits after its best evaluation: {rebound[0].sentence}")
    elif over.gap is not None and over.gap > GAP_WARNING:
        yield Objection(
            "overfitting", f"Its gap at its best evaluation is {formatting.signed(over.gap)}: it may overfit."
        )
    if warnings:
        yield Objection("winner_warnings", f"A warning about its training: {warnings[0].sentence}{_more(warnings)}")


def _checkpoint(case: _Case) -> Iterator[Objection]:
    """Whether the weights that were measured can still be had."""
    advice = case.own.checkpoint if case.own is not None else None
    if advice is None or advice.fate not in (Fate.DELETED, Fate.NEVER_SAVED, Fate.NOT_FOUND):
        return
    fate = {
        Fate.DELETED: "has been deleted or was not saved",
        Fate.NEVER_SAVED: "was not saved",
        Fate.NOT_FOUND: "is not in the run's folder",
    }[advice.fate]
    there = (
        "" if advice.saved_eval_loss is None else f", with an eval loss of {formatting.loss(advice.saved_eval_loss)}"
    )
    nearest = "" if advice.saved_step is None else f" The nearest that exists is of step {advice.saved_step}{there}."
    yield Objection(
        "checkpoint_missing", f"The checkpoint of its best evaluation (step {advice.step}) {fate}.{nearest}"
    )


def _rivals(case: _Case) -> Iterator[Objection]:
    """Runs with a lower eval loss, and runs that are not finished."""
    decision, winner = case.decision, case.winner
    compared = [row for row in case.rows if row.run.run_id in decision.comparable]
    said = trophy_sentence(decision.recommendation, compared, case.labels)
    if said:
        lowest = decision.lowest
        clear = winner.run_id in lowest.estimates and winner.run_id not in lowest.best_set
        if clear:
            yield Objection("lower_loss_beyond_noise", f"{said} This difference is beyond the noise.")
        else:
            yield Objection("lower_loss", said)
    for run in sorted((row.run for row in case.rows), key=lambda run: run.run_id):
        if run.run_id not in decision.alongside or run.status not in UNFINISHED:
            continue
        now = _as_completed(run, case)
        state = f"{case.called(run.run_id)} is {UNFINISHED[run.status]}"
        if now is not None and now.total > winner.total:
            mine, best = formatting.apart(now.total, winner.total)
            yield Objection("rival_ahead", f"{state} and would score {mine} now, against {best}.", run.run_id)
        elif run.status is RunStatus.RUNNING:
            yield Objection("may_overtake", f"{state} and may overtake it.", run.run_id)


_LOOKS: tuple[Callable[[_Case], Iterator[Objection]], ...] = (
    _ranking, _comparability, _data, _training, _checkpoint, _rivals,
)  # fmt: skip


def _as_completed(run: RunSummary, case: _Case) -> RunScore | None:
    found = score(replace(run, status=RunStatus.COMPLETED), case.decision.recommendation.policy)
    return found if isinstance(found, RunScore) else None


def _severe_first(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.severity is not Severity.CRITICAL)


def _more(findings: Sequence[Finding]) -> str:
    return f" And {len(findings) - 1} more." if len(findings) > 1 else ""


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]
