"""Files with a JSON object in each line, as columns: what most lines hold is never an object by itself.

The first lines are read as objects and say which names there are, and what each has: numbers, texts, or objects of
these. Arrow then reads lines that hold nothing else, some megabytes at a time. Wherever it finds anything else, these
lines are read as objects too: both come to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lib.data.formats.arrow_arrays import given_in, numbers_of_array
from lib.data.formats.json_objects import rows_of_part
from lib.data.formats.json_rows import ColumnsOfRows, Row, as_steps
from lib.data.formats.logged import Series

PART = 2 * 2**20
"""So many bytes of a file are objects at a time."""
_LEAST = 256 * 2**10
"""Smaller files are read before Arrow is loaded."""
_MOST_FAILED = 3
"""After so many parts that Arrow refused it is not asked again."""
_MOST_DEPTH = 4
_MOST_SHARED = 8
"""So many different groups of metrics are remembered at a time."""
Parse = Callable[[bytes], tuple[list[Row], int]]
"""Makes objects of some lines, and says how many other lines are none."""
_KINDS = {float: "number", int: "number", str: "text", type(None): "none"}


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What stands under one name in some lines.

    Attributes:
        rows: In which, counted from the first of these lines, shape (n,), int64.
        numbers: Shape (n,), float64; ``None`` for texts.
        texts: An array of Arrow's, of n texts; ``None`` for numbers.
    """

    rows: np.ndarray
    numbers: np.ndarray | None = None
    texts: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Some lines: as cells by name, those of inner objects joined by "/", or as objects.

    Attributes:
        content: As they stand in the file.
        parse: Makes objects of them.
        count: How many, where they are cells.
        cells: ``None`` where some hold anything else.
        parsed: Their objects, where they are no cells.
    """

    content: bytes
    parse: Parse
    count: int = 0
    cells: Mapping[str, Cells] | None = None
    parsed: tuple[list[Row], int] | None = None

    def objects(self) -> tuple[list[Row], int]:
        """The same as objects, and how many other lines are none."""
        return self.parse(self.content) if self.parsed is None else self.parsed


def lines_of(data: bytes, as_objects: Collection[bytes] = (), parse: Parse = rows_of_part) -> Iterator[Lines]:
    """The lines of a file, some thousands at a time; the last may be cut off, and does not count then.

    Args:
        data: Its content.
        as_objects: Lines with one of these in them are given as objects.
        parse: Makes objects of lines.
    """
    data, begin = data.removeprefix(b"\xef\xbb\xbf"), 0
    fields, failed = _Fields(), 0
    while begin < len(data):
        # The first part is small: only the others can be read by what it says.
        size = PART if begin else min(PART, _LEAST)
        end = data.find(b"\n", begin + size) + 1 or len(data)
        part, found = data[begin:end], None
        if begin and failed < _MOST_FAILED and not any(each in part for each in as_objects):
            found = fields.read(part, parse)
            failed = 0 if found is not None else failed + 1
        begin = end
        if found is not None:
            yield found
            continue
        lines = Lines(part, parse, parsed=parse(part))
        if failed < _MOST_FAILED:
            fields.learn(lines.objects()[0])
        yield lines


class _Fields:
    """The names in lines and what they have, as a schema of Arrow's."""

    def __init__(self) -> None:
        self._kinds: dict[str, Any] = {}
        self._is_regular = True
        self._schema: Any = None

    def learn(self, rows: Sequence[Row]) -> None:
        """See which names there are."""
        if self._is_regular and any(not _learn(self._kinds, row, 0) for row in rows):
            self._is_regular = False
        self._schema = None

    def read(self, part: bytes, parse: Parse) -> Lines | None:
        """Lines as cells; ``None`` where they hold anything else."""
        if not (self._is_regular and self._kinds and part.startswith(b"{") and part.endswith((b"}", b"}\n"))):
            return None
        between = part.count(b"}\n{")
        # Arrow looks at no text's encoding.
        if part.count(b"\n") - part.endswith(b"\n") != between or not part.isascii():
            return None
        # It knows another word for infinity than JSON's readers do, and a zero below zero among whole numbers.
        if (b"Inf" in part and part.count(b"Inf") != part.count(b"Infinity")) or b"-0," in part or b"-0}" in part:
            return None
        import pyarrow as pa
        from pyarrow import json as arrow_json

        source: Any = pa.BufferReader(part)

        if self._schema is None:
            self._schema = pa.schema(_fields_of(self._kinds))
        try:
            table = arrow_json.read_json(
                source,
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(part) + 1),
                parse_options=arrow_json.ParseOptions(explicit_schema=self._schema, unexpected_field_behavior="error"),
            )
        except (pa.ArrowException, ValueError, OSError):
            return None
        if table.num_rows != between + 1:
            # Several objects in a line are none.
            return None
        cells: dict[str, Cells] = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            for inner, each in _leaves(name, column.combine_chunks()):
                if inner in cells:
                    return None
                cells[inner] = each
        return Lines(part, parse, table.num_rows, cells)


