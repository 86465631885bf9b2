"""Charts on their way to the browser, and as they are kept: bytes that ``static/charts.js`` reads.

A part is two lengths in bytes (little-endian uint32), a JSON text padded with spaces to a multiple of eight, and the
numbers that it refers to (little-endian float64). A message is one part after the other.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

LENGTHS = struct.Struct("<II")


def packed(head: Mapping[str, Any], tables: Mapping[str, pa.Table] | None = None) -> bytes:
    """One part: ``head``, with ``tables`` added to it by name as columns by name.

    A float64 column is ``{"at": first number, "count": how many}``, a column of constants ``{"runs": [[value, how
    often], ...]}``, and any other one a list.

    Raises:
        ValueError: If ``head`` or a list holds NaN or an infinity.
    """
    numbers: list[np.ndarray] = []
    at = 0
    columns: dict[str, dict[str, Any]] = {}
    for name, table in (tables or {}).items():
        columns[name] = {}
        for key, column in zip(table.column_names, table.columns, strict=True):
            if column.type == pa.float64():
                columns[name][key] = {"at": at, "count": len(column)}
                numbers.append(column.to_numpy())
                at += len(column)
            else:
                columns[name][key] = _runs(column) if _is_constant(column.type) else column.to_pylist()
    text = json.dumps({**head, "tables": columns}, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    block = np.concatenate(numbers).astype("<f8").tobytes() if numbers else b""
    return LENGTHS.pack(len(text), len(block)) + text + block


def opened(part: bytes) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """The head and the tables of one part, as ``packed`` was given them; a column of constants of text as text."""
    text, _ = LENGTHS.unpack_from(part)
    start = LENGTHS.size + text
    head: dict[str, Any] = json.loads(part[LENGTHS.size : start])
    numbers = np.frombuffer(part, "<f8", offset=start)
    tables = {
        name: pa.table({key: _column(each, numbers) for key, each in columns.items()})
        for name, columns in head.pop("tables").items()
    }
    return head, tables


def _column(sent: Any, numbers: np.ndarray) -> pa.Array[Any]:
    if isinstance(sent, list):
        return pa.array(sent, pa.string())
    if "runs" not in sent:
        return pa.array(numbers[sent["at"] : sent["at"] + sent["count"]], pa.float64())
    values, lengths = [value for value, _ in sent["runs"]], [count for _, count in sent["runs"]]
    kind = pa.string() if any(isinstance(value, str) for value in values) else pa.float32()
    which: pa.Array[Any] = pa.array(np.repeat(np.arange(len(values)), lengths), pa.int64())
    return pa.array(values, kind).take(which)


def _is_constant(kind: pa.DataType) -> bool:
    """Whether a column's values stay the same for a whole curve."""
    return pa.types.is_dictionary(kind) or kind == pa.float32()


def _runs(column: pa.ChunkedArray[Any]) -> dict[str, list[list[Any]]]:
    array = column.combine_chunks()
    codes = (array.indices if isinstance(array, pa.DictionaryArray) else array).to_numpy()
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
    lengths = np.diff(np.append(starts, len(codes)))
    return {"runs": [list(run) for run in zip(array.take(starts).to_pylist(), lengths.tolist(), strict=True)]}
