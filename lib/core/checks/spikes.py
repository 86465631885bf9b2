"""Short outbursts: single points, or a few, far above the curve around them."""

from __future__ import annotations

import numpy as np

from lib.core.checks.check import FINDINGS_LISTED, Evidence, Found, Group, NotFound, Seen, check
from lib.core.checks.subject import OF_FEW, CannotTell, Subject, changes_sign, too_few
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import stretches
from lib.core.curves.short_curves import SHORT_OTHERS, SHORT_SPIKE, spike_of
from lib.core.curves.spike_limits import (
    LOSS_SPIKE_RISE,
    SPIKE_HISTORY,
    SPIKE_MADS,
    SPIKE_RATIO,
    SPIKE_WINDOW,
    loss_spike_limits,
    spike_limits,
)
from lib.core.facts.findings import Severity
from lib.core.facts.metrics import metric_of


@check(
    "Loss spikes",
    Group.HEALTH,
    Severity.WARNING,
    Severity.INFO,
    metrics=("train_loss",),
    limits=(
        *OF_FEW,
        SHORT_SPIKE,
        SHORT_OTHERS,
        FINDINGS_LISTED,
        SPIKE_WINDOW,
        SPIKE_HISTORY,
        SPIKE_MADS,
        LOSS_SPIKE_RISE,
    ),
)
def loss_spike(subject: Subject) -> Found | NotFound | CannotTell:
    """Outbursts of the train loss. One point is often one hard batch, and no more than worth knowing."""
    points, few = subject.points_or_few("train_loss")
    if changes_sign(points.value):
        return CannotTell("the train loss is 0 or changes sign, so a rise of it has no scale")
    if few:
        return _one_spike("train_loss", points, SHORT_SPIKE / 2.0)
    return _spikes("train_loss", points, loss_spike_limits(points.value), Severity.INFO)


@check(
    "Gradient-norm spikes",
    Group.HEALTH,
    Severity.WARNING,
    Severity.INFO,
    metrics=("grad_norm",),
    limits=(*OF_FEW, SHORT_SPIKE, SHORT_OTHERS, FINDINGS_LISTED, SPIKE_WINDOW, SPIKE_HISTORY, SPIKE_MADS, SPIKE_RATIO),
)
def gradient_spike(subject: Subject) -> Found | NotFound | CannotTell:
    """Explosions of the gradient norm."""
    points, few = subject.points_or_few("grad_norm")
    if few:
        return _one_spike("grad_norm", points, SHORT_SPIKE)
    return _spikes("grad_norm", points, spike_limits(points.value), Severity.WARNING)


def _one_spike(metric: str, points: MetricCurve, times: float) -> Found | CannotTell:
    """The one spike that can be told among few points."""
    at = spike_of(points.value, times)
    if at is None:
        return too_few(points, metric)
    value, usual, step = float(points.value[at]), float(np.median(np.delete(points.value, at))), int(points.step[at])
    said = f"{metric_of(metric).title} spikes to {value:#.3g} at step {step:,}; the others are about {usual:#.3g}."
    evidence: Evidence = {"metric": metric, "value": value, "limit": times * usual, "peak_step": step, "judged": 1}
    return Found((Seen(said, step, step, evidence, Severity.INFO if metric == "train_loss" else None),))


def _spikes(metric: str, points: MetricCurve, limits: np.ndarray, single: Severity) -> Found | NotFound:
    title, spec = metric_of(metric).title, "#.3g"
    judged = int(np.isfinite(limits).sum())
    starts, ends = stretches(points.value > limits)
    if not len(starts):
        return NotFound(f"No spike among {judged:,} values of the {title.lower()}.")
    above = np.maximum.reduceat(points.value - np.where(np.isfinite(limits), limits, 0.0), starts)
    listed = np.sort(np.argsort(-above, kind="stable")[:FINDINGS_LISTED])
    seen = []
    for start, end in zip(starts[listed], ends[listed], strict=True):
        top = start + int(np.argmax(points.value[start : end + 1]))
        value, limit, peak = float(points.value[top]), float(limits[top]), int(points.step[top])
        first, last = int(points.step[start]), int(points.step[end])
        where = f"at step {first:,}" if first == last else f"from step {first:,} to {last:,}"
        said = f"{title} spikes to {value:{spec}} {where} (limit from the points around it: {limit:{spec}})."
        evidence: Evidence = {"metric": metric, "value": value, "limit": limit, "peak_step": peak, "judged": judged}
        seen.append(Seen(said, first, last, evidence, single if start == end else Severity.WARNING))
    return Found(tuple(seen), len(starts))
