"""Overfitting at matched steps: the gap at the best evaluation, the rebound after it, the slope at the end.

The gap of the score compares the best eval loss with the last train loss, which are of different steps: it grows
with every step that is trained past the best one. Here both are of the same step, so that it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.core.curves.evidence import RunEvidence, measured
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.train_window import Window, window_before
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunSummary
from lib.core.gap.negative_gap import NegativeGap, explain_negative_gap
from lib.core.gap.plausibility import implausible, no_measure, scale_of
from lib.core.text import formatting

# fmt: off
SLOPE_SHARE = Limit(0.25, "Slope share", "The slope at the end is that of this last share of the evaluations.")
SLOPE_EVALUATIONS = Count(4, "Slope evaluations",
    "At least so many evaluations make a slope: the median of the slopes between fewer follows a single one.")
MAX_SLOPE_EVALUATIONS = Count(400, "Max slope evaluations",
    "At most so many of the last evaluations are looked at: every pair of them is.")
# fmt: on

GAP_WARNING = 0.1
"""Above this gap a run is marked: there the scoring bands begin to speak of overfitting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """What the series say about overfitting. ``None``: cannot tell, and a sentence says why.

    Attributes:
        gap: The lowest eval loss less the mean of the train loss in the window up to its step.
        negative: What a gap below 0 is due to; ``None`` where the gap is unknown or not below 0.
        rebound: The last measured eval loss less the lowest, 0 where the best is the last.
        slope_per_1000_steps: Of the eval loss over the last evaluations (Theil-Sen).
        cannot_tell: Why a number is missing, by its name among these attributes.
        sentences: All of this for people.
    """

    gap: float | None = None
    negative: NegativeGap | None = None
    rebound: float | None = None
    slope_per_1000_steps: float | None = None
    cannot_tell: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()


def overfitting_of(run: RunSummary, curves: RunCurves, evidence: RunEvidence) -> Overfitting:
    """Judge one run by its own curves.

    Args:
        run: The run; its configuration says what may explain a negative gap.
        curves: With ``train_loss`` and ``eval_loss``.
        evidence: From the same curves.

    Raises:
        ValueError: If the curves or the evidence are about another run.
    """
    if {curves.run_id, evidence.run_id} != {run.run_id}:
        raise ValueError(f"Expected curves and evidence of {run.run_id!r}, got {curves.run_id!r}, {evidence.run_id!r}.")
    best, step = evidence.best_eval_loss, evidence.best_step
    if best is None or step is None:
        why = "no finite eval loss is logged"
        unknown = tuple((name, why) for name in ("gap", "rebound", "slope_per_1000_steps"))
        return Overfitting(cannot_tell=unknown, sentences=(f"Overfitting cannot be told: {why}.",))
    train = curves.get("train_loss")
    window = window_before(train, step)
    window = no_measure(run, (*curves.curves, *curves.unread)) or window
    if isinstance(window, Window) and (doubt := implausible(window.mean, best, scale_of(run))) is not None:
        window = f"the train loss there is {doubt.code.value}, which no mean loss is"
    gap, negative = None, None
    if isinstance(window, Window):
        gap = best - window.mean
        negative = explain_negative_gap(run, train, window, gap) if gap < 0.0 else None
    evaluations = measured(curves, "eval_loss")
    rebound = _rebound(best, evidence, evaluations)
    slope = slope_at_end(evaluations)
    reasons = {"gap": window, "rebound": rebound, "slope_per_1000_steps": slope}
    return Overfitting(
        gap=gap,
        negative=negative,
        rebound=None if isinstance(rebound, str) else rebound,
        slope_per_1000_steps=None if isinstance(slope, str) else slope.per_1000_steps,
        cannot_tell=tuple((name, found) for name, found in reasons.items() if isinstance(found, str)),
        sentences=(
            _gap_sentence(best, step, window, negative) + _train_end(train),
            _rebound_sentence(rebound, evidence),
            _slope_sentence(slope),
        ),
    )


class Slope(NamedTuple):
    """The slope of the eval loss over the last ``evaluations``; by epochs where they are logged."""

    per_1000_steps: float
    per_epoch: float | None
    evaluations: int


