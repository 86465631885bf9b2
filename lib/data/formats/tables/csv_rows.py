"""The rows of CSV as columns, some megabytes at a time, so that no more of a file is held than its numbers.

Arrow reads each block as numbers where the columns hold numbers. A block that it refuses so is read as texts, which are
looked at one by one, and one whose rows have different lengths by Python's own module. What a cell means depends on no
block: all three come to the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from lib.data.formats.arrow_arrays import codes_of_array, give_back
from lib.data.formats.tables.arrow import ArrowTexts, numbers_of_arrow, words_of_arrow
from lib.data.formats.tables.table import NoTable, Numbers, Words, as_numbers, check_size
from lib.data.formats.tables.written import BLANKS

BLOCK_BYTES = 4 * 2**20
_LARGE_BYTES = 2**20
"""Less is read sooner than a thread is woken."""
_MOST_QUOTED_BYTES = 8 * 2**20
"""A cell with line ends in it is no longer; where a quote does not end sooner, it is a letter like any other."""
_MARGIN = 1.02
"""Later rows may be shorter than the first."""
_MANY_WORDS, _MOSTLY = 200_000, 0.9
"""A column of more different texts, in this share of the rows, names nothing."""
_OFTEN = 2
"""A column whose cells were no plain numbers in so many blocks is read as texts from then on."""


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Where rows stand, and how they are written.

    Attributes:
        file: Can be read from any place.
        begin, end: The rows below the header, in bytes; the last one is whole.
        names: Of the columns, in order.
        numeric: Those that are expected to hold numbers.
        separator: What stands between cells.
        decimal_comma: Fractions stand behind a comma.
    """

    file: BinaryIO
    begin: int
    end: int
    names: Sequence[str]
    numeric: Collection[str]
    separator: str
    decimal_comma: bool

    def blocks(self) -> Iterator[bytes]:
        """The rows in pieces that end with one."""
        self.file.seek(self.begin)
        left, rest = self.end - self.begin, b""
        while left and (part := self.file.read(min(BLOCK_BYTES, left))):
            left -= len(part)
            block = rest + part if rest else part
            cut = _end_of_rows(block) if left else len(block)
            rest = block[cut:]
            if cut:
                yield block[:cut] if rest else block
        if rest:
            yield rest


def _end_of_rows(block: bytes) -> int:
    """Where the last row ends that is whole; 0 for nowhere. A line end between quotes ends no row."""
    last = at = block.rfind(b"\n") + 1 or block.rfind(b"\r") + 1
    quotes = block.count(b'"', 0, at)
    while quotes % 2:
        before = block.rfind(b"\n", 0, at - 1) + 1
        quotes -= block.count(b'"', before, at)
        at = before
    return at or (last if len(block) >= _MOST_QUOTED_BYTES else 0)


class _Column:
    """What was read of a column: numbers, or texts as Arrow's dictionaries.

    Attributes:
        is_numbers: Which of these.
        odd: In how many blocks its cells were no plain numbers.
        texts: The texts of each block.
    """

    __slots__ = ("_given", "_values", "is_numbers", "odd", "texts")

    def __init__(self, *, is_numbers: bool) -> None:
        self.is_numbers, self.odd = is_numbers, 0
        self.texts: list[Any] = []
        self._values, self._given = np.empty(0), np.empty(0, dtype=bool)

    def put(self, numbers: Numbers, begin: int, expected: int) -> None:
        """Take the numbers of more rows.

        Args:
            numbers: These.
            begin: How many rows there were before.
            expected: How many there may be in the end: so much room is made at once, and used as far as it is needed.
        """
        end = begin + len(numbers.values)
        if end > len(self._values):
            self._values = _widened(self._values, begin, max(end, expected))
        self._values[begin:end] = numbers.values
        is_whole = numbers.given.all()
        if not len(self._given) and is_whole:
            return
        if not len(self._given):
            self._given = np.ones(max(end, expected), dtype=bool)
        elif end > len(self._given):
            self._given = _widened(self._given, begin, max(end, expected))
        self._given[begin:end] = numbers.given

    def numbers(self, every: np.ndarray) -> Numbers:
        """All that was taken.

        Args:
            every: A mask of all rows, for a column that is given in each.
        """
        count = len(every)
        return Numbers(self._values[:count], self._given[:count] if len(self._given) else every)


