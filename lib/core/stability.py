"""How steadily a run trained: loss variation near the end, gradient-norm spikes, non-finite values.

Shown beside the score and no part of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import pandas as pd

from lib.core.findings import Finding, Severity
from lib.core.metrics import metric_of
from lib.core.series import curve_of

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

SPIKE_WINDOW = 51
"""A gradient norm is compared with the median of so many points around it."""

SPIKE_HISTORY = 10
"""Points needed before one can be judged. The first gradients of a run are large as a rule."""

SPIKE_MADS = 7.0
"""A spike lies so many median absolute deviations above the median: 4.7 standard deviations if normal.
Measured on the logarithm, as gradient norms have a long tail to the right."""

SPIKE_RATIO = 3.0
"""A spike is also at least so many times the median: the deviation of a flat stretch is 0."""

UNSTABLE_SPIKES = 3
"""A run with at least so many spikes is unstable if they also make up ``UNSTABLE_SPIKE_SHARE``."""

UNSTABLE_SPIKE_SHARE = 0.01
"""Spikes per judged gradient norm from which on a run is unstable."""

NONFINITE_METRICS: Mapping[str, Severity] = MappingProxyType(
    {
        "train_loss": Severity.CRITICAL,
        "eval_loss": Severity.CRITICAL,
        # Mixed precision with loss scaling skips such a step and goes on.
        "grad_norm": Severity.WARNING,
    }
)
"""Where NaN and infinity say something about stability, and how much."""


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
        findings: What it rests on, in the order of ``NONFINITE_METRICS``, spikes, loss variation.
        loss_variation_at_end: Standard deviation of the train loss about its own linear trend over the
            last points, divided by the absolute value of their mean. ``None`` with too few points, and
            where the loss is 0 or has both signs there (GRPO), which leaves no scale to measure by.
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


def stability_of(run_id: str, frame: pd.DataFrame) -> Stability:
    """Judge one run.

    Unstable: a non-finite loss, a loss variation above ``UNSTABLE_VARIATION``, or many spikes.
    Unsteady: a non-finite gradient norm, a spike, or a loss variation above ``UNSTEADY_VARIATION``.
    Cannot tell: none of these was found, and the train loss has too few points to say more.

    Args:
        run_id: The run.
        frame: A metric frame with all rows of that run; rows of other runs are ignored.
    """
    rows = frame[frame["run_id"] == run_id]
    nonfinite = _nonfinite_findings(run_id, rows)
    spikes, judged = _spike_findings(run_id, curve_of(rows, run_id, "grad_norm"))
    variation, points, end = _end_of_loss(curve_of(rows, run_id, "train_loss"))
    loud = _variation_finding(run_id, variation, end)
    findings = (*nonfinite, *spikes, *loud)
    many = len(spikes) >= UNSTABLE_SPIKES and len(spikes) >= UNSTABLE_SPIKE_SHARE * judged
    if many or any(finding.severity is Severity.CRITICAL for finding in findings):
        level = Level.UNSTABLE
    elif findings:
        level = Level.UNSTEADY
    else:
        level = Level.CANNOT_TELL if variation is None else Level.STEADY
    return Stability(
        run_id=run_id,
        level=level,
        sentence=_sentence(findings, variation, points, judged),
        findings=findings,
        loss_variation_at_end=variation,
        spikes=len(spikes) if judged else None,
        nonfinite={str(f.evidence["metric"]): int(f.evidence["count"]) for f in nonfinite},
    )


def spike_limits(values: np.ndarray) -> np.ndarray:
    """The limit above which each gradient norm is a spike: a rolling median plus k deviations, in logs.

    ``exp(m + max(SPIKE_MADS * d, log(SPIKE_RATIO)))``, where ``m`` is the median of the logarithms in
    the centred window of ``SPIKE_WINDOW`` points (cut short at both ends of the run), and ``d`` the
    median distance of the logarithms in it from their own windows' medians, so that a slope is hardly
    taken for noise.

    Args:
        values: Shape (n,), finite. Those that are not positive have no logarithm and take no part.

    Returns:
        Shape (n,); infinite where there is nothing to judge by: at the first ``SPIKE_HISTORY`` points.
    """
    values = np.asarray(values, dtype=np.float64)
    logs = pd.Series(np.log(values, out=np.full(len(values), np.nan), where=values > 0.0))
    window = {"window": SPIKE_WINDOW, "min_periods": SPIKE_HISTORY, "center": True}
    median = logs.rolling(**window).median()
    deviation = (logs - median).abs().rolling(**window).median()
    height = np.maximum(SPIKE_MADS * deviation, math.log(SPIKE_RATIO))
    limits = np.exp(np.minimum(median + height, math.log(np.finfo(np.float64).max)))
    return limits.where(logs.index >= SPIKE_HISTORY).fillna(np.inf).to_numpy()


def _nonfinite_findings(run_id: str, rows: pd.DataFrame) -> tuple[Finding, ...]:
    findings = []
    for metric, severity in NONFINITE_METRICS.items():
        curve = curve_of(rows, run_id, metric)
        bad = curve.loc[~np.isfinite(curve["value"]), "step"]
        if bad.empty:
            continue
        first, last, name = int(bad.iloc[0]), int(bad.iloc[-1]), metric_of(metric).title
        times = "once" if len(bad) == 1 else f"{len(bad)} times, first"
        findings.append(
            Finding(
                code="nonfinite_value",
                severity=severity,
                run_id=run_id,
                step=first,
                extent=last if last > first else None,
                evidence={"metric": metric, "count": len(bad), "points": len(curve)},
                sentence=f"{name} is NaN or infinite {times} at step {first}.",
            )
        )
    return tuple(findings)


def _spike_findings(run_id: str, curve: pd.DataFrame) -> tuple[tuple[Finding, ...], int]:
    """The spikes of a gradient norm, and how many of its points could be judged."""
    curve = curve[np.isfinite(curve["value"])]
    steps, values = curve["step"].to_numpy(), curve["value"].to_numpy()
    limits = spike_limits(values)
    above = np.concatenate(([False], values > limits, [False]))
    starts = np.flatnonzero(above[1:] & ~above[:-1])
    ends = np.flatnonzero(above[:-1] & ~above[1:]) - 1
    findings = []
    for start, end in zip(starts, ends, strict=True):
        top = start + int(np.argmax(values[start : end + 1]))
        findings.append(
            Finding(
                code="gradient_spike",
                severity=Severity.WARNING,
                run_id=run_id,
                step=int(steps[start]),
                extent=int(steps[end]) if end > start else None,
                evidence={
                    "value": float(values[top]),
                    "limit": float(limits[top]),
                    "peak_step": int(steps[top]),
                },
                sentence=f"Gradient norm spikes to {values[top]:.3g} at step {steps[top]} "
                f"(limit from the points around it: {limits[top]:.3g}).",
            )
        )
    return tuple(findings), int(np.isfinite(limits).sum())


def _end_of_loss(curve: pd.DataFrame) -> tuple[float | None, int, tuple[int, int] | None]:
    """Loss variation at the end, the number of finite points, and the first and last step of the end."""
    curve = curve[np.isfinite(curve["value"])]
    points = len(curve)
    if points < LOSS_POINTS:
        return None, points, None
    end = curve.tail(max(END_POINTS, math.ceil(END_SHARE * points)))
    steps, values = end["step"].to_numpy(dtype=np.float64), end["value"].to_numpy()
    size = np.abs(values).max()
    if size == 0.0 or values.min() < 0.0 < values.max():
        return None, points, None
    # The ratio has no scale; dividing first keeps the squares of a diverged loss from overflowing.
    values = values / size
    mean = values.mean()
    away, step_away = values - mean, steps - steps.mean()
    residuals = away - step_away * (step_away @ away) / (step_away @ step_away)
    # Two degrees of freedom went into the line.
    deviation = math.sqrt(float(residuals @ residuals) / (len(end) - 2))
    return deviation / abs(float(mean)), points, (int(steps[0]), int(steps[-1]))


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
                "variation": variation,
                "limit": UNSTABLE_VARIATION if unstable else UNSTEADY_VARIATION,
            },
            sentence=f"Train loss varies by {variation:.0%} of its mean about its trend, "
            f"from step {end[0]} to step {end[1]}.",
        ),
    )


def _sentence(findings: tuple[Finding, ...], variation: float | None, points: int, judged: int) -> str:
    if findings:
        more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
        return max(findings, key=lambda finding: list(Severity).index(finding.severity)).sentence + more
    if variation is None and points < LOSS_POINTS:
        return f"Only {points} train-loss points are logged; {LOSS_POINTS} are needed to judge stability."
    if variation is None:
        return "The train loss is 0 or changes sign near the end, so its variation has no scale."
    gradient = "no gradient-norm spikes" if judged else "too few gradient norms logged to look for spikes"
    return f"Train loss varies by {variation:.1%} of its mean near the end; {gradient}; no NaN or infinity."
