"""CSV and its relatives, from whatever program: separators, quotes, blanks, and a file that is being written."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from lib.data.formats.files import NotReadable, open_regular
from lib.data.formats.tables.csv_rows import CsvRows, columns_of
from lib.data.formats.tables.table import NoTable, Numbers, Table, Words, check_size, distinct
from lib.data.formats.tables.written import are_numbers, has_decimal_comma, number_of

MOST_BYTES = 512 * 2**20
"""A log of five million rows has half of it."""
HEAD_BYTES = 256 * 2**10
"""Enough rows to see what a table is about, and read in no time."""

_SEPARATORS = ",\t;|"
_HEAD_ROWS, _HEAD_CELLS = 200, 100_000
_MOST_HEADER_BYTES = 2 * 2**20
_TYPICAL = 20
"""So many rows before the last one say how it should look."""
_SHORT_EXPONENT = re.compile(r"[eE][+-]?\d?$")


def read_csv(path: Path) -> Table:
    """A file of rows, up to its last whole one.

    Raises:
        NotReadable: If it cannot be opened or is too large.
        NoTable: If it holds no table.
    """
    try:
        with open_regular(path, MOST_BYTES) as file:
            # No more than it had: what grows faster than it is read would have no end.
            return _table_in(file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise NotReadable("The file could not be read.") from error


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


_EXCEL = re.compile(rb'"?sep=.{1,2}"?[\r\n]+', re.IGNORECASE)


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
    return _table_in(io.BytesIO(content), len(content))


def _table_in(file: BinaryIO, size: int) -> Table:
    """The table in the first bytes of an open file, so many of them."""
    head = file.read(min(size, 2 * HEAD_BYTES))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = (head + file.read(size - len(head))).decode("utf-16", "replace").encode()
        file, size, head = io.BytesIO(content), len(content), content[: 2 * HEAD_BYTES]
    begin = _begin_of(head)
    if _last_line_end(head[begin : begin + HEAD_BYTES]) < 0 and len(head) < size:
        # A header of many columns, or lines of nothing.
        file.seek(0)
        head = file.read(min(size, _MOST_HEADER_BYTES + 2 * HEAD_BYTES))
        begin = _begin_of(head)
    dialect = _dialect_of(head[begin:])
    body = begin + dialect.body
    end, note = _end_of_rows(file, body, size, dialect)
    if end <= body:
        check_size(len(dialect.names), 0)
        return Table(dialect.names, 0, {}, {}, note)
    numeric = [name for place, name in enumerate(dialect.names) if _holds_numbers(dialect, place, name)]
    rows = CsvRows(file, body, end, dialect.names, frozenset(numeric), dialect.separator, dialect.decimal_comma)
    columns, count, bad = columns_of(rows)
    if bad > count:
        raise NoTable("Most of its rows have another number of cells than the header.")
    if bad:
        note = (*note, f"{bad:,} of its rows have another number of cells than the header and were left out.")
    numbers = {name: each for name, each in columns.items() if isinstance(each, Numbers)}
    words = {name: each for name, each in columns.items() if isinstance(each, Words)}
    return Table(dialect.names, count, numbers, words, note)


def _begin_of(head: bytes) -> int:
    """Where the first line begins, behind a byte order mark and empty lines."""
    begin = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    if b"\0" in head[begin : begin + 4096]:
        raise NoTable("Expected lines of text, found a binary file.")
    begin = len(head) - len(head[begin:].lstrip(b"\r\n"))
    # Excel is told in a line of its own what stands between cells.
    found = _EXCEL.match(head, begin)
    return found.end() if found else begin


def _holds_numbers(dialect: _Dialect, place: int, name: str) -> bool:
    """Whether the first rows have numbers in a column, if anything but the header again."""
    cells = [cell for row in dialect.first if place < len(row) and (cell := row[place]).strip() != name]
    return are_numbers(cells, dialect.decimal_comma)


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


def _end_of_rows(file: BinaryIO, body: int, size: int, dialect: _Dialect) -> tuple[int, tuple[str, ...]]:
    """Where the last whole row ends, in bytes, and a sentence where something follows that was left out.

    A program that writes leaves a row unfinished for a moment, and for ever where it is killed; exports leave out the
    last line's end. A row without its end counts where it has all its cells, and the last of them looks whole.
    """
    length = 0
    while True:
        length = min(size, max(HEAD_BYTES, 4 * length))
        file.seek(size - length)
        last = file.read(length)
        at = _last_line_end(last) + 1
        if at or length == size:
            break
    end, tail = size - length + at, last[at:].decode("utf-8", "replace")
    if not tail.strip():
        return end, ()
    first = max(body, end - HEAD_BYTES)
    file.seek(first)
    lines = file.read(max(0, end - first)).decode("utf-8", "replace").splitlines()
    before = [row for line in lines[-_TYPICAL:] if (row := _header_cells(line, dialect.separator))]
    row = _header_cells(tail, dialect.separator)
    if (
        len(row) == len(dialect.names)
        and tail.count('"') % 2 == 0
        and (tail.endswith('"') or _looks_whole(row, before))
    ):
        return size, ()
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
