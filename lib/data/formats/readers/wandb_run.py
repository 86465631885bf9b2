"""Weights & Biases: the folders that it leaves on the machine that trained, with or without their run file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.files import NotReadable, open_regular, read_bytes
from lib.data.formats.logged import FilePath, Folder, Format, LoggedRun, Reading, Series, Told
from lib.data.formats.records.wandb_log import LogFile
from lib.data.formats.records.wandb_records import MOST_BYTES, MOST_ITEMS, RunContent
from lib.data.formats.records.wandb_values import numbers
from lib.data.formats.resumed import join

_FOLDER = re.compile(r"(?:offline-)?run-(\d{8}_\d{6})-(.+)")
_LATEST = "latest-run"
"""A link to one of the folders beside it."""
_BESIDE = ("config.yaml", "wandb-summary.json", "wandb-metadata.json")
_MOST_BESIDE = 16 * 2**20
_WITHOUT_FILE = (
    "a Weights & Biases folder without history: export it as CSV from the web page (or keep the .wandb file)"
)
_WITHOUT_ROWS = "a Weights & Biases run file without history: nothing was logged"
_FACTS = {"host": "host", "os": "os", "gpu": "gpu", "gpu_count": "gpu_count", "program": "program"}


class WandbRun:
    """Run folders; those of one run id in one place are one run that was resumed."""

    title = "Weights & Biases"
    reads = "run folders (run-DATE-ID with run-ID.wandb or files/config.yaml)"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        """Whether it is a run file, or one of the known files in a run folder."""
        if _LATEST in path[:-1]:
            return False
        return path[-1].endswith(".wandb") or (path[-1] in _BESIDE and _run_folder(path) is not None)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """By place and run id, named by the first folder of the run."""
        found: dict[tuple[Folder, str], list[FilePath]] = {}
        for path in files:
            folder = _run_folder(path)
            key = (path[:-1], path[-1]) if folder is None else (folder[:-1], _parts_of(folder)[1])
            found.setdefault(key, []).append(path)
        units: dict[Folder, list[FilePath]] = {}
        for paths in found.values():
            name = min((_run_folder(path) or path[:-1] for path in paths), key=_parts_of)
            units.setdefault(name, []).extend(paths)
        return units

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        """Read the folders of one run, or a run file that stands alone."""
        told: list[Told] = []
        by_place: dict[Folder, list[FilePath]] = {}
        for path in files:
            by_place.setdefault(_run_folder(path) or path, []).append(path)
        sessions = [_read_session(root, each, by_place[each], told) for each in sorted(by_place, key=_parts_of)]
        groups: dict[str, list[_Session]] = {}
        for each in sessions:
            groups.setdefault(each.identity, []).append(each)
        runs: list[LoggedRun] = []
        unused: list[Told] = []
        is_run_folder = _run_folder((*folder, "")) is not None
        for identity, group in groups.items():
            run = _joined(identity, group, key="" if is_run_folder and len(groups) == 1 else identity)
            if run.series or any(_has_output(root, each.folder) for each in group):
                runs.append(run)
            elif not {path for each in group for path in each.files} <= {each.path for each in told}:
                has_file = any(each.content is not None for each in group)
                unused.append(Told(group[-1].files[0], _WITHOUT_ROWS if has_file else _WITHOUT_FILE))
        return Reading(tuple(runs), tuple(told), tuple(unused))


FORMAT: Format = WandbRun()


@dataclass(slots=True)
class _Session:
    """One process of a run: one folder."""

    folder: Folder
    files: list[FilePath]
    identity: str
    content: RunContent | None = None
    config: dict[str, Any] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    started: float | None = None
    notes: list[str] = field(default_factory=list)


def _run_folder(path: FilePath) -> Folder | None:
    """The run folder that a file lies in, the innermost."""
    for many in range(len(path) - 1, 0, -1):
        if _FOLDER.fullmatch(path[many - 1]):
            return path[:many]
    return None


def _parts_of(folder: Folder) -> tuple[str, str, Folder]:
    """Time and run id in a folder's name, by which folders are ordered."""
    found = _FOLDER.fullmatch(folder[-1]) if folder else None
    return (found[1], found[2], folder) if found else ("", "", folder)


def _has_output(root: Path, folder: Folder) -> bool:
    return root.joinpath(*folder, "files", "output.log").is_file()


def _read_session(root: Path, folder: Folder, files: Sequence[FilePath], told: list[Told]) -> _Session:
    """Read what lies in one run folder."""
    ordered = sorted(files, key=lambda path: (not path[-1].endswith(".wandb"), path))
    name = folder[-1].removeprefix("run-").removesuffix(".wandb")
    session = _Session(folder, ordered, _parts_of(folder)[1] or name)
    for path in ordered:
        try:
            if path[-1].endswith(".wandb"):
                _read_run_file(root, path, session, told)
            elif path[-1] == "config.yaml":
                _read_config(read_bytes(root.joinpath(*path), _MOST_BESIDE), session)
            else:
                found = json.loads(read_bytes(root.joinpath(*path), _MOST_BESIDE))
                if path[-1] == "wandb-summary.json":
                    session.last = {each: number for each, number in numbers("", found) if not each.startswith("_")}
                elif isinstance(found, dict):
                    _take_metadata(found, session)
        except NotReadable as error:
            told.append(Told(path, str(error)))
        except (ValueError, RecursionError):
            told.append(Told(path, "Expected JSON, found something else."))
    return session


