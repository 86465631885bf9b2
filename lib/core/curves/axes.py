"""The x axes on which curves can be compared, and where the points of a run lie on each."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

SECONDS_PER_HOUR = 3600.0
TOKEN_METRICS = ("num_input_tokens_seen", "total_tokens")
"""Metrics that count the tokens seen so far, the preferred one first (the names that Hugging Face's
Trainer and LLaMA-Factory log)."""


Placing = Callable[[MetricCurve], np.ndarray]
"""From a curve of n points to their positions, shape (n,)."""


class Axis(StrEnum):
    """What the x of a chart means. The values are stable: they stand in links."""

    STEP = "step"
    EPOCH = "epoch"
    HOURS = "hours"
    SAMPLES = "samples"
    TOKENS = "tokens"

    @property
    def axis_title(self) -> str:
        """For people, as an axis shows it."""
        return _WORDS[self][0]

    def title_of(self, *, in_epochs: bool) -> str:
        """The same where a step is an epoch."""
        return (Axis.EPOCH if in_epochs and self is Axis.STEP else self).axis_title


_WORDS = {
    Axis.STEP: ("Step", ""),
    Axis.EPOCH: ("Epoch", "No epoch is logged, and the planned epochs and steps are not both known."),
    Axis.HOURS: ("Hours since start", "No times are logged with the metrics."),
    Axis.SAMPLES: ("Samples", "The effective batch size is not known, so steps cannot be turned into samples."),
    Axis.TOKENS: ("Tokens", "Neither a token count per step nor the number of tokens processed is logged."),
}
"""The title of each axis, and why a run has no place on it."""


def why_not(axis: Axis) -> str:
    """Why a run has no place on ``axis`` where ``place`` gave ``None``; "" for the step, which all have."""
    return _WORDS[axis][1]


def place(curves: RunCurves, axis: Axis, run: RunSummary, samples_per_step: float | None = None) -> Placing | None:
    """Where the points of a run lie on ``axis``.

    ======= ==========================================================================================
    step    ``step``
    epoch   ``epoch`` as logged; for points that lack it, linear in the step between those that have it,
            from (0, 0) to the first, and at the average rate after the last. Where it is never logged:
            ``step * total_epochs / total_steps``
    hours   ``elapsed_s / 3600``; NaN for points without a time
    samples ``step * samples_per_step``
    tokens  a logged count of tokens (``TOKEN_METRICS``), completed over the steps as the epoch is; else
            ``step * total_tokens_processed / current_step``
    ======= ==========================================================================================

    Args:
        curves: Of the run. Only with the token metric among them is it used.
        axis: Which axis.
        run: The run.
        samples_per_step: The effective batch size, all devices and accumulated batches included.

    Returns:
        A function from one of the run's curves, n points, to their positions, shape (n,), float64, in
        the axis's unit; ``None`` when the run has no place on this axis, for the reason ``why_not(axis)``.
    """
    match axis:
        case Axis.STEP:
            return _times(1.0)
        case Axis.EPOCH:
            return _epochs(curves, run)
        case Axis.HOURS:
            timed = any(np.isfinite(curve.elapsed_s).any() for curve in curves.curves.values())
            return (lambda curve: curve.elapsed_s / SECONDS_PER_HOUR) if timed else None
        case Axis.SAMPLES:
            return _times(finite(samples_per_step))
        case Axis.TOKENS:
            return _tokens(curves, run)


def _epochs(curves: RunCurves, run: RunSummary) -> Placing | None:
    known_step, known = _logged_epochs(curves)
    if not len(known):
        return _times(_ratio(run.total_epochs, run.total_steps))
    complete = _completed(known_step, known)

    def epochs(curve: MetricCurve) -> np.ndarray:
        is_logged = np.isfinite(curve.epoch)
        return curve.epoch if is_logged.all() else np.where(is_logged, curve.epoch, complete(curve))

    return epochs


def _logged_epochs(curves: RunCurves) -> tuple[np.ndarray, np.ndarray]:
    """Steps and epochs of all points that have one; curves that share their steps are looked at once."""
    distinct = {(id(curve.step), id(curve.epoch)): curve for curve in curves.curves.values()}
    steps = np.concatenate([np.empty(0), *(curve.step for curve in distinct.values())])
    epochs = np.concatenate([np.empty(0), *(curve.epoch for curve in distinct.values())])
    is_logged = np.isfinite(epochs)
    return steps[is_logged], epochs[is_logged]


def _tokens(curves: RunCurves, run: RunSummary) -> Placing | None:
    for metric in TOKEN_METRICS:
        curve = curves.get(metric)
        known = np.isfinite(curve.value)
        if known.any():
            return _completed(curve.step[known].astype("float64"), curve.value[known])
    return _times(_ratio(run.total_tokens_processed, run.current_step))


def _completed(known_step: np.ndarray, known: np.ndarray) -> Placing:
    """A count that starts at (0, 0), at every step, from the steps at which it is known."""
    known_step, first = np.unique(known_step, return_index=True)
    known = known[first]
    if known_step[0] > 0:
        known_step, known = np.insert(known_step, 0, 0.0), np.insert(known, 0, 0.0)
    rate = known[-1] / known_step[-1] if known_step[-1] > 0 else 0.0
    return lambda curve: np.interp(curve.step, known_step, known) + rate * np.maximum(curve.step - known_step[-1], 0.0)


def _ratio(total: float | None, steps: float | None) -> float | None:
    total, steps = finite(total), finite(steps)
    return total / steps if total is not None and steps is not None and steps > 0 else None


def _times(per_step: float | None) -> Placing | None:
    return (lambda curve: curve.step * per_step) if per_step is not None and per_step > 0 else None
