"""Arrow's columns as ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from lib.data.formats.tables.table import Numbers, Words


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
