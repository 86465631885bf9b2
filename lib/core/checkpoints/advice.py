"""Which checkpoint of a run to ship: of those that still exist the one nearest to the best evaluation."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lib.core.checkpoints.save_plan import plan_of, save_interval
from lib.core.checkpoints.saved import NO_STEPS, SavedCheckpoints, saved_checkpoints
from lib.core.checkpoints.sentences import BestEvaluation, Fate, Weighed, sentence_of
from lib.core.config.effective import effective
from lib.core.curves.evidence import RunEvidence, measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.facts.values import finite, text, whole

__all__ = ["CheckpointAdvice", "Fate", "checkpoint_to_ship", "save_interval", "step_in_path"]

_STEP_IN_PATH = re.compile(r"(?<![a-z])(?:checkpoint-|step[=_-]?)(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckpointAdvice:
    """Which checkpoint to ship.

    Attributes:
        step: Of the lowest eval loss; ``None`` when it is not known.
        epoch: At that step.
        eval_loss: The lowest eval loss, nats; ``None`` when it is not known.
        path: Of the checkpoint to ship, as recorded or as its step and ``output_dir`` make it; ``None`` when
            it is not known.
        path_step: The step that the path names.
        saved_step: The step of the checkpoint to ship: of those that certainly exist the nearest to ``step``,
            the earlier of two; ``None`` when none certainly exists.
        exact: True where the checkpoint to ship is that of ``step``.
        fate: What became of the checkpoint of ``step``.
        possible_step: The step of a checkpoint that is nearer to ``step`` and of which it cannot be told whether it
            exists; ``None`` for no such.
        saved_eval_loss: The eval loss measured at ``saved_step``; ``None`` where none was.
        depends_on: Options that are not recorded and that the answer depends on.
        sentence: All of this for people.
    """

    step: int | None
    epoch: float | None
    eval_loss: float | None
    path: str | None
    path_step: int | None
    saved_step: int | None
    exact: bool
    sentence: str
    fate: Fate = Fate.CANNOT_TELL
    possible_step: int | None = None
    saved_eval_loss: float | None = None
    depends_on: tuple[str, ...] = ()


def checkpoint_to_ship(
    run: RunSummary, evidence: RunEvidence | None = None, curves: RunCurves | None = None
) -> CheckpointAdvice:
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
    path = text(run.best_checkpoint_path)
    path_step = step_in_path(path) if path else None
    if loss is None:
        known = f" The trainer recorded {path} as its best." if path else ""
        why = "No eval loss is" if eval_loss_of(run) is None else "Only the last eval loss is"
        sentence = f"{why} recorded, so no checkpoint can be told to be the best.{known}"
        return CheckpointAdvice(None, None, None, path, path_step, path_step, False, sentence)
    best = BestEvaluation(step, epoch, loss, path, path_step)
    if path is not None and path_step is not None and path_step == step:
        said = f"{best.sentence} Ship {path}."
        return CheckpointAdvice(step, epoch, loss, path, path_step, step, True, said, Fate.KEPT, None, loss)
    return _weighed(run, evidence, curves, best)


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


def _weighed(
    run: RunSummary, evidence: RunEvidence | None, curves: RunCurves | None, best: BestEvaluation
) -> CheckpointAdvice:
    plan = plan_of(run)
    ends = _ends(run, evidence, best.step)
    listed = _listed(run)
    if listed is not None:
        found = SavedCheckpoints(listed, listed, listed, listed)
    else:
        found = saved_checkpoints(run, plan, ends, curves, best.step, best.recorded_step)
    certain = NO_STEPS if found is None else found.kept
    if best.recorded_step is not None and listed is None:
        certain = np.union1d(certain, [best.recorded_step])
    ship = _nearest(certain, best.step)
    weighed = Weighed(
        run=run,
        plan=plan,
        best=best,
        found=found,
        fate=_fate(best.step, found, is_listed=listed is not None),
        ship=ship,
        ship_path=_path_of(run, best, ship),
        ship_loss=best.loss if ship == best.step else _loss_at(curves, ship),
        possible=None if found is None else _nearer(found.may_exist, ship, best.step),
        ends_at_best=[end for end, _ in ends] == [best.step],
    )
    path = weighed.ship_path
    return CheckpointAdvice(
        best.step,
        best.epoch,
        best.loss,
        path,
        step_in_path(path) if path else None,
        ship,
        ship is not None and ship == best.step,
        sentence_of(weighed),
        weighed.fate,
        weighed.possible,
        weighed.ship_loss,
        found.unknown if found is not None and weighed.possible is not None else (),
    )


def _best(run: RunSummary, evidence: RunEvidence | None) -> tuple[int | None, float | None, float | None]:
    if evidence is not None and evidence.best_eval_loss is not None:
        return evidence.best_step, evidence.best_epoch, evidence.best_eval_loss
    loss = finite(run.best_eval_loss)
    return (run.best_step, run.best_epoch, loss) if loss is not None else (None, None, None)


def _listed(run: RunSummary) -> np.ndarray | None:
    """The steps of the checkpoints that the source saw and lists as ``checkpoints``; ``None`` for no list."""
    names = run.extra.get("checkpoints")
    if not isinstance(names, list | tuple):
        return None
    steps = [step for name in names if (step := step_in_path(str(name))) is not None]
    return np.unique(np.array(steps, dtype=np.int64)) if steps else None


def _ends(run: RunSummary, evidence: RunEvidence | None, best: int | None) -> list[tuple[int, bool]]:
    """The last steps that the run may have done, each with whether it was the last of its schedule.

    A completed run may have done the rest of its steps without logging them, if that is less than a logging
    interval; else it was stopped early.
    """
    logged = None if evidence is None else evidence.last_step
    known = [step for step in (logged, run.current_step, best) if step is not None]
    if run.status is not RunStatus.COMPLETED:
        return [(max(known), False)] if known else []
    total = run.total_steps
    if not known:
        return [(total, True)] if total else []
    last = max(known)
    if total is None or last >= total:
        return [(last, True)]
    interval = effective(run).get("logging_steps")
    every = None if interval is None else whole(interval.value)
    reached = every is None or total - last < every
    return [(last, False), (total, True)] if reached else [(last, False)]


def _fate(step: int | None, found: SavedCheckpoints | None, *, is_listed: bool) -> Fate:
    if step is None or found is None:
        return Fate.CANNOT_TELL
    if step in found.kept:
        return Fate.KEPT
    if is_listed:
        return Fate.NOT_FOUND
    if step not in found.may_be_saved:
        return Fate.NEVER_SAVED
    return Fate.CANNOT_TELL if step in found.may_exist else Fate.DELETED


def _nearest(steps: np.ndarray, step: int | None) -> int | None:
    """Of two that are equally near the earlier one: it cannot have been trained past the best."""
    if not len(steps) or step is None:
        return None
    return int(steps[np.abs(steps - step).argmin()])


def _nearer(steps: np.ndarray, ship: int | None, step: int | None) -> int | None:
    """The nearest of ``steps``, where it is nearer than ``ship``."""
    nearest = _nearest(steps, step)
    if nearest is None or ship is None:
        return nearest
    return nearest if (abs(nearest - step), nearest) < (abs(ship - step), ship) else None


def _path_of(run: RunSummary, best: BestEvaluation, step: int | None) -> str | None:
    if step is None:
        return best.recorded
    if step == best.recorded_step:
        return best.recorded
    name = f"checkpoint-{step}"
    if _listed(run) is not None:
        return name
    if best.recorded is not None and best.recorded.endswith(f"checkpoint-{best.recorded_step}"):
        return best.recorded.removesuffix(f"checkpoint-{best.recorded_step}") + name
    folder = effective(run).get("output_dir")
    named = text(folder.value) if folder is not None and isinstance(folder.value, str) else None
    return f"{named.rstrip('/')}/{name}" if named else None


def _loss_at(curves: RunCurves | None, step: int | None) -> float | None:
    if curves is None or step is None:
        return None
    evaluations = measured(curves, "eval_loss")
    at = np.flatnonzero(evaluations.step == step)
    return finite(evaluations.value[at[0]]) if len(at) else None
