"""TensorBoard: folders of event files, of PyTorch, TensorFlow, Keras, tensorboardX and those who use them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import FilePath, Folder, Format, LoggedRun, Reading, Series, Told, by_folder
from lib.data.formats.records.event_folder import FolderLog, read_folder

_NAME = re.compile(r"tfevents\.\d")
_TRAINING = ("train", "training", "train_inner")
_EVALUATION = ("validation", "valid", "val", "eval", "evaluation", "test", "dev")
_TIME = re.compile(r"\d{9,11}(\.\d+)?")
"""Where ``add_hparams`` writes: a folder named by the time."""
_AGAIN = re.compile("evaluation_.+_vs_iterations")
_STATUS: Mapping[str, RunStatus] = {
    "success": RunStatus.COMPLETED,
    "failure": RunStatus.FAILED,
    "running": RunStatus.RUNNING,
}
_PLACEHOLDER = "hp_metric", -1.0
"""What Lightning logs where nobody names a result: TensorBoard shows hyperparameters beside a result only."""
_SAME_MOMENT = 1.0
"""Seconds by which a last point may be younger than the session's end."""


class TensorBoard:
    """Event files; those below the folder of a run may be a part of it."""

    title = "TensorBoard"
    reads = "event files"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        """Whether the name is one that writers of event files give."""
        return _NAME.search(path[-1]) is not None

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """By the topmost folder that has event files, or that has a folder for training beside one for evaluation.

        The latter is how Keras and fairseq write: ``train`` beside ``validation``, ``train_inner`` beside ``valid``.
        """
        folders = by_folder(files)
        tops = {*folders, *_pairs(folders)}
        found: dict[Folder, list[FilePath]] = {}
        for folder, paths in folders.items():
            top = next(folder[:many] for many in range(len(folder) + 1) if folder[:many] in tops)
            found.setdefault(top, []).extend(paths)
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        """Read all event files of a unit: one run with its parts, or several where folders below are runs."""
        logs = {each: read_folder(root, paths) for each, paths in sorted(by_folder(files).items())}
        for pair in _pairs(each for each in logs if not _is_child(logs, each)):
            logs.setdefault(pair, FolderLog([]))
        parts = _parts(logs)
        runs: list[LoggedRun] = []
        empty: list[Told] = []
        for owner, members in parts.items():
            run = _run(folder, owner, logs, members)
            if run is not None:
                runs.append(run)
            elif paths := [path for member in members for path in _readable(logs[member])]:
                many = f"{len(paths)} event files" if len(paths) > 1 else "an event file"
                empty.append(Told(paths[0], f"{many} without scalars"))
        told = tuple(each for log in logs.values() for each in log.told)
        return Reading(tuple(runs), told, tuple(empty))


FORMAT: Format = TensorBoard()


def _readable(log: FolderLog) -> list[FilePath]:
    told = {each.path for each in log.told}
    return [path for path in log.files if path not in told]


def _pairs(folders: Iterable[Folder]) -> set[Folder]:
    """Folders of which two folders are the curves of training and of evaluation."""
    names: dict[Folder, set[str]] = {}
    for folder in folders:
        if folder:
            names.setdefault(folder[:-1], set()).add(folder[-1].lower())
    return {each for each, found in names.items() if found & {*_TRAINING} and found & {*_EVALUATION}}


def _parts(logs: Mapping[Folder, FolderLog]) -> dict[Folder, dict[Folder, dict[str, str]]]:
    """Which folders make one run: by the folder that names it its members, each with the names of its metrics.

    A folder below another is a run of its own, unless what stands in it shows that one program wrote both.
    """
    found: dict[Folder, dict[Folder, dict[str, str]]] = {}
    owner: dict[Folder, Folder] = {}
    sessions = Counter(folder[:-1] for folder, log in logs.items() if folder and _is_session(log))
    for folder in sorted(logs, key=lambda each: (len(each), each)):
        above = next((folder[:many] for many in range(len(folder) - 1, -1, -1) if folder[:many] in logs), None)
        names = None
        if above is not None:
            names = _names_as_part(logs[folder], folder[len(above) :], logs[above], sessions[above])
        if above is None or names is None:
            owner[folder] = folder
            found[folder] = {folder: {name: name for name in logs[folder].series}}
        else:
            owner[folder] = owner[above]
            found[owner[above]][folder] = names
    return found


def _is_session(log: FolderLog) -> bool:
    """Whether it is what ``add_hparams`` writes: hyperparameters, and results of one point each."""
    return "hparams" in log.config and all(len(each.step) == 1 for each in log.series.values())


