"""The train loss of the steps just before an evaluation, which the evaluation is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.limits import Limit

# fmt: off
WINDOW_SHARE = Limit(0.05, "Window share",
    "The train loss is averaged over this last share of the steps up to the best evaluation: several logged values at"
    " usual intervals, so that no single batch decides, and too few steps for the loss to have moved much.")
# fmt: on

NOT_FINITE = "no train loss there is finite"
"""Why there is no window: values were logged, and none of them is a number."""


@dataclass(frozen=True, slots=True)
class Window:
    """The train-loss values that are compared with the best evaluation.

    Attributes:
        first_step, last_step: Of the values in it.
        points: How many there are.
        mean: Their mean, in the loss's unit.
    """

    first_step: int
    last_step: int
    points: int
    mean: float


def window_before(train: MetricCurve, step: int) -> Window | str:
    """The train loss over the last ``WINDOW_SHARE`` of the steps up to ``step``, or why it cannot be told.

    What is logged after ``step`` plays no part, and neither do NaN and infinities. Where the logging interval is
    longer than the window, the last value stands for it.
    """
    if not train.is_complete:
        return "the train loss was read in part, of which no mean can be taken"
    end = int(np.searchsorted(train.step, step, side="right"))
    if end == 0:
        return "no train loss is logged up to there"
    steps, values = train.step[:end], train.value[:end]
    interval = float(np.median(np.diff(steps, prepend=0)))
    if step - steps[-1] > max(interval, WINDOW_SHARE * step):
        return f"the last train loss before it is of step {steps[-1]:,}"
    start = min(int(np.searchsorted(steps, step * (1.0 - WINDOW_SHARE), side="right")), end - 1)
    steps, inside = steps[start:], values[start:]
    known = np.isfinite(inside)
    if not known.any():
        return NOT_FINITE
    return Window(int(steps[known][0]), int(steps[known][-1]), int(known.sum()), _mean(inside[known]))


def _mean(values: np.ndarray) -> float:
    """The mean; of values whose sum could not be written by their shares of the largest."""
    largest = float(np.abs(values).max())
    return float(values.mean()) if largest * len(values) < math.inf else largest * float((values / largest).mean())
