"""Tables whose rows are not in the order of their steps: sorted by time, newest first, or by a metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.data.formats.tables.axes import CLOCK_NAMES, clock_of, named, plain_name
from lib.data.formats.tables.table import Numbers, Table, distinct_values
from lib.data.formats.tables.vocabulary import RUN_NAMES, is_of_training, is_setting

_COUNTS = (
    "global_step", "globalstep", "trainer_global_step", "step", "training_step", "train_step", "optimizer_step",
    "current_step", "iteration", "training_iteration", "iter", "timestep", "epoch", "current_epoch", "epoch_num",
    "epoch_idx",
)  # fmt: skip
"""Columns that may be sorted by: others may be settings ("epochs", "steps") or numbers of rows."""
_LEAST_STEPS = 4
_REGULAR = 0.6
"""Share of the steps that follow at one interval: a log is written at intervals, the best epochs of a sweep are not."""
_REPEATED = 0.1
"""Share of rows that may have the step of another, in a table that names no runs."""
_MOST_STEP = 1e15


def in_order(table: Table) -> Table | None:
    """The rows in the order of the steps that a column states, with a note; ``None`` where none may be sorted by.

    Rows of one step stay as they were, so that the last of them is the later one; in a table that stands upside down
    they are turned around.
    """
    if any(is_setting(name) and not _may_move(name) and _varies(table, name) for name in table.names):
        # A row for each run of a sweep, with the epoch that was its best.
        return None
    if not any(is_of_training(name) for name in (*table.names, *_long_names(table))):
        return None
    has_runs = bool(named(table.names, RUN_NAMES))
    for name in named(table.numbers, _COUNTS):
        column = table.numbers[name]
        if not _may_count(column, several=has_runs):
            continue
        order = _order(table, column)
        repeats = "" if has_runs else _repeats(column)
        note = f'Its rows are not in the order of "{name}": they are read in that order.{repeats}'
        return replace(table.taken(order), notes=(*table.notes, note))
    return None


def _may_move(name: str) -> bool:
    """Whether a setting moves on in one run: a rate, a momentum."""
    return plain_name(name).rpartition("/")[2] in ("lr", "learning_rate", "momentum", "weight_decay", "wd")


def _varies(table: Table, name: str) -> bool:
    column = table.numbers.get(name)
    if column is None:
        return len(table.words[name].words) > 1
    known = column.values[column.given]
    return bool(known.size and (known != known[0]).any())


def _long_names(table: Table) -> list[str]:
    """What a long table may name as metrics."""
    return [word for words in table.words.values() if len(words.words) <= 100 for word in words.words]


def _may_count(column: Numbers, *, several: bool) -> bool:
    """Whether numbers are steps in another order: whole, mostly different in one run, and at one interval."""
    values = column.values[column.given]
    if not column.given.all() or not np.isfinite(values).all() or (values != np.floor(values)).any():
        return False
    if values.min() < 0 or values.max() > _MOST_STEP:
        return False
    kinds = distinct_values(values)
    if kinds.size < _LEAST_STEPS or not (several or values.size - kinds.size <= _REPEATED * values.size):
        return False
    between = np.diff(kinds)
    return float((between == np.median(between)).mean()) >= _REGULAR


def _order(table: Table, column: Numbers) -> np.ndarray:
    """The rows by step; of one step by their clock, and without one as they stand: turned around if upside down."""
    rows = np.arange(table.rows)
    is_upside_down = bool((np.diff(column.values) <= 0).all())
    place = -rows if is_upside_down else rows
    clock = next((clock_of(table, name) for name in named(table.names, CLOCK_NAMES)), None)
    timed = clock is not None and clock.given.all() and np.isfinite(clock.values).all()
    keys = (place, clock.values, column.values) if timed and clock is not None else (place, column.values)
    return np.asarray(np.lexsort(keys))


def _repeats(column: Numbers) -> str:
    repeats = column.values.size - len(distinct_values(column.values))
    if not repeats:
        return ""
    return f" {repeats:,} {'row has' if repeats == 1 else 'rows have'} the step of another; the last one counts."
