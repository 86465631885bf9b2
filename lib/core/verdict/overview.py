"""The verdict at a glance: who wins, how sure, why, what speaks against it, which checkpoint, why not the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lib.core.checkpoints.advice import Fate
from lib.core.checks.check import Group
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.noise.best_set import Outcome
from lib.core.noise.pairs import Basis
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.text.phrases import listed
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.checkpoints import checkpoint_line
from lib.core.verdict.grounds import Grounds, improvement
from lib.core.verdict.metric_words import BASES, best_word, metric_words, others_logged
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.objections import objections_to
from lib.core.verdict.sureness import Surety, sureness_of
from lib.core.verdict.ties import rests_on

MAY_GO_ON = frozenset((RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.QUEUED))
"""Where none can be recommended and such a run is among them, one may be later."""


class HeadlineKind(StrEnum):
    """What the first line says."""

    WINNER = "winner"
    TIE = "tie"
    NOT_COMPARABLE = "not comparable"
    NONE = "no recommendation"
    NONE_YET = "no recommendation yet"


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line.

    Attributes:
        kind: What it says.
        run_ids: The runs that it names, the recommended one first; () without one.
        caveat: What nobody should ship the recommended one without knowing, as the end of a sentence; "" for nothing.
    """

    kind: HeadlineKind
    run_ids: tuple[str, ...]
    caveat: str = ""

    def title(self, names: Sequence[str]) -> str:
        """The line.

        Args:
            names: What ``run_ids`` are called in it.
        """
        match self.kind:
            case HeadlineKind.WINNER:
                return f"{names[0]}, but {self.caveat}" if self.caveat else names[0]
            case HeadlineKind.TIE:
                return f"Tie: {listed(names)} may be as good"
            case HeadlineKind.NOT_COMPARABLE:
                return f"Not comparable: {listed(names)}"
            case HeadlineKind.NONE:
                return "No recommendation"
            case HeadlineKind.NONE_YET:
                return "No recommendation yet"

    def mark(self, names: Sequence[str]) -> str:
        """What marks the recommended run; "" without one. ``names`` as for ``title``."""
        match self.kind:
            case HeadlineKind.WINNER:
                return f"★ first: {names[0]}" if self.caveat else "Recommended"
            case HeadlineKind.TIE:
                return f"★ first: {names[0]}"
            case HeadlineKind.NOT_COMPARABLE:
                return f"★ best of its class: {names[0]}"
            case _:
                return ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is said at a glance besides the grounds of the decision, in plain text.

    Attributes:
        grounds: Why the recommended run is first, and why not the others.
        headline: The first line.
        surety: How sure, and why.
        checkpoint: Which checkpoint of the recommended run to ship; ``None`` where nothing was read of it, and
            without a recommended run.
        objections: All, the strongest first.
        way_out: What to do about a tie; "" for none.
    """

    grounds: Grounds
    headline: Headline
    surety: Surety
    checkpoint: str | None
    objections: tuple[Objection, ...]
    way_out: str

    @property
    def is_recommended(self) -> bool:
        """Whether there is a recommended run."""
        return bool(self.headline.run_ids)

    @property
    def strongest(self) -> Objection | None:
        """The strongest objection: the first of them."""
        return next(iter(self.objections), None)

    @property
    def rests_on(self) -> str:
        """Which comparison says whether the lead is beyond the noise; "" where none does."""
        decision = self.grounds.decision
        return "" if decision.lead.outcome is Outcome.CANNOT_TELL else rests_on(decision.lead.bases)

    @property
    def score(self) -> str:
        """The score of the recommended run, or its value of the deciding metric; "" without one."""
        winner = self.grounds.decision.recommendation.winner
        if winner is None:
            return ""
        if winner.total is None:
            return f"{metric_words(self.grounds.decision.deciding.metric)} {formatting.loss(winner.value)}"
        return f"score {formatting.points(winner.total)} of 100"

    @property
    def lowest_not_first(self) -> str | None:
        """Why the lowest eval loss is not recommended, where the strongest objection does not say it."""
        is_said = self.strongest is not None and self.strongest.code.startswith("lower_loss")
        return None if is_said else self.grounds.lowest_not_first

    @property
    def decided_by(self) -> str:
        """By which metric, why by that, and what else was logged; "" without a recommended run."""
        deciding = self.grounds.decision.deciding
        if not self.is_recommended or deciding.metric is None:
            return ""
        what = "eval loss and gap" if deciding.metric == EVAL_LOSS else metric_words(deciding.metric)
        return f"Decided by {what}: {BASES[deciding.basis]}. {others_logged(deciding)}".strip()

    @property
    def strongest_sentence(self) -> str:
        """The strongest objection, or that there is none."""
        return "none was found." if self.strongest is None else self.strongest.sentence

    @property
    def others_title(self) -> str:
        """What stands above the lines of the others."""
        return "Why not the others" if self.is_recommended else "Why none of them"

    @property
    def not_comparable_title(self) -> tuple[str, str]:
        """What stands above the runs that do not compare, and what the last figure of their lines is."""
        decision = self.grounds.decision
        starred = improvement(decision, decision.recommendation.run_id)
        return "Losses not comparable", f"improved on own first evaluation (starred run: {starred})"


def overview_of(grounds: Grounds, runs: Sequence[RunSummary], assessed: Mapping[str, Assessment | None]) -> Overview:
    """Gather what is said at a glance.

    Args:
        grounds: Of the decision about these runs.
        runs: The runs.
        assessed: By run id; ``None`` where a run's curves could not be read.
    """
    decision = grounds.decision
    objections = objections_to(grounds, runs, assessed)
    surety = sureness_of(decision, objections)
    own = assessed.get(decision.recommendation.run_id or "")
    return Overview(
        grounds=grounds,
        headline=headline(decision, runs, own),
        surety=surety,
        checkpoint=None if own is None else checkpoint_line(own.checkpoint),
        objections=objections,
        way_out=way_out(decision, assessed, grounds.labels),
    )


def headline(decision: Decision, runs: Sequence[RunSummary], own: Assessment | None = None) -> Headline:
    """Who wins, or that it is a tie, or that the runs have no common ranking.

    Args:
        decision: About these runs.
        runs: The runs.
        own: Of the recommended one.
    """
    winner = decision.recommendation.winner
    if winner is None:
        may_go_on = any(run.status in MAY_GO_ON for run in runs)
        return Headline(HeadlineKind.NONE_YET if may_go_on else HeadlineKind.NONE, ())
    if not decision.has_main_class:
        best = (each.run_ids[0] for each in decision.other_classes)
        return Headline(HeadlineKind.NOT_COMPARABLE, (winner.run_id, *best))
    if decision.tied:
        return Headline(HeadlineKind.TIE, decision.tied)
    return Headline(HeadlineKind.WINNER, (winner.run_id,), _caveat(winner, own))


def _caveat(winner: RunScore, own: Assessment | None) -> str:
    died_at, shipped = None if own is None else own.died_at, winner.values.step
    if died_at is not None:
        before = ", before its best evaluation" if shipped is not None and shipped >= died_at else ""
        return f"its training died at step {formatting.count(died_at)}{before}"
    return "it was never better than before training" if winner.never_better else ""


def way_out(decision: Decision, assessed: Mapping[str, Assessment | None], labels: Mapping[str, str]) -> str:
    """What to do about a tie, as far as the data support it; "" for nothing.

    Named is what only some of the tied runs have, in this order: no critical finding about their data or training, a
    checkpoint of the best evaluation that exists, a value that may be the best where others' may not. Then what would
    part them.
    """
    tied = decision.tied
    if not tied:
        return ""
    words = f"{best_word(decision.deciding)} {metric_words(decision.deciding.metric)}"
    tellers = (
        ("without critical findings about data or training", [each for each in tied if _is_sound(assessed.get(each))]),
        ("whose best checkpoint is known to exist", [each for each in tied if _is_kept(assessed.get(each))]),
        (f"that may have the {words} beyond the noise", _best_by_metric(decision)),
    )
    said = []
    for what, having in tellers:
        if 0 < len(having) < len(tied):
            names = " or ".join(labels[each] for each in having)
            said.append(f"Of these, {names} {'is the one' if len(having) == 1 else 'are those'} {what}.")
            break
    return " ".join((*said, *_would_part(decision, labels)))


def _would_part(decision: Decision, labels: Mapping[str, str]) -> Iterator[str]:
    """What would settle a tie that noise makes, as far as that is what holds it; nothing where the scores are equal."""
    lead = decision.lead
    if not lead.level_with:
        return
    if lead.unknown_gaps:
        yield "A train loss that can be compared would part them."
    elif set(lead.for_gap) == set(lead.level_with) and _train_is_louder(decision):
        yield "More evaluation data would not part them: what their train losses leave open of the gaps is more."
    elif Basis.SEEDS in lead.bases:
        repeats = {each: len(decision.contest.repeats(each)) for each in decision.tied}
        fewest = [labels[each] for each in decision.tied if repeats[each] == min(repeats.values())]
        which = "each of these settings" if len(fewest) == len(repeats) else " or ".join(fewest)
        yield f"Another seed of {which} would tell most about a difference."
    elif Basis.SEED_EVALUATIONS in lead.bases:
        yield "More evaluation data would tell more about a difference than another seed."
    else:
        yield "More evaluation data would show whether they differ; another seed of each would show whether it lasts."


def _train_is_louder(decision: Decision) -> bool:
    """Whether the train losses of the tied runs leave more open of their gaps than the eval losses do."""
    found = [decision.values[each] for each in decision.tied]
    return sum((each.train_error or 0.0) ** 2 - (each.eval_error or 0.0) ** 2 for each in found) > 0.0


def _is_sound(assessed: Assessment | None) -> bool:
    if assessed is None:
        return False
    findings = (*assessed.checks.doubts, *assessed.checks.findings_in(Group.HEALTH))
    return not any(finding.severity is Severity.CRITICAL for finding in findings)


def _is_kept(assessed: Assessment | None) -> bool:
    return assessed is not None and assessed.checkpoint.fate is Fate.KEPT


def _best_by_metric(decision: Decision) -> list[str]:
    if decision.contest.best.outcome is Outcome.CANNOT_TELL:
        return []
    return [each for each in decision.tied if each in decision.contest.members]