def _learn(kinds: dict[str, Any], row: Mapping[str, Any], depth: int) -> bool:
    """Take the names of an object; whether all have one of the kinds that are known, and always the same."""
    for name, value in row.items():
        known = kinds.get(name, "none")
        if type(value) is dict:
            if depth >= _MOST_DEPTH or not value or (known != "none" and type(known) is not dict):
                return False
            inner = kinds[name] = {} if known == "none" else known
            if not _learn(inner, value, depth + 1):
                return False
            continue
        kind = _KINDS.get(type(value))
        if kind is None or (kind != known and "none" not in (kind, known)):
            return False
        if known == "none":
            kinds[name] = kind
    return True


def _fields_of(kinds: Mapping[str, Any]) -> list[Any]:
    import pyarrow as pa

    types = {"number": pa.float64(), "text": pa.string(), "none": pa.null()}
    return [
        pa.field(name, pa.struct(_fields_of(kind)) if isinstance(kind, Mapping) else types[kind])
        for name, kind in kinds.items()
    ]


def _leaves(name: str, column: Any) -> Iterator[tuple[str, Cells]]:
    """The cells below a name."""
    import pyarrow as pa

    if pa.types.is_struct(column.type):
        for field, inner in zip(column.type, column.flatten(), strict=True):
            yield from _leaves(f"{name}/{field.name}", inner)
        return
    if pa.types.is_null(column.type) or column.null_count == len(column):
        return
    given = given_in(column)
    rows = np.flatnonzero(given) if column.null_count else np.arange(len(column))
    if pa.types.is_string(column.type):
        yield name, Cells(rows, texts=column.drop_null())
        return
    numbers = numbers_of_array(column)
    yield name, Cells(rows, numbers[rows] if column.null_count else numbers)


class NamedColumns:
    """The numbers of many lines, by name, in the order in which they stand."""

    def __init__(self) -> None:
        self.rows = 0
        self._parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Take objects: text that is a number is that number; null, true and other text are none."""
        made = ColumnsOfRows()
        made.add(rows)
        columns = made.finish()
        order = np.argsort(columns.code, kind="stable")
        bounds = np.searchsorted(columns.code[order], np.arange(len(columns.names) + 1))
        for code, name in enumerate(columns.names):
            mine = order[bounds[code] : bounds[code + 1]]
            self._put(name, columns.row[mine], columns.value[mine])
        self.rows += len(rows)

    def add_cells(self, cells: Mapping[str, tuple[np.ndarray, np.ndarray]], count: int) -> None:
        """Take so many lines as the rows and the values of each name; a row may be left out, and no name twice."""
        for name, (rows, values) in cells.items():
            self._put(name, rows, values)
        self.rows += count

    def _put(self, name: str, rows: np.ndarray, values: np.ndarray) -> None:
        self._parts.setdefault(name, []).append(((rows + self.rows).astype(np.int32), values))

    def _column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        parts = self._parts.get(name, [])
        if len(parts) > 1:
            parts = self._parts[name] = [
                (np.concatenate([rows for rows, _ in parts]), np.concatenate([values for _, values in parts]))
            ]
        return parts[0] if parts else (np.empty(0, dtype=np.int32), np.empty(0))

    def of(self, name: str) -> np.ndarray:
        """One number for each row, NaN where it has none; shape (rows,)."""
        rows, values = self._column(name)
        column = np.full(self.rows, np.nan)
        column[rows] = values
        return column

    def steps(self, name: str) -> np.ndarray:
        """A column as steps, shape (rows,), int64: -1 where it is no whole number from 0 to ``MAX_STEP``."""
        return as_steps(self.of(name))

    def series(
        self,
        rows: np.ndarray,
        step: np.ndarray,
        *,
        epoch: np.ndarray | None,
        at: np.ndarray | None,
        without: Collection[str],
    ) -> dict[str, Series]:
        """Series of all names but some, of some rows.

        Args:
            rows: Which, shape (rows,), bool.
            step: Of each row, shape (rows,).
            epoch: The same, or ``None``.
            at: The same, in seconds.
            without: Names that are no metrics.
        """
        found: dict[str, Series] = {}
        shared: list[tuple[np.ndarray, Series]] = []
        for name in self._parts:
            if name in without:
                continue
            where, values = self._column(name)
            mine = rows[where]
            if not mine.all():
                where, values = where[mine], values[mine]
            if not len(where):
                continue
            like = next((other for places, other in shared if np.array_equal(places, where)), None)
            if like is None:
                epochs, times = (None if each is None else each[where] for each in (epoch, at))
                like = Series(
                    step[where],
                    values,
                    epochs if epochs is not None and np.isfinite(epochs).any() else None,
                    times if times is not None and np.isfinite(times).any() else None,
                )
                shared = [*shared, (where, like)][-_MOST_SHARED:]
            found[name] = replace(like, value=values)
        return found
