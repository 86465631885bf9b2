"""A table with named columns, whatever file it stood in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.data.formats.tables.written import number_of

MOST_COLUMNS = 10_000
"""An export of 3,000 runs with their lowest and highest values has 9,001 columns."""
MOST_CELLS = 40_000_000
"""A third of a gigabyte as numbers: five runs of a million steps with six metrics have 35 million."""


class NoTable(Exception):
    """Why a file is not a table that can be read, in one sentence for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column of numbers.

    Attributes:
        values: Shape (rows,), float64.
        given: Where something stood, shape (rows,), bool; a NaN that was written is given.
    """

    values: np.ndarray
    given: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of texts.

    Attributes:
        codes: Positions in ``words``, shape (rows,), int32; -1 where nothing stood.
        words: Each text once.
    """

    codes: np.ndarray
    words: Sequence[str]

    def at(self, row: int) -> str:
        """The text in a row, "" for none."""
        code = int(self.codes[row])
        return self.words[code] if code >= 0 else ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns by name, in their order: each is in ``numbers`` or in ``words``.

    Attributes:
        names: Every column, stripped; the second of one name is "name (2)".
        rows: How many rows.
        notes: Sentences about how it was read.
    """

    names: tuple[str, ...]
    rows: int
    numbers: Mapping[str, Numbers]
    words: Mapping[str, Words]
    notes: tuple[str, ...] = ()

    def taken(self, rows: np.ndarray) -> Table:
        """The same columns of some rows.

        Args:
            rows: Row numbers or a mask.
        """
        return replace(
            self,
            rows=int(np.arange(self.rows)[rows].size),
            numbers={name: Numbers(each.values[rows], each.given[rows]) for name, each in self.numbers.items()},
            words={name: Words(each.codes[rows], each.words) for name, each in self.words.items()},
        )


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Names without two that are equal.

    Example:
        >>> distinct(["loss", "step", "loss"])
        ('loss', 'step', 'loss (2)')
    """
    found: dict[str, None] = {}
    often: dict[str, int] = {}
    for name in names:
        unique = name
        while unique in found:
            often[name] = often.get(name, 1) + 1
            unique = f"{name} ({often[name]})"
        found[unique] = None
    return tuple(found)


def distinct_values(values: np.ndarray) -> np.ndarray:
    """Each number once, in ascending order; NaN counts as one.

    NumPy's own way looks them up one by one, and takes ten times as long with millions.
    """
    ordered = np.sort(values)
    is_new = np.append(True, ordered[1:] != ordered[:-1])[: ordered.size]
    if ordered.size and np.isnan(ordered[-1]):
        is_new[np.searchsorted(ordered, np.nan) + 1 :] = False
    return np.asarray(ordered[is_new])


def check_size(columns: int, rows: int) -> None:
    """Refuse what would not fit into memory.

    Raises:
        NoTable: If there are too many columns or cells.
    """
    if columns > MOST_COLUMNS:
        raise NoTable(f"The table has {columns:,} columns; tables of more than {MOST_COLUMNS:,} are not read.")
    if columns * rows > MOST_CELLS:
        raise NoTable(f"The table has {columns * rows:,} cells; tables of more than {MOST_CELLS:,} are not read.")


def as_numbers(name: str, column: Words, decimal_comma: bool = False) -> Numbers | None:
    """A column of texts as numbers, where each text is one.

    A text that is the column's own name is a header that was written again, and counts as blank.

    Returns:
        ``None`` where some text is no number, or there is none.
    """
    values = np.full(len(column.words) + 1, np.nan)
    blank = np.ones(len(column.words) + 1, dtype=bool)
    for position, word in enumerate(column.words):
        number = number_of(word, decimal_comma)
        if number is None:
            if word.strip() != name:
                return None
            continue
        values[position], blank[position] = number, False
    given = ~blank[column.codes]
    # -1 takes the last entry, which stands for nothing.
    return Numbers(values[column.codes], given) if given.any() else None
