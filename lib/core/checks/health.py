"""The health of a run: what its curves show that should worry somebody, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lib.core.checks.health_checks import Check, Outcome
from lib.core.checks.health_loss import divergence, eval_rebound, nonfinite_values, plateau
from lib.core.checks.health_reporting import reporting_gaps, stalled
from lib.core.checks.health_resources import clipping_saturation, memory_creep, throughput_decay
from lib.core.checks.health_spikes import gradient_spikes, loss_spikes
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary

METRICS_READ = (
    "train_loss",
    "eval_loss",
    "grad_norm",
    "learning_rate",
    "tokens_per_second",
    "samples_per_second",
    "gpu_memory_allocated_gb",
)
"""The metrics that the checks look at."""


@dataclass(frozen=True, slots=True)
class Health:
    """What all checks came to.

    Attributes:
        run_id: The run.
        checks: One for each thing that was looked for, in a fixed order.
    """

    run_id: str
    checks: tuple[Check, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all checks, the most severe first, then by step; those of the whole run before the others."""
        severities = list(Severity)
        return tuple(
            sorted(
                (finding for check in self.checks for finding in check.findings),
                key=lambda finding: (-severities.index(finding.severity), -1 if finding.step is None else finding.step),
            )
        )

    def check(self, code: str) -> Check:
        """The check with this code.

        Raises:
            KeyError: If there is none.
        """
        for check in self.checks:
            if check.code == code:
                return check
        raise KeyError(f"No health check is called {code!r}; there are {[check.code for check in self.checks]}.")

    def with_outcome(self, outcome: Outcome) -> tuple[Check, ...]:
        """The checks that came to this."""
        return tuple(check for check in self.checks if check.outcome is outcome)


def health_of(run: RunSummary, curves: RunCurves, now: datetime | None = None) -> Health:
    """Look at one run in every way.

    Args:
        run: The run.
        curves: Its curves, of ``METRICS_READ`` at least.
        now: The present, to tell whether a running run has fallen silent.

    Raises:
        ValueError: If the curves are of another run.
    """
    if curves.run_id != run.run_id:
        raise ValueError(f"Expected the curves of run {run.run_id!r}, got those of {curves.run_id!r}.")
    return Health(
        run.run_id,
        (
            nonfinite_values(curves),
            divergence(curves),
            loss_spikes(curves),
            gradient_spikes(curves),
            eval_rebound(curves),
            plateau(curves),
            clipping_saturation(run, curves),
            throughput_decay(curves),
            memory_creep(curves),
            stalled(run, curves, now),
            reporting_gaps(curves),
        ),
    )
