"""The event files of one folder as the metrics that they tell of together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.files import NotReadable, open_regular
from lib.data.formats.logged import FilePath, Series, Told
from lib.data.formats.records.event_records import MOST_BYTES, EventFile
from lib.data.formats.records.event_values import MOST_POINTS, FileContent
from lib.data.formats.resumed import join, taken

_NAME = re.compile(r"tfevents\.(\d+)\.(.*?)(?:\.\d+\.\d+)?(?:\.v2|\.profile-empty)?$", re.DOTALL)

_FEWEST = 3
"""Two values at step 0 may be one result that was logged twice."""


@dataclass(slots=True)
class FolderLog:
    """What the event files of one folder say.

    Attributes:
        files: In the order in which they were begun.
        series: By tag; steps at least 0.
        config: By section.
        session: How the last session of hyperparameters ended, and when that was written, in Unix seconds.
        began: When the first of them was begun, in Unix seconds.
        host: The machine, from the files' names; "" where they do not say.
        told: What could not be read.
        notes: Sentences on what was left out.
    """

    files: list[FilePath]
    series: dict[str, Series] = field(default_factory=dict)
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    session: tuple[str, float] | None = None
    began: float | None = None
    host: str = ""
    told: list[Told] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_folder(root: Path, files: Sequence[FilePath]) -> FolderLog:
    """Read the event files of one folder; never raises for what is in them."""
    ordered = sorted(files, key=_begun)
    log = FolderLog(ordered)
    contents = []
    for path in ordered:
        content = _read_file(root, path, log.told)
        if content is not None:
            contents.append(content)
    for content in contents:
        for section, values in content.config.items():
            log.config.setdefault(section, {}).update(values)
        log.session = content.session or log.session
    began = [content.began for content in contents if content.began is not None]
    log.began = min(began, default=None)
    named = _NAME.search(ordered[-1][-1]) if ordered else None
    log.host = named[2] if named else ""
    _join(contents, log)
    if any(content.passed for content in contents):
        log.notes.append("There are more names of metrics than are read; the first of them are shown.")
    if broken := sum(content.broken for content in contents):
        log.notes.append(f"{broken:,} records are no events of TensorBoard and were left out.")
    return log


def _begun(path: FilePath) -> tuple[float, list[tuple[int, str]]]:
    """The order of files: by the second in the name, then by the numbers and words of the name."""
    name = path[-1]
    found = _NAME.search(name)
    parts = [(int(each), "") if each.isdecimal() else (0, each) for each in re.split(r"(\d{1,18})", name)]
    return float(found[1][:18]) if found else 0.0, parts


def _read_file(root: Path, path: FilePath, told: list[Told]) -> FileContent | None:
    try:
        file = open_regular(root.joinpath(*path), MOST_BYTES)
    except NotReadable as error:
        told.append(Told(path, str(error)))
        return None
    content = FileContent()
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        events = EventFile(file, size)
        try:
            for batch in events.batches():
                content.take(batch)
                if max(content.count, content.events + content.broken) > MOST_POINTS:
                    told.append(Told(path, f"The file has more than {MOST_POINTS:,} values: the rest was not read."))
                    break
        except OSError:
            told.append(Told(path, "The file could not be read to its end."))
    if events.damage is not None and not content.events:
        told.append(Told(path, "Expected an event file of TensorBoard, found something else."))
    elif events.damage is not None:
        told.append(
            Told(path, f"The file is damaged at byte {events.damage:,} of {size:,}: what stands after it was not read.")
        )
    return content


def _join(contents: Sequence[FileContent], log: FolderLog) -> None:
    """The series of a folder: of several files what holds of each metric."""
    plugins: dict[bytes, str] = {}
    for content in contents:
        plugins = {**content.plugins, **plugins}
    purged = negative = 0
    parts: list[dict[str, Series]] = []
    for place, content in enumerate(contents):
        part: dict[str, Series] = {}
        for tag in content.points:
            if tag in content.tensors and plugins.get(tag, "scalars") != "scalars":
                continue
            series, below, orphans = _series(content, tag, contents[place + 1 :])
            negative += below
            purged += orphans
            part.setdefault(tag.decode("utf-8", "replace"), series)
        parts.append(part)
    joined = join(parts)
    log.series |= joined.series
    _count_where_no_steps_are(log)
    if purged:
        log.notes.append(f"{purged:,} points that the program itself declared void when it was resumed were left out.")
    log.notes += joined.notes()
    if negative:
        log.notes.append(f"{negative:,} points at steps below 0 were left out.")


def _count_where_no_steps_are(log: FolderLog) -> None:
    """Number the points of a metric that was logged without steps: all of them are at step 0 in the file."""
    counted = [name for name, each in log.series.items() if len(each.step) >= _FEWEST and not each.step.any()]
    for name in counted:
        each = log.series[name]
        log.series[name] = replace(each, step=np.arange(len(each.step), dtype=np.int64))
    if counted:
        named = ", ".join(counted[:3]) + (" and more" if len(counted) > 3 else "")
        log.notes.append(f"Logged without steps, and so numbered in their order: {named}.")


def _series(content: FileContent, tag: bytes, later: Sequence[FileContent]) -> tuple[Series, int, int]:
    """The points of a tag in one file, with how many were at steps below 0 and how many were declared void."""
    columns = [points.columns() for points in content.points[tag].values() if points.parts]
    if not columns:
        return Series(np.empty(0, np.int64), np.empty(0)), 0, 0
    order, step, at, value = (np.concatenate(each) for each in zip(*columns, strict=True))
    sorted_ = np.argsort(order, kind="stable")
    order, series = order[sorted_], taken(Series(step, value, None, at), sorted_)
    holds = np.ones(len(order), dtype=bool)
    for place, start in content.starts:
        holds &= (order > place) | (series.step < start)
    voids = [start for each in later for _, start in each.starts]
    if voids:
        holds &= series.step < min(voids)
    below = series.step < 0
    kept = holds & ~below
    series = series if kept.all() else taken(series, kept)
    return series, int(np.count_nonzero(below)), int(np.count_nonzero(~holds & ~below))
