"""Runs of SwanLab: what its database says of them, and the points in their logs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.core.facts.values import moment
from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, Series, Told
from lib.data.formats.stores.json_numbers import parsed_rows
from lib.data.formats.stores.points import MOST_VALUES, Points, dropped_steps, steps_by_time, usable
from lib.data.formats.stores.sqlite_files import as_text, database
from lib.data.formats.stores.trackio_project import Seconds

DATABASE = "runs.swanlab"
LOGS = "logs"
SAMPLED = "__swanlab__"
"""Use of processor and memory, sampled by the clock: its indexes count samples."""

MOST_BYTES = 64 * 2**20
"""Of a file with 1,000 lines."""

LOG = re.compile(r"(\d{1,12})\.log")
# Running, finished, crashed.
STATUSES: dict[int | None, RunStatus] = {0: RunStatus.RUNNING, 1: RunStatus.COMPLETED, -1: RunStatus.FAILED}


def is_log(path: FilePath) -> bool:
    """Whether a file is a part of a metric's log."""
    return len(path) > 3 and path[-3] == LOGS and LOG.fullmatch(path[-1]) is not None


@dataclass(slots=True)
class Stated:
    """What the database says of a run: its status as a number, and the names of metrics by their folders."""

    name: str = ""
    status: int | None = None
    started: float | None = None
    ended: float | None = None
    names: dict[str, str] = field(default_factory=dict)


def stated_of(root: Path, folder: Folder, files: Sequence[FilePath], told: list[Told]) -> Stated:
    """What the database beside a run's folder says of it; why it cannot be read is added to ``told``."""
    stated = Stated()
    path = (*folder[:-1], DATABASE)
    if path not in files:
        return stated
    try:
        with database(root.joinpath(*path)) as found:
            if found is None or not found.has("experiment", "id", "run_id", "name", "status"):
                return stated
            there = found.tables["experiment"]
            times = ", ".join(each if each in there else "NULL" for each in ("create_time", "finish_time"))
            # The folder's name is "run-", a date and an id, and some versions keep the id alone.
            ids = [folder[-1], folder[-1].removeprefix("run-"), folder[-1].rpartition("-")[2]]
            question = f"SELECT id, name, status, {times} FROM experiment WHERE run_id IN (?, ?, ?) LIMIT 1"
            for number, name, status, created, finished in found.rows(question, ids):
                stated.name = as_text(name)
                stated.status = status if isinstance(status, int) else None
                stated.started, stated.ended = _seconds(created), _seconds(finished)
                if found.has("tag", "experiment_id", "name", "folder"):
                    tags = found.rows("SELECT folder, name FROM tag WHERE experiment_id = ? LIMIT 100000", [number])
                    stated.names = {as_text(place): as_text(tag) for place, tag in tags}
    except NotReadable as error:
        told.append(Told(path, str(error)))
    return stated


def _seconds(value: Any) -> float | None:
    found = moment(as_text(value)) if isinstance(value, bytes) else None
    return None if found is None else found.timestamp()


def points_of(
    root: Path, folder: Folder, files: Sequence[FilePath], told: list[Told], notes: list[str]
) -> dict[str, Points] | None:
    """Points by the folder of their metric; ``None`` where no file has lines of SwanLab's."""
    seconds = Seconds()
    found: dict[str, list[Points]] = {}
    values = bad = 0
    logs = sorted((path for path in files if is_log(path)), key=lambda path: (path[-2], int(path[-1][:-4])))
    is_ours = False
    for path in logs:
        if values > MOST_VALUES:
            told.append(Told(path, f"This run has more than {MOST_VALUES:,} values; the others are not read."))
            break
        try:
            content = read_bytes(root.joinpath(*path), MOST_BYTES)
        except NotReadable as error:
            told.append(Told(path, str(error)))
            continue
        lines = [line for line in content.split(b"\n") if line.strip()]
        rows = parsed_rows(lines)
        # The last line may be being written.
        bad += rows[:-1].count(None)
        good = [row for row in rows if row is not None and "index" in row and "data" in row]
        is_ours |= bool(good)
        kept = [
            row
            for row in good
            if type(row["data"]) in (int, float) and type(row["index"]) is int and abs(row["index"]) < 2**62
        ]
        if kept:
            at = seconds.of([str(row.get("create_time")) for row in kept])
            step = np.array([row["index"] for row in kept], dtype=np.int64)
            value = np.array([_float(row["data"]) for row in kept], dtype=np.float64)
            found.setdefault(path[-2], []).append(Points(step, at, value))
            values += len(kept)
    if bad:
        notes.append(f"Lines that are no JSON objects, left out: {bad:,}.")
    if not is_ours:
        return None
    return {name: _joined(parts) for name, parts in found.items()}


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _joined(parts: list[Points]) -> Points:
    return Points(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("step", "at", "value")))


def series_of(metrics: Mapping[str, Points]) -> tuple[dict[str, Series], list[str]]:
    """Series by name, and remarks."""
    series: dict[str, Series] = {}
    dropped = 0
    good: dict[str, Points] = {}
    for name, points in metrics.items():
        good[name], bad = usable(points)
        dropped += bad
    known = [(each.step, each.at) for name, each in good.items() if not name.startswith(SAMPLED)]
    placed = 0
    for name, points in good.items():
        steps = steps_by_time(points.at, known) if name.startswith(SAMPLED) else None
        placed += steps is not None
        if len(points):
            series[name] = (points if steps is None else Points(steps, points.at, points.value)).series()
    notes = dropped_steps(dropped)
    if placed:
        notes.append("System metrics count their own samples; they are placed by the time of logging.")
    return series, notes
