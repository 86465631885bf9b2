"""The data passport of a run: what was checked of its rows and of what is stored about it, and what was seen.

A passport hides nothing and corrects nothing. Every check is in it, with one of three outcomes: fine, found,
cannot tell because.

What a finding does to the confidence in a verdict is said by two facts. ``Check.touches_verdict`` says
whether it concerns what a recommendation rests on (eval loss, train loss, status) at all; the severity says
how much: INFO is a habit of writers that the app allows for and lowers nothing, WARNING means that values are
missing or contradict each other, CRITICAL that what is shown is not what the run did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lib.core.checks import passport_curves, passport_evaluations, passport_job, passport_rows, passport_times
from lib.core.checks.passport_check import Check, Outcome, Subject, subject_of
from lib.core.curves.evidence import RunEvidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary

CHECKS: tuple[Callable[[Subject], Check], ...] = (
    passport_job.log_missing,
    passport_rows.rows_missing,
    passport_rows.rows_unplaced,
    passport_rows.values_rewritten,
    passport_rows.steps_backwards,
    passport_rows.clock_backwards,
    passport_rows.clock_pause,
    passport_rows.epochs_backwards,
    passport_rows.nonfinite_values,
    passport_curves.begins_late,
    passport_curves.logging_gap,
    passport_curves.ends_early,
    passport_curves.stale_train_loss,
    passport_evaluations.evaluations_absent,
    passport_evaluations.evaluations_end_early,
    passport_evaluations.evaluation_gap,
    passport_evaluations.stale_evaluations,
    passport_job.stored_best_loss,
    passport_job.stored_best_step,
    passport_job.stored_learning_rate,
    passport_job.throughput_missing,
    passport_job.throughput_is_steps,
    passport_job.current_step_differs,
    passport_times.failed_at_the_end,
    passport_times.silent_while_running,
    passport_times.end_not_recorded,
    passport_times.ends_before_start,
    passport_times.rows_outside_run,
    passport_times.duration_includes_queueing,
)
"""Every check, in the order of the passport: rows, curves, evaluations, stored values, times."""


class Confidence(StrEnum):
    """How far the data bear a verdict about a run, best first."""

    UNDIMINISHED = "undiminished"
    LOWERED = "lowered"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Passport:
    """What was checked of the data of one run.

    Attributes:
        run_id: The run.
        checks: Every check, in the order of ``CHECKS``.
    """

    run_id: str
    checks: tuple[Check, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found."""
        return tuple(check.finding for check in self.checks if check.finding is not None)

    @property
    def cannot_tell(self) -> tuple[Check, ...]:
        """The checks that could not be made."""
        return tuple(check for check in self.checks if check.outcome is Outcome.CANNOT_TELL)

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """The findings that lower the confidence in a verdict about this run."""
        return tuple(
            check.finding
            for check in self.checks
            if check.finding is not None and check.touches_verdict and check.finding.severity is not Severity.INFO
        )

    @property
    def confidence(self) -> Confidence:
        """Low with a critical doubt, lowered with any other, else undiminished.

        What could not be checked lowers nothing by itself: it is listed in ``cannot_tell``.
        """
        severities = {finding.severity for finding in self.doubts}
        if Severity.CRITICAL in severities:
            return Confidence.LOW
        return Confidence.LOWERED if severities else Confidence.UNDIMINISHED


def passport_of(run: RunSummary, curves: RunCurves, evidence: RunEvidence, now: datetime | None) -> Passport:
    """Check the data of one run.

    Args:
        run: As the source gave it, before ``lib.core.curves.evidence.with_evidence``.
        curves: All curves of that run over its whole range of steps, reduced or not.
        evidence: From these curves.
        now: To tell how long a running run has been silent; ``None`` leaves that open.

    Raises:
        ValueError: If the three are not about the same run.
    """
    if not run.run_id == curves.run_id == evidence.run_id:
        raise ValueError(
            "Expected run, curves and evidence of one run, got"
            f" {run.run_id!r}, {curves.run_id!r} and {evidence.run_id!r}."
        )
    subject = subject_of(run, curves, evidence, now)
    return Passport(run.run_id, tuple(check(subject) for check in CHECKS))
