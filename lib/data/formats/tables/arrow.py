"""Arrow's columns as ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from lib.data.formats.tables.table import Numbers, Words, as_numbers
from lib.data.formats.tables.written import BLANKS

_LARGE_BYTES = 2**20
"""Less is read sooner than a thread is woken."""
_MOST_TYPED_WORDS = 3_000_000
"""So many different texts in a column are not looked at for numbers."""


def numbers_of_arrow(column: Any) -> Numbers:
    """A column of 64-bit floats; what is null is not given."""
    values = np.asarray(column.to_numpy(), dtype=np.float64)
    given = np.ones(len(values), dtype=bool) if not column.null_count else column.is_valid().to_numpy().astype(bool)
    return Numbers(values, given)


def words_of_arrow(column: Any) -> Words:
    """A column of texts, or of a dictionary of texts."""
    import pyarrow as pa

    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        if not coded.num_chunks:
            return Words(np.empty(0, dtype=np.int32), ())
        coded = coded.chunk(0)
    indices = coded.indices.cast(pa.int32()).fill_null(-1) if coded.indices.null_count else coded.indices
    codes = indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Words(codes, ["" if each is None else str(each) for each in coded.dictionary.to_pylist()])


def columns_of_csv(
    content: bytes, rows: slice, kinds: Mapping[str, bool], separator: str, decimal_comma: bool, skips: bool
) -> tuple[dict[str, Numbers | Words], int] | None:
    """The columns of CSV without its header, and how many rows were left out.

    Args:
        content: The file.
        rows: Where its rows stand, without the header.
        kinds: For each column, in order, whether it is expected to hold numbers.
        separator: What stands between cells.
        decimal_comma: Fractions stand behind a comma.
        skips: Rows with another number of cells are left out, where else nothing is read.

    Returns:
        ``None`` where a cell that should be a number is none, or Arrow cannot part the rows.
    """
    import pyarrow as pa
    from pyarrow import csv

    bad = 0

    def leave_out(row: Any) -> Literal["skip"]:
        nonlocal bad
        bad += 1
        return "skip"

    source: Any = pa.BufferReader(pa.py_buffer(content).slice(rows.start, rows.stop - rows.start))
    try:
        table = csv.read_csv(
            source,
            read_options=csv.ReadOptions(column_names=list(kinds), use_threads=rows.stop - rows.start > _LARGE_BYTES),
            parse_options=csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=content.find(b'"', rows.start, rows.stop) >= 0,
                invalid_row_handler=leave_out if skips else None,
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.float64() if is_number else pa.string() for name, is_number in kinds.items()},
                null_values=list(BLANKS),
                strings_can_be_null=True,
                decimal_point="," if decimal_comma else ".",
            ),
        )
    except (pa.ArrowException, ValueError, OSError):
        return None
    return {name: _column_of(name, table.column(name), decimal_comma) for name in kinds}, bad


def _column_of(name: str, column: Any, decimal_comma: bool) -> Numbers | Words:
    """One of Arrow's columns as ours."""
    import pyarrow as pa

    if pa.types.is_float64(column.type):
        return numbers_of_arrow(column)
    words = words_of_arrow(column)
    if len(words.words) > _MOST_TYPED_WORDS:
        return words
    return as_numbers(name, words, decimal_comma) or words
