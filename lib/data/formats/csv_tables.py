"""CSV and its relatives, from whatever program: separators, quotes, blanks, and a file that is being written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from lib.data.formats.files import NotReadable, open_regular, read_bytes
from lib.data.formats.tables.arrow import columns_of_csv
from lib.data.formats.tables.table import NoTable, Numbers, Table, Words, as_numbers, check_size, distinct
from lib.data.formats.tables.written import BLANKS, are_numbers, has_decimal_comma, number_of

MOST_BYTES = 512 * 2**20
"""A log of five million rows has half of it."""
HEAD_BYTES = 256 * 2**10
"""Enough rows to see what a table is about, and read in no time."""

_SEPARATORS = ",\t;|"
_HEAD_ROWS, _HEAD_CELLS = 200, 100_000
_MOST_HEADER_BYTES = 2 * 2**20
_MOST_SLOW_BYTES = 8 * 2**20
"""What only Python's own module reads takes ten times its size in memory."""
_TYPICAL = 20
"""So many rows before the last one say how it should look."""
_SHORT_EXPONENT = re.compile(r"[eE][+-]?\d?$")


def read_csv(path: Path) -> Table:
    """A file of rows, up to its last whole one.

    Raises:
        NotReadable: If it cannot be opened or is too large.
        NoTable: If it holds no table.
    """
    return table_of(read_bytes(path, MOST_BYTES))


def read_head(path: Path) -> tuple[Table, bool]:
    """The first rows of a file, and whether these are all that it has.

    Raises:
        NotReadable: If it cannot be opened or is too large.
        NoTable: If it holds no table.
    """
    content, whole = first_bytes(path, MOST_BYTES, HEAD_BYTES)
    if not whole and _last_line_end(content) < 0:
        # A header of many columns fills it alone.
        content, whole = first_bytes(path, MOST_BYTES, _MOST_HEADER_BYTES)
    if not whole:
        # Where a file was cut here says nothing about its last row.
        content = content[: _last_line_end(content) + 1]
    return table_of(content), whole


def first_bytes(path: Path, most: int, size: int) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether these are all.

    Args:
        path: Where it lies.
        most: Larger files are refused, in bytes.
        size: How many bytes.

    Raises:
        NotReadable: If it cannot be opened or is too large.
    """
    try:
        with open_regular(path, most) as file:
            content = file.read(size)
            return content, not file.read(1)
    except OSError as error:
        raise NotReadable("The file could not be read.") from error


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a file is written: its separator, its column names, its first rows, and where its rows begin, in bytes."""

    separator: str
    names: tuple[str, ...]
    first: list[list[str]]
    body: int
    decimal_comma: bool


def table_of(content: bytes) -> Table:
    """The table in the content of a file. An unfinished last row is left out.

    Blank cells and words for nothing (``NA``, ``null``) are not given; ``nan`` and ``inf`` are numbers.

    Raises:
        NoTable: If it is none.
    """
    content = _as_utf8(content)
    dialect = _dialect_of(content)
    end, note = _end_of_rows(content, dialect)
    rows = content.count(b"\n", dialect.body, end) or content.count(b"\r", dialect.body, end)
    check_size(len(dialect.names), rows + 1)
    if end <= dialect.body:
        return Table(dialect.names, 0, {}, {}, note)
    columns, bad = _read_fast(content, dialect, end) or _read_slowly(content[:end], dialect)
    if bad > rows / 2:
        raise NoTable("Most of its rows have another number of cells than the header.")
    if bad:
        note = (*note, f"{bad:,} of its rows have another number of cells than the header and were left out.")
    numbers = {name: each for name, each in columns.items() if isinstance(each, Numbers)}
    words = {name: each for name, each in columns.items() if isinstance(each, Words)}
    count = next((len(each.given) for each in numbers.values()), None)
    if count is None:
        count = next((len(each.codes) for each in words.values()), 0)
    return Table(dialect.names, count, numbers, words, note)


