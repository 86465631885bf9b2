"""At which optimizer steps the epochs of a run ended."""

from __future__ import annotations

import numpy as np

from lib.core.checkpoints.save_plan import option_word
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.evidence import measured, of_training
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

EPOCH_ROUNDING = 0.005
"""How far a logged epoch may be from the true one: trainers round it to two decimals."""


def epoch_ends(run: RunSummary, end: int, curves: RunCurves) -> np.ndarray | None:
    """The last steps of the epochs that were completed up to ``end``.

    Where the run evaluates at the end of every epoch, they are the steps of its evaluations. Else they follow
    from the steps of an epoch (``steps_per_epoch``).

    Returns:
        Steps in ascending order, int64; ``None`` where they cannot be told.
    """
    steps = steps_per_epoch(run, curves)
    if steps is not None:
        return np.arange(steps, end + 1, steps)
    if option_word(value_of(effective(run), "eval_strategy")) != "epoch":
        return None
    evaluated = of_training(measured(curves, "eval_loss")).step
    return evaluated[evaluated <= end] if len(evaluated) else None


def steps_per_epoch(run: RunSummary, curves: RunCurves) -> int | None:
    """How many optimizer steps an epoch has; ``None`` where that cannot be told.

    From the logged epochs where they have fractions; else all steps over all epochs, where both are whole and
    ``max_steps`` does not cut the last epoch short. Where these two disagree it cannot be told.
    """
    logged, planned = _from_curves(curves), _planned(run)
    if logged is not None and planned is not None and logged != planned:
        return None
    return planned if logged is None else logged


def _planned(run: RunSummary) -> int | None:
    settings = effective(run)
    if (finite(value_of(settings, "max_steps")) or 0.0) > 0.0:
        return None
    epochs = finite(value_of(settings, "total_epochs") if "total_epochs" in settings else run.total_epochs)
    if not run.total_steps or not epochs or epochs < 1.0 or epochs != int(epochs):
        return None
    steps, rest = divmod(run.total_steps, int(epochs))
    return steps if not rest and steps else None


def _from_curves(curves: RunCurves) -> int | None:
    """The one whole number of steps that agrees with all logged epochs, if they have fractions."""
    logged = [curve for curve in curves.curves.values() if np.isfinite(curve.epoch).any()]
    if not logged:
        return None
    step = np.concatenate([curve.step for curve in logged]).astype(np.float64)
    epoch = np.concatenate([curve.epoch for curve in logged])
    placed = np.isfinite(epoch) & (epoch > 0.0) & (step > 0.0)
    step, epoch = step[placed], epoch[placed]
    # Whole numbers alone may count finished epochs or the current one.
    if not len(step) or (epoch == np.floor(epoch)).all():
        return None
    # |step / n - epoch| <= rounding for every point, solved for n.
    least = (step / (epoch + EPOCH_ROUNDING)).max()
    most = (step / np.maximum(epoch - EPOCH_ROUNDING, 1e-12)).min()
    first = int(np.ceil(least))
    return first if first == int(np.floor(most)) and first > 0 else None
