"""Cells of a table that was printed for people, as columns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lib.data.formats.logged import FilePath, LoggedRun
from lib.data.formats.tables.runs import runs_of
from lib.data.formats.tables.table import NoTable, Table, Words, as_numbers, check_size
from lib.data.formats.tables.written import has_decimal_comma


def runs_of_cells(
    tables: Iterable[tuple[Sequence[str], Sequence[Sequence[str]]]], file: FilePath
) -> tuple[LoggedRun, ...]:
    """The runs in tables that stand in one file, each by its names and rows; a table that holds none is left out."""
    found: list[LoggedRun] = []
    for names, rows in tables:
        with contextlib.suppress(NoTable):
            found += runs_of(_table_of_cells(names, rows), file)
    if len(found) < 2:
        return tuple(found)
    return tuple(
        replace(run, key="" if number == 1 else str(number), name=f"{file[-1]}, table {number}")
        for number, run in enumerate(found, 1)
    )


def _table_of_cells(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
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