def _read_run_file(root: Path, path: FilePath, session: _Session, told: list[Told]) -> None:
    content = RunContent()
    with open_regular(root.joinpath(*path), MOST_BYTES) as file:
        size = file.seek(0, 2)
        file.seek(0)
        if not size:
            return
        log = LogFile(file, size)
        try:
            content.take(log.records())
        except OSError:
            told.append(Told(path, "The file could not be read to its end."))
    session.content = content
    if log.damage is not None:
        told.append(Told(path, f"The file is damaged at byte {log.damage:,} of {size:,}: some of it was not read."))
    if content.passed:
        told.append(Told(path, f"The file has more than {MOST_ITEMS:,} items of history: the rest was not read."))
    if content.broken:
        session.notes.append(f"{content.broken:,} records are none of Weights & Biases and were left out.")
    run = content.run
    if run is None:
        return
    # The folder may have been renamed, its run was not.
    session.identity = _text(run.id) or session.identity
    if run.HasField("start"):
        session.started = run.start.seconds + run.start.nanos / 1e9
    facts = {"project": run.project, "group": run.group, "job type": run.job, "notes": run.notes, "host": run.host}
    session.tags |= {each: _text(value) for each, value in facts.items() if value}
    if run.tags:
        session.tags["tags"] = ", ".join(_text(each) for each in run.tags)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _read_config(content: bytes, session: _Session) -> None:
    from lib.data.formats.safe_yaml import load_yaml

    found = load_yaml(content)
    for key, entry in found.items() if isinstance(found, dict) else ():
        if key not in ("_wandb", "wandb_version"):
            session.config[key] = entry["value"] if isinstance(entry, dict) and "value" in entry else entry


def _take_metadata(found: Mapping[str, Any], session: _Session) -> None:
    session.tags |= {
        name: str(found[key])
        for key, name in _FACTS.items()
        if isinstance(found.get(key), str | int) and name not in session.tags
    }
    if session.started is None and isinstance(found.get("startedAt"), str):
        try:
            when = datetime.fromisoformat(found["startedAt"])
            session.started = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return


def _joined(identity: str, sessions: Sequence[_Session], key: str) -> LoggedRun:
    """The run of some sessions, the first to begin first."""
    sessions = sorted(sessions, key=lambda each: each.started or 0.0) if all(s.started for s in sessions) else sessions
    parts: list[dict[str, Series]] = []
    config: dict[str, Any] = {}
    last: dict[str, float] = {}
    tags: dict[str, str] = {}
    notes: list[str] = []
    name = ""
    for session in sessions:
        content = session.content
        config |= session.config
        last |= session.last
        tags |= session.tags
        notes += session.notes
        if content is not None:
            config |= content.config
            last |= content.summary
            name = (_text(content.run.name) if content.run else "") or name
            parts.append(_series(content))
    joined = join(parts)
    notes += joined.notes()
    newest = sessions[-1]
    end = newest.content.exit if newest.content else None
    status, said = RunStatus.UNKNOWN, None
    if end is not None:
        status, said = RunStatus.FAILED if end[0] else RunStatus.COMPLETED, f"exit code {end[0]}"
    started = [each.started for each in sessions if each.started is not None]
    return LoggedRun(
        key=key,
        name=name,
        identity=identity,
        files=tuple(path for session in sessions for path in session.files),
        series=joined.series,
        config={"config": config} if config else {},
        last={each: number for each, number in last.items() if each not in joined.series},
        status=status,
        said=said,
        started=min(started, default=None),
        ended=newest.started + end[1] if end is not None and end[1] and newest.started is not None else None,
        tags=tags,
        notes=tuple(dict.fromkeys(notes)),
    )


def _series(content: RunContent) -> dict[str, Series]:
    """The curves of one process, by the steps that the program itself says they count."""
    steps = np.array(content.steps, dtype=np.int64)
    known = content.columns.get("_timestamp")
    clock = np.full(len(steps), np.nan)
    if known is not None:
        clock[np.array(known.rows)] = np.array(known.values)
    columns = {
        name: (np.array(column.rows, dtype=np.int64), np.array(column.values, dtype=np.float64))
        for name, column in content.columns.items()
        if name != "_timestamp"
    }
    axes = _axes(content, columns, len(steps))
    found: dict[str, Series] = {}
    for name, (rows, values) in columns.items():
        step = axes.get(name, steps)[rows]
        there = step >= 0
        if there.any():
            found[name] = Series(step[there], values[there], None, clock[rows[there]])
    return found


def _axes(
    content: RunContent, columns: Mapping[str, tuple[np.ndarray, np.ndarray]], rows: int
) -> dict[str, np.ndarray]:
    """By metric the step of each row, -1 where there is none, as ``define_metric`` says.

    W&B's own step counts calls where a program does not give it: that of Hugging Face and Lightning is an item. Taken
    only if all metrics have such an item, and it counts steps: steps of two kinds do not stand in one chart.
    """
    globs = {each[:-1]: axis for each, axis in content.axes.items() if each.endswith("*")}
    counted = {*content.axes.values()}
    chosen: dict[str, str] = {}
    for name in columns:
        axis = content.axes.get(name) or next((globs[each] for each in globs if name.startswith(each)), None)
        if axis is not None and axis in columns:
            chosen[name] = axis
        elif name not in counted:
            return {}
    made: dict[str, np.ndarray] = {}
    for axis in {*chosen.values()}:
        at, values = columns[axis]
        whole = np.isfinite(values) & (values >= 0) & (values < 2.0**53) & (values == np.floor(values))
        if not whole.all() or not re.search("step|iter", axis, re.IGNORECASE):
            return {}
        latest = np.searchsorted(at, np.arange(rows), side="right") - 1
        made[axis] = np.where(latest >= 0, values[np.maximum(latest, 0)], -1).astype(np.int64)
    return {name: made[axis] for name, axis in chosen.items()} | made