def _as_utf8(content: bytes) -> bytes:
    """Content without a byte order mark, in UTF-8, beginning with its first line."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content[:4096]:
        raise NoTable("Expected lines of text, found a binary file.")
    return content.lstrip(b"\r\n") if content[:1] in (b"\r", b"\n") else content


def _last_line_end(content: bytes) -> int:
    return max(content.rfind(b"\n"), content.rfind(b"\r"))


def _dialect_of(content: bytes) -> _Dialect:
    """How a file is written, from its first lines.

    Raises:
        NoTable: If its first line is no header of two columns or more.
    """
    ends = [at for at in (content.find(b"\n"), content.find(b"\r")) if at >= 0]
    if not ends:
        raise NoTable("Expected a header and rows below it, found no whole line.")
    body = min(ends) + 1
    if content[body - 1 : body + 1] == b"\r\n":
        body += 1
    header = content[:body].decode("utf-8", "replace").strip("\r\n")
    if len(header) > _MOST_HEADER_BYTES or header.count('"') % 2:
        raise NoTable("Expected a header in the first line, found a text that goes on.")
    first = content[body : body + HEAD_BYTES].decode("utf-8", "replace")
    # A quoted comma separates nothing, and rows have as many cells as the header.
    found = [(_header_cells(header, each), each) for each in _SEPARATORS]
    cells, separator = max(found, key=lambda each: len(each[0]))
    if len(cells) < 2:
        raise NoTable("Expected a table, found lines without columns.")
    rows = _first_rows(first, separator)
    names = [cell.strip().strip("\ufeff") for cell in cells]
    names[0] = names[0].lstrip("# ")
    decimal_comma = separator != "," and has_decimal_comma([cell for row in rows for cell in row])
    return _Dialect(separator, distinct(names), rows, body, decimal_comma)


def _header_cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _first_rows(text: str, separator: str) -> list[list[str]]:
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        first = [row for row in islice(rows, 1) if row]
        # Of ten thousand columns a few rows are enough to look at.
        most = min(_HEAD_ROWS, _HEAD_CELLS // max(1, *map(len, first), 1))
        return first + [row for row in islice(rows, most) if row]
    except csv.Error:
        return []


def _end_of_rows(content: bytes, dialect: _Dialect) -> tuple[int, tuple[str, ...]]:
    """Where the last whole row ends, in bytes, and a sentence where something follows that was left out.

    A program that writes leaves a row unfinished for a moment, and for ever where it is killed; exports leave out the
    last line's end. A row without its end counts where it has all its cells, and the last of them looks whole.
    """
    end = _last_line_end(content) + 1
    tail = content[end:].decode("utf-8", "replace")
    if not tail.strip():
        return end, ()
    lines = content[max(dialect.body, end - HEAD_BYTES) : end].decode("utf-8", "replace").splitlines()
    before = [row for line in lines[-_TYPICAL:] if (row := _header_cells(line, dialect.separator))]
    row = _header_cells(tail, dialect.separator)
    if (
        len(row) == len(dialect.names)
        and tail.count('"') % 2 == 0
        and (tail.endswith('"') or _looks_whole(row, before))
    ):
        return len(content), ()
    return end, ("Its last row is not finished and was left out.",)


def _looks_whole(row: Sequence[str], before: Sequence[Sequence[str]]) -> bool:
    """Whether the last cell of a row may be whole: as long as others of its column, and no step back of a count."""
    cell = row[-1].strip()
    others = [other for each in before if len(each) == len(row) and (other := each[-1].strip())]
    if not cell or not others:
        return True
    number, numbers = number_of(cell), [number_of(each) for each in others]
    if number is None:
        return all(each is None for each in numbers)
    known = [each for each in numbers if each is not None]
    if len(known) > 1 and known == sorted(known) and number < known[-1]:
        return False
    # Programs write exponents with two digits.
    return len(cell) >= min(map(len, others)) and not _SHORT_EXPONENT.search(cell)


def _read_fast(content: bytes, dialect: _Dialect, end: int) -> tuple[dict[str, Numbers | Words], int] | None:
    """The columns by Arrow, and how many rows were left out; ``None`` where it refuses.

    They are numbers where the first rows have them, else all texts. Rows with more or fewer cells than the header are
    left out only where the file is too large to be read otherwise.
    """
    numeric = [
        are_numbers([row[place] for row in dialect.first if place < len(row)], dialect.decimal_comma)
        for place in range(len(dialect.names))
    ]
    rows = slice(dialect.body, end)
    for skips in (False, True) if len(content) > _MOST_SLOW_BYTES else (False,):
        for guesses in (numeric, [False] * len(numeric)):
            kinds = dict(zip(dialect.names, guesses, strict=True))
            found = columns_of_csv(content, rows, kinds, dialect.separator, dialect.decimal_comma, skips)
            if found is not None:
                return found
    return None


def _read_slowly(content: bytes, dialect: _Dialect) -> tuple[dict[str, Numbers | Words], int]:
    """The columns by Python's own module: rows that are too short end in blanks, those too long are counted.

    Raises:
        NoTable: If that is too large for it, or no CSV either.
    """
    if len(content) > _MOST_SLOW_BYTES:
        raise NoTable(
            "Expected CSV, found a quote that does not end or another mistake; "
            f"such files are read up to {_MOST_SLOW_BYTES // 2**20} MB."
        )
    width = len(dialect.names)
    codes: list[dict[str, int]] = [{} for _ in range(width)]
    cells: list[list[int]] = [[] for _ in range(width)]
    bad = 0
    text = io.StringIO(content[dialect.body :].decode("utf-8", "replace"), newline="")
    try:
        for row in csv.reader(text, delimiter=dialect.separator):
            if not row:
                continue
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                bad += 1
                continue
            for place in range(width):
                cell = row[place].strip() if place < len(row) else ""
                known = codes[place]
                cells[place].append(-1 if cell in BLANKS else known.setdefault(cell, len(known)))
    except csv.Error as error:
        raise NoTable("Expected CSV, found a quote that does not end or a cell without measure.") from error
    columns: dict[str, Numbers | Words] = {}
    for place, name in enumerate(dialect.names):
        words = Words(np.array(cells[place], dtype=np.int32), list(codes[place]))
        columns[name] = as_numbers(name, words, dialect.decimal_comma) or words
    return columns, bad