def _names_as_part(log: FolderLog, below: Folder, above: FolderLog, sessions: int) -> dict[str, str] | None:
    """The names of a folder's metrics in the run of the folder above, or ``None`` where it is no part of it."""
    tags = list(log.series)
    if len(below) == 1 and below[0].lower() in (*_TRAINING, *_EVALUATION):
        return {tag: f"{below[0]}/{tag}" for tag in tags}
    if _TIME.fullmatch(below[-1]) and _is_session(log) and (above.series or sessions == 1):
        return {tag: tag for tag in tags}
    child = _child_name(log, below)
    return None if child is None else {tags[0]: child}


def _child_name(log: FolderLog, below: Folder) -> str | None:
    """The name of a metric of ``add_scalars``, if it is one: alone in a folder whose name begins with its own.

    Args:
        log: What the folder holds.
        below: The way to it from a folder that has a log.
    """
    if len(log.series) != 1:
        return None
    (tag,), path = log.series, "/".join(below)
    if path.startswith(f"{tag}/"):
        return path
    flat = tag.replace("/", "_") + "_"
    if len(below) == 1 and path.startswith(flat) and len(path) > len(flat):
        return f"{tag}/{path.removeprefix(flat)}"
    return None


def _is_child(logs: Mapping[Folder, FolderLog], folder: Folder) -> bool:
    """Whether a folder is a metric of the run above: "loss/train" beside "loss/eval" are no run called "loss"."""
    above = next((folder[:many] for many in range(len(folder) - 1, -1, -1) if folder[:many] in logs), None)
    return above is not None and _child_name(logs[folder], folder[len(above) :]) is not None


def _run(
    folder: Folder, owner: Folder, logs: Mapping[Folder, FolderLog], members: Mapping[Folder, Mapping[str, str]]
) -> LoggedRun | None:
    """The run of some folders; ``None`` where they say nothing about one."""
    series: dict[str, Series] = {}
    last: dict[str, float] = {}
    config: dict[str, dict[str, Any]] = {}
    session = None
    for member, names in members.items():
        log = logs[member]
        for section, values in log.config.items():
            config.setdefault(section, {}).update(values)
        session = log.session or session
        if member != owner and _is_session(log):
            last |= {name: float(each.value[0]) for name, each in log.series.items()}
            continue
        for tag, each in log.series.items():
            name = names[tag] if names[tag] not in series else "/".join((*member[len(owner) :], tag))
            series[name] = each
    if not (series or last or config):
        return None
    name, value = _PLACEHOLDER
    if name in series and (series[name].value == value).all():
        del series[name]
    if last.get(name) == value:
        del last[name]
    by_epoch = _by_epoch(series)
    series = by_epoch or series
    used = [logs[member] for member in members if logs[member].files]
    ordered = sorted(used, key=lambda log: -sum(len(each.step) for each in log.series.values()))
    status, said, ended = _end(session, series)
    host = next((log.host for log in used if log.host), "")
    return LoggedRun(
        key="/".join(owner[len(folder) :]),
        name="/".join(owner[len(folder) :]),
        files=tuple(path for log in ordered for path in log.files),
        series=series,
        counted="epoch" if by_epoch else "step",
        config=config,
        last=last,
        status=status,
        said=said,
        started=min((log.began for log in used if log.began is not None), default=None),
        ended=ended,
        tags={"host": host} if host else {},
        notes=tuple(dict.fromkeys(note for log in used for note in log.notes)),
    )


def _by_epoch(series: Mapping[str, Series]) -> dict[str, Series]:
    """The metrics of Keras, if all of them are by epoch; its evaluations stand there again by iterations."""
    leaves = {name: name.rpartition("/")[2] for name in series}
    found = {name: each for name, each in series.items() if leaves[name].startswith("epoch_")}
    others = [leaf for leaf in leaves.values() if not leaf.startswith("epoch_") and not _AGAIN.fullmatch(leaf)]
    return {} if others else found


def _end(session: tuple[str, float] | None, series: Mapping[str, Series]) -> tuple[RunStatus, str | None, float | None]:
    """Status, the word for it and when that was, of what a session of hyperparameters says about its end.

    PyTorch writes "success" whenever hyperparameters are logged, which many programs do before they train: what is
    older than the last point says nothing.
    """
    times = [each.at for each in series.values() if each.at is not None and len(each.at)]
    latest = max((float(np.max(each)) for each in times), default=None)
    if session is None or latest is None or not session[1] >= latest - _SAME_MOMENT:
        return RunStatus.UNKNOWN, None, None
    word, when = session
    status = _STATUS[word]
    return status, word, None if status is RunStatus.RUNNING else when
