"""A text log read whole: its runs, with what its lines say besides metrics."""

from __future__ import annotations

import math
import re
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import FilePath, LoggedRun, Series
from lib.data.formats.text.counters import METRIC_WORD
from lib.data.formats.text.lines import Line, line_of, texts
from lib.data.formats.text.rows import RowReader, Rows
from lib.data.formats.text.shapes import Shapes
from lib.data.formats.text.starts import Start, counted

MAX_OTHER_LINES = 500_000
"""So many lines that are none of metrics are remembered, to know the head of a log again."""
_SHORTEST_HEADER = 8
_MOST_WORDS = 3
"""A longer text before a number that is said once and at no step is a sentence, and no metric."""
_CLOCK_FALLS = 0.02
"""A clock may begin anew with the training; one that goes back in more of the rows than this tells no time."""

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_MEGATRON = re.compile(r"\s{2}([a-z_]\w{0,60}) \.{3,60} (.{1,300}?)\s*")
_OVERRIDE = re.compile(r"Overriding(?: config)?: ([a-z_]\w{0,60}) = (.{1,300}?)\s*")
_STATED = re.compile(r"(?:^|[\s:|])(Total optimization steps|Num Epochs|Num examples) ?[=:] ?([\d,]{1,20})\b")
_ERROR = re.compile(r"(?:[\w.]{1,100}\.)?(\w{0,80}(?:Error|Exception|Interrupt|Exit|OutOfMemory\w{0,20}))(?::.*)?\s*")


@dataclass(slots=True)
class _Read:
    """What was read of a log."""

    rows: Rows
    numbers: array[int] = field(default_factory=lambda: array("q"))
    marks: array[int] = field(default_factory=lambda: array("q"))
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    stated: dict[str, float] = field(default_factory=dict)
    broke_at: int = -1
    error: str = ""


def looks_like_log(data: bytes) -> bool:
    """Whether lines of metrics stand in a part of a file: several, of counts that differ."""
    read = _read([data])
    return bool(_runs(read)[0])


def runs_of(contents: Iterable[bytes], files: tuple[FilePath, ...]) -> tuple[LoggedRun, ...]:
    """The runs of a log.

    Args:
        contents: Its parts, the oldest first; usually one.
        files: Where they lie, the newest first.

    Returns:
        One for each start of a training, in their order; none where it is no log after all.
    """
    read = _read(contents)
    starts, notes = _runs(read)
    found = []
    for number, start in enumerate(starts, 1):
        more = [f"The file holds {len(starts):,} runs, one after the other; this is number {number:,}."]
        found.append(_run(read, start, files, number, len(starts), (*notes, *(more if len(starts) > 1 else []))))
    return tuple(found)


def _read(contents: Iterable[bytes]) -> _Read:
    reader = RowReader(Shapes().found_in)
    read = _Read(reader.rows)
    number = 0
    for content in contents:
        for text in texts(content):
            number += 1
            line = line_of(text)
            if not reader.read(number, line):
                _read_words(read, number, line)
    return read


def _read_words(read: _Read, number: int, line: Line) -> None:
    """Note what a line says that states no metrics."""
    text = line.text
    if line.bar is not None:
        return
    if found := _MEGATRON.fullmatch(text):
        read.config.setdefault("args", {})[found[1]] = found[2]
    elif found := _OVERRIDE.fullmatch(text):
        read.config.setdefault("overrides", {})[found[1]] = found[2]
    for found in _STATED.finditer(text):
        read.stated[found[1]] = float(found[2].replace(",", "") or "nan")
    if text.lstrip().startswith("Traceback (most recent call last)"):
        read.broke_at, read.error = len(read.rows), ""
    elif read.broke_at == len(read.rows) and (error := _ERROR.fullmatch(text.lstrip())):
        read.error = error[1]
    words = _DIGITS.sub("#", text).strip()
    if len(words) >= _SHORTEST_HEADER and len(read.marks) < MAX_OTHER_LINES:
        read.numbers.append(number)
        read.marks.append(zlib.crc32(words.encode("utf-8", "replace")))


def _runs(read: _Read) -> tuple[list[Start], list[str]]:
    if not len(read.rows):
        return [], []
    steps, epochs = read.stated.get("Total optimization steps"), read.stated.get("Num Epochs")
    an_epoch = steps / epochs if steps and epochs else None
    found = counted(read.rows, (np.array(read.numbers), np.array(read.marks)), an_epoch)
    if read.rows.dropped_names:
        found.notes.append(f"Values of further names were left out: {read.rows.dropped_names:,}.")
    starts = [start for start in found.starts if len(np.unique(start.step)) > 1 or len(found.starts) > 1]
    kept = np.zeros(len(read.rows), dtype=bool)
    for start in starts:
        kept[start.rows] = True
    used = set(np.array(read.rows.point_name)[kept[np.array(read.rows.point_row)]].tolist())
    is_log = any(code in used and METRIC_WORD.search(name) for name, code in read.rows.names.items())
    return starts if is_log else [], found.notes


