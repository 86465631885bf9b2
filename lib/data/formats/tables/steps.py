"""The steps of a table's rows, from whatever counts in it."""

from __future__ import annotations

import numpy as np

from lib.data.formats.tables.axes import Axes
from lib.data.formats.tables.table import Table


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
