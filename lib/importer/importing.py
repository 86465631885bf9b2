"""What of a folder's runs is not in the project yet, and writing that. Nothing is ever deleted.

What there is to do is worked out from what is there, and anew after each failure. So an import that was interrupted
goes on when it is called again, one that was done does nothing, and a run that grew is topped up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError, RunSourceError
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import moment
from lib.data.source import RunSource
from lib.importer.job_rows import GROWING, job_id_of, job_row
from lib.importer.metric_rows import NewRows, as_batches, column_of, columns_of, new_rows
from lib.importer.target import Shape, Target, TooMuch, Unsure

BATCH = 1_000
LEAST_BATCH = 50
UNSURE_ATTEMPTS = 5
"""So often in a row a write may break off before it is given up."""
SETTLE_S = 2.0
"""After a write that broke off, before it is looked at what came of it; longer each time."""


class State(StrEnum):
    """What there is to do for a run."""

    NEW = "new"
    GROWN = "grown"
    SAME = "there"
    OTHER = "another run is there"
    COPY = "copy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Item:
    """A run, and what there is to do for it.

    Attributes:
        job_id: Its id in the project.
        rows: How many rows of metrics are not there.
        values: How many values are in them.
        changed: How many values are there and are others by now.
        unplaced: Metrics without a column, whose values are not written.
        why: What went wrong, in words.
    """

    run: RunSummary
    job_id: str
    state: State
    rows: int = 0
    values: int = 0
    changed: int = 0
    unplaced: tuple[str, ...] = ()
    why: str = ""


Say = Callable[[Item], None]


class Importer:
    """Imports runs of a source into a project.

    Args:
        source: Where the runs are.
        folder: What names the source: its runs are the same rows as long as it is called so.
        target: Where they go.
    """

    def __init__(self, source: RunSource, folder: str, target: Target) -> None:
        self._source, self._folder, self._target = source, folder, target
        self._shape: Shape | None = None

    def look(self, runs: Sequence[RunSummary]) -> Shape:
        """Look at the tables, which must be there and look like it.

        Raises:
            AppError: If they do not, or cannot be looked at.
        """
        if self._shape is None:
            names: dict[str, None] = {}
            for run in runs:
                for metric in self._curves(run).curves:
                    if (column := column_of(metric)) is not None:
                        names[column] = None
            self._shape = self._target.shape(list(names))
        return self._shape

    def plan(self, runs: Sequence[RunSummary], say: Say) -> list[Item]:
        """What there is to do; nothing is written.

        Args:
            runs: Which.
            say: Is told each as soon as it is known.

        Raises:
            AppError: If the project cannot be asked.
        """
        items = []
        there = self._there(runs)
        for run in runs:
            item, _ = self._item(run, there.get(self._id(run)))
            say(item)
            items.append(item)
        return items

    def write(self, runs: Sequence[RunSummary], say: Say) -> list[Item]:
        """Write what is not there; as ``plan``. What fails of one run does not keep the others from being written."""
        items = []
        there = self._there(runs)
        for run in runs:
            try:
                item = self._written(run, there.get(self._id(run)))
            except AppError as error:
                why = f"{error} {error.hint}".strip()
                item = Item(run, self._id(run), State.FAILED, why=why)
            say(item)
            items.append(item)
        return items

    def _written(self, run: RunSummary, row: Mapping[str, Any] | None) -> Item:
        shape = self.look([run])
        wrote: Item | None = None
        failures = 0
        size = BATCH
        while True:
            item, rows = self._item(run, row)
            if item.state in (State.OTHER, State.COPY):
                return item
            wrote = wrote or item
            before = item.rows
            try:
                if row is None:
                    values = job_row(
                        run, item.job_id, self._target.user_id or None, shape.jobs, _whole(shape, self._target)
                    )
                    self._target.insert(self._target.jobs_table, [values])
                    row = values
                size = self._rows_written(rows, item.job_id, shape, size)
                self._job_updated(run, item.job_id, row, shape)
            except Unsure as unsure:
                failures += 1
                if failures >= UNSURE_ATTEMPTS:
                    raise RunSourceError(
                        f"{unsure.error} Of {run.name} some rows may not be written.",
                        hint="Call the import again: it goes on with what is not there.",
                    ) from unsure
                time.sleep(SETTLE_S * failures)
                row = self._target.jobs([item.job_id], shape).get(item.job_id)
                left = self._item(run, row)[0].rows
                failures = failures if left >= before else 1
                continue
            return wrote

    def _rows_written(self, rows: NewRows, job_id: str, shape: Shape, size: int) -> int:
        """Write rows in batches, smaller ones where the database is slow; returns the size that it took."""
        whole = (self._target.metrics_table, "epoch") in shape.whole
        done = 0
        while done < len(rows):
            left = _from(rows, done)
            batch = next(as_batches(left, job_id, shape.metrics, size, whole_epochs=whole))
            try:
                self._target.insert(self._target.metrics_table, batch)
            except TooMuch:
                if size <= LEAST_BATCH:
                    raise RunSourceError(
                        f"Expected the database to take {size} rows at once; it cancelled that.",
                        hint="It may be busy: call the import again later.",
                    ) from None
                size = max(size // 2, LEAST_BATCH)
                continue
            done += len(batch)
        return size

    def _job_updated(self, run: RunSummary, job_id: str, row: Mapping[str, Any], shape: Shape) -> None:
        values = job_row(run, job_id, self._target.user_id or None, shape.jobs, _whole(shape, self._target))
        changed = {name: value for name, value in values.items() if name in GROWING and _differ(value, row.get(name))}
        # The database may set the time of the last change by itself.
        if changed.keys() - {"updated_at"}:
            self._target.update_job(job_id, changed)

    def _item(self, run: RunSummary, row: Mapping[str, Any] | None) -> tuple[Item, NewRows]:
        shape = self.look([run])
        job_id = self._id(run)
        curves = self._curves(run)
        columns = columns_of(curves.curves, shape.metrics)
        there = self._target.curves(job_id) if row is not None else None
        rows = new_rows(run, curves, there, columns)
        unplaced = tuple(metric for metric in curves.curves if metric not in columns)
        if run.same_training_as is not None:
            state = State.COPY
        elif rows.is_of_another_run:
            state = State.OTHER
        elif row is None:
            state = State.NEW
        else:
            state = State.GROWN if len(rows) else State.SAME
        values = sum(int(has.sum()) for _, has in rows.values.values())
        return Item(run, job_id, state, len(rows), values, rows.changed, unplaced), rows

    def _there(self, runs: Sequence[RunSummary]) -> dict[str, Mapping[str, Any]]:
        return self._target.jobs([self._id(run) for run in runs], self.look(runs))

    def _id(self, run: RunSummary) -> str:
        return job_id_of(self._target.user_id, self._folder, run.run_id)

    def _curves(self, run: RunSummary) -> RunCurves:
        return self._source.load_curves([run.run_id]).get(run.run_id, RunCurves(run.run_id))


def _from(rows: NewRows, start: int) -> NewRows:
    """The rows from one on."""
    values = {column: (value[start:], has[start:]) for column, (value, has) in rows.values.items()}
    return NewRows(rows.step[start:], rows.epoch[start:], rows.at_us[start:], values, rows.known, rows.changed)


def _whole(shape: Shape, target: Target) -> frozenset[str]:
    return frozenset(column for table, column in shape.whole if table == target.jobs_table)


def _differ(new: Any, old: Any) -> bool:
    """Whether a value of a job is another one; moments are spelled in several ways."""
    if isinstance(new, float) and isinstance(old, int | float):
        return abs(new - old) > 1e-6 * max(abs(new), abs(old))
    if isinstance(new, str) and isinstance(old, str) and (before := moment(old)) is not None:
        return moment(new) != before
    return bool(new != old)