def slope_at_end(evaluations: MetricCurve) -> Slope | str:
    """The slope of the eval loss over the last evaluations, or why it cannot be told.

    The median of the slopes between all pairs (Theil 1950; Sen 1968): up to 29 % of the evaluations may be
    outliers without moving it far.

    Args:
        evaluations: Measured ones; non-finite values are left out.
    """
    known = evaluations.finite()
    count = min(max(math.ceil(SLOPE_SHARE * len(known)), SLOPE_EVALUATIONS), MAX_SLOPE_EVALUATIONS)
    end = known.where(slice(-count, None))
    if len(end) < SLOPE_EVALUATIONS:
        return f"it takes {SLOPE_EVALUATIONS} finite evaluations, and there are {len(end)}"
    # An epoch that is a whole number for many steps says nothing about where between two they lie.
    timed = np.isfinite(end.epoch).all() and (np.diff(end.epoch) > 0.0).all()
    per_epoch = theil_sen(end.epoch, end.value) if timed else None
    return Slope(theil_sen(end.step.astype(np.float64), end.value) * 1000.0, per_epoch, len(end))


def theil_sen(x: np.ndarray, y: np.ndarray) -> float:
    """The median slope between all pairs of points with different x; NaN where there is no such pair.

    Args:
        x: Shape (n,), finite. n * n numbers are held at once.
        y: Shape (n,), finite.
    """
    first, second = np.triu_indices(len(x), k=1)
    run = x[second] - x[first]
    apart = run != 0.0
    return float(np.median((y[second] - y[first])[apart] / run[apart])) if apart.any() else math.nan


def _rebound(best: float, evidence: RunEvidence, evaluations: MetricCurve) -> float | str:
    if len(evaluations) and not math.isfinite(evaluations.value[-1]):
        return f"the last eval loss, at step {evaluations.step[-1]}, is {formatting.loss(evaluations.value[-1])}"
    if evidence.last_eval_loss is None:
        return "no last eval loss is known"
    return evidence.last_eval_loss - best


def _gap_sentence(best: float, step: int, window: Window | str, negative: NegativeGap | None) -> str:
    if isinstance(window, str):
        return f"The gap at the best evaluation (step {step}) cannot be told: {window}."
    over = f"the mean of {window.points} values of steps {window.first_step} to {window.last_step}"
    if window.points == 1:
        over = f"the value logged at step {window.last_step}"
    said = (
        f"At the best evaluation, step {step}, the eval loss is {formatting.loss(best)} and the train loss"
        f" {formatting.loss(window.mean)} ({over}): a gap of {formatting.signed(best - window.mean)}."
    )
    return said if negative is None else f"{said} {negative.sentence}"


def _train_end(train: MetricCurve) -> str:
    """That the training ended without a finite loss, which a gap of finite values says nothing about."""
    if not len(train) or math.isfinite(train.value[-1]):
        return ""
    return f" The last train loss, at step {train.step[-1]}, is {formatting.loss(train.value[-1])}."


def _rebound_sentence(rebound: float | str, evidence: RunEvidence) -> str:
    if isinstance(rebound, str):
        return f"The rebound cannot be told: {rebound}."
    if evidence.last_eval_step == evidence.best_step:
        return "The best evaluation is the last one: there is no rebound."
    return (
        f"The last eval loss is {formatting.loss(evidence.last_eval_loss)}, at step {evidence.last_eval_step}:"
        f" {formatting.loss(rebound)} above the best."
    )


def _slope_sentence(slope: Slope | str) -> str:
    if isinstance(slope, str):
        return f"The slope at the end cannot be told: {slope}."
    rate, per_epoch, count = slope
    epochs = "" if per_epoch is None else f" ({per_epoch:+.4g} per epoch)"
    if rate == 0.0:
        return f"Over the last {count} evaluations the eval loss neither rises nor falls."
    verb = "rises" if rate > 0.0 else "falls"
    return f"Over the last {count} evaluations the eval loss {verb}: {rate:+.4g} per 1,000 steps{epochs}."
