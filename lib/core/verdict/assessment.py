"""All that is worked out about one run by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lib.core.checkpoints.advice import CheckpointAdvice, checkpoint_to_ship
from lib.core.checks.check import Group
from lib.core.checks.learning import dead_training
from lib.core.checks.registry import checks_of
from lib.core.checks.results import Results
from lib.core.checks.stability import Stability, stability_of
from lib.core.curves.evidence import RunEvidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary
from lib.core.gap.overfitting import Overfitting, overfitting_of


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is worked out about one run by itself.

    Attributes:
        checks: What of its data and curves should worry somebody.
        stability: How steadily it trained.
        overfitting: Its gap at the best step, and what came after.
        checkpoint: Which checkpoint to ship.
    """

    checks: Results
    stability: Stability
    overfitting: Overfitting
    checkpoint: CheckpointAdvice

    @property
    def breakdowns(self) -> tuple[Finding, ...]:
        """How its training broke down: the critical findings about it, in their order."""
        return tuple(each for each in self.checks.findings_in(Group.HEALTH) if each.severity is Severity.CRITICAL)

    @property
    def died_at(self) -> int | None:
        """The step from which on nothing was trained; ``None`` where it was trained to its end."""
        return next((each.step for each in self.breakdowns if each.code == dead_training.code), None)


def assess(
    stored: RunSummary, run: RunSummary, curves: RunCurves, evidence: RunEvidence, now: datetime | None
) -> Assessment:
    """Work it out.

    Args:
        stored: The run as the source gave it.
        run: The same with what its curves know better (``lib.core.curves.evidence.with_evidence``).
        curves: Its curves over its whole range of steps.
        evidence: From these curves.
        now: The present, to tell how long a running run has been silent.
    """
    checks = checks_of(stored, curves, evidence, now)
    return Assessment(
        checks, stability_of(checks), overfitting_of(run, curves, evidence), checkpoint_to_ship(run, evidence, curves)
    )


def shipping(
    assessment: Assessment, run: RunSummary, curves: RunCurves, evidence: RunEvidence, step: int | None
) -> Assessment:
    """The assessment of a run with the checkpoint of the step at which the deciding metric is best.

    That step is ``None`` where it is not known, or the run is not ranked; the other arguments are as for ``assess``.
    """
    if step is None or step == assessment.checkpoint.step:
        return assessment
    return replace(assessment, checkpoint=checkpoint_to_ship(run, evidence, curves, step))
