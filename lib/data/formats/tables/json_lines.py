"""Files with one JSON object in a line, as tables."""

from __future__ import annotations

import io
from array import array
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.arrow_arrays import codes_of_array
from lib.data.formats.csv_tables import first_bytes
from lib.data.formats.files import read_bytes
from lib.data.formats.json_columns import Cells, lines_of
from lib.data.formats.json_objects import object_in
from lib.data.formats.json_rows import shapes_of
from lib.data.formats.tables.table import MOST_CELLS, MOST_COLUMNS, NoTable, Numbers, Table, Words, distinct
from lib.data.formats.tables.written import BLANKS, number_of

MOST_BYTES = 256 * 2**20
"""Two million lines of a log; parsing this much takes several seconds."""
HEAD_BYTES = 256 * 2**10
_MOST_DEPTH = 8
_ROWS_AT_ONCE = 4096
_NUMBERS = {float, int}
_NO_OBJECTS = "Expected a JSON object in every line."
_MOST_WORDS = 100_000
"""Different texts of a column that are kept; more are no names of anything."""
_MOST_LETTERS = 400
"""Of a longer text the start is kept: enough to see that it is one."""


def read_json_lines(path: Path) -> Table:
    """The objects of a file as rows.

    Raises:
        NotReadable: If it cannot be opened or is too large.
        NoTable: If its lines are no objects.
    """
    return table_of_lines(read_bytes(path, MOST_BYTES))


def read_json_head(path: Path) -> tuple[Table, bool]:
    """The first rows of a file, and whether these are all that it has.

    Raises:
        NotReadable: If it cannot be opened or is too large.
        NoTable: If its lines are no objects.
    """
    content, whole = first_bytes(path, MOST_BYTES, HEAD_BYTES)
    if not whole and b"\n" not in content:
        # One line may be longer than that: a text of a data set.
        content, whole = first_bytes(path, MOST_BYTES, 16 * HEAD_BYTES)
    return table_of_lines(content), whole


