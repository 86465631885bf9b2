"""The x axes on which curves can be compared, and where the rows of a run lie on each."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd

from lib.core.runs import RunSummary
from lib.core.values import finite

SECONDS_PER_HOUR = 3600.0
TOKEN_METRICS = ("num_input_tokens_seen", "total_tokens")
"""Metrics that count the tokens seen so far, the preferred one first (the names that Hugging Face's
Trainer and LLaMA-Factory log)."""


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
        return _TITLES[self]


_TITLES = {
    Axis.STEP: "Step",
    Axis.EPOCH: "Epoch",
    Axis.HOURS: "Hours since start",
    Axis.SAMPLES: "Samples",
    Axis.TOKENS: "Tokens",
}
_WHY_NOT = {
    Axis.STEP: "",
    Axis.EPOCH: "No epoch is logged, and the planned epochs and steps are not both known.",
    Axis.HOURS: "No times are logged with the metrics.",
    Axis.SAMPLES: "The effective batch size is not known, so steps cannot be turned into samples.",
    Axis.TOKENS: "Neither a token count per step nor the number of tokens processed is logged.",
}


def why_not(axis: Axis) -> str:
    """Why a run has no place on ``axis`` where ``position`` gave ``None``; "" for the step, which all have."""
    return _WHY_NOT[axis]


def position(
    frame: pd.DataFrame, axis: Axis, run: RunSummary, samples_per_step: float | None = None
) -> np.ndarray | None:
    """Where each row of one run's metric frame lies on ``axis``.

    ======= ==========================================================================================
    step    ``step``
    epoch   ``epoch`` as logged; for rows that lack it, linear in the step between those that have it,
            from (0, 0) to the first, and at the average rate after the last. Where it is never logged:
            ``step * total_epochs / total_steps``
    hours   ``elapsed_s / 3600``; NaN for rows without a time
    samples ``step * samples_per_step``
    tokens  a logged count of tokens (``TOKEN_METRICS``), completed over the steps as the epoch is; else
            ``step * total_tokens_processed / current_step``
    ======= ==========================================================================================

    Args:
        frame: The run's rows. Only with the token metric among them is it used.
        axis: Which axis.
        run: The run that the rows belong to.
        samples_per_step: The effective batch size, all devices and accumulated batches included.

    Returns:
        Shape (n,), float64, in the axis's unit; ``None`` when the run has no place on this axis, for
        the reason ``why_not(axis)``.
    """
    step = frame["step"].to_numpy(dtype=np.float64)
    match axis:
        case Axis.STEP:
            return step
        case Axis.EPOCH:
            return _epochs(step, frame["epoch"].to_numpy(dtype=np.float64), run)
        case Axis.HOURS:
            hours = frame["elapsed_s"].to_numpy(dtype=np.float64) / SECONDS_PER_HOUR
            return hours if np.isfinite(hours).any() else None
        case Axis.SAMPLES:
            return _times(step, finite(samples_per_step))
        case Axis.TOKENS:
            return _tokens(step, frame, run)


def _epochs(step: np.ndarray, logged: np.ndarray, run: RunSummary) -> np.ndarray | None:
    is_logged = np.isfinite(logged)
    if not is_logged.any():
        return _times(step, _ratio(run.total_epochs, run.total_steps))
    return np.where(is_logged, logged, _completed(step, step[is_logged], logged[is_logged]))


def _tokens(step: np.ndarray, frame: pd.DataFrame, run: RunSummary) -> np.ndarray | None:
    for metric in TOKEN_METRICS:
        rows = frame[(frame["metric"] == metric) & np.isfinite(frame["value"])]
        if len(rows):
            return _completed(step, rows["step"].to_numpy(dtype=np.float64), rows["value"].to_numpy())
    return _times(step, _ratio(run.total_tokens_processed, run.current_step))


def _completed(step: np.ndarray, known_step: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A count that starts at (0, 0), at every step, from the steps at which it is known."""
    known_step, first = np.unique(known_step, return_index=True)
    known = known[first]
    if known_step[0] > 0:
        known_step, known = np.insert(known_step, 0, 0.0), np.insert(known, 0, 0.0)
    rate = known[-1] / known_step[-1] if known_step[-1] > 0 else 0.0
    return np.interp(step, known_step, known) + rate * np.maximum(step - known_step[-1], 0.0)


def _ratio(total: float | None, steps: float | None) -> float | None:
    total, steps = finite(total), finite(steps)
    return total / steps if total is not None and steps is not None and steps > 0 else None


def _times(step: np.ndarray, per_step: float | None) -> np.ndarray | None:
    return step * per_step if per_step is not None and per_step > 0 else None
