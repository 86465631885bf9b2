"""Rows without a step among rows with one: evaluations in a log that counts only what it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lib.data.formats.tables.axes import Axes
from lib.data.formats.tables.table import Numbers, Table

_MOST_NAMED = 3


def with_rows_between(table: Table, axes: Axes, metrics: Sequence[str]) -> Table:
    """The table with a step for the rows of one run that have none, that of the row before, and a note.

    Only for metrics that no row with a step has, and that some row between two such rows has: what stands before or
    after all steps is a setting or a result, and what is logged with steps too is of something else there, like the
    time of an evaluation beside that of a step.

    Args:
        table: The rows of one run as they were written.
        axes: What counts in it.
        metrics: The columns that may be curves.
    """
    count = table.numbers[axes.count]
    counted = np.flatnonzero(count.given)
    if counted.size in (0, table.rows) or axes.counts not in ("step", "epoch", "tokens"):
        return table
    between = ~count.given
    between[: counted[0]] = between[counted[-1] :] = False
    lonely = [
        name
        for name in metrics
        if table.numbers[name].given[between].any() and not table.numbers[name].given[count.given].any()
    ]
    if not lonely:
        return table
    placed = ~count.given & np.logical_or.reduce([table.numbers[name].given for name in lonely])
    placed[: counted[0]] = False
    before = np.maximum.accumulate(np.where(count.given, np.arange(table.rows), 0))
    own = {*lonely, axes.epoch, axes.clock}
    numbers = {
        name: column if name in own else Numbers(column.values, column.given & ~placed)
        for name, column in table.numbers.items()
    }
    numbers[axes.count] = Numbers(np.where(placed, count.values[before], count.values), count.given | placed)
    named = ", ".join(lonely[:_MOST_NAMED]) + (" and more" if len(lonely) > _MOST_NAMED else "")
    note = f'Rows with {named} state no "{axes.count}": they stand at that of the row before.'
    return replace(table, numbers=numbers, notes=(*table.notes, note))
