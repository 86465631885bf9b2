"""Which checkpoint of a run to ship: of those that still exist the one nearest to the best evaluation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lib.core.checkpoints.save_plan import SavePlan, plan_of
from lib.core.checkpoints.saved import NO_STEPS, Doubt, SavedCheckpoints, saved_checkpoints
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.evidence import RunEvidence, measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.facts.values import finite, text, whole

_STEP_IN_PATH = re.compile(r"(?<![a-z])(?:checkpoint-|step[=_-]?)(\d+)", re.IGNORECASE)


class Fate(StrEnum):
    """What became of the checkpoint of the best evaluation."""

    KEPT = "kept"
    DELETED = "deleted"
    NEVER_SAVED = "never saved"
    NOT_FOUND = "not found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointAdvice:
    """Which checkpoint to ship, and what that rests on.

    Attributes:
        run: The run.
        plan: Its saving options.
        step: Of the best evaluation, by the eval loss or by the metric that decides; ``None`` when it is not known.
        epoch: At that step.
        is_lowest: It is that of the lowest eval loss; false where another metric decides.
        eval_loss: The eval loss there, nats; ``None`` when it is not known.
        recorded: The path of the checkpoint that the trainer recorded as its best.
        path: Of the checkpoint to ship: the folder that the source saw, else as recorded or as its step and
            ``output_dir`` make it; ``None`` when it is not known.
        saved_step: The step of the checkpoint to ship: of those that certainly exist the nearest to ``step``,
            of two the one that measured better, else the earlier; ``None`` when none certainly exists.
        saved_eval_loss: The eval loss measured at ``saved_step``; ``None`` where none was.
        fate: What became of the checkpoint of ``step``.
        was_saved: It was certainly saved, whether deleted since or not.
        possible_step: The step of a checkpoint that is nearer to ``step`` and of which it cannot be told whether it
            exists; ``None`` for no such.
        none_exists: No checkpoint can exist, as far as the saving options tell.
        doubt: Why it cannot be told of every checkpoint whether it exists; ``Doubt.SCHEDULE`` where it can be told of
            none but the recorded one.
        unknown: Options that are not recorded and that the answer depends on.
        ends_at_best: Training ended at ``step``.
        is_listed: The source saw which checkpoints exist; what is recorded and was not seen does not.
    """

    run: RunSummary
    plan: SavePlan
    step: int | None = None
    epoch: float | None = None
    is_lowest: bool = True
    eval_loss: float | None = None
    recorded: str | None = None
    path: str | None = None
    saved_step: int | None = None
    saved_eval_loss: float | None = None
    fate: Fate = Fate.CANNOT_TELL
    was_saved: bool = False
    possible_step: int | None = None
    none_exists: bool = False
    doubt: Doubt = Doubt.SCHEDULE
    unknown: tuple[str, ...] = ()
    ends_at_best: bool = False
    is_listed: bool = False

    @property
    def recorded_step(self) -> int | None:
        """The step that the recorded path names."""
        return step_in_path(self.recorded) if self.recorded else None

    @property
    def path_step(self) -> int | None:
        """The step of the checkpoint that the path names."""
        if self.is_listed:
            return self.saved_step
        return step_in_path(self.path) if self.path else None


def checkpoint_to_ship(
    run: RunSummary, evidence: RunEvidence, curves: RunCurves, best_step: int | None = None
) -> CheckpointAdvice:
    """Say which checkpoint of a run to ship, as far as it is known.

    Nothing is looked up: it is what the recorded options imply, unless the source lists the checkpoints that
    it saw. Of a run that is not completed it is what exists as of its last recorded step.

    Args:
        run: The run.
        evidence: From the run's series; where it has no eval loss, the run's stored best one is taken.
        curves: The series themselves: they tell which checkpoint is kept as the best where not every
            evaluation is saved, and where epochs end.
        best_step: Where another metric than the eval loss decides: the step at which that one is best.
    """
    step, epoch, loss = _best(run, evidence)
    is_lowest = best_step in (None, step)
    if not is_lowest:
        step, epoch, loss = best_step, None, _loss_at(curves, best_step)
    recorded = text(run.best_checkpoint_path)
    recorded_step = step_in_path(recorded) if recorded else None
    plan = plan_of(run)
    listed = _listed(run)
    if listed is not None:
        return _of_listed(
            CheckpointAdvice(
                run=run,
                plan=plan,
                step=step,
                epoch=epoch,
                is_lowest=is_lowest,
                eval_loss=loss,
                recorded=recorded,
                is_listed=True,
            ),
            listed,
            curves,
        )
    known = CheckpointAdvice(
        run=run, plan=plan, step=step, epoch=epoch, is_lowest=is_lowest, eval_loss=loss,
        recorded=recorded, path=recorded, saved_step=recorded_step,
    )  # fmt: skip
    if loss is None and best_step is None:
        return known
    if recorded_step is not None and recorded_step == step:
        return replace(known, saved_eval_loss=loss, fate=Fate.KEPT)
    ends = _ends(run, evidence, step)
    found = saved_checkpoints(run, plan, ends, curves, step, recorded_step)
    certain = NO_STEPS if found is None else found.kept
    if recorded_step is not None:
        certain = np.union1d(certain, [recorded_step])
    ship = _nearest(certain, step, curves)
    advice = replace(
        known,
        path=_path_of(known, ship),
        saved_step=ship,
        saved_eval_loss=loss if ship == step else _loss_at(curves, ship),
        ends_at_best=[end for end, _ in ends] == [step],
    )
    if found is None:
        return advice
    return replace(
        advice,
        fate=_fate(step, found),
        was_saved=step is not None and step in found.saved,
        possible_step=_nearer(found.may_exist, ship, step, curves),
        none_exists=not len(found.may_exist),
        doubt=found.doubt,
        unknown=found.unknown,
    )


def step_in_path(path: str) -> int | None:
    """The step that a checkpoint's path names, the last one if there are several.

    Example:
        >>> step_in_path("out/step2/checkpoint-350"), step_in_path("epoch=3-step=1200.ckpt")
        (350, 1200)
        >>> step_in_path("out/best") is None
        True
    """
    named = _STEP_IN_PATH.findall(path)
    return int(named[-1]) if named else None


def _best(run: RunSummary, evidence: RunEvidence) -> tuple[int | None, float | None, float | None]:
    if evidence.best_eval_loss is not None:
        return evidence.best_step, evidence.best_epoch, evidence.best_eval_loss
    loss = finite(run.best_eval_loss)
    return (run.best_step, run.best_epoch, loss) if loss is not None else (None, None, None)


def _of_listed(known: CheckpointAdvice, listed: Mapping[int, str], curves: RunCurves) -> CheckpointAdvice:
    """The advice where the source saw which checkpoints exist: of these, by the names that they have there."""
    steps = np.array(sorted(listed), dtype=np.int64)
    if known.step is None:
        # The recorded path may be of another machine; its last part is what stays.
        last = known.recorded.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if known.recorded else None
        at = next((step for step, folder in listed.items() if folder == last), None)
        return replace(known, path=None if at is None else listed[at], saved_step=at, none_exists=not listed)
    ship = _nearest(steps, known.step, curves)
    return replace(
        known,
        path=None if ship is None else listed[ship],
        saved_step=ship,
        saved_eval_loss=known.eval_loss if ship == known.step else _loss_at(curves, ship),
        fate=Fate.KEPT if ship == known.step else Fate.NOT_FOUND,
        none_exists=not listed,
        doubt=Doubt.TRAINER,
    )


def _listed(run: RunSummary) -> dict[int, str] | None:
    """The folders of the finished checkpoints that the source saw, by step; ``None`` for no list.

    Of two of one step that is taken which has the step in its name: another name may come to mean another step.
    """
    if run.checkpoints is None:
        return None
    found: dict[int, str] = {}
    for checkpoint in run.checkpoints:
        step = checkpoint.step
        if step is None or not checkpoint.is_complete:
            continue
        if step not in found or step_in_path(checkpoint.folder) == step:
            found[step] = checkpoint.folder
    return found


def _ends(run: RunSummary, evidence: RunEvidence, best: int | None) -> list[tuple[int, bool]]:
    """The last steps that the run may have done, each with whether it was the last of its schedule.

    A completed run may have done the rest of its steps without logging them, if that is less than a logging
    interval; else it was stopped early.
    """
    known = [step for step in (evidence.last_step, run.current_step, best) if step is not None]
    if run.status is not RunStatus.COMPLETED:
        return [(max(known), False)] if known else []
    total = run.total_steps
    if not known:
        return [(total, True)] if total else []
    last = max(known)
    if total is None or last >= total:
        return [(last, True)]
    every = whole(value_of(effective(run), "logging_steps"))
    reached = every is None or total - last < every
    return [(last, False), (total, True)] if reached else [(last, False)]


def _fate(step: int | None, found: SavedCheckpoints) -> Fate:
    if step is None:
        return Fate.CANNOT_TELL
    if step in found.kept:
        return Fate.KEPT
    if step not in found.may_be_saved:
        return Fate.NEVER_SAVED
    return Fate.CANNOT_TELL if step in found.may_exist else Fate.DELETED


def _nearest(steps: NDArray[np.int64], step: int | None, curves: RunCurves) -> int | None:
    """Of two that are equally near the one that measured better; else the earlier: it is not trained past the best."""
    if not len(steps) or step is None:
        return None
    away = np.abs(steps - step)
    nearest = [int(each) for each in steps[away == away.min()]]
    losses = [_loss_at(curves, each) for each in nearest]
    known = [loss for loss in losses if loss is not None]
    return nearest[losses.index(min(known))] if len(known) == len(nearest) else nearest[0]


def _nearer(steps: NDArray[np.int64], ship: int | None, step: int | None, curves: RunCurves) -> int | None:
    """The nearest of ``steps``, where it is nearer than ``ship``."""
    nearest = _nearest(steps, step, curves)
    if nearest is None or ship is None or step is None or nearest == ship:
        return nearest if ship is None else None
    return nearest if _nearest(np.array(sorted((nearest, ship)), dtype=np.int64), step, curves) == nearest else None


def _path_of(known: CheckpointAdvice, step: int | None) -> str | None:
    recorded, named = known.recorded, f"checkpoint-{known.recorded_step}"
    if step is None or step == known.recorded_step:
        return recorded
    name = f"checkpoint-{step}"
    if recorded is not None and recorded.endswith(named):
        return recorded.removesuffix(named) + name
    stated = value_of(effective(known.run), "output_dir")
    folder = text(stated) if isinstance(stated, str) else None
    return f"{folder.rstrip('/')}/{name}" if folder else None


def _loss_at(curves: RunCurves, step: int | None) -> float | None:
    if step is None:
        return None
    evaluations = measured(curves, "eval_loss")
    at = np.flatnonzero(evaluations.step == step)
    return finite(evaluations.value[at[0]]) if len(at) else None
