"""Overfitting at matched steps: the gap at the checkpoint to ship, the rebound after it, the slope at the end.

Eval loss and train loss are of one and the same step. A train loss of the end of training would make a gap that grows
with every step that is trained past that checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.core.curves.evidence import measured, of_training
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.train_window import Window, window_before
from lib.core.facts.foreign import isolated
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunSummary
from lib.core.gap.negative_gap import NegativeGap, explain_negative_gap
from lib.core.gap.plausibility import implausible, no_measure, scale_of
from lib.core.text import formatting
from lib.core.text.log_units import by_unit

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
        gap: The eval loss at the checkpoint to ship less the mean of the train loss in the window up to its step.
        negative: What a gap below 0 is due to; ``None`` where the gap is unknown or not below 0.
        rebound: The last measured eval loss less that at the checkpoint to ship, 0 where that is the last one; below 0
            where the eval loss fell on, which another metric made no reason to wait for.
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


def overfitting_of(
    run: RunSummary, curves: RunCurves, step: int | None = None, metric: str = "eval_loss"
) -> Overfitting:
    """Judge one run by its own curves.

    Args:
        run: The run; its configuration says what may explain a negative gap.
        curves: With ``train_loss`` and ``metric``.
        step: Of the checkpoint to ship; ``None`` for that of the lowest eval loss.
        metric: The eval loss, or that of a named evaluation set.

    Raises:
        ValueError: If the curves are about another run.
    """
    if curves.run_id != run.run_id:
        raise ValueError(f"Expected curves of {run.run_id!r}, got {curves.run_id!r}.")
    name = "eval loss" if metric == "eval_loss" else isolated(metric)
    evaluations = measured(curves, metric)
    known = of_training(evaluations.finite())
    if not len(known):
        why = f"no finite {name} is logged"
        unknown = tuple((each, why) for each in ("gap", "rebound", "slope_per_1000_steps"))
        return Overfitting(cannot_tell=unknown, sentences=(f"Overfitting cannot be told: {why}.",))
    at = _Shipped(name, known, int(known.step[known.value.argmin()]) if step is None else step)
    loss = at.loss
    train = curves.get("train_loss")
    window: Window | str = window_before(train, at.step)
    window = no_measure(run, (*curves.curves, *curves.unread)) or window
    if loss is None:
        window = f"no {name} is logged there"
    elif isinstance(window, Window) and (doubt := implausible(window.mean, loss, scale_of(run))) is not None:
        window = f"the train loss there is {doubt.code.value}, which no mean loss is"
    gap, negative = None, None
    if isinstance(window, Window) and loss is not None:
        gap = loss - window.mean
        negative = explain_negative_gap(run, train, window, gap) if gap < 0.0 else None
    rebound = _rebound(at, evaluations)
    slope = slope_at_end(evaluations)
    reasons = {"gap": window, "rebound": rebound, "slope_per_1000_steps": slope}
    return Overfitting(
        gap=gap,
        negative=negative,
        rebound=None if isinstance(rebound, str) else rebound,
        slope_per_1000_steps=None if isinstance(slope, str) else slope.per_1000_steps,
        cannot_tell=tuple((what, by_unit(found, run)) for what, found in reasons.items() if isinstance(found, str)),
        sentences=(
            by_unit(_gap_sentence(at, window, negative) + _train_end(train), run),
            by_unit(_rebound_sentence(rebound, at), run),
            _slope_sentence(slope, name, in_epochs=run.steps_are_epochs),
        ),
    )


class _Shipped(NamedTuple):
    """The checkpoint to ship, among the evaluations of its run.

    Attributes:
        name: What the eval loss is called.
        known: The finite evaluations of training, at least one.
        step: Of the checkpoint.
    """

    name: str
    known: MetricCurve
    step: int

    @property
    def loss(self) -> float | None:
        """Its eval loss; ``None`` where none was logged at its step."""
        here = self.known.value[self.known.step == self.step]
        return float(here[0]) if len(here) else None

    @property
    def is_lowest(self) -> bool:
        return self.loss is not None and self.loss <= self.known.value.min()

    @property
    def called(self) -> str:
        return "the best evaluation" if self.is_lowest else "the checkpoint to ship"


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


def _rebound(at: _Shipped, evaluations: MetricCurve) -> float | str:
    if not math.isfinite(evaluations.value[-1]):
        return f"the last {at.name}, at step {evaluations.step[-1]:,}, is {formatting.loss(evaluations.value[-1])}"
    if at.loss is None:
        return f"no {at.name} is logged at step {at.step:,}"
    return float(at.known.value[-1]) - at.loss


def _gap_sentence(at: _Shipped, window: Window | str, negative: NegativeGap | None) -> str:
    if isinstance(window, str) or at.loss is None:
        return f"The gap at {at.called} (step {at.step:,}) cannot be told: {window}."
    over = f"the mean of {window.points} values of steps {window.first_step:,} to {window.last_step:,}"
    if window.points == 1:
        over = f"the value logged at step {window.last_step:,}"
    said = (
        f"At {at.called}, step {at.step:,}, the {at.name} is {formatting.loss(at.loss)} and the train loss"
        f" {formatting.loss(window.mean)} ({over}): a gap of {formatting.signed(at.loss - window.mean)}."
    )
    if not at.is_lowest:
        lowest = int(at.known.value.argmin())
        said += (
            f" The lowest {at.name} is {formatting.loss(at.known.value[lowest])}, at step {at.known.step[lowest]:,}."
        )
    return said if negative is None else f"{said} {negative.sentence}"


def _train_end(train: MetricCurve) -> str:
    """That the training ended without a finite loss, which a gap of finite values says nothing about."""
    if not len(train) or math.isfinite(train.value[-1]):
        return ""
    return f" The last train loss, at step {train.step[-1]:,}, is {formatting.loss(train.value[-1])}."


def _rebound_sentence(rebound: float | str, at: _Shipped) -> str:
    if isinstance(rebound, str):
        return f"The rebound cannot be told: {rebound}."
    last, step = float(at.known.value[-1]), int(at.known.step[-1])
    if step == at.step:
        called = at.called[:1].upper() + at.called[1:]
        return f"{called} is {'the last one' if at.is_lowest else 'that of the last evaluation'}: there is no rebound."
    beside = "the best" if at.is_lowest else f"that of step {at.step:,}"
    said = f"The last {at.name} is {formatting.loss(last)}, at step {step:,}:"
    return f"{said} {formatting.loss(abs(rebound))} {'below' if rebound < 0.0 else 'above'} {beside}."


def _slope_sentence(slope: Slope | str, name: str, *, in_epochs: bool) -> str:
    if isinstance(slope, str):
        return f"The slope at the end cannot be told: {slope}."
    rate, per_epoch, count = slope
    epochs = "" if per_epoch is None else f" ({per_epoch:+.4g} per epoch)"
    if rate == 0.0:
        return f"Over the last {count} evaluations the {name} neither rises nor falls."
    verb = "rises" if rate > 0.0 else "falls"
    shown = f"{rate / 1000.0:+.4g} per epoch" if in_epochs else f"{rate:+.4g} per 1,000 steps{epochs}"
    return f"Over the last {count} evaluations the {name} {verb}: {shown}."
