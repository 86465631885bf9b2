"""Which checkpoints of a training lie in its folder, and of which step each is.

A checkpoint is a folder with a training's state or with weights; one with an optimizer's state alone is none. Its step
is that of its state, else the number in its name, else what its name says of its place: an epoch, the best, the last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from lib.core.facts.runs import Checkpoint
from lib.core.facts.values import finite, text, whole
from lib.data.folder.names import readable
from lib.data.folder.scan import Scan
from lib.data.formats.logged import Folder
from lib.data.trainer import checkpoint_names as naming
from lib.data.trainer.hf_log import TRAINER_STATE, TrainerLog

EPOCH_ROUNDING = 0.011
"""Logged epochs have two decimals in some versions of the ``Trainer``."""


def folders_of(folder: Folder, scan: Scan) -> list[Folder]:
    """Every folder that is a checkpoint of what was trained in ``folder`` by its name, also inside others of them."""
    found = [(*folder, name) for name in scan.checkpoints.get(folder, ()) if naming.is_checkpoint(name)]
    return sorted([*found, *(inner for each in found for inner in folders_of(each, scan))])


def candidates(folder: Folder, scan: Scan) -> list[Folder]:
    """Those, and the folders beside them whose name may be a checkpoint's and that hold weights and no log."""
    perhaps = [
        (*folder, name)
        for name in scan.checkpoints.get(folder, ())
        if not naming.is_checkpoint(name)
        if scan.weights.get((*folder, name)) and TRAINER_STATE not in scan.files.get((*folder, name), {})
    ]
    return sorted([*folders_of(folder, scan), *perhaps])


def checkpoints_of(
    folder: Folder, places: Collection[Folder], logs: Mapping[Folder, TrainerLog], leader: TrainerLog, scan: Scan
) -> tuple[Checkpoint, ...] | None:
    """The checkpoints of one training, by their steps.

    Args:
        folder: Where it was trained.
        places: The folders that may hold a checkpoint of it.
        logs: Its logs by folder.
        leader: The one that tells most.
        scan: What lies where.

    Returns:
        ``None`` where no folder may hold one: then nobody knows what was saved and lies elsewhere.
    """
    if not places:
        return None
    counts_from_0 = any(naming.epoch_in(place[-1]) == 0 for place in places)
    found = []
    for place in places:
        name, log, weights = place[-1], logs.get(place), _weights_in(place, scan)
        if log is None and not weights:
            continue
        step = _step_of(name, log, leader, counts_from_0=counts_from_0)
        is_complete = not naming.is_unfinished(name) and not naming.lacks_shards(weights)
        found.append(Checkpoint(readable("/".join(place[len(folder) :])), step, is_complete))
    return tuple(sorted(found, key=lambda each: (each.step is None, each.step or 0, each.folder)))


def _weights_in(place: Folder, scan: Scan) -> list[str]:
    """The files of weights in a checkpoint's folder, and in folders inside it that are no checkpoints of their own."""
    return [
        name
        for folder in scan.weights_below(place)
        if not any(naming.is_checkpoint(part) or part.lower().startswith("optim") for part in folder[len(place) :])
        for name in scan.weights[folder]
    ]


def _step_of(name: str, log: TrainerLog | None, leader: TrainerLog, *, counts_from_0: bool) -> int | None:
    if log is not None and log.closed_at < 0 and log.last_step is not None:
        return log.last_step
    # A state that was saved after the end may lie beside the weights of the reloaded best model.
    if (step := naming.step_in(name)) is not None:
        return step
    if (epoch := naming.epoch_in(name)) is not None:
        return _step_of_epoch(epoch + counts_from_0, leader)
    if naming.is_of_best(name):
        return _best_step(leader)
    return _last_saved(leader) if naming.is_of_last(name) else None


def _step_of_epoch(epoch: int, leader: TrainerLog) -> int | None:
    points = leader.points
    near = points.step[np.abs(points.epoch - epoch) <= EPOCH_ROUNDING]
    if len(near):
        return int(near.max())
    epochs, planned = finite(leader.state.get("num_train_epochs")), leader.planned
    return round(planned * epoch / epochs) if planned and epochs and 0 < epoch <= epochs else None


def _best_step(leader: TrainerLog) -> int | None:
    """The step of the checkpoint that the training itself says is its best."""
    step = whole(leader.state.get("best_global_step"))
    if step:
        return step
    path = text(leader.state.get("best_model_checkpoint"))
    if path and (step := naming.step_in(path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1])) is not None:
        return step
    best = finite(leader.state.get("best_metric"))
    if best is None:
        return None
    points = leader.points
    evaluated = points.of([name for name in points.names if name.startswith("eval_")])
    steps = points.step[evaluated & np.isclose(points.value, best, rtol=1e-9, atol=0.0) & (points.step > 0)]
    return int(steps.min()) if len(steps) else None


def _last_saved(leader: TrainerLog) -> int | None:
    last, every = leader.last_step, finite(leader.state.get("save_steps"))
    if last is None or leader.closed_at >= last or (leader.planned is not None and last >= leader.planned):
        return last
    return last // int(every) * int(every) or None if every is not None and every >= 1 else last
