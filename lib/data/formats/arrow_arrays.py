"""Arrow's arrays as NumPy's. Arrow's own way there loads pandas first, which takes longer than most files."""

from __future__ import annotations

from typing import Any

import numpy as np


def numbers_of_array(array: Any) -> np.ndarray:
    """An array of 64-bit floats, shape (n,); NaN where it is null."""
    content = array.buffers()[1]
    values = np.empty(0) if content is None else np.frombuffer(content, dtype=np.float64)[_place_of(array)]
    return np.where(given_in(array), values, np.nan) if array.null_count else values


def codes_of_array(array: Any) -> np.ndarray:
    """An array of 32-bit integers, shape (n,); -1 where it is null."""
    content = array.buffers()[1]
    values = np.empty(0, dtype=np.int32) if content is None else np.frombuffer(content, dtype=np.int32)
    values = values[_place_of(array)] if len(values) else values
    return np.where(given_in(array), values, np.int32(-1)) if array.null_count else values


def numbers_between(data: bytes, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """The numbers that some bytes state, shape (n,), float64; ``None`` where one is none.

    Args:
        data: The bytes, less than two gigabytes.
        begin: Where each number begins, ascending, shape (n,).
        end: Where each ends, not behind the beginning of the next.
    """
    import pyarrow as pa

    count = len(begin)
    if not count:
        return np.empty(0)
    # Numbers and what stands between them in turns, as Arrow has no gaps between texts; and these are null.
    bounds = np.empty(2 * count, dtype=np.int32)
    bounds[0::2], bounds[1::2] = begin, end
    given = pa.py_buffer(b"\x55" * (count // 4 + 1))
    texts: Any = pa.StringArray.from_buffers(
        2 * count - 1, pa.py_buffer(bounds.data), pa.py_buffer(data), given, count - 1
    )
    try:
        numbers = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return np.frombuffer(numbers.buffers()[1], dtype=np.float64)[: 2 * count : 2]


def given_in(array: Any) -> np.ndarray:
    """Where an array is not null, shape (n,), bool."""
    validity = array.buffers()[0]
    if not array.null_count or validity is None:
        return np.ones(len(array), dtype=bool)
    bits = np.unpackbits(np.frombuffer(validity, dtype=np.uint8), bitorder="little")
    return np.asarray(bits[_place_of(array)].astype(bool))


def give_back() -> None:
    """Give the memory that Arrow has freed to whoever wants it: it would keep it for itself."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _place_of(array: Any) -> slice:
    return slice(array.offset, array.offset + len(array))
