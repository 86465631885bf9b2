"""How steadily a run trained: loss variation near the end, gradient-norm spikes, non-finite values.

Shown beside the score and no part of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lib.core.checks.health_checks import Check, Outcome, changes_sign, finite_points, why_not
from lib.core.checks.health_loss import divergence, nonfinite_values
from lib.core.checks.health_spikes import SPIKE_HISTORY, SPIKE_MADS, SPIKE_RATIO, SPIKE_WINDOW, gradient_spikes
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Finding, Severity

__all__ = [
    "END_POINTS",
    "END_SHARE",
    "LOSS_POINTS",
    "SPIKE_HISTORY",
    "SPIKE_MADS",
    "SPIKE_RATIO",
    "SPIKE_WINDOW",
    "UNSTABLE_SPIKES",
    "UNSTABLE_SPIKE_SHARE",
    "UNSTABLE_VARIATION",
    "UNSTEADY_VARIATION",
    "Level",
    "Stability",
    "stability_of",
]

END_SHARE = 0.2
"""The end of a run is this last share of its train-loss points."""

END_POINTS = 8
"""The end holds at least so many points: a standard deviation of fewer says little."""

LOSS_POINTS = 2 * END_POINTS
"""Runs with fewer train-loss points are not judged: their end would be most of the run."""

UNSTEADY_VARIATION = 0.15
"""Loss variation at the end above which a run is unsteady. Real runs that went well have 0.003 to 0.08."""

UNSTABLE_VARIATION = 0.5
"""Loss variation at the end above which a run is unstable: the loss swings by half of its own size."""

UNSTABLE_SPIKES = 3
"""A run with at least so many spikes is unstable if they also make up ``UNSTABLE_SPIKE_SHARE``."""

UNSTABLE_SPIKE_SHARE = 0.01
"""Spikes per judged gradient norm from which on a run is unstable."""


class Level(StrEnum):
    """The verdict, best first."""

    STEADY = "steady"
    UNSTEADY = "unsteady"
    UNSTABLE = "unstable"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Stability:
    """How steadily a run trained.

    Attributes:
        run_id: The run.
        level: The verdict.
        sentence: The verdict's reason, for people.
        findings: What it rests on: NaN and infinity, divergence, gradient-norm spikes, loss variation. Of many
            spikes the greatest are listed.
        loss_variation_at_end: Standard deviation of the train loss about its own linear trend over the
            last points, divided by the absolute value of their mean. ``None`` with too few points, and
            where the loss is 0 or has both signs there (GRPO), which leaves no scale to measure by, and of a
            reduced curve.
        spikes: How many spikes the gradient norm has; neighbouring points above the limit are one
            spike. ``None`` where too few gradient norms are logged to tell.
        nonfinite: How many values are NaN or infinite, of the losses and the gradient norm; only
            metrics that have some.
    """

    run_id: str
    level: Level
    sentence: str
    findings: tuple[Finding, ...] = ()
    loss_variation_at_end: float | None = None
    spikes: int | None = None
    nonfinite: Mapping[str, int] = field(default_factory=dict)


def stability_of(curves: RunCurves, checks: Sequence[Check] = ()) -> Stability:
    """Judge one run by the checks of ``lib.core.checks.health`` that concern how it trained, and its loss variation.

    Unstable: a non-finite loss, divergence, a loss variation above ``UNSTABLE_VARIATION``, or many spikes.
    Unsteady: a non-finite gradient norm, a spike, or a loss variation above ``UNSTEADY_VARIATION``.
    Cannot tell: none of these was found, and the train loss says too little.

    Args:
        curves: Of the train loss, the eval loss and the gradient norm at least.
        checks: Those of ``lib.core.checks.health`` that were made of these curves already.
    """
    made = {check.code: check for check in checks}
    nonfinite = made.get("nonfinite_value") or nonfinite_values(curves)
    diverged = made.get("divergence") or divergence(curves)
    spikes = made.get("gradient_spike") or gradient_spikes(curves)
    variation, end, why = _end_of_loss(curves)
    loud = _variation_finding(curves.run_id, variation, end)
    findings = (*nonfinite.findings, *diverged.findings, *spikes.findings, *loud)
    many = spikes.events >= UNSTABLE_SPIKES and spikes.events >= UNSTABLE_SPIKE_SHARE * spikes.judged
    if many or any(finding.severity is Severity.CRITICAL for finding in findings):
        level = Level.UNSTABLE
    elif findings:
        level = Level.UNSTEADY
    else:
        level = Level.CANNOT_TELL if variation is None else Level.STEADY
    return Stability(
        run_id=curves.run_id,
        level=level,
        sentence=_sentence(findings, len(findings) - len(spikes.findings) + spikes.events, variation, spikes, why),
        findings=findings,
        loss_variation_at_end=variation,
        spikes=None if spikes.outcome is Outcome.CANNOT_TELL else spikes.events,
        nonfinite={str(f.evidence["metric"]): int(f.evidence["count"]) for f in nonfinite.findings},
    )


def _end_of_loss(curves: RunCurves) -> tuple[float | None, tuple[int, int] | None, str]:
    """Loss variation at the end and the first and last step of the end, or why there is none."""
    if why := why_not(curves, "train_loss", LOSS_POINTS):
        return None, None, why
    points = finite_points(curves.get("train_loss"))
    first = len(points) - max(END_POINTS, math.ceil(END_SHARE * len(points)))
    steps, values = points.step[first:].astype(float), points.value[first:]
    if changes_sign(values):
        return None, None, "the train loss is 0 or changes sign near the end, so its variation has no scale."
    # The ratio has no scale; dividing first keeps the squares of a diverged loss from overflowing.
    values = values / abs(values).max()
    mean = values.mean()
    away, step_away = values - mean, steps - steps.mean()
    residuals = away - step_away * (step_away @ away) / (step_away @ step_away)
    # Two degrees of freedom went into the line.
    deviation = math.sqrt(float(residuals @ residuals) / (len(values) - 2))
    return deviation / abs(float(mean)), (int(steps[0]), int(steps[-1])), ""


def _variation_finding(run_id: str, variation: float | None, end: tuple[int, int] | None) -> tuple[Finding, ...]:
    if variation is None or end is None or variation <= UNSTEADY_VARIATION:
        return ()
    unstable = variation > UNSTABLE_VARIATION
    return (
        Finding(
            code="loss_variation",
            severity=Severity.CRITICAL if unstable else Severity.WARNING,
            run_id=run_id,
            step=end[0],
            extent=end[1],
            evidence={
                "metric": "train_loss",
                "variation": variation,
                "limit": UNSTABLE_VARIATION if unstable else UNSTEADY_VARIATION,
            },
            sentence=f"Train loss varies by {variation:.0%} of its mean about its trend, "
            f"from step {end[0]} to step {end[1]}.",
        ),
    )


def _sentence(findings: tuple[Finding, ...], events: int, variation: float | None, spikes: Check, why: str) -> str:
    if findings:
        more = f" And {events - 1:,} more." if events > 1 else ""
        return max(findings, key=lambda finding: list(Severity).index(finding.severity)).sentence + more
    if variation is None:
        return f"Cannot tell: {why}"
    untold = spikes.outcome is Outcome.CANNOT_TELL
    gradient = "gradient-norm spikes could not be looked for" if untold else "no gradient-norm spikes"
    return f"Train loss varies by {variation:.1%} of its mean near the end; {gradient}; no NaN or infinity."
