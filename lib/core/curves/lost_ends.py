"""Where a run ended before its log did: from where on its losses are no numbers, or its model no longer changed."""

from __future__ import annotations

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.limits import Count, Limit

# fmt: off
LOST_POINTS = Count(3, "Lost points",
    "A training that ends with so many train losses in a row that are NaN or infinite, or alike, may have died: a step"
    " or two may be lost in a sound one.")
# fmt: on


# fmt: off
PASSING_SHARE = Limit(0.05, "Passing share",
    "So few of the losses may be NaN or infinite in a training that goes on with numbers: a batch overflowed, and its"
    " step was left out. Weights that met NaN give nothing else.")
# fmt: on
PASSING_OF = 10
"""One or two are few where there are at least so many times as many."""


def is_passing(curve: MetricCurve) -> bool:
    """Whether the values of a loss that are no numbers are few, and the last one is a number."""
    few = max(LOST_POINTS - 1, PASSING_SHARE * curve.logged)
    is_last_known = len(curve) > 0 and bool(np.isfinite(curve.value[-1]))
    return is_last_known and curve.lost <= few and PASSING_OF * curve.lost <= curve.logged


def lost_from(curves: RunCurves) -> int | None:
    """The step from which on a run's losses are no numbers, up to its end; ``None`` where it was trained to that.

    Train losses that are NaN beside evaluations that go on to change are a fault of the log: a model that met NaN
    gives nothing else. Evaluations that are all the same are of a model that was no longer trained.
    """
    train, evals = curves.get("train_loss"), curves.get("eval_loss")
    begin = _lost_end(train)
    if begin < len(train):
        step = int(train.step[begin])
        # Of a reduced curve some of the lost values are not here.
        count = len(train) - begin if train.is_complete else train.lost
        later = evals.value[evals.step >= step]
        later = later[np.isfinite(later)]
        # A table may say NaN of the train loss in each row that is of an evaluation.
        between = count - len(later)
        is_same = len(later) > 0 and later.min() == later.max()
        if count >= LOST_POINTS and (not len(later) or (is_same and (len(later) > 1 or between >= LOST_POINTS))):
            return step
    return _lost_together(train, evals)


def still_from(curves: RunCurves, points: MetricCurve) -> int | None:
    """The step from which on the model that was evaluated did not change, as far as its losses show.

    Args:
        curves: Of the run.
        points: Evaluations of it, finite.

    Returns:
        The first step of train losses that are exactly alike up to the last one, where the evaluations from there on
        are too; ``None`` where there are no such.
    """
    train = curves.get("train_loss").finite()
    if len(train) < LOST_POINTS:
        return None
    differs = np.flatnonzero(train.value != train.value[-1])
    begin = int(differs[-1]) + 1 if len(differs) else 0
    if len(train) - begin < LOST_POINTS:
        return None
    step = int(train.step[begin])
    losses = curves.get("eval_loss").finite()
    for each in (losses, points):
        later = each.value[each.step >= step]
        if (each is points and len(later) < 2) or (len(later) and later.min() != later.max()):
            return None
    return step


def of_trained(curves: RunCurves, points: MetricCurve) -> MetricCurve:
    """The evaluations that tell of the noise: each of a model that was trained since the one before.

    Left out are those of a model that had met NaN, and all but the first of one that no longer changed.

    Args:
        curves: Of the run.
        points: Evaluations of it, finite.
    """
    lost = lost_from(curves)
    if lost is not None:
        return points.where(points.step < lost)
    still = still_from(curves, points)
    if still is None:
        return points
    return points.where(slice(int(np.searchsorted(points.step, still)) + 1))


def _lost_together(train: MetricCurve, evals: MetricCurve) -> int | None:
    """As ``lost_from``, of few train losses at the end and the evaluations beside them, which are lost too."""
    steps = np.concatenate((train.step, evals.step))
    order = np.argsort(steps, kind="stable")
    lost = ~np.isfinite(np.concatenate((train.value, evals.value))[order])
    numbers = np.flatnonzero(~lost)
    begin = int(numbers[-1]) + 1 if len(numbers) else 0
    if not len(numbers) or len(order) - begin < 2 or not (order[begin:] >= len(train)).any():
        return None
    return int(steps[order[begin]])


def _lost_end(curve: MetricCurve) -> int:
    """Where the values begin that are no numbers up to the last one; the length of the curve where that is one."""
    numbers = np.flatnonzero(np.isfinite(curve.value))
    return int(numbers[-1]) + 1 if len(numbers) else 0