def _widened(values: np.ndarray, used: int, size: int) -> np.ndarray:
    # What is not written to yet takes no memory.
    wider = np.empty(size, dtype=values.dtype)
    wider[:used] = values[:used]
    return wider


def columns_of(rows: CsvRows) -> tuple[dict[str, Numbers | Words], int, int]:
    """The columns of CSV, how many rows they have, and how many rows were left out since they have too many cells.

    Texts have no spaces around them. Rows that are too short end in blanks.

    Raises:
        NoTable: If that is no CSV, or too large.
    """
    columns = {name: _Column(is_numbers=name in rows.numeric) for name in rows.names}
    count, bad = _read(rows, columns)
    mixed = [name for name, column in columns.items() if not column.is_numbers and name in rows.numeric]
    if mixed:
        # Texts came late among numbers: those before them are texts too.
        again = {name: _Column(is_numbers=False) for name in mixed}
        if _read(rows, again)[0] != count:
            raise NoTable("The file was changed while it was read.")
        columns |= again
    every = np.ones(count, dtype=bool)
    every.setflags(write=False)
    joined = {}
    for name in rows.names:
        joined[name] = _joined(name, columns.pop(name), rows, every)
        if rows.end - rows.begin > BLOCK_BYTES:
            give_back()
    return joined, count, bad


def _read(rows: CsvRows, columns: dict[str, _Column]) -> tuple[int, int]:
    """Take what all blocks have of some columns; how many rows these are, and how many were left out."""
    count = bad = seen = 0
    for block in rows.blocks():
        seen += len(block)
        plain = {name for name, column in columns.items() if column.is_numbers and column.odd < _OFTEN}
        read = _parsed(block, rows, list(columns), plain) if plain else None
        if read is None:
            read, plain = _parsed(block, rows, list(columns), ()), set()
        if read is None:
            read, wrong = _parsed_slowly(block, rows, list(columns))
            bad += wrong
        check_size(len(rows.names), count + read.num_rows)
        expected = int((count + read.num_rows) * (rows.end - rows.begin) / seen * _MARGIN)
        for name in columns:
            _take(name, columns, read.column(name), (count, expected), decimal_comma=rows.decimal_comma)
        count += read.num_rows
    return count, bad


def _parsed(block: bytes, rows: CsvRows, names: Sequence[str], plain: Collection[str]) -> Any:
    """A block as Arrow's table, some columns as numbers and the others as texts; ``None`` where it refuses."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    source: Any = pa.BufferReader(block)
    try:
        return arrow_csv.read_csv(
            source,
            read_options=arrow_csv.ReadOptions(column_names=list(rows.names), use_threads=len(block) > _LARGE_BYTES),
            parse_options=arrow_csv.ParseOptions(delimiter=rows.separator, newlines_in_values=b'"' in block),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.float64() if name in plain else pa.string() for name in names},
                include_columns=list(names),
                null_values=list(BLANKS),
                strings_can_be_null=True,
                decimal_point="," if rows.decimal_comma else ".",
            ),
        )
    except (pa.ArrowException, ValueError, OSError):
        return None


def _parsed_slowly(block: bytes, rows: CsvRows, names: Sequence[str]) -> tuple[Any, int]:
    """The same by Python's own module, all columns as texts; and how many rows have more cells than the header."""
    import pyarrow as pa

    width, bad = len(rows.names), 0
    cells: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(block.decode("utf-8", "replace"), newline=""), delimiter=rows.separator):
            if len(row) == width:
                cells.append(row)
            elif len(row) > width and any(cell.strip() for cell in row[width:]):
                bad += 1
            elif row:
                cells.append((row + [""] * (width - len(row)))[:width])
    except csv.Error as error:
        raise NoTable("Expected CSV, found a quote that does not end or a cell without measure.") from error
    columns = dict(zip(rows.names, zip(*cells, strict=True), strict=True)) if cells else {}
    texts = {
        name: [None if (text := cell.strip()) in BLANKS else text for cell in columns.get(name, ())] for name in names
    }
    return pa.table({name: pa.array(each, pa.string()) for name, each in texts.items()}), bad


