"""The rows of a Trainer's history as columns: which are points of curves, and which say how training ended."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np

from lib.core.facts.metrics import METRICS
from lib.core.facts.sizes import MOST_METRICS
from lib.core.facts.values import finite, moment
from lib.data.formats.json_rows import Columns, ColumnsOfRows, Row, shapes_of
from lib.data.formats.metric_names import left_out_note, most_telling
from lib.data.formats.metric_words import REWARDS
from lib.data.trainer.log_points import Points, points_of_logs

_RENAMED = {**REWARDS, **{name: metric.key for metric in METRICS.values() for name in metric.hf_keys}}
_TIMESTAMPS = ("timestamp", "_timestamp")
_NOT_METRICS = frozenset({"step", "epoch", "train_runtime", "total_flos", *_TIMESTAMPS})


@dataclass(frozen=True, slots=True)
class Logged:
    """What the rows come to; the fields are those of a ``TrainerLog`` of the same names."""

    points: Points
    summary: Mapping[str, float]
    closing: Mapping[str, float]
    closed_at: int
    rows: int
    started: float
    ended: float
    notes: tuple[str, ...]


class LoggedRows:
    """Takes the entries of a history, some or all at a time, and keeps their numbers only."""

    def __init__(self) -> None:
        self._columns = ColumnsOfRows(flat=_NOT_METRICS)
        self._has_loss: list[np.ndarray] = []
        self._summaries: list[tuple[int, Mapping[str, Any]]] = []
        self._moments: list[tuple[int, float]] = []
        self._strange = 0

    def add(self, entries: Sequence[Any]) -> None:
        """Take more entries."""
        rows = _rows_of(entries)
        self._strange += len(entries) - len(rows)
        self._take(rows)

    def _take(self, rows: Sequence[Row]) -> None:
        before = self._columns.rows
        shapes = shapes_of(rows)
        has_loss = np.zeros(len(rows), dtype=bool)
        has_loss[shapes.having("loss")] = True
        # Newer versions write it beside the loss of every logging step too.
        closing = [at for at in shapes.having("train_runtime").tolist() if not has_loss[at]]
        self._summaries += [(before + at, rows[at]) for at in closing]
        for key in _TIMESTAMPS:
            if any(key in keys for keys in shapes.keys):
                self._add_moments(before, rows, shapes.having(key), key)
        self._has_loss.append(has_loss)
        self._columns.add(rows, shapes)

    def _add_moments(self, before: int, rows: Sequence[Mapping[str, Any]], places: np.ndarray, key: str) -> None:
        for at in places.tolist():
            if (when := moment(rows[at][key])) is not None:
                self._moments.append((before + at, when.timestamp()))

    def finish(self) -> Logged:
        """What all of them come to."""
        return self._finish([0, self._columns.rows], [self._strange])[0]

    @classmethod
    def of_all(cls, histories: Sequence[Sequence[Any]]) -> list[Logged]:
        """What each of several histories comes to; of short ones most of the time is that of the calls."""
        kept = [_rows_of(entries) for entries in histories]
        rows = cls()
        rows._take(list(chain.from_iterable(kept)))
        bounds = [0, *accumulate(map(len, kept))]
        return rows._finish(bounds, [len(all_) - len(own) for all_, own in zip(histories, kept, strict=True)])

    def _finish(self, bounds: Sequence[int], strange: Sequence[int]) -> list[Logged]:
        """What each history comes to.

        Args:
            bounds: The row at which each begins, and where the last one ends.
            strange: How many entries of each are no rows.
        """
        columns = self._columns.finish()
        has_loss = np.concatenate(self._has_loss) if self._has_loss else np.zeros(0, dtype=bool)
        step = columns.steps("step")
        training, after = _parted(step, has_loss, [at for at, _ in self._summaries], bounds)
        located = training & (step >= 0)
        at, on_clock = self._seconds(columns, located, bounds)
        numbers = _metrics(columns, has_loss)
        names = [_RENAMED.get(name, name) for name in columns.names]
        placed_numbers = numbers & located[columns.row]
        left_out = _leave_out(columns, placed_numbers, names, bounds)
        points = _points(columns, placed_numbers, names, step, at, bounds)
        trained, placed, ended = (_counted(rows, bounds) for rows in (training, located, after))
        closing = np.flatnonzero(numbers & after[columns.row])
        closed = np.searchsorted(columns.row[closing], np.array(bounds)).tolist()
        logs = []
        for log, (begin, end) in enumerate(pairwise(bounds)):
            summaries = [(row, said) for row, said in self._summaries if begin <= row < end]
            measured = closing[closed[log] : closed[log + 1]].tolist()
            logs.append(
                Logged(
                    points=points[log],
                    summary=_summary([said for _, said in summaries]),
                    closing={names[columns.code[each]]: float(columns.value[each]) for each in measured},
                    closed_at=max((int(step[row]) for row, _ in summaries if step[row] >= 0), default=-1),
                    rows=placed[log],
                    started=float(np.nanmin(at[begin:end])) if on_clock[log] else math.nan,
                    ended=float(np.nanmax(at[begin:end])) if on_clock[log] else math.nan,
                    notes=(*_notes(trained[log] - placed[log], strange[log], ended[log]), *left_out[log]),
                )
            )
        return logs

    def _seconds(
        self, columns: Columns, located: np.ndarray, bounds: Sequence[int]
    ) -> tuple[np.ndarray, Sequence[bool]]:
        """When each row was written, in seconds; and of each history whether that is Unix time, or since some start."""
        at = np.full(columns.rows, np.nan)
        on_clock = [False] * (len(bounds) - 1)
        if self._moments:
            for place, when in self._moments:
                at[place] = when
            at[~located] = np.nan
            on_clock = [count > 0 for count in _counted(np.isfinite(at), bounds)]
        if "train_runtime" in columns.names:
            runtime = columns.of("train_runtime")
            known = located & np.isfinite(runtime)
            for log, count in enumerate(_counted(known, bounds)):
                own = slice(bounds[log], bounds[log + 1])
                # A resumed training starts its own count again: then the times of two counts cannot be compared.
                if count and not on_clock[log] and not (np.diff(runtime[own][known[own]]) < 0).any():
                    at[own] = np.where(known[own], runtime[own], np.nan)
        return at, on_clock


def _rows_of(entries: Sequence[Any]) -> Sequence[Row]:
    return entries if set(map(type, entries)) <= {dict} else [row for row in entries if isinstance(row, dict)]


def _counted(rows: np.ndarray, bounds: Sequence[int]) -> list[int]:
    """How many rows of each history are among some."""
    total = np.append(0, np.cumsum(rows))[np.array(bounds)]
    counts: list[int] = np.diff(total).tolist()
    return counts


def _notes(stepless: int, strange: int, ended: int) -> Iterator[str]:
    if stepless:
        yield f"Rows of the log that state no step were left out: {stepless:,}."
    if strange:
        yield f"Entries of the log that are no rows of values were left out: {strange:,}."
    if ended:
        yield f"Rows after the end of training are no points of the curves: {ended:,}."


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of the closing summaries; their runtime is the sum of all."""
    summary = {key: parsed for row in rows for key, value in row.items() if (parsed := finite(value)) is not None}
    if rows:
        runtimes = [finite(row.get("train_runtime")) for row in rows]
        if counted := [seconds for seconds in runtimes if seconds is not None and seconds >= 0]:
            summary["train_runtime"] = math.fsum(counted)
        else:
            summary.pop("train_runtime", None)
    return summary