def _run(
    read: _Read, start: Start, files: tuple[FilePath, ...], number: int, count: int, notes: tuple[str, ...]
) -> LoggedRun:
    rows = read.rows
    said = list(notes)
    if start.resumed:
        said.append(f"Training went back and was resumed {start.resumed:,} times; the later values hold.")
    at, is_unix = _times(rows, start, said)
    planned = start.planned or int(read.stated.get("Total optimization steps", 0))
    epochs = rows.column("epochs")[start.rows]
    all_epochs = float(np.nanmax(epochs)) if np.isfinite(epochs).any() else read.stated.get("Num Epochs")
    begin, end = int(start.rows[0]), int(start.rows[-1])
    summary = {k: v for row, stated in rows.summaries if begin < row <= end + 1 for k, v in stated.items()}
    series, said_once = _series(rows, start, at)
    is_last = number == count
    status, word, error = RunStatus.UNKNOWN, None, None
    if summary:
        status, word = RunStatus.COMPLETED, "train_runtime is stated"
    elif is_last and read.broke_at == len(rows) and read.error:
        is_stopped = read.error == "KeyboardInterrupt"
        status, word, error = RunStatus.CANCELLED if is_stopped else RunStatus.FAILED, read.error, read.error
    finite = at[np.isfinite(at)] if is_unix else at[:0]
    return LoggedRun(
        files=files,
        series=series,
        key="" if number == 1 else str(number),
        name="" if count == 1 else f"{files[0][-1]}, start {number}",
        counted=start.counted,
        config=dict(read.config),
        last={**said_once, **summary},
        status=status,
        said=word,
        error=error,
        started=float(finite.min()) if len(finite) else None,
        ended=float(finite.max()) if len(finite) else None,
        total_steps=planned if planned and start.counted == "step" else None,
        total_epochs=all_epochs if all_epochs and all_epochs > 0 else None,
        notes=tuple(said),
    )


def _times(rows: Rows, start: Start, said: list[str]) -> tuple[np.ndarray, bool]:
    """When each row was written, in seconds, and whether that is Unix time or time since some start."""
    at = rows.column("at")[start.rows]
    if np.isfinite(at).mean() > 0.5:
        return at, True
    clock = rows.column("clock")[start.rows]
    known = np.flatnonzero(np.isfinite(clock))
    if not len(known):
        return np.full(len(clock), math.nan), False
    change = np.diff(clock[known])
    falls = change < 0
    if falls.sum() > max(start.resumed + 2, _CLOCK_FALLS * len(known)):
        said.append("The times that the lines state go back again and again, and were left out.")
        return np.full(len(clock), math.nan), False
    # Where the clock began anew, after a warm-up or a restart, it goes on from where it was.
    lost = np.concatenate([[0.0], np.cumsum(np.where(falls, clock[known][:-1], 0.0))])
    clock[known] += lost
    return clock, False


def _series(rows: Rows, start: Start, at: np.ndarray) -> tuple[dict[str, Series], dict[str, float]]:
    """The curves; and the numbers of sentences that close the log, such as what the best model came to."""
    place = np.full(len(rows), -1, dtype="int64")
    place[start.rows] = np.arange(len(start.rows))
    of_row, name, value = np.array(rows.point_row), np.array(rows.point_name), np.array(rows.point_value)
    epoch = rows.column("epoch")[start.rows]
    mine = place[of_row] >= 0
    of_row, name, value = place[of_row[mine]], name[mine], value[mine]
    order = np.argsort(name, kind="stable")
    bounds = np.searchsorted(name[order], np.arange(len(rows.names) + 1))
    counts = np.isfinite(epoch)
    for column in ("step", "part", "bar"):
        counts |= rows.column(column)[start.rows] >= 0
    first = int(counts.argmax()) if counts.any() else 0
    series: dict[str, Series] = {}
    said_once: dict[str, float] = {}
    for code, text in enumerate(rows.names):
        points = order[bounds[code] : bounds[code + 1]]
        if len(points):
            where = of_row[points]
            if len(points) == 1 and len(text.split()) > _MOST_WORDS and not counts[where[0]]:
                # Before the first step it states a setting.
                said_once |= {text: float(value[points[0]])} if where[0] > first else {}
                continue
            series[text] = Series(
                start.step[where],
                value[points],
                epoch[where] if np.isfinite(epoch[where]).any() else None,
                at[where] if np.isfinite(at[where]).any() else None,
            )
    return series, said_once
