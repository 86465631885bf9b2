"""Which checkpoints of a run were saved and still exist, by the saving options of its configuration.

Where versions of the Trainer differ, or an option is not recorded, every possibility is followed: what all of
them have is certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

import numpy as np

from lib.core.checkpoints.epoch_steps import epoch_ends
from lib.core.checkpoints.save_plan import SavePlan, Strategy
from lib.core.curves.evidence import measured, of_training
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary

NO_STEPS = np.empty(0, "int64")


class Doubt(StrEnum):
    """Why it cannot be told of every checkpoint whether it exists."""

    SCHEDULE = "schedule"
    OPTIONS = "options"
    BEST = "best"
    LAST_STEP = "last_step"
    TRAINER = "trainer"


@dataclass(frozen=True, slots=True, eq=False)
class SavedCheckpoints:
    """Steps of checkpoints, each sorted and unique, int64.

    Attributes:
        kept: Certain to exist.
        may_exist: These, and those of which it cannot be told.
        saved: Certain to have been saved, whether deleted since or not.
        may_be_saved: These, and those of which it cannot be told.
        unknown: Options that are not recorded and that the answer depends on.
        doubt: Why the certain and the possible ones differ, where they do.
    """

    kept: np.ndarray
    may_exist: np.ndarray
    saved: np.ndarray
    may_be_saved: np.ndarray
    unknown: tuple[str, ...] = ()
    doubt: Doubt = Doubt.TRAINER


def saved_checkpoints(
    run: RunSummary,
    plan: SavePlan,
    ends: Iterable[tuple[int, bool]],
    curves: RunCurves,
    best: int | None,
    recorded: int | None,
) -> SavedCheckpoints | None:
    """Follow the saving options through the run.

    Args:
        run: The run.
        plan: Its saving options.
        ends: The last steps that the run may have done, each with whether it was the last of the schedule.
        curves: With the metric that the best is chosen by, where that is logged.
        best: The step of the lowest eval loss.
        recorded: The step of the checkpoint that the trainer recorded as its best: it is what is kept.

    Returns:
        ``None`` where it is not recorded when checkpoints are saved.
    """
    found, guesses, unknown = [], [], _unknown(plan)
    ends = list(ends)
    for end, is_last in ends:
        schedules = _schedules(run, plan, end, is_last, curves, best)
        if schedules is None:
            return None
        for saved in schedules:
            guesses.append(_protected(plan, saved, end, curves, best, recorded))
            for protected in guesses[-1]:
                found.append((saved, *_rotated(saved, plan.limit, protected)))
    if not found:
        return None
    return SavedCheckpoints(
        _shared(kept for _, kept, _ in found),
        _all(may for _, _, may in found),
        _shared(saved for saved, _, _ in found),
        _all(saved for saved, _, _ in found),
        unknown,
        # Where all are kept, which one is best is no matter.
        _doubt(unknown, len(ends), is_guess=plan.limit != 0 and any(UNKNOWN_BEST in best_of for best_of in guesses)),
    )


def _doubt(unknown: tuple[str, ...], ends: int, *, is_guess: bool) -> Doubt:
    if unknown:
        return Doubt.OPTIONS
    if is_guess:
        return Doubt.BEST
    return Doubt.LAST_STEP if ends > 1 else Doubt.TRAINER


def kept_steps(saved: np.ndarray, limit: int, best: int | None) -> np.ndarray:
    """What is left of saved checkpoints: the last ``limit`` of them, the best one always among them.

    With a limit of 1 the last one stays beside an earlier best one, so that training can be resumed.

    Args:
        saved: Steps in ascending order.
        limit: How many are kept; 0 for all.
        best: The step of the best checkpoint; ``None`` where it is not kept beyond the limit.
    """
    if limit <= 0 or len(saved) <= limit:
        return saved
    last = saved[-limit:]
    if best is None or best not in saved or best in last:
        return last
    others = saved[-max(limit - 1, 1) :]
    return np.union1d([best], others)


UNKNOWN_BEST = -1
"""In place of the step of a best checkpoint: one is kept, and it cannot be told which."""


def _rotated(saved: np.ndarray, limit: int | None, best: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The steps that certainly exist, and those that may."""
    if limit is None:
        certain = saved[-1:] if best in (None, UNKNOWN_BEST) else kept_steps(saved, 1, best)
        return certain, saved
    if best != UNKNOWN_BEST:
        kept = kept_steps(saved, limit, best)
        return kept, kept
    if limit <= 0 or len(saved) <= limit:
        return saved, saved
    return saved[-max(limit - 1, 1) :], saved


