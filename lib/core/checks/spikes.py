"""Short outbursts: single points, or a few, far above the curve around them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lib.core.checks.check import FINDINGS_LISTED, Evidence, Found, Group, NotFound, Seen, check
from lib.core.checks.subject import OF_POINTS, CannotTell, Subject, changes_sign
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import LEVEL_BLOCKS, LEVEL_HISTORY, LEVEL_WINDOW, levels, stretches
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.metrics import metric_of

# fmt: off
SPIKE_WINDOW = Count(LEVEL_WINDOW, "Spike window", "A value is compared with the median of so many points around it.")
SPIKE_HISTORY = Count(LEVEL_HISTORY, "Spike history",
    "Points needed before one can be judged. The first losses and gradients of a run are large as a rule.")
SPIKE_MADS = Limit(8.0, "Spike MADs",
    "A spike lies so many median absolute deviations above the median: 5.4 standard deviations if normal. Gradient"
    " norms are measured on the logarithm, as they have a long tail to the right.")
SPIKE_RATIO = Limit(3.0, "Spike ratio",
    "A gradient spike is also at least so many times the median: the deviation of a flat stretch is 0.")
LOSS_SPIKE_RISE = Limit(0.2, "Loss spike rise",
    "A loss spike also rises by at least this share of the median: one hard batch makes 10 %.")
# fmt: on


def spike_limits(values: np.ndarray) -> np.ndarray:
    """The limit above which each gradient norm is a spike: a rolling median plus k deviations, in logs.

    ``exp(m + max(SPIKE_MADS * d, log(SPIKE_RATIO)))`` with the level ``m`` and the deviation ``d`` of the
    logarithms (``lib.core.curves.robust.levels``).

    Args:
        values: Shape (n,), finite. Those that are not positive have no logarithm and take no part.

    Returns:
        Shape (n,); infinite where there is nothing to judge by: at the first ``SPIKE_HISTORY`` points.
    """
    values = np.asarray(values, dtype=np.float64)
    logs = np.log(values, out=np.full(len(values), np.nan), where=values > 0.0)
    median, deviation = levels(logs)
    median = _raised_start(median, logs)
    height = np.maximum(SPIKE_MADS * deviation, math.log(SPIKE_RATIO))
    return _judged(np.exp(np.minimum(median + height, math.log(np.finfo(np.float64).max))))


def loss_spike_limits(values: np.ndarray) -> np.ndarray:
    """The limit above which each loss is a spike: ``m + max(SPIKE_MADS * d, LOSS_SPIKE_RISE * |m|)``.

    Args:
        values: Shape (n,), finite.

    Returns:
        Shape (n,); infinite at the first ``SPIKE_HISTORY`` points.
    """
    values = np.asarray(values, dtype=np.float64)
    median, deviation = levels(values)
    median = _raised_start(median, values)
    return _judged(median + np.maximum(SPIKE_MADS * deviation, LOSS_SPIKE_RISE * np.abs(median)))


def _raised_start(level: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The level, at the start at least that of the points just before: a steep fall is no row of spikes.

    Windows there are cut short on one side, so that their medians lie below a falling curve.
    """
    start = SPIKE_WINDOW // 2 * max(1, math.ceil(len(values) / LEVEL_BLOCKS))
    before = pd.Series(values[:start]).rolling(SPIKE_HISTORY, min_periods=1).median().shift(1).to_numpy()
    return np.concatenate((np.fmax(level[:start], before), level[start:]))


def _judged(limits: np.ndarray) -> np.ndarray:
    limits[:SPIKE_HISTORY] = np.inf
    limits[np.isnan(limits)] = np.inf
    return limits


@check(
    "Loss spikes",
    Group.HEALTH,
    Severity.WARNING,
    Severity.INFO,
    metrics=("train_loss",),
    limits=(*OF_POINTS, FINDINGS_LISTED, SPIKE_WINDOW, SPIKE_HISTORY, SPIKE_MADS, LOSS_SPIKE_RISE),
)
def loss_spike(subject: Subject) -> Found | NotFound | CannotTell:
    """Outbursts of the train loss. One point is often one hard batch, and no more than worth knowing."""
    points = subject.points("train_loss")
    if changes_sign(points.value):
        return CannotTell("the train loss is 0 or changes sign, so a rise of it has no scale")
    return _spikes("train_loss", points, loss_spike_limits(points.value), Severity.INFO)


@check(
    "Gradient-norm spikes",
    Group.HEALTH,
    Severity.WARNING,
    metrics=("grad_norm",),
    limits=(*OF_POINTS, FINDINGS_LISTED, SPIKE_WINDOW, SPIKE_HISTORY, SPIKE_MADS, SPIKE_RATIO),
)
def gradient_spike(subject: Subject) -> Found | NotFound:
    """Explosions of the gradient norm."""
    points = subject.points("grad_norm")
    return _spikes("grad_norm", points, spike_limits(points.value), Severity.WARNING)


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
        said = f"{title} spikes to {value:{spec}} at step {peak} (limit from the points around it: {limit:{spec}})."
        evidence: Evidence = {"metric": metric, "value": value, "limit": limit, "peak_step": peak, "judged": judged}
        severity = single if start == end else Severity.WARNING
        seen.append(Seen(said, int(points.step[start]), int(points.step[end]), evidence, severity))
    return Found(tuple(seen), len(starts))