def _parted(
    step: np.ndarray, has_loss: np.ndarray, summaries: Sequence[int], bounds: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows training wrote, and which were written after its end; both of shape (rows,).

    After a summary training goes on where a train loss of another step follows. What stands before that loss is still
    of the end, unless its step is a later one.
    """
    after = np.zeros(len(step), dtype=bool)
    ends = sorted({*summaries, *bounds})
    for summary in summaries:
        places = np.arange(summary + 1, ends[bisect_right(ends, summary)])
        end = step[summary]
        goes_on = np.flatnonzero(has_loss[places] & (step[places] >= 0) & (step[places] != end))
        waiting = places[: goes_on[0]] if len(goes_on) else places
        is_later = (np.maximum(step[waiting], 0) > end) & (end >= 0) & bool(len(goes_on))
        after[waiting[~is_later]] = True
    training = ~after
    training[list(summaries)] = False
    return training, after


def _metrics(columns: Columns, has_loss: np.ndarray) -> np.ndarray:
    """Which numbers are values of metrics; shape (n,)."""
    drop = np.array([name in _NOT_METRICS for name in columns.names], dtype=bool)
    kept = ~drop[columns.code] if len(drop) else np.zeros(0, dtype=bool)
    if "train_loss" in columns.names:
        kept &= ~((columns.code == columns.names.index("train_loss")) & has_loss[columns.row])
    return kept


def _leave_out(columns: Columns, numbers: np.ndarray, names: Sequence[str], bounds: Sequence[int]) -> list[list[str]]:
    """Take the numbers of what is too much out of a mask; a sentence on that for each history, where there is any."""
    said: list[list[str]] = [[] for _ in bounds[1:]]
    if len(names) <= MOST_METRICS:
        return said
    metrics = dict(zip(columns.names, names, strict=True))
    for log, (begin, end) in enumerate(pairwise(np.searchsorted(columns.row, np.array(bounds)).tolist())):
        own = columns.code[begin:end]
        counts = np.bincount(own[numbers[begin:end]], minlength=len(names))
        there = {columns.names[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}
        kept = frozenset(most_telling(there, metrics))
        if left_out := [name for name in there if name not in kept]:
            numbers[begin:end] &= np.array([name in kept for name in columns.names], dtype=bool)[own]
            said[log] = [left_out_note(len(there), left_out)]
    return said


def _points(
    columns: Columns,
    numbers: np.ndarray,
    names: Sequence[str],
    step: np.ndarray,
    at: np.ndarray,
    bounds: Sequence[int],
) -> list[Points]:
    # Two names of the log may be one metric.
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    target = list(places)
    kept = np.flatnonzero(numbers)
    code, row = columns.code[kept], columns.row[kept]
    if len(target) < len(names):
        code = np.array([places[name] for name in names], dtype="int32")[code]
    epoch = columns.of("epoch")[row]
    return points_of_logs(
        target, code, step[row], epoch, at[row], columns.value[kept], np.searchsorted(row, np.array(bounds))
    )
