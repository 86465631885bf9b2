"""Which checkpoint of a run to ship: the one of its best evaluation, and whether it was saved."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.core.evidence import RunEvidence
from lib.core.runs import RunSummary
from lib.core.scoring import eval_loss_of
from lib.core.values import finite, number, text, whole

CONFIG_SECTIONS = ("training", "training_args", None)
"""Where the saving options stand in a config, looked at in this order; ``None`` is its top level."""

_STEP_IN_PATH = re.compile(r"(?<![a-z])(?:checkpoint-|step[=_-]?)(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CheckpointAdvice:
    """Which checkpoint to ship.

    Attributes:
        step: Of the lowest eval loss; ``None`` when it is not known.
        epoch: At that step.
        eval_loss: The lowest eval loss, nats; ``None`` when it is not known.
        path: The checkpoint that the trainer recorded as its best, whichever step it is of.
        path_step: The step that the path names.
        saved_step: Where no path is known: the step nearest to ``step`` at which one was saved.
        exact: True where ``path`` is known to be the checkpoint of ``step``.
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


def checkpoint_to_ship(run: RunSummary, evidence: RunEvidence | None = None) -> CheckpointAdvice:
    """Say which checkpoint of a run to ship, as far as it is known.

    Args:
        run: The run.
        evidence: From the run's series; where it has no eval loss, the run's stored best one is taken.
    """
    step, epoch, loss = _best(run, evidence)
    path = text(run.best_checkpoint_path)
    path_step = step_in_path(path) if path else None
    if loss is None:
        known = f" The trainer recorded {path} as its best." if path else ""
        why = "No eval loss is" if eval_loss_of(run) is None else "Only the last eval loss is"
        sentence = f"{why} recorded, so no checkpoint can be told to be the best.{known}"
        return CheckpointAdvice(None, None, None, path, path_step, None, False, sentence)

    best = f"The lowest eval loss, {loss:.4f}, was measured at {_place(step, epoch)}."
    exact = path is not None and path_step is not None and path_step == step
    saved = None
    if path is None:
        saved, where = _where_saved(run, evidence, step)
    elif exact:
        where = f"Ship {path}."
    elif path_step is None or step is None:
        reason = "its step is not in its name" if path_step is None else f"it is of step {path_step}"
        where = f"The trainer recorded {path} as its best; {reason}."
    else:
        where = (
            f"The trainer kept {path}, of step {path_step}, as its best, perhaps by another metric than the eval loss."
        )
    return CheckpointAdvice(step, epoch, loss, path, path_step, saved, exact, f"{best} {where}")


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


def save_interval(run: RunSummary) -> int | None:
    """Every how many steps the run saves a checkpoint; ``None`` where its config does not say so.

    A number below 1 is a share of all steps, as in Hugging Face's ``TrainingArguments.save_steps``.
    Where the strategy is not to save by steps, ``save_steps`` has no effect and is ignored.
    """
    strategy = text(_option(run.config, "save_strategy"))
    steps = number(_option(run.config, "save_steps"))
    if steps is None or not math.isfinite(steps) or steps <= 0:
        return None
    if strategy is not None and strategy.casefold().rsplit(".", 1)[-1] != "steps":
        return None
    if steps < 1:
        return math.ceil(steps * run.total_steps) if run.total_steps else None
    return whole(steps)


def _best(run: RunSummary, evidence: RunEvidence | None) -> tuple[int | None, float | None, float | None]:
    if evidence is not None and evidence.best_eval_loss is not None:
        return evidence.best_step, evidence.best_epoch, evidence.best_eval_loss
    loss = finite(run.best_eval_loss)
    return (run.best_step, run.best_epoch, loss) if loss is not None else (None, None, None)


def _place(step: int | None, epoch: float | None) -> str:
    if step is None:
        return "a step that is not recorded" if epoch is None else f"epoch {epoch:.4g}"
    return f"step {step}" if epoch is None else f"step {step} (epoch {epoch:.4g})"


def _where_saved(run: RunSummary, evidence: RunEvidence | None, step: int | None) -> tuple[int | None, str]:
    """The saved step nearest to ``step``, and a sentence about it."""
    every = save_interval(run)
    if every is None or step is None:
        return None, "The path of its checkpoint is not recorded."
    logged = None if evidence is None else evidence.last_step
    last = max((known for known in (logged, run.current_step) if known is not None), default=step)
    below, above = step // every * every, -(-step // every) * every
    saved = [candidate for candidate in {below, above} if 0 < candidate <= max(last, step)]
    if not saved:
        return None, f"Checkpoints are saved every {every} steps, and none was saved by step {last}."
    # Between two that are equally near, the earlier one: it cannot have been trained past the best.
    nearest = min(saved, key=lambda candidate: (abs(candidate - step), candidate))
    limit = " if it was kept" if _option(run.config, "save_total_limit") is not None else ""
    if nearest == step:
        return nearest, f"Its path is not recorded; a checkpoint is saved at that step{limit}."
    return nearest, (
        f"Its path is not recorded; checkpoints are saved every {every} steps, the nearest at step {nearest}{limit}."
    )


def _option(config: Mapping[str, object], key: str) -> object:
    """The value of a saving option in the first section that has one."""
    for name in CONFIG_SECTIONS:
        section = config if name is None else config.get(name)
        if isinstance(section, Mapping) and section.get(key) is not None:
            return section[key]
    return None
