"""The values of a run that count, all of one and the same step: that of the checkpoint that would be shipped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np

from lib.core.curves.evidence import measured
from lib.core.curves.lost_ends import of_trained
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.curves.train_window import Window, window_before
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunSummary, eval_losses_of, train_losses_of
from lib.core.facts.values import finite
from lib.core.gap.negative_gap import Explanation, explain_negative_gap
from lib.core.gap.plausibility import Doubt, Implausible, implausible, no_measure, scale_of
from lib.core.noise.estimate import estimates_of
from lib.core.noise.lead import EDGE_DECIMALS
from lib.core.noise.train_window import mean_error
from lib.core.ranking.deciding import Deciding, points_of
from lib.core.ranking.metric_names import EVAL_LOSS, REWARD

# fmt: off
REWARD_SHARE = Limit(0.1, "Reward share",
    "Where no evaluation measured the reward, its mean over this last share of the steps stands for it.")
# fmt: on


class GapUnknown(StrEnum):
    """Why there is no gap."""

    NO_EVAL_LOSS = "no_eval_loss"
    NO_TRAIN_LOSS = "no_train_loss"
    NO_MEASURE = "no_measure"
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True, slots=True)
class RunValues:
    """What counts of one run.

    Attributes:
        run_id: The run.
        value: The best of the deciding metric.
        step: The earliest step at which it is best; ``None`` where no series tells.
        eval_loss: At that step.
        train_loss: The mean over the last steps up to it; ``None`` where it is unknown or was not looked at.
        is_matched: The train loss is of these steps, and not of the end of training.
        gap: Eval loss less train loss; ``None`` where it is unknown.
        unknown: Why it is unknown.
        doubt: What is wrong with the train loss, where that is why.
        explanation: What a gap below 0 is due to.
        eval_error: Standard error of the eval loss, from the noise of this run's evaluations; ``None``: not known.
        train_error: Of the mean train loss; ``None``: not known.
        base: The value of the deciding metric at step 0, of the base model.
        completed_at: Of the run.
        in_epochs: Its log counts nothing but epochs, so that ``step`` is one.
    """

    run_id: str
    value: float
    step: int | None = None
    eval_loss: float | None = None
    train_loss: float | None = None
    is_matched: bool = False
    gap: float | None = None
    unknown: GapUnknown | None = None
    doubt: Doubt | None = None
    explanation: Explanation | None = None
    eval_error: float | None = None
    train_error: float | None = None
    base: float | None = None
    completed_at: datetime | None = None
    in_epochs: bool = False

    @property
    def gap_error(self) -> float:
        """Standard error of the gap; what is not known of it counts 0."""
        return math.hypot(self.eval_error or 0.0, self.train_error or 0.0)

    @property
    def is_explained(self) -> bool:
        """A gap below 0 says nothing bad."""
        return self.explanation is Explanation.EXPLAINED


def values_of(run: RunSummary, curves: RunCurves, deciding: Deciding) -> RunValues | None:
    """The values of a run; ``None`` where it has none of the deciding metric."""
    metric = deciding.metric
    if metric is None:
        return None
    best = _mean_reward(curves) if metric == REWARD else _best(run, curves, deciding)
    if best is None:
        return None
    value, step = best
    loss_metric = metric if deciding.is_loss else EVAL_LOSS
    eval_loss = value if deciding.is_loss else _eval_loss_at(run, curves, step)
    found = RunValues(
        run.run_id,
        value,
        step,
        eval_loss,
        base=_base(curves, metric),
        completed_at=run.completed_at,
        in_epochs=run.steps_are_epochs,
    )
    return _with_gap(found, run, curves, loss_metric, is_lowest=deciding.is_loss)


def _best(run: RunSummary, curves: RunCurves, deciding: Deciding) -> tuple[float, int | None] | None:
    metric = deciding.metric or ""
    points = points_of(curves, metric)
    if len(points):
        at = int((deciding.sign * points.value).argmin())
        return float(points.value[at]), int(points.step[at])
    # Without a series there is only what is stored of the eval loss; a series without one finite value is no value.
    if metric != EVAL_LOSS or len(curves.get(metric)):
        return None
    stored = _first_finite(eval_losses_of(run))
    if stored is None:
        return None
    return stored, run.best_step if finite(run.best_eval_loss) is not None else None


def _mean_reward(curves: RunCurves) -> tuple[float, int] | None:
    points = curves.get(REWARD).finite()
    if not len(points):
        return None
    last = int(points.step[-1])
    inside = points.value[points.step > last * (1.0 - REWARD_SHARE)]
    return float((inside if len(inside) else points.value[-1:]).mean()), last


def _base(curves: RunCurves, metric: str) -> float | None:
    at = measured(curves, metric).finite() if len(curves.get(metric)) else curves.get(metric)
    return float(at.value[0]) if len(at) and at.step[0] == 0 else None


def _eval_loss_at(run: RunSummary, curves: RunCurves, step: int | None) -> float | None:
    points = points_of(curves, EVAL_LOSS)
    if not len(points):
        return _first_finite(eval_losses_of(run))
    here = points.value[points.step == step]
    return float(here[0]) if len(here) else None


def _with_gap(found: RunValues, run: RunSummary, curves: RunCurves, loss_metric: str, *, is_lowest: bool) -> RunValues:
    eval_loss = found.eval_loss
    if eval_loss is None:
        return replace(found, unknown=GapUnknown.NO_EVAL_LOSS)
    if no_measure(run, (*curves.curves, *curves.unread)) is not None:
        return replace(found, unknown=GapUnknown.NO_MEASURE)
    train = curves.get("train_loss")
    # Of a reduced series the points that are there stand for all; their noise is not that of the others.
    whole = train if train.is_complete else train.where(slice(None))
    window = window_before(whole, found.step) if len(train) and found.step is not None else None
    train_loss = window.mean if isinstance(window, Window) else None
    if not len(train) or found.step is None:
        train_loss = _first_finite(train_losses_of(run))
    if train_loss is None and not (len(train) or any(value is not None for value in train_losses_of(run))):
        return replace(found, unknown=GapUnknown.NO_TRAIN_LOSS)
    doubt = implausible(train_loss, eval_loss, scale_of(run))
    if doubt is not None or train_loss is None:
        is_logged_there = doubt is not None and (doubt.code is not Implausible.NO_VALUE or not isinstance(window, str))
        unknown = GapUnknown.IMPLAUSIBLE if is_logged_there or _is_not_finite(whole, found.step) else None
        return replace(
            found,
            train_loss=train_loss,
            is_matched=isinstance(window, Window),
            unknown=unknown or GapUnknown.NO_TRAIN_LOSS,
            doubt=doubt,
        )
    gap = eval_loss - train_loss
    explanation = None
    error = None
    if isinstance(window, Window):
        if round(gap, EDGE_DECIMALS) < 0.0:
            explanation = explain_negative_gap(run, whole, window, gap).explanation
        if train.is_complete:
            error = mean_error(_floats(train.step), train.value, window.first_step, window.last_step)
    return replace(
        found,
        train_loss=train_loss,
        is_matched=isinstance(window, Window),
        gap=gap,
        explanation=explanation,
        eval_error=_eval_error(curves, loss_metric, is_lowest=is_lowest),
        train_error=error,
    )


def _is_not_finite(train: MetricCurve, step: int | None) -> bool:
    """Whether values were logged just before a step, and none of them is a number."""
    if step is None or not len(train):
        return False
    before = train.value[train.step <= step]
    return len(before) > 0 and not np.isfinite(before[-1])


def _eval_error(curves: RunCurves, metric: str, *, is_lowest: bool) -> float | None:
    """Of the lowest eval loss that of its estimate, of any other that of one evaluation."""
    points = of_trained(curves, points_of(curves, metric))
    if not len(points):
        return None
    (estimate,) = estimates_of([(_floats(points.step), points.value)])
    if estimate is None:
        return None
    return estimate.error if is_lowest else estimate.noise


def _floats(steps: np.ndarray) -> np.ndarray:
    return steps.astype(np.float64)


def _first_finite(values: Iterable[float | None]) -> float | None:
    return next((parsed for value in values if (parsed := finite(value)) is not None), None)
