"""The steps of a table's rows, from whatever counts in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.data.formats.tables.axes import EPOCH_NAMES, STEP_NAMES, Axes, named
from lib.data.formats.tables.table import Numbers, Table, distinct_values

END = -1
"""What sentence-transformers writes for the step of an evaluation between two epochs."""
_NO_STEPS = "Its evaluations are those between epochs, and are counted."
_NO_LENGTH = "The length of an epoch is not stated: its end stands one interval behind the last step in it."


def counted_steps(table: Table, runs: np.ndarray, axes: Axes) -> tuple[np.ndarray, tuple[str, ...]]:
    """The step of each row, int64, 0 where it has none, and sentences where steps are not simply those of a column."""
    column = table.numbers[axes.count]
    values = np.where(column.given & np.isfinite(column.values), column.values, 0.0)
    if axes.counts == "entry":
        steps = np.zeros(table.rows, dtype=np.int64)
        for run in range(int(runs.max(initial=0)) + 1):
            rows = np.flatnonzero(column.given & (runs == run))
            steps[rows] = np.unique(values[rows], return_inverse=True)[1].reshape(-1) + 1
        return steps, ("It has fractions of epochs and no steps: its entries are counted instead.",)
    if axes.counts == "tokens":
        return values.astype(np.int64), (f'It counts tokens ("{axes.count}") and no steps: they stand for steps.',)
    if axes.counts == "step of the epoch" and axes.epoch is not None:
        epochs = np.floor(np.nan_to_num(table.numbers[axes.epoch].values, nan=0.0))
        steps = _counted_on(values, epochs, column.given)
        return steps, ("Its steps start again in each epoch: they are counted on.",)
    return values.astype(np.int64), ()


def _counted_on(steps: np.ndarray, epochs: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Steps of an epoch as steps of the run."""
    known, first = steps[given], epochs[given].min(initial=np.inf)
    kinds = np.unique(known)
    # Steps 0, 10, ..., 90 are of an epoch of 100.
    stride = np.diff(kinds).min(initial=np.inf)
    length = kinds[-1] + (0 if kinds[0] > 0 else stride if np.isfinite(stride) else 1)
    before = epochs - (0 if first < 1 else 1)
    return np.asarray(np.where(given, before * length + steps, 0.0).astype(np.int64))


def with_ends_of_epochs(table: Table) -> Table:
    """A table whose steps count in each epoch, and say that an epoch is over by ``END``: with steps there too.

    Args:
        table: Any. One that has no such steps, the last of each epoch, is given back.
    """
    steps, epochs = (next(iter(named(table.numbers, names)), "") for names in (STEP_NAMES, EPOCH_NAMES))
    if not steps or not epochs or not table.rows:
        return table
    step, epoch = table.numbers[steps], table.numbers[epochs]
    values, over = step.values, step.values == END
    if not over.any() or not step.given.all() or not epoch.given.all() or (values < END).any() or (values % 1).any():
        return table
    changes = np.append(epoch.values[1:] != epoch.values[:-1], True)
    if (over & ~changes).any():
        # It is not the last of its epoch, and means something else.
        return table
    within = distinct_values(values[~over])
    if not within.size:
        numbers = {name: each for name, each in table.numbers.items() if name != steps}
        names = tuple(name for name in table.names if name != steps)
        return replace(table, names=names, numbers=numbers, notes=(*table.notes, _NO_STEPS))
    end = within[-1] + (np.diff(within).min() if within.size > 1 else within[-1])
    placed = Numbers(np.where(over, end, values), step.given)
    return replace(table, numbers={**table.numbers, steps: placed}, notes=(*table.notes, _NO_LENGTH))
