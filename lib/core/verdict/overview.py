"""What a verdict comes to: who is named first, how sure that is, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lib.core.facts.foreign import legible
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.verdict.assessment import Assessment
from lib.core.verdict.grounds import Grounds
from lib.core.verdict.metric_words import BASES, metric_words, others_logged
from lib.core.verdict.objection_kinds import Objection
from lib.core.verdict.objections import objections_to
from lib.core.verdict.sureness import Surety, sureness_of
from lib.core.verdict.ties import rests_on

MAY_GO_ON = frozenset((RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.QUEUED))
"""Where none can be recommended and such a run is among them, one may be later."""
SAID_BEFORE = frozenset(("no_common_ranking", "alone", "tie", "noise_unknown"))
"""Objections that the headline or the badge says."""


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


@dataclass(frozen=True, slots=True)
class Overview:
    """What is said at a glance besides the grounds of the decision, in plain text.

    Attributes:
        grounds: Why the recommended run is first, and why not the others.
        headline: The first line.
        surety: How sure, and why.
        objections: All, the strongest first.
    """

    grounds: Grounds
    headline: Headline
    surety: Surety
    objections: tuple[Objection, ...]

    @property
    def is_recommended(self) -> bool:
        """Whether there is a recommended run."""
        return bool(self.headline.run_ids)

    @property
    def strongest(self) -> Objection | None:
        """The strongest objection besides what headline and badge say before any."""
        return next((each for each in self.objections if each.code not in SAID_BEFORE), None)

    @property
    def rests_on(self) -> str:
        """Which comparison says whether the lead is beyond the noise; "" where none does."""
        decision = self.grounds.decision
        return "" if decision.lead.outcome is Outcome.CANNOT_TELL else rests_on(decision.lead.bases)

    @property
    def decided_by(self) -> str:
        """By which metric, why by that, and what else was logged; "" without a recommended run."""
        deciding = self.grounds.decision.deciding
        if not self.is_recommended or deciding.metric is None:
            return ""
        what = "eval loss and gap" if deciding.metric == EVAL_LOSS else metric_words(deciding.metric)
        return f"Decided by {what}: {BASES[deciding.basis]}. {others_logged(deciding, legible)}".strip()


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
    return Overview(
        grounds=grounds,
        headline=headline(decision, runs, assessed),
        surety=surety,
        objections=objections,
    )


def headline(
    decision: Decision, runs: Sequence[RunSummary], assessed: Mapping[str, Assessment | None] | None = None
) -> Headline:
    """Who wins, or that it is a tie, or that the runs have no common ranking.

    Args:
        decision: About these runs.
        runs: The runs.
        assessed: By run id, as far as they are.
    """
    assessed = assessed or {}
    winner = decision.recommendation.winner
    if winner is None:
        may_go_on = any(run.status in MAY_GO_ON for run in runs)
        return Headline(HeadlineKind.NONE_YET if may_go_on else HeadlineKind.NONE, ())
    if not decision.has_main_class:
        best = (each.run_ids[0] for each in decision.other_classes)
        return Headline(HeadlineKind.NOT_COMPARABLE, (winner.run_id, *best))
    if decision.tied:
        each = [assessed.get(run_id) for run_id in decision.tied]
        are_broken = all(own is not None and (own.died_at is not None or own.breakdowns) for own in each)
        return Headline(HeadlineKind.TIE, decision.tied, "the training of each broke down" if are_broken else "")
    return Headline(HeadlineKind.WINNER, (winner.run_id,), _caveat(winner, assessed.get(winner.run_id)))


def _caveat(winner: RunScore, own: Assessment | None) -> str:
    died_at, shipped = None if own is None else own.died_at, winner.values.step
    if own is not None and died_at is not None:
        before = ", before its best evaluation" if shipped is not None and shipped >= died_at else ""
        return f"its training died at {own.unit} {formatting.count(died_at)}{before}"
    return "it was never better than before training" if winner.never_better else ""