def _take(name: str, columns: dict[str, _Column], part: Any, place: tuple[int, int], *, decimal_comma: bool) -> None:
    import pyarrow as pa

    column = columns[name]
    if not column.is_numbers:
        column.texts.append(part.dictionary_encode())
    elif pa.types.is_float64(part.type):
        column.put(numbers_of_arrow(part), *place)
    elif (found := _numbers_in(name, part, decimal_comma)) is not None:
        numbers, is_plain = found
        column.put(numbers, *place)
        column.odd += not is_plain
    else:
        columns[name] = _Column(is_numbers=False)


def _numbers_in(name: str, texts: Any, decimal_comma: bool) -> tuple[Numbers, bool] | None:
    """The numbers that texts state, and whether all are plain; ``None`` where one states none."""
    import pyarrow as pa
    from pyarrow import compute

    if not decimal_comma:
        try:
            return numbers_of_arrow(compute.cast(texts, pa.float64())), True
        except pa.ArrowException:
            pass
    words = _words_in(texts.dictionary_encode())
    if not words.words:
        return Numbers(np.full(len(texts), np.nan), np.zeros(len(texts), dtype=bool)), True
    # A header that was written again is of one block, and says nothing of the others.
    is_plain = name in words.words
    numbers = as_numbers(name, words, decimal_comma)
    if numbers is None and set(words.words) <= {name}:
        numbers = Numbers(np.full(len(texts), np.nan), np.zeros(len(texts), dtype=bool))
    return None if numbers is None else (numbers, is_plain)


def _words_in(encoded: Any) -> Words:
    """Arrow's dictionary of texts as ours: without spaces around them, and without those that stand for nothing."""
    return _stripped(words_of_arrow(encoded))


def _stripped(words: Words) -> Words:
    if isinstance(words.words, ArrowTexts) and not words.words.may_have_spaces():
        # Arrow has seen to those that stand for nothing.
        return words
    known: dict[str, int] = {}
    codes = [-1 if (text := word.strip()) in BLANKS else known.setdefault(text, len(known)) for word in words.words]
    if len(known) == len(words.words):
        return Words(words.codes, list(known))
    return Words(np.array([*codes, -1], dtype=np.int32)[words.codes], list(known))


def _put_together(chunks: Sequence[Any]) -> Words:
    """Dictionaries of texts one behind the other."""
    import pyarrow as pa

    texts = ArrowTexts(pa.concat_arrays([chunk.dictionary for chunk in chunks]))
    begins = np.cumsum([0, *(len(chunk.dictionary) for chunk in chunks)]).tolist()
    codes = [codes_of_array(chunk.indices) for chunk in chunks]
    placed = [np.where(own >= 0, own + begin, -1) for own, begin in zip(codes, begins, strict=False)]
    return _stripped(Words(np.concatenate(placed).astype(np.int32, copy=False), texts))


def _joined(name: str, column: _Column, rows: CsvRows, every: np.ndarray) -> Numbers | Words:
    """A column of all its parts."""
    import pyarrow as pa

    if column.is_numbers:
        return column.numbers(every)
    chunks: Any = [chunk for part in column.texts for chunk in part.chunks]
    kind: Any = pa.dictionary(pa.int32(), pa.string())
    different = sum(len(chunk.dictionary) for chunk in chunks)
    if different > max(_MANY_WORDS, len(every) * _MOSTLY):
        # Dates, or sentences: nothing is gained by finding those that stand in several blocks.
        words = _put_together(chunks)
    else:
        words = _words_in(pa.chunked_array(chunks, kind))
    if not words.words:
        return Numbers(np.full(len(every), np.nan), np.zeros(len(every), dtype=bool))
    return words if name in rows.numeric else as_numbers(name, words, rows.decimal_comma) or words