def _schedules(
    run: RunSummary, plan: SavePlan, end: int, is_last: bool, curves: RunCurves, best: int | None
) -> list[np.ndarray] | None:
    """The steps at which checkpoints may have been saved, one array for each possibility."""
    match plan.strategy:
        case Strategy.NO:
            return [NO_STEPS]
        case Strategy.STEPS if plan.every is not None:
            regular = np.arange(plan.every, end + 1, plan.every)
            # Newer versions of the Trainer save the last step of the schedule too.
            return [regular, np.union1d(regular, [end])] if is_last and end > 0 else [regular]
        case Strategy.EPOCH:
            ends = epoch_ends(run, end, curves)
            if ends is None:
                return None
            # The Trainer ends its last epoch wherever training stops.
            return [np.union1d(ends, [end])] if run.status is RunStatus.COMPLETED and end > 0 else [ends]
        case Strategy.BEST if plan.metric is not None:
            steps = records(plan, curves, end)
            if steps is None and plan.by_eval_loss and best is not None:
                steps = np.array([best])
            return None if steps is None else [steps]
    return None


def _protected(
    plan: SavePlan, saved: np.ndarray, end: int, curves: RunCurves, best: int | None, recorded: int | None
) -> set[int | None]:
    """The step of the best checkpoint that is kept beyond the limit, one for each possibility."""
    if recorded is not None:
        return {recorded}
    if plan.keeps_best is False:
        return {None}
    chosen = _chosen(plan, saved, end, curves, best)
    return chosen if plan.keeps_best else {None, *chosen}


def _chosen(plan: SavePlan, saved: np.ndarray, end: int, curves: RunCurves, best: int | None) -> set[int | None]:
    if plan.metric is None or plan.greater is None:
        return {UNKNOWN_BEST}
    if plan.by_eval_loss and best is not None and best in saved:
        return {best}
    better = records(plan, curves, end)
    if better is None:
        return {UNKNOWN_BEST}
    # Newer versions of the Trainer look at all evaluations, and keep the last best one that was saved; older
    # ones look only at the evaluations of the steps that were saved.
    newer = np.intersect1d(better, saved)
    older = records(plan, curves, end, saved)
    return {int(steps[-1]) if len(steps) else None for steps in (newer, older) if steps is not None}


def records(plan: SavePlan, curves: RunCurves, end: int, among: np.ndarray | None = None) -> np.ndarray | None:
    """The steps at which the metric was better than ever before; ``None`` where it is not logged.

    Args:
        plan: Says which metric, and which way is better.
        curves: Of the run.
        end: The last step that counts.
        among: Only evaluations of these steps; ``None`` for all.
    """
    if plan.metric is None:
        return None
    # The Trainer does not choose by the evaluation before training, of which there is no checkpoint.
    curve = of_training(measured(curves, plan.metric))
    counts = np.isfinite(curve.value) & (curve.step <= end)
    if among is not None:
        counts &= np.isin(curve.step, among)
    steps, values = curve.step[counts], curve.value[counts]
    if not len(steps):
        return None if among is None else NO_STEPS
    signed = -values if plan.greater else values
    is_record = np.append(True, signed[1:] < np.minimum.accumulate(signed)[:-1])
    return np.asarray(steps[is_record])


def _shared(sets: Iterable[np.ndarray]) -> np.ndarray:
    return reduce(np.intersect1d, sets)


def _all(sets: Iterable[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate(list(sets)))


def _unknown(plan: SavePlan) -> tuple[str, ...]:
    if plan.strategy is Strategy.NO or plan.limit == 0:
        return ()
    unknown = ["save_total_limit"] if plan.limit is None else []
    if plan.keeps_best is None:
        unknown.append("load_best_model_at_end")
    if plan.keeps_best is not False and plan.metric is None:
        unknown.append("metric_for_best_model")
    return tuple(unknown)
