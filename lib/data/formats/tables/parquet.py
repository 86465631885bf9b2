"""Parquet files as tables: the schema first, and only columns that hold numbers, names or times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.arrow_arrays import give_back
from lib.data.formats.files import open_regular
from lib.data.formats.tables.arrow import numbers_of_arrow, words_of_arrow
from lib.data.formats.tables.table import MOST_CELLS, MOST_COLUMNS, NoTable, Numbers, Table, Words, distinct

MOST_BYTES = 2 * 2**30
"""Only the columns that are asked for are read, and these are bounded by themselves."""
_MOST_TEXT_ROWS = 5_000_000
_CELLS_AT_ONCE = 4_000_000
"""Columns of so many cells together are read at once, which is one column of a long log."""


def read_parquet(path: Path, wanted: Callable[[tuple[str, ...]], bool]) -> Table | None:
    """The columns of numbers and texts of a file.

    Args:
        path: Where it lies.
        wanted: Of all its column names whether to read it at all: a data set is not read for nothing.

    Returns:
        ``None`` where it is not wanted.

    Raises:
        NotReadable: If it cannot be opened.
        NoTable: If it is no Parquet, damaged or too large.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with open_regular(path, MOST_BYTES) as file:
        try:
            # To buffer ahead costs a fifth more, and twice the memory.
            stored = parquet.ParquetFile(file, pre_buffer=False)
            rows, schema = stored.metadata.num_rows, stored.schema_arrow
            if len(schema.names) > MOST_COLUMNS:
                raise NoTable(f"The table has {len(schema.names):,} columns; more than {MOST_COLUMNS:,} are not read.")
            if not wanted(tuple(schema.names)):
                return None
            if len(set(schema.names)) < len(schema.names):
                raise NoTable("Two of its columns have the same name.")
            kept = [field.name for field in schema if _is_read(field.type, rows)]
            if len(kept) * rows > MOST_CELLS:
                raise NoTable(f"The table has {len(kept) * rows:,} cells; more than {MOST_CELLS:,} are not read.")
            texts = [name for name in kept if _is_text(schema.field(name).type)]
            if texts:
                # Names stand in a dictionary in the file too: rows of them need not be made.
                stored = parquet.ParquetFile(file, metadata=stored.metadata, read_dictionary=texts, pre_buffer=False)
            return _table(stored, kept, rows)
        except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeError, MemoryError) as error:
            raise NoTable("Expected a Parquet file, found another one or a damaged one.") from error


def _is_read(kind: Any, rows: int) -> bool:
    """Whether a column's cells are numbers, times or texts; lists and bytes are data."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_dictionary(kind):
        return kinds.is_string(kind.value_type) or kinds.is_large_string(kind.value_type)
    if _is_text(kind):
        return rows <= _MOST_TEXT_ROWS
    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind) or kinds.is_timestamp(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _table(stored: Any, kept: Sequence[str], rows: int) -> Table:
    """The columns, some at a time: of a long file no more stands in memory twice."""
    every = np.ones(rows, dtype=bool)
    every.setflags(write=False)
    names = dict(zip(kept, distinct(name.strip() for name in kept), strict=True))
    numbers: dict[str, Numbers] = {}
    words: dict[str, Words] = {}
    at_once = max(1, _CELLS_AT_ONCE // max(rows, 1))
    for begin in range(0, len(kept), at_once):
        read = stored.read(columns=list(kept[begin : begin + at_once]))
        if read.num_rows != rows:
            raise NoTable("The file says of itself that it has another number of rows than it has.")
        for name, column in zip(read.column_names, read.columns, strict=True):
            made = _made(column, every)
            if isinstance(made, Numbers):
                numbers[names[name]] = made
            else:
                words[names[name]] = made
        if rows > _CELLS_AT_ONCE:
            del read, column
            give_back()
    return Table(tuple(names.values()), rows, numbers, words)


def _made(column: Any, every: np.ndarray) -> Numbers | Words:
    """A column as ours. Args: every: What is given where all is."""
    import pyarrow as pa
    from pyarrow import compute

    kinds = pa.types
    if kinds.is_timestamp(column.type):
        unit = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[column.type.unit]
        seconds = numbers_of_arrow(compute.cast(column.cast(pa.int64()), pa.float64(), safe=False), every)
        return Numbers(seconds.values * unit, seconds.given)
    if kinds.is_integer(column.type) or kinds.is_floating(column.type) or kinds.is_decimal(column.type):
        if not kinds.is_float64(column.type):
            column = compute.cast(column, pa.float64(), safe=False)
        return numbers_of_arrow(column, every)
    return words_of_arrow(column)
