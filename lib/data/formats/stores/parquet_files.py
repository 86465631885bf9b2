"""Parquet that somebody else wrote: opened and read a column at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.data.formats.files import NotReadable, open_regular

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

MOST_BYTES = 2 * 2**30
"""Of one file, which holds some hundred million numbers then."""
MOST_GROUP = 20_000_000
"""Rows of one row group, which is what is read at once; writers make groups of at most a million."""
MOST_COLUMNS = 10_000

_MAGIC = b"PAR1"


@contextmanager
def parquet(path: Path) -> Iterator[pq.ParquetFile | None]:
    """An open Parquet file; ``None`` for a file that is none, whatever it is called.

    Errors in its content that show up later, inside of the ``with``, are explained as well.

    Raises:
        NotReadable: If it is unfinished, damaged or too large.
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    with open_regular(path, MOST_BYTES) as file:
        try:
            is_begun = file.read(4) == _MAGIC
            size = file.seek(0, 2)
            file.seek(max(0, size - 4))
            is_ended = size >= 12 and file.read(4) == _MAGIC
            file.seek(0)
        except OSError as error:
            raise NotReadable("The file could not be read from its disk.") from error
        if not is_begun:
            yield None
            return
        if not is_ended:
            raise NotReadable("The Parquet file is not finished: it is still being written, or was cut off.")
        try:
            found = pq.ParquetFile(file)
            groups = range(found.num_row_groups)
            if any(found.metadata.row_group(group).num_rows > MOST_GROUP for group in groups):
                raise NotReadable(f"The Parquet file has row groups of more than {MOST_GROUP:,} rows.")
            yield found
        except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError, TypeError) as error:
            raise NotReadable("The Parquet file is damaged.") from error


def number_leaves(
    name: str, column: pa.ChunkedArray[Any] | pa.Array[Any]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The numbers of a column, and of the columns in it.

    Yields:
        Name, with those of the columns around it, joined by dots; rows that have a number, shape (n,), int64,
        ascending; the numbers, shape (n,), float64.
    """
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if isinstance(array, pa.StructArray):
        names = [kind.field(place).name for place in range(kind.num_fields)]
        # What states its type is a picture or a table, and its numbers are no metrics.
        if "_type" not in names:
            for inner, values in zip(names, array.flatten(), strict=True):
                yield from number_leaves(f"{name}.{inner}", values)
    elif pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        rows = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
        if len(rows):
            yield name, rows, array.drop_null().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def encoded(column: pa.ChunkedArray[Any]) -> tuple[list[str], np.ndarray]:
    """The texts of a column, each once, and for each row the place of its own, shape (n,), int64.

    What is null counts as "".
    """
    import pyarrow as pa

    filled: Any = column.cast(pa.string())
    texts = filled.fill_null("").combine_chunks().dictionary_encode()
    return texts.dictionary.to_pylist(), texts.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def has_columns(file: pq.ParquetFile, names: Sequence[str]) -> bool:
    """Whether a file has all these columns, each once, and no more columns than can be read."""
    there = file.schema_arrow.names
    return len(there) <= MOST_COLUMNS and len(set(there)) == len(there) and set(names) <= set(there)
