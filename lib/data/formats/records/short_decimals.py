"""Numbers of few bits as the decimals that they were written as: 0.31, and not 0.3100000023841858."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lib.data.formats.arrow_arrays import numbers_of_array


def of_float32(values: np.ndarray) -> np.ndarray:
    """Of each value the shortest decimal that rounds to it, as float64 of the same shape (n,).

    Example:
        >>> of_float32(np.array([0.31, 2e-5, np.inf], dtype=np.float32)).tolist()
        [0.31, 2e-05, inf]
    """
    import pyarrow as pa

    # Arrow writes a float with as few digits as tell it from its neighbours.
    content = pa.py_buffer(np.ascontiguousarray(values, dtype=np.float32).data)
    text: Any = pa.Array.from_buffers(pa.float32(), len(values), [None, content]).cast(pa.string())
    return numbers_of_array(text.cast(pa.float64()))


def of_float16(values: np.ndarray) -> np.ndarray:
    """The same for halves, given as numbers that are halves."""
    return _by_trying(values, lambda each: each.astype(np.float16).astype(np.float64), 5)


def of_bfloat16(values: np.ndarray) -> np.ndarray:
    """The same for bfloat16."""
    return _by_trying(values, _to_bfloat16, 4)


def _to_bfloat16(values: np.ndarray) -> np.ndarray:
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    bits += 0x7FFF + ((bits >> 16) & 1)
    return (bits & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def _by_trying(values: np.ndarray, rounded: Callable[[np.ndarray], np.ndarray], most_digits: int) -> np.ndarray:
    """More and more digits, until the decimal rounds to the value. Hardly anybody writes these types."""
    found = np.array(values, dtype=np.float64)
    open_ = np.isfinite(found)
    with np.errstate(over="ignore"):
        for digits in range(most_digits):
            tried = np.array([float(f"{value:.{digits}e}") for value in found[open_]], dtype=np.float64)
            places = np.flatnonzero(open_)
            fits = rounded(tried) == found[places]
            found[places[fits]] = tried[fits]
            open_[places[fits]] = False
    return found
