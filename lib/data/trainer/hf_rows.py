"""The rows of a Trainer's history as columns: which are points of curves, and which say how training ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lib.core.facts.metrics import METRICS
from lib.core.facts.values import finite, moment
from lib.data.formats.json_rows import Columns, ColumnsOfRows, shapes_of
from lib.data.trainer.log_points import Points

_RENAMED = {name: metric.key for metric in METRICS.values() for name in metric.hf_keys}
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
        rows = entries if set(map(type, entries)) <= {dict} else [row for row in entries if isinstance(row, dict)]
        self._strange += len(entries) - len(rows)
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
        columns = self._columns.finish()
        has_loss = np.concatenate(self._has_loss) if self._has_loss else np.zeros(0, dtype=bool)
        step = columns.steps("step")
        training, after = _parted(step, has_loss, [at for at, _ in self._summaries])
        located = training & (step >= 0)
        rows = int(located.sum())
        notes = []
        if stepless := int(training.sum()) - rows:
            notes.append(f"Rows of the log that state no step were left out: {stepless:,}.")
        if self._strange:
            notes.append(f"Entries of the log that are no rows of values were left out: {self._strange:,}.")
        if len(after):
            notes.append(f"Rows after the end of training are no points of the curves: {len(after):,}.")
        at, on_clock = self._seconds(columns, located)
        numbers = _metrics(columns, has_loss)
        closing = np.flatnonzero(numbers & np.isin(columns.row, after)) if len(after) else after
        names = [_RENAMED.get(name, name) for name in columns.names]
        closed = [int(step[at]) for at, _ in self._summaries if step[at] >= 0]
        return Logged(
            points=_points(columns, numbers & located[columns.row], names, step, at),
            summary=_summary([row for _, row in self._summaries]),
            closing={names[columns.code[each]]: float(columns.value[each]) for each in closing},
            closed_at=max(closed, default=-1),
            rows=rows,
            started=float(np.nanmin(at)) if on_clock else math.nan,
            ended=float(np.nanmax(at)) if on_clock else math.nan,
            notes=tuple(notes),
        )

    def _seconds(self, columns: Columns, located: np.ndarray) -> tuple[np.ndarray, bool]:
        """When each row was written, in seconds, and whether that is Unix time or time since some start."""
        at = np.full(columns.rows, np.nan)
        if not self._moments and "train_runtime" not in columns.names:
            return at, False
        for place, when in self._moments:
            at[place] = when
        at[~located] = np.nan
        if np.isfinite(at).any():
            return at, True
        at = columns.of("train_runtime")
        at[~located | ~np.isfinite(at)] = np.nan
        # A resumed training starts its own count again: then the times of two counts cannot be compared.
        return (np.full(len(at), np.nan) if (np.diff(at[np.isfinite(at)]) < 0).any() else at), False


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


def _parted(step: np.ndarray, has_loss: np.ndarray, summaries: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Which rows training wrote, shape (rows,), and the places of those that were written after its end.

    After a summary training goes on where a train loss of another step follows. What stands before that loss is still
    of the end, unless its step is a later one.
    """
    training = np.ones(len(step), dtype=bool)
    training[list(summaries)] = False
    bounds = [*summaries, len(step)]
    after: list[np.ndarray] = []
    for summary, following in pairwise(bounds):
        places = np.arange(summary + 1, following)
        end = step[summary]
        goes_on = np.flatnonzero(has_loss[places] & (step[places] >= 0) & (step[places] != end))
        waiting = places[: goes_on[0]] if len(goes_on) else places
        is_later = (np.maximum(step[waiting], 0) > end) & (end >= 0) & bool(len(goes_on))
        after.append(waiting[~is_later])
    ended = np.concatenate(after) if after else np.zeros(0, dtype="int64")
    training[ended] = False
    return training, ended


def _metrics(columns: Columns, has_loss: np.ndarray) -> np.ndarray:
    """Which numbers are values of metrics; shape (n,)."""
    drop = np.array([name in _NOT_METRICS for name in columns.names], dtype=bool)
    kept = ~drop[columns.code] if len(drop) else np.zeros(0, dtype=bool)
    if "train_loss" in columns.names:
        kept &= ~((columns.code == columns.names.index("train_loss")) & has_loss[columns.row])
    return kept


def _points(columns: Columns, numbers: np.ndarray, names: Sequence[str], step: np.ndarray, at: np.ndarray) -> Points:
    # Two names of the log may be one metric; metrics are numbered as they first occur.
    target = list(dict.fromkeys(names))
    kept = np.flatnonzero(numbers)
    code, row = columns.code[kept], columns.row[kept]
    if len(target) < len(names):
        code = np.array([target.index(name) for name in names], dtype="int32")[code]
    first = np.full(len(target), len(code))
    # Of several values for one place the last holds: going back, that is where a metric first occurs.
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)
    ranked = np.argsort(first, kind="stable")[: int((first < len(code)).sum())]
    place = np.zeros(len(target), dtype="int32")
    place[ranked] = np.arange(len(ranked))
    return Points(
        names=tuple(target[each] for each in ranked),
        metric=place[code],
        step=step[row],
        epoch=columns.of("epoch")[row],
        at=at[row],
        value=columns.value[kept],
    )
