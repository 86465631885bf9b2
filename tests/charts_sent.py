"""Charts as the browser gets them: the bytes of ``lib.charts.packed``, read by what its docstring says."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Column = np.ndarray | list


@dataclass(frozen=True)
class Part:
    """One part of a message.

    Attributes:
        head: Its JSON without the tables.
        columns: The tables' columns as the JSON has them, by table and name.
        tables: The same with their values.
        places: Where in the message its lengths, its JSON text and its numbers begin.
    """

    head: dict[str, Any]
    columns: dict[str, dict[str, Any]]
    tables: dict[str, dict[str, Column]]
    places: tuple[int, int, int]

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        return {name: pd.DataFrame(columns) for name, columns in self.tables.items()}


def unpacked(message: bytes) -> list[Part]:
    """Read a message to its last byte."""
    parts = []
    at = 0
    while at < len(message):
        text, block = struct.unpack_from("<II", message, at)
        numbers_at = at + 8 + text
        assert at % 8 == numbers_at % 8 == block % 8 == 0, "the browser refuses numbers that begin in between"
        head = json.loads(message[at + 8 : numbers_at], parse_constant=_refuse)
        numbers = np.frombuffer(message, "<f8", block // 8, numbers_at)
        columns = head.pop("tables")
        tables = {
            table: {name: _values(column, numbers) for name, column in found.items()}
            for table, found in columns.items()
        }
        parts.append(Part(head, columns, tables, (at, at + 8, numbers_at)))
        at = numbers_at + block
    assert at == len(message), "the last part is cut off"
    return parts


def _values(column: list | dict[str, Any], numbers: np.ndarray) -> Column:
    if isinstance(column, list):
        return column
    if "runs" in column:
        return [value for value, count in column["runs"] for _ in range(count)]
    values = numbers[column["at"] : column["at"] + column["count"]]
    assert len(values) == column["count"], "a column reaches beyond its part"
    return values


def _refuse(name: str) -> None:
    raise ValueError(f"A browser reads no {name} in JSON.")
