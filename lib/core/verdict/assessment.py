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
from lib.core.curves.lost_ends import lost_from
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary
from lib.core.gap.overfitting import Overfitting, overfitting_of
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text.log_units import unit_of


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that is worked out about one run by itself.

    Attributes:
        checks: What of its data and curves should worry somebody.
        stability: How steadily it trained.
        overfitting: Its gap at the step of that checkpoint, and what came after.
        checkpoint: Which checkpoint to ship.
        lost_from: The step from which on its losses are no numbers, to its end (``lib.core.curves.lost_ends``).
    """

    checks: Results
    stability: Stability
    overfitting: Overfitting
    checkpoint: CheckpointAdvice
    lost_from: int | None = None

    @property
    def breakdowns(self) -> tuple[Finding, ...]:
        """How its training broke down: the critical findings about it, in their order."""
        return tuple(each for each in self.checks.findings_in(Group.HEALTH) if each.severity is Severity.CRITICAL)

    @property
    def unit(self) -> str:
        """What its log counts: "step", or "epoch" where it counts nothing else."""
        return unit_of(self.checkpoint.run)

    @property
    def died_at(self) -> int | None:
        """The step from which on nothing was trained or no loss is a number; ``None``: it was trained to its end."""
        dead = (each.step for each in self.breakdowns if each.code == dead_training.code)
        return next(dead, self.lost_from)


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
        checks,
        stability_of(checks),
        overfitting_of(run, curves),
        checkpoint_to_ship(run, evidence, curves),
        lost_from(curves),
    )


def shipping(
    assessment: Assessment, run: RunSummary, curves: RunCurves, evidence: RunEvidence, decision: Decision
) -> Assessment:
    """The assessment of a run with the checkpoint of the step at which the metric of its class is best.

    It stays as it is where that step is not known. The arguments are as for ``assess``, ``decision`` is about this run
    among others.
    """
    deciding, values = decision.shipped(run.run_id)
    if values is None or values.step is None:
        return assessment
    found = assessment
    if values.step != found.checkpoint.step:
        found = replace(found, checkpoint=checkpoint_to_ship(run, evidence, curves, values.step))
    metric = deciding.metric if deciding.is_loss and deciding.metric is not None else EVAL_LOSS
    if metric == EVAL_LOSS and values.step == evidence.best_step:
        return found
    return replace(found, overfitting=overfitting_of(run, curves, values.step, metric))
