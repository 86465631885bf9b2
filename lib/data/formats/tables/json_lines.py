"""Files with one JSON object in a line, as tables."""

from __future__ import annotations

import io
from array import array
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.formats.csv_tables import first_bytes
from lib.data.formats.files import read_bytes
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

    __slots__ = ("is_number", "known", "numbers", "rows", "texts")

    def __init__(self) -> None:
        self.rows = array("q")
        self.numbers = array("d")
        self.texts = array("i")
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
        self.rows.append(row)
        self.numbers.append(np.nan if number is None else number)
        # Where a column is all numbers their spelling is of no use to anybody.
        if text and len(self.known) < _MOST_WORDS:
            self.texts.append(self.known.setdefault(text, len(self.known)))
        else:
            self.texts.append(self.known.get(text, -1))
        return True

    def take_all(self, rows: np.ndarray, numbers: np.ndarray) -> None:
        """Put in numbers of so many rows."""
        self.rows.frombytes(rows.astype(np.int64).tobytes())
        self.numbers.frombytes(numbers.tobytes())
        self.texts.frombytes(np.full(len(rows), -1, dtype=np.int32).tobytes())


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
    columns: dict[str, _Column] = {}
    rows, bad, cells, refused = 0, 0, 0, 0
    waiting: list[dict[str, Any]] = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    for line in io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")):
        if not line.strip():
            continue
        found = object_in(line)
        if found is None:
            if line.endswith(b"\n"):
                bad += 1
                if bad > rows + len(waiting) + 3:
                    raise NoTable("Expected a JSON object in every line.")
            continue
        waiting.append(found)
        if len(waiting) == _ROWS_AT_ONCE:
            cells, refused = _take(columns, waiting, rows, cells, refused)
            rows += len(waiting)
            waiting = []
    cells, refused = _take(columns, waiting, rows, cells, refused)
    rows += len(waiting)
    if not rows or bad > rows:
        raise NoTable("Expected a JSON object in every line.")
    notes = []
    if bad:
        notes.append(f"{bad:,} of its lines are no JSON objects and were left out.")
    if refused:
        notes.append(f"Only the first {MOST_COLUMNS:,} names are read.")
    return _table(columns, rows, tuple(notes))


def _take(
    columns: dict[str, _Column], objects: list[dict[str, Any]], begin: int, cells: int, refused: int
) -> tuple[int, int]:
    """Put objects into the columns as the rows from ``begin`` on; how many cells and refused values there are then."""
    if (plain := _plain(columns, objects)) is not None:
        for name, (at, numbers) in plain.items():
            columns.setdefault(name, _Column()).take_all(at + begin, numbers)
            cells += len(at)
    else:
        for row, each in enumerate(objects, begin):
            for name, value in _flat(each):
                column = columns.get(name)
                if column is None:
                    if len(columns) >= MOST_COLUMNS:
                        refused += 1
                        continue
                    column = columns[name] = _Column()
                cells += column.take(row, value)
    if cells > MOST_CELLS:
        raise NoTable(f"The file has more than {MOST_CELLS:,} values; larger ones are not read.")
    return cells, refused


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
    kept = [(name.strip(), column) for name, column in columns.items() if len(column.rows)]
    if len(kept) * rows > MOST_CELLS:
        raise NoTable(f"The table has {len(kept) * rows:,} cells; tables of more than {MOST_CELLS:,} are not read.")
    names = distinct(name for name, _ in kept)
    for name, (_, column) in zip(names, kept, strict=True):
        at = np.frombuffer(column.rows, dtype=np.int64)
        if column.is_number:
            values, given = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
            values[at], given[at] = np.frombuffer(column.numbers, dtype=np.float64), True
            numbers[name] = Numbers(values, given)
        else:
            codes = np.full(rows, -1, dtype=np.int32)
            codes[at] = np.frombuffer(column.texts, dtype=np.int32)
            words[name] = Words(codes, list(column.known))
    return Table(names, rows, numbers, words, notes)