class _Column:
    """The cells of one name: which row each stands in, and its number or text."""

    __slots__ = ("_numbers", "_rows", "_texts", "is_number", "known", "parts")

    def __init__(self) -> None:
        self._rows, self._numbers, self._texts = array("i"), array("d"), array("i")
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []
        """Rows, int32; numbers, float64; and places in ``known``, int32, or ``None`` where all are numbers."""
        self.known: dict[str, int] = {}
        self.is_number = True

    def take(self, row: int, value: Any) -> bool:
        """Put in a value of a row; whether it was one that a cell can hold."""
        text = ""
        if isinstance(value, str):
            text = value if len(value) <= _MOST_LETTERS else value[:_MOST_LETTERS]
            if text.strip() in BLANKS:
                return False
            number = number_of(text)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = _double(value)
        elif isinstance(value, bool):
            number, text = None, str(value)
        else:
            return False
        if number is None:
            self.is_number = False
        self._rows.append(row)
        self._numbers.append(np.nan if number is None else number)
        self._texts.append(self._place_of(text))
        return True

    def _place_of(self, text: str) -> int:
        # Where a column is all numbers their spelling is of no use to anybody.
        if text and len(self.known) < _MOST_WORDS:
            return self.known.setdefault(text, len(self.known))
        return self.known.get(text, -1)

    def take_all(self, rows: np.ndarray, numbers: np.ndarray) -> int:
        """Put in numbers of so many rows; how many."""
        self.finish()
        self.parts.append((rows.astype(np.int32), numbers, None))
        return len(rows)

    def take_texts(self, rows: np.ndarray, texts: Any) -> int:
        """Put in texts of so many rows, an array of Arrow's: each different one is looked at once. How many are cells.

        What is written first is first here too, so that all comes to what ``take`` makes of one by one.
        """
        self.finish()
        coded = texts.dictionary_encode()
        numbers, places, is_cell = [], [], []
        for whole in coded.dictionary.to_pylist():
            text = whole[:_MOST_LETTERS]
            is_cell.append(text.strip() not in BLANKS)
            number = number_of(text) if is_cell[-1] else None
            self.is_number &= number is not None or not is_cell[-1]
            numbers.append(np.nan if number is None else number)
            places.append(self._place_of(text) if is_cell[-1] else -1)
        codes = codes_of_array(coded.indices)
        kept = np.array(is_cell, dtype=bool)[codes]
        if not kept.all():
            rows, codes = rows[kept], codes[kept]
        if not len(rows):
            return 0
        self.parts.append((
            rows.astype(np.int32),
            np.array(numbers, dtype=np.float64)[codes],
            np.array(places, dtype=np.int32)[codes],
        ))  # fmt: skip
        return len(rows)

    def finish(self) -> None:
        """Have all cells in ``parts``."""
        if len(self._rows):
            kinds = (self._rows, np.int32), (self._numbers, np.float64), (self._texts, np.int32)
            rows, numbers, texts = (np.frombuffer(each, dtype=kind) for each, kind in kinds)
            self.parts.append((rows, numbers, texts))
            self._rows, self._numbers, self._texts = array("i"), array("d"), array("i")


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def table_of_lines(content: bytes) -> Table:
    """The objects in the content of a file as rows; what is nested is named with "/".

    Lines that are no objects are counted, and a last line that is not finished is left out.

    Raises:
        NoTable: If there is no object, or more lines are something else.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    read = _Lines()
    for lines in lines_of(content, parse=read.parsed):
        if lines.cells is None or not read.take_cells(lines.cells, lines.count):
            read.take_objects(lines.objects()[0])
        if read.cells > MOST_CELLS:
            raise NoTable(f"The file has more than {MOST_CELLS:,} values; larger ones are not read.")
    if not read.rows or read.bad > read.rows:
        raise NoTable(_NO_OBJECTS)
    notes = []
    if read.bad:
        notes.append(f"{read.bad:,} of its lines are no JSON objects and were left out.")
    if read.refused:
        notes.append(f"Only the first {MOST_COLUMNS:,} names are read.")
    return _table(read.columns, read.rows, tuple(notes))


class _Lines:
    """What was read of a file so far.

    Attributes:
        columns: By name.
        rows: How many there are.
        bad: How many lines are no objects.
        cells, refused: How many values were taken, and how many not, as there are too many names.
    """

    def __init__(self) -> None:
        self.columns: dict[str, _Column] = {}
        self.rows = self.bad = self.cells = self.refused = 0

    def parsed(self, part: bytes) -> tuple[list[dict[str, Any]], int]:
        """The objects in some lines, and how many other lines are none.

        Raises:
            NoTable: If so many are none that this is another file.
        """
        found: list[dict[str, Any]] = []
        before = self.bad
        for line in io.BytesIO(part):
            if not line.strip():
                continue
            each = object_in(line)
            if each is not None:
                found.append(each)
            elif line.endswith(b"\n"):
                self.bad += 1
                if self.bad > self.rows + len(found) + 3:
                    raise NoTable(_NO_OBJECTS)
        return found, self.bad - before

    def take_cells(self, cells: Mapping[str, Cells], count: int) -> bool:
        """Take so many lines; whether there is room for all their names."""
        if not cells.keys() <= self.columns.keys():
            return False
        for name, each in cells.items():
            column, rows = self.columns[name], each.rows + self.rows
            if each.numbers is not None:
                self.cells += column.take_all(rows, each.numbers)
            else:
                self.cells += column.take_texts(rows, each.texts)
        self.rows += count
        return True

    def take_objects(self, objects: list[dict[str, Any]]) -> None:
        """Take the objects of as many lines."""
        for begin in range(0, len(objects), _ROWS_AT_ONCE):
            self._take(objects[begin : begin + _ROWS_AT_ONCE])

    def _take(self, objects: list[dict[str, Any]]) -> None:
        if (plain := _plain(self.columns, objects)) is not None:
            for name, (at, numbers) in plain.items():
                self.cells += self.columns.setdefault(name, _Column()).take_all(at + self.rows, numbers)
        else:
            for row, each in enumerate(objects, self.rows):
                for name, value in _flat(each):
                    column = self.columns.get(name)
                    if column is None:
                        if len(self.columns) >= MOST_COLUMNS:
                            self.refused += 1
                            continue
                        column = self.columns[name] = _Column()
                    self.cells += column.take(row, value)
        self.rows += len(objects)


def _plain(
    columns: dict[str, _Column], objects: list[dict[str, Any]]
) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
    """The places and numbers of each name, where objects hold nothing but numbers, as most do."""
    if not set(map(type, chain.from_iterable(map(dict.values, objects)))) <= _NUMBERS:
        return None
    shapes = shapes_of(objects)
    names = dict.fromkeys(chain.from_iterable(shapes.keys))
    if len(columns.keys() | names.keys()) > MOST_COLUMNS:
        return None
    found = {}
    try:
        for name in names:
            at = shapes.having(name)
            found[name] = at, np.array([objects[place][name] for place in at.tolist()], dtype=np.float64)
    except OverflowError:
        return None
    return found


def _flat(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """The values of an object and of those in it, by their names joined with "/"."""
    flat: list[tuple[str, Any]] = []
    waiting: list[tuple[str, dict[str, Any], int]] = [("", found, 0)]
    while waiting:
        prefix, each, depth = waiting.pop()
        for name, value in each.items():
            if isinstance(value, dict):
                if depth < _MOST_DEPTH:
                    waiting.append((f"{prefix}{name}/", value, depth + 1))
            else:
                flat.append((prefix + name, value))
    return flat


def _table(columns: dict[str, _Column], rows: int, notes: tuple[str, ...]) -> Table:
    numbers: dict[str, Numbers] = {}
    words: dict[str, Words] = {}
    for column in columns.values():
        column.finish()
    kept = [(name.strip(), column) for name, column in columns.items() if column.parts]
    if len(kept) * rows > MOST_CELLS:
        raise NoTable(f"The table has {len(kept) * rows:,} cells; tables of more than {MOST_CELLS:,} are not read.")
    names = distinct(name for name, _ in kept)
    every = np.ones(rows, dtype=bool)
    every.setflags(write=False)
    for name, (_, column) in zip(names, kept, strict=True):
        parts, column.parts = column.parts, []
        if column.is_number:
            values, given = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
            for at, value, _ in parts:
                values[at], given[at] = value, True
            numbers[name] = Numbers(values, every if given.all() else given)
        else:
            codes = np.full(rows, -1, dtype=np.int32)
            for at, _, code in parts:
                codes[at] = -1 if code is None else code
            words[name] = Words(codes, list(column.known))
    return Table(names, rows, numbers, words, notes)
