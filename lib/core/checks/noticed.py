"""All that was noticed about a run, each thing once: health, stability and data passport together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib.core.checks.health import Health
from lib.core.checks.passport import Passport
from lib.core.checks.stability import Stability
from lib.core.facts.findings import Finding, Severity

SAME: Mapping[str, str] = MappingProxyType(
    {
        "nonfinite_values": "nonfinite_value",
        "silent_while_running": "stalled",
        "clock_pause": "reporting_gap",
    }
)
"""Checks of the passport, and the health check that tells the same thing where it finds it."""

SERIOUS = (Severity.CRITICAL, Severity.WARNING)
"""What somebody should look at; the rest is worth knowing."""

SIGNS: Mapping[Severity, str] = MappingProxyType({Severity.CRITICAL: "✖", Severity.WARNING: "⚠", Severity.INFO: "●"})
"""One character for each severity, the most severe first; the characters differ in shape, not only in colour."""

LOSS_VARIATION = "Loss variation at the end"

PASSPORT_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "log_missing": "Log missing",
        "rows_missing": "Rows missing",
        "rows_unplaced": "Rows without a step",
        "values_rewritten": "Values written twice",
        "steps_backwards": "Steps go backwards",
        "clock_backwards": "Clock goes backwards",
        "clock_pause": "Pause in the log",
        "epochs_backwards": "Epochs go backwards",
        "nonfinite_values": "NaN in any metric",
        "begins_late": "Log begins late",
        "logging_gap": "Gap in the train loss",
        "ends_early": "Log ends early",
        "stale_train_loss": "Repeated train losses",
        "evaluations_absent": "Evaluations absent",
        "evaluations_end_early": "Evaluations end early",
        "evaluation_gap": "Gap in the evaluations",
        "stale_evaluations": "Repeated eval losses",
        "stored_best_loss": "Stored best eval loss",
        "stored_best_step": "Stored best step",
        "stored_learning_rate": "Stored learning rate",
        "throughput_missing": "Throughput not stored",
        "throughput_is_steps": "Throughput in steps",
        "current_step_differs": "Stored current step",
        "failed_at_the_end": "Failed at the end",
        "silent_while_running": "Silent while running",
        "end_not_recorded": "End not recorded",
        "ends_before_start": "Ends before it starts",
        "rows_outside_run": "Rows outside of the run",
        "duration_includes_queueing": "Duration includes queueing",
    }
)
"""What the passport looks for, by the codes of its checks."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was noticed about one run.

    Attributes:
        findings: Each thing once, the most severe first, then by step; those of the whole run before the others.
        unlisted: Further events that the health checks counted and did not list.
        titles: What kind of thing a finding is, by its code.
    """

    findings: tuple[Finding, ...]
    unlisted: int
    titles: Mapping[str, str]

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the most severe first; zeros are left out."""
        found = {severity: sum(each.severity is severity for each in self.findings) for severity in SIGNS}
        return {severity: count for severity, count in found.items() if count}

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings that somebody should look at."""
        return tuple(finding for finding in self.findings if finding.severity in SERIOUS)


def noticed(health: Health, stability: Stability, passport: Passport) -> Noticed:
    """Put together what was noticed about one run.

    Raises:
        ValueError: If the three are about different runs.
    """
    if len({health.run_id, stability.run_id, passport.run_id}) > 1:
        raise ValueError(
            "Expected judgements of one run, got those of"
            f" {health.run_id!r}, {stability.run_id!r} and {passport.run_id!r}."
        )
    told = {finding.code for finding in health.findings}
    of_health = {check.code for check in health.checks}
    findings = [
        *health.findings,
        *(finding for finding in stability.findings if finding.code not in of_health),
        *(finding for finding in passport.findings if SAME.get(finding.code) not in told),
    ]
    severities = list(SIGNS)
    findings.sort(
        key=lambda each: (severities.index(each.severity), -1 if each.step is None else each.step),
    )
    titles = {**PASSPORT_TITLES, "loss_variation": LOSS_VARIATION} | {
        check.code: check.title for check in health.checks
    }
    unlisted = sum(check.events - len(check.findings) for check in health.checks)
    return Noticed(tuple(findings), unlisted, titles)


def counted(counts: Mapping[Severity, int]) -> str:
    """Counts by severity, in signs.

    Example:
        >>> counted({Severity.CRITICAL: 1, Severity.INFO: 12})
        '✖1 ●12'
    """
    return " ".join(f"{SIGNS[severity]}{count:,}" for severity, count in counts.items())
