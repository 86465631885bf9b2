"""A text log read whole: its runs, with what its lines say besides metrics."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import FilePath, LoggedRun, Series
from lib.data.formats.text.blocks import BlockReader
from lib.data.formats.text.cards import without_cards
from lib.data.formats.text.counters import METRIC_WORD
from lib.data.formats.text.counting import resolve
from lib.data.formats.text.lines import chunks
from lib.data.formats.text.rows import Events, Rows
from lib.data.formats.text.shapes import Shapes
from lib.data.formats.text.starts import Start, counted
from lib.data.formats.text.words import CANCELLATIONS, Words

_MOST_WORDS = 3
"""A longer text before a number that is said once and at no step is a sentence, and no metric."""
_CLOCK_FALLS = 0.02
"""A clock may begin anew with the training; one that goes back in more of the rows than this tells no time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was read of a log."""

    rows: Rows
    words: Words


def looks_like_log(data: bytes) -> bool:
    """Whether lines of metrics stand in a part of a file: several, of counts that differ."""
    read = _read([io.BytesIO(data)])
    return bool(_runs(read)[0])


def runs_of(contents: Iterable[BinaryIO], files: tuple[FilePath, ...]) -> tuple[LoggedRun, ...]:
    """The runs of a log.

    Args:
        contents: Its parts, the oldest first; usually one. Each is read to its end.
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


def _read(contents: Iterable[BinaryIO]) -> _Read:
    rows, events, words = Rows(), Events(), Words()
    reader = BlockReader(rows, events, words, Shapes().found_in)
    for content in contents:
        for chunk in without_cards(chunks(content)):
            reader.read(chunk)
    rows.finish()
    resolve(rows, events, words.evaluates)
    return _Read(rows, words)


def _runs(read: _Read) -> tuple[list[Start], list[str]]:
    if not len(read.rows):
        return [], []
    steps, epochs = read.words.stated.get("Total optimization steps"), read.words.stated.get("Num Epochs")
    an_epoch = steps / epochs if steps and epochs else None
    found = counted(read.rows, (np.array(read.words.numbers), np.array(read.words.marks)), an_epoch)
    if read.rows.dropped_names:
        found.notes.append(f"Values of further names were left out: {read.rows.dropped_names:,}.")
    starts = [start for start in found.starts if (start.step != start.step[0]).any() or len(found.starts) > 1]
    kept = np.zeros(len(read.rows), dtype=bool)
    for start in starts:
        kept[start.rows] = True
    is_log = any(METRIC_WORD.search(name) and kept[read.rows.points(name)[0]].any() for name in read.rows.names)
    return starts if is_log else [], found.notes


def _run(
    read: _Read, start: Start, files: tuple[FilePath, ...], number: int, count: int, notes: tuple[str, ...]
) -> LoggedRun:
    rows = read.rows
    said = list(notes)
    if start.resumed:
        said.append(f"Training went back and was resumed {start.resumed:,} times; the later values hold.")
    at, is_unix = _times(rows, start, said)
    planned = start.planned or int(read.words.stated.get("Total optimization steps", 0))
    epochs = rows.column("epochs")[start.rows]
    all_epochs = float(np.nanmax(epochs)) if np.isfinite(epochs).any() else read.words.stated.get("Num Epochs")
    begin, end = int(start.rows[0]), int(start.rows[-1])
    line = rows.column("line")
    summary = {
        name: value
        for at_line, stated in rows.summaries
        if begin < int(np.searchsorted(line, at_line)) <= end + 1
        for name, value in stated.items()
    }
    series, said_once = _series(rows, start, at)
    is_last = number == count
    status, word, error = RunStatus.UNKNOWN, None, None
    if summary:
        status, word = RunStatus.COMPLETED, "train_runtime is stated"
    elif is_last and read.words.error and read.words.broke_at > int(line[-1]):
        error = read.words.error
        status, word = RunStatus.CANCELLED if error in CANCELLATIONS else RunStatus.FAILED, error
    elif _is_over(read, start, is_last=is_last):
        status, word = RunStatus.COMPLETED, "the log says so"
    finite = at[np.isfinite(at)] if is_unix else at[:0]
    return LoggedRun(
        files=files,
        series=series,
        key="" if number == 1 else str(number),
        name="" if count == 1 else f"{files[0][-1]}, start {number}",
        counted=start.counted,
        config=dict(read.words.config),
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


def _is_over(read: _Read, start: Start, *, is_last: bool) -> bool:
    """Whether the log says that training came to its end, and nothing of this run goes on behind it.

    A last test may follow. A bare "done" may be that of anything: it counts where all that was planned was done.
    """
    line = read.rows.column("line")[start.rows]
    # The furthest step of all lines up to each.
    furthest = np.maximum.accumulate(start.step)
    until = math.inf if is_last else read.rows.column("line")[min(int(start.rows[-1]) + 1, len(read.rows) - 1)]
    reached = int(np.searchsorted(furthest, furthest[-1]))
    said = [each for each in read.words.over if line[reached] < each < until]
    epoch, epochs = (read.rows.column(name)[start.rows] for name in ("epoch", "epochs"))
    is_whole = bool(start.planned and furthest[-1] >= start.planned) or bool((epoch[-1:] >= epochs[-1:]).any())
    said += [each for each in read.words.done if is_whole and line[-1] < each < until]
    return bool(said) and not (is_last and read.words.broke_at > max(said))


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
    place = np.full(len(rows), -1, dtype=np.int32)
    place[start.rows] = np.arange(len(start.rows))
    epoch = rows.column("epoch")[start.rows]
    counts = np.isfinite(epoch)
    for column in ("step", "part", "bar"):
        counts |= rows.column(column)[start.rows] >= 0
    first = int(counts.argmax()) if counts.any() else 0
    series: dict[str, Series] = {}
    said_once: dict[str, float] = {}
    shared: list[tuple[np.ndarray, Series]] = []
    for text in rows.names:
        where, value = rows.points(text)
        where = place[where]
        if (where < 0).any():
            where, value = where[where >= 0], value[where >= 0]
        if len(where) == 1 and len(text.split()) > _MOST_WORDS and not counts[where[0]]:
            # Before the first step it states a setting.
            said_once |= {text: float(value[0])} if where[0] > first else {}
        elif len(where):
            # Metrics of the same lines share their steps.
            same = next((one for at_rows, one in shared if np.array_equal(at_rows, where)), None)
            if same is None:
                same = Series(
                    start.step[where],
                    value,
                    epoch[where] if np.isfinite(epoch[where]).any() else None,
                    at[where] if np.isfinite(at[where]).any() else None,
                )
                shared = [*shared[-3:], (where, same)]
            series[text] = Series(same.step, value, same.epoch, same.at)
    return series, said_once
