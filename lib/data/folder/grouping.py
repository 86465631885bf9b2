"""Which files are of one run: the trainings in a folder with their checkpoints, and copies of one elsewhere."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.core.facts.foreign import isolated
from lib.data.folder.names import readable, run_id_of
from lib.data.folder.scan import Scan, Stamp
from lib.data.formats.logged import Folder
from lib.data.trainer.checkpoint_names import is_checkpoint, may_be_checkpoint, step_in
from lib.data.trainer.hf_log import TRAINER_STATE, TrainerLog
from lib.data.trainer.trainings import LEAST_ROWS, is_one_training, parted

NAMED_FILES = 3
"""More checkpoints than this are named by the first, the second and the last."""

PlacedLog = tuple[Folder, TrainerLog]


@dataclass(frozen=True, slots=True)
class Training:
    """One training of those in a folder.

    Attributes:
        path: The folder that names it.
        run_id: Its identity, which stays while it grows and while its checkpoints come and go.
        files: The names that tell it from the others in the folder; "" for the only one there.
        logs: Its logs with the folders they lie in, the one that leads last.
        may_hold: The folders that may hold its checkpoints.
        is_alone: It is the only one in its folder, so that all that lies there is its own.
        notes: Sentences on the others.
    """

    path: Folder
    run_id: str
    files: str
    logs: tuple[PlacedLog, ...]
    may_hold: tuple[Folder, ...]
    is_alone: bool
    notes: tuple[str, ...] = ()


def files_by_run(scan: Scan) -> dict[Folder, dict[Folder, Mapping[str, Stamp]]]:
    """The files of the trainings in each folder, by that folder and then by the folder they lie in."""
    runs: dict[Folder, dict[Folder, Mapping[str, Stamp]]] = {}
    logged = [folder for folder, names in scan.files.items() if TRAINER_STATE in names]
    for folder in logged:
        run_folder = folder
        while run_folder and is_checkpoint(run_folder[-1]):
            run_folder = run_folder[:-1]
        runs.setdefault(run_folder, {})[folder] = scan.files[folder]
    perhaps: defaultdict[Folder, list[Folder]] = defaultdict(list)
    for folder, members in runs.items():
        if folder and may_be_checkpoint(folder[-1]) and list(members) == [folder]:
            perhaps[folder[:-1]].append(folder)
    for parent, folders in perhaps.items():
        # Alone, such a folder is a run like any other.
        if parent in runs or len(folders) > 1:
            members = runs.setdefault(parent, {})
            for folder in folders:
                members |= runs.pop(folder)
    for folder, members in runs.items():
        if folder in scan.files:
            members[folder] = scan.files[folder]
    return runs


def trainings_in(folder: Folder, logs: Sequence[PlacedLog], places: Sequence[Folder]) -> list[Training]:
    """Part the logs of a folder into trainings.

    Args:
        folder: The folder.
        logs: What was read in it and in its checkpoints.
        places: The folders in it that may hold checkpoints.
    """
    logs = sorted(logs, key=lambda placed: lead(folder, *placed))
    groups, alone = _groups(folder, logs)
    trainings = [Training(logs[at][0], run_id_of(logs[at][0]), "", (logs[at],), (), is_alone=True) for at in alone]
    if len(groups) == 1:
        own = tuple(logs[at] for at in groups[0])
        held = {*places, *(place for place, _ in own if place != folder)} - {logs[at][0] for at in alone}
        return [Training(folder, run_id_of(folder), "", own, tuple(sorted(held)), is_alone=True), *trainings]
    ids = _ids(folder, [logs[group[-1]][1] for group in groups])
    listed = [[_file_name(folder, logs[at][0]) for at in group] for group in groups]
    unknown = [place for place in places if place not in {place for place, _ in logs}]
    for position, group in enumerate(groups):
        others = [name for other, names in enumerate(listed) if other != position for name in names]
        notes = [
            f"The folder holds {len(groups)} trainings that differ at shared steps: this one has "
            f"{_listed(listed[position])}, {'the other' if len(groups) == 2 else 'the others'} {_listed(others)}."
        ]
        if unknown:
            names = [_file_name(folder, place) for place in unknown]
            notes.append(f"Of which of them {_listed(names)} is cannot be told, so no run lists it as a checkpoint.")
        own = tuple(logs[at] for at in group)
        held = {place for place, _ in own} - {folder}
        files = _short(listed[position])
        mine = Training(folder, ids[position], files, own, tuple(sorted(held)), is_alone=False, notes=tuple(notes))
        trainings.append(mine)
    return trainings


def _groups(folder: Folder, logs: Sequence[PlacedLog]) -> tuple[list[list[int]], list[int]]:
    """The logs of each training in the folder, and those of runs in folders of their own, by their positions."""
    if len(logs) == 1:
        place = logs[0][0]
        return ([[0]], []) if place == folder or is_checkpoint(place[-1]) else ([], [0])
    certain = [at for at, (place, _) in enumerate(logs) if place == folder or is_checkpoint(place[-1])]
    groups: list[list[int]] = []
    for group in ([certain[at] for at in each] for each in parted([logs[at][1] for at in certain])):
        # Two logs in one folder, of two formats for instance, are of one training.
        same = [other for other in groups if {logs[at][0] for at in other} & {logs[at][0] for at in group}]
        groups = [other for other in groups if other not in same]
        groups.append(sorted([*group, *(at for other in same for at in other)]))
    rest = [at for at in reversed(range(len(logs))) if at not in certain]
    for at in rest:
        log = logs[at][1]
        own = next((each for each in groups if any(is_one_training(log, logs[other][1]) for other in each)), None)
        if own is None:
            groups.append([at])
        else:
            own.append(at)
            own.sort()
    alone = [group[0] for group in groups if len(group) == 1 and group[0] in rest]
    return [group for group in groups if group[0] not in alone], alone


def lead(run_folder: Folder, folder: Folder, log: TrainerLog) -> tuple[int, int, bool, Folder]:
    """Sorts the log that tells most last: the furthest, then the fullest, then that of the run itself."""
    step = -1 if log.last_step is None else log.last_step
    return step, len(log.points), folder == run_folder, folder


def _ids(folder: Folder, leaders: Sequence[TrainerLog]) -> list[str]:
    """Identities that follow from how each training begins, which neither growth nor a deleted checkpoint changes."""
    count, most = LEAST_ROWS, max((len(log.points) for log in leaders), default=0)
    while len({log.opening(count) for log in leaders}) < len(leaders) and count < most:
        count += 1
    marks = [hashlib.sha256(log.opening(count).encode()).hexdigest()[:6] for log in leaders]
    return [run_id_of((*folder, f"training-{mark}")) for mark in marks]


def _file_name(folder: Folder, place: Folder) -> str:
    return isolated(readable("/".join(place[len(folder) :]))) or TRAINER_STATE


def _in_order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: (step_in(name) is None, step_in(name) or 0, name))


def _listed(names: Sequence[str]) -> str:
    *others, last = _in_order(names)
    return f"{', '.join(others)} and {last}" if others else last


def _short(names: Sequence[str]) -> str:
    """The files in few words: "checkpoint-100, -200"."""
    first, *others = _in_order([name for name in names if name != TRAINER_STATE] or names)
    stem = first[: first.rfind("-")] if "-" in first else first
    ends = [name.removeprefix(stem) if name.startswith(f"{stem}-") else name for name in others]
    if len(ends) >= NAMED_FILES:
        ends = [ends[0], f"… {ends[-1]}"]
    return ", ".join([first, *ends])
