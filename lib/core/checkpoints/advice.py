"""Which checkpoint of a run to ship: of those that still exist the one nearest to the best evaluation."""

from __future__ import annotations

import re
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
        step: Of the lowest eval loss; ``None`` when it is not known.
        epoch: At that step.
        eval_loss: The lowest eval loss, nats; ``None`` when it is not known.
        recorded: The path of the checkpoint that the trainer recorded as its best.
        path: Of the checkpoint to ship, as recorded or as its step and ``output_dir`` make it; ``None`` when
            it is not known.
        saved_step: The step of the checkpoint to ship: of those that certainly exist the nearest to ``step``,
            the earlier of two; ``None`` when none certainly exists.
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
    """

    run: RunSummary
    plan: SavePlan
    step: int | None = None
    epoch: float | None = None
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

    @property
    def recorded_step(self) -> int | None:
        """The step that the recorded path names."""
        return step_in_path(self.recorded) if self.recorded else None

    @property
    def path_step(self) -> int | None:
        """The step that the path names."""
        return step_in_path(self.path) if self.path else None


def checkpoint_to_ship(run: RunSummary, evidence: RunEvidence, curves: RunCurves) -> CheckpointAdvice:
    """Say which checkpoint of a run to ship, as far as it is known.

    Nothing is looked up: it is what the recorded options imply, unless the source lists the checkpoints that
    it saw. Of a run that is not completed it is what exists as of its last recorded step.

    Args:
        run: The run.
        evidence: From the run's series; where it has no eval loss, the run's stored best one is taken.
        curves: The series themselves: they tell which checkpoint is kept as the best where not every
            evaluation is saved, and where epochs end.
    """
    step, epoch, loss = _best(run, evidence)
    recorded = text(run.best_checkpoint_path)
    recorded_step = step_in_path(recorded) if recorded else None
    plan = plan_of(run)
    known = CheckpointAdvice(
        run=run, plan=plan, step=step, epoch=epoch, eval_loss=loss,
        recorded=recorded, path=recorded, saved_step=recorded_step,
    )  # fmt: skip
    if loss is None:
        return known
    if recorded_step is not None and recorded_step == step:
        return replace(known, saved_eval_loss=loss, fate=Fate.KEPT)
    ends = _ends(run, evidence, step)
    listed = _listed(run)
    found = (
        saved_checkpoints(run, plan, ends, curves, step, recorded_step)
        if listed is None
        else SavedCheckpoints(listed, listed, listed, listed)
    )
    certain = NO_STEPS if found is None else found.kept
    if recorded_step is not None and listed is None:
        certain = np.union1d(certain, [recorded_step])
    ship = _nearest(certain, step)
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
        fate=_fate(step, found, is_listed=listed is not None),
        was_saved=step is not None and step in found.saved,
        possible_step=_nearer(found.may_exist, ship, step),
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


def _listed(run: RunSummary) -> NDArray[np.int64] | None:
    """The steps of the checkpoints that the source saw and lists as ``checkpoints``; ``None`` for no list."""
    names = run.extra.get("checkpoints")
    if not isinstance(names, list | tuple):
        return None
    steps = [step for name in names if (step := step_in_path(str(name))) is not None]
    return np.unique(np.array(steps, dtype=np.int64)) if steps else None


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


def _fate(step: int | None, found: SavedCheckpoints, *, is_listed: bool) -> Fate:
    if step is None:
        return Fate.CANNOT_TELL
    if step in found.kept:
        return Fate.KEPT
    if is_listed:
        return Fate.NOT_FOUND
    if step not in found.may_be_saved:
        return Fate.NEVER_SAVED
    return Fate.CANNOT_TELL if step in found.may_exist else Fate.DELETED


def _nearest(steps: NDArray[np.int64], step: int | None) -> int | None:
    """Of two that are equally near the earlier one: it cannot have been trained past the best."""
    if not len(steps) or step is None:
        return None
    return int(steps[np.abs(steps - step).argmin()])


def _nearer(steps: NDArray[np.int64], ship: int | None, step: int | None) -> int | None:
    """The nearest of ``steps``, where it is nearer than ``ship``."""
    nearest = _nearest(steps, step)
    if nearest is None or ship is None or step is None:
        return nearest
    return nearest if (abs(nearest - step), nearest) < (abs(ship - step), ship) else None


def _path_of(known: CheckpointAdvice, step: int | None) -> str | None:
    recorded, named = known.recorded, f"checkpoint-{known.recorded_step}"
    if step is None or step == known.recorded_step:
        return recorded
    name = f"checkpoint-{step}"
    if _listed(known.run) is not None:
        return name
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
