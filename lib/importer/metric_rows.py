"""The curves of a run as rows of the metrics table: those that are not there yet."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.metrics import LOGGED
from lib.core.facts.runs import RunSummary
from lib.data.tables.metric_rows import may_be_metric
from lib.importer.job_rows import spelled

NEVER = -(2**63)
ALIKE = 1e-6
"""Values that differ by a smaller share are the same: some columns have single precision."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """Rows to be written, in the order of their steps.

    Attributes:
        step: Shape (n,), int64.
        epoch: Shape (n,), float64; NaN where not logged.
        at_us: Microseconds since 1970, shape (n,), int64; ``NEVER`` where not known.
        values: By column of the table, its values, shape (n,), float64, and in which rows there is one.
        known: How many values are there already.
        changed: How many of these are others by now: written anew, they count as the later ones.
        is_of_another_run: What is there begins otherwise than this run does. One that was resumed begins the same.
    """

    step: np.ndarray
    epoch: np.ndarray
    at_us: np.ndarray
    values: Mapping[str, tuple[np.ndarray, np.ndarray]]
    known: int
    changed: int
    is_of_another_run: bool = False

    def __len__(self) -> int:
        return len(self.step)


def column_of(metric: str) -> str | None:
    """The column that a metric would have in the table; ``None`` where no column could be called so.

    Example:
        >>> column_of("eval_loss"), column_of("eval/f1"), column_of("job_id"), column_of("größe")
        ('eval_loss', 'eval_f1', None, 'gr_e')
    """
    if metric in LOGGED:
        return metric
    name = re.sub(r"[^A-Za-z0-9_]+", "_", metric).strip("_")
    return name if _PLAIN.fullmatch(name) and may_be_metric(name) else None


def columns_of(metrics: Iterable[str], there: Collection[str]) -> dict[str, str]:
    """The column of each metric that has one in the table; no two metrics share one."""
    found: dict[str, str] = {}
    # A metric that has a column's very name goes before one whose name was changed.
    for metric in sorted(metrics, key=lambda name: (column_of(name) != name, name)):
        column = column_of(metric)
        if column is not None and column in there and column not in found.values():
            found[metric] = column
    return found


def new_rows(run: RunSummary, curves: RunCurves, there: RunCurves | None, columns: Mapping[str, str]) -> NewRows:
    """What of a run is not in the table.

    Args:
        run: The run.
        curves: All of its curves.
        there: What the table has of it, by the names of columns; ``None`` for nothing.
        columns: The column of each metric that has one.
    """
    there = there if there is not None else RunCurves("")
    base = _base_us(run, curves, there)
    known = changed = 0
    is_another = False
    parts: list[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for metric, column in columns.items():
        curve = curves.get(metric)
        at = _at_us(curve, base)
        old = there.get(column)
        held, differs, place = _compared(curve, old)
        known += int(held.sum())
        changed += int(differs.sum())
        if differs.any():
            is_another |= bool(differs[held.argmax()])
            # The value that was written last counts, by its time and then by its number.
            before = _at_us(old, base)[place]
            at = np.where(differs & (before != NEVER), np.maximum(at, before + 1), at)
        keep = ~held | differs
        if keep.any():
            parts.append((column, curve.step[keep], curve.value[keep], curve.epoch[keep], at[keep]))
    if not parts:
        none = np.empty(0, np.int64)
        return NewRows(none, np.empty(0), none, {}, known, changed)
    step, epoch, at = (np.concatenate([part[place] for part in parts]) for place in (1, 3, 4))
    # One row for what was logged at one moment; an evaluation some seconds later has one of its own.
    places = np.stack([step, at, np.where(np.isnan(epoch), np.nan, epoch).view(np.int64)], axis=1)
    rows, which = np.unique(places, axis=0, return_inverse=True)
    which = which.reshape(-1)
    values: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    start = 0
    for column, of_step, value, _, _ in parts:
        mine = which[start : start + len(of_step)]
        start += len(of_step)
        filled, has = np.full(len(rows), np.nan), np.zeros(len(rows), bool)
        filled[mine], has[mine] = value, True
        values[column] = filled, has
    return NewRows(rows[:, 0], rows[:, 2].copy().view(np.float64), rows[:, 1], values, known, changed, is_another)


def as_batches(
    rows: NewRows, job_id: str, columns: Collection[str], size: int, *, whole_epochs: bool
) -> Iterator[list[dict[str, Any]]]:
    """The rows as the API takes them, so many at once, all with the same keys.

    Args:
        rows: What to write.
        job_id: Of which run.
        columns: Those that the table has.
        size: How many rows a batch has at most.
        whole_epochs: The column of epochs takes whole numbers only.
    """
    for start in range(0, len(rows), size):
        here = slice(start, start + size)
        table: dict[str, Sequence[Any]] = {"step": rows.step[here].tolist()}
        table["job_id"] = [job_id] * len(table["step"])
        if "epoch" in columns:
            epoch = np.floor(rows.epoch[here]) if whole_epochs else rows.epoch[here]
            table["epoch"] = [
                (int(each) if whole_epochs else each) if each == each else None for each in epoch.tolist()
            ]
        if "timestamp" in columns:
            table["timestamp"] = [_moment(each) for each in rows.at_us[here].tolist()]
        for column, (value, has) in rows.values.items():
            pairs = zip(value[here].tolist(), has[here].tolist(), strict=True)
            table[column] = [
                (each if math.isfinite(each) else spelled(each)) if there else None for each, there in pairs
            ]
        yield [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def _compared(curve: MetricCurve, old: MetricCurve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which points are there, which of these have another value, and where in the old curve each would stand."""
    if not len(old):
        none = np.zeros(len(curve), bool)
        return none, none, np.zeros(len(curve), np.int64)
    place = np.minimum(np.searchsorted(old.step, curve.step), len(old) - 1)
    held = old.step[place] == curve.step
    same = np.isclose(old.value[place], curve.value, rtol=ALIKE, atol=0.0, equal_nan=True)
    return held, held & ~same, place


def _base_us(run: RunSummary, curves: RunCurves, there: RunCurves) -> int | None:
    """When the run's first row was written: as the table has it, else as the log does, else when the run began."""
    for rows in (there.rows, curves.rows):
        if rows is not None and rows.first_written_us is not None:
            return rows.first_written_us
    began = run.started_at or run.created_at
    return None if began is None else (began - _EPOCH) // timedelta(microseconds=1)


def _at_us(curve: MetricCurve, base: int | None) -> np.ndarray:
    known = np.isfinite(curve.elapsed_s) if base is not None else np.zeros(len(curve), bool)
    elapsed = np.where(known, curve.elapsed_s, 0.0)
    return np.where(known, (base or 0) + np.round(elapsed * 1e6).astype(np.int64), NEVER)


def _moment(at_us: int) -> str | None:
    if at_us == NEVER:
        return None
    try:
        return (_EPOCH + timedelta(microseconds=at_us)).isoformat()
    except OverflowError:
        return None
