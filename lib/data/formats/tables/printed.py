"""Cells of a table that was printed for people, as columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.data.formats.tables.table import Table, Words, as_numbers, check_size
from lib.data.formats.tables.written import has_decimal_comma


def table_of_cells(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table.

    Args:
        names: Of its columns, no two equal.
        rows: Cells as text, as many in each as there are names; "" for nothing.

    Raises:
        NoTable: If it is too large.
    """
    check_size(len(names), len(rows))
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    comma = has_decimal_comma([cell for cells in columns.values() for cell in cells])
    numbers, words = {}, {}
    for name, cells in columns.items():
        kinds = {cell: code for code, cell in enumerate(dict.fromkeys(cell for cell in cells if cell))}
        texts = Words(np.array([kinds.get(cell, -1) for cell in cells], dtype=np.int32), tuple(kinds))
        made = as_numbers(name, texts, comma)
        if made is None:
            words[name] = texts
        else:
            numbers[name] = made
    return Table(tuple(names), len(rows), numbers, words)
