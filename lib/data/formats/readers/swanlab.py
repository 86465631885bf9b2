"""SwanLab's local folders: ``runs.swanlab`` beside ``run-*/logs/METRIC/1000.log`` and ``run-*/files/config.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lib.core.facts.runs import RunStatus
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told
from lib.data.formats.safe_yaml import MOST_BYTES, load_yaml
from lib.data.formats.stores.sqlite_files import WAL
from lib.data.formats.stores.swanlab_runs import (
    DATABASE,
    LOG,
    LOGS,
    STATUSES,
    is_log,
    points_of,
    series_of,
    stated_of,
)

CONFIG = ("files", "config.yaml")
_RUN = re.compile(r"run-.+")


class SwanLab:
    """Runs that SwanLab logged on this machine; each has its folder, and all of them one database."""

    title = "SwanLab"
    reads = "runs.swanlab and its run folders"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1] in (DATABASE, DATABASE + WAL) or _run_of(path) is not None

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        found: dict[Folder, list[FilePath]] = {}
        for path in files:
            if (run := _run_of(path)) is not None:
                found.setdefault(run, []).append(path)
        # Other trackers call their folders so too; only this one keeps numbered logs in them.
        found = {run: paths for run, paths in found.items() if any(is_log(path) for path in paths)}
        databases = [path for path in files if path[-1] in (DATABASE, DATABASE + WAL)]
        for run, paths in found.items():
            paths += [path for path in databases if path[:-1] == run[:-1]]
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        told: list[Told] = []
        notes: list[str] = []
        stated = stated_of(root, folder, files, told)
        points = points_of(root, folder, files, told, notes)
        if points is None:
            return None
        series, remarks = series_of({stated.names.get(name, unquote(name)): each for name, each in points.items()})
        if any(name.isdecimal() and name not in stated.names for name in points):
            notes.append("Only runs.swanlab knows what metrics are called; without it they have the names of folders.")
        config = _config(root, folder, files, told)
        logs = [path for path in files if is_log(path)]
        return Reading(
            runs=(
                LoggedRun(
                    files=(*logs, *(path for path in files if path not in set(logs))),
                    series=series,
                    name=stated.name,
                    identity=folder[-1],
                    config={"config": config} if config else {},
                    status=STATUSES.get(stated.status, RunStatus.UNKNOWN),
                    said=None if stated.status is None else str(stated.status),
                    started=stated.started,
                    ended=stated.ended,
                    notes=(*notes, *remarks),
                ),
            ),
            unreadable=tuple(told),
        )


FORMAT = SwanLab()


def _run_of(path: FilePath) -> Folder | None:
    """The run's folder that a file is a log or the configuration of."""
    if len(path) > 3 and path[-3] == LOGS and LOG.fullmatch(path[-1]) and _RUN.fullmatch(path[-4]):
        return path[:-3]
    if len(path) > 2 and path[-2:] == CONFIG and _RUN.fullmatch(path[-3]):
        return path[:-2]
    return None


def _config(root: Path, folder: Folder, files: Sequence[FilePath], told: list[Told]) -> dict[str, Any]:
    path = (*folder, *CONFIG)
    if path not in files:
        return {}
    try:
        found = load_yaml(read_bytes(root.joinpath(*path), MOST_BYTES))
    except NotReadable as error:
        told.append(Told(path, str(error)))
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    # Each is a value with its description and its place in the list.
    return {key: each["value"] if isinstance(each, dict) and "value" in each else each for key, each in entries}
