"""Tables that were printed for people: columns in line, between bars, or as a notebook's HTML made of text.

A header is followed by rows that have as many cells, of which the numbers are numbers. spaCy, fastai and the Trainer's
table in a notebook are such; a program's own log is none, as its lines have no header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_CELLS = 40
"""A table for people has no more columns."""
LEAST_ROWS = 2
_WIDE = re.compile(r"\t|\s{2,}|\s*\|\s*")
_NARROW = re.compile(r"\s+|\s*\|\s*")
_RULE = re.compile(r"[\s|:+=─━┃│┼╇╪-]*")
_NAME = re.compile(r"[A-Za-z#%][\w #%()./@-]{0,39}")
_NUMBER = re.compile(
    r"[-+]?(?:\d[\d,]*(?:[.,]\d*)?|\.\d+)(?:e[-+]?\d+)?%?|nan|[-+]?inf(?:inity)?|(?:\d+:)?\d+:\d\d", re.I
)
_BAR = re.compile(r"\s{0,9}█\s{0,9}|.{0,80}?\d{1,9}/\d{1,9} :\s*(?:\|.*)?")
"""A progress bar of fastprogress, which fastai draws between the rows of its table."""
_BLANK = frozenset(("", "-", "--", "no log", "none", "n/a", "na"))
_COUNTS = frozenset(("step", "steps", "global step", "epoch", "epochs", "iter", "iteration", "#"))
_SPACY = ("E", "#")
"""What spaCy calls epoch and step."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A table.

    Attributes:
        names: Of the columns.
        rows: Their cells, each as many as there are names; "" where nothing stood.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def printed_tables(lines: Sequence[str]) -> Iterator[Printed]:
    """The tables in a text that have a column of steps or epochs, and at least ``LEAST_ROWS`` rows."""
    lines = [line for line in lines if not _BAR.fullmatch(line)]
    at = 0
    while at < len(lines):
        found = next((made for split in (_WIDE, _NARROW) if (made := _table(lines, at, split)) is not None), None)
        if found is None:
            at += 1
            continue
        table, at = found
        yield table


def _table(lines: Sequence[str], at: int, split: re.Pattern[str]) -> tuple[Printed, int] | None:
    """The table whose header stands in a line, and the line behind it."""
    # NumPy writes a header as a comment.
    names = _cells(re.sub(r"^#+ (?=\w)", "", lines[at]), split)
    if not 2 <= len(names) <= MOST_CELLS or not all(_NAME.fullmatch(name) for name in names):
        return None
    if len(set(names)) < len(names) or not any(name.casefold().replace("_", " ") in _COUNTS for name in names):
        return None
    rows = []
    behind = at + 1
    while behind < len(lines):
        line = lines[behind]
        if not _RULE.fullmatch(line):
            cells = _cells(line, split)
            if len(cells) != len(names) or not _are_numbers(cells):
                break
            rows.append(tuple("" if cell.casefold() in _BLANK else cell for cell in cells))
        behind += 1
    if len(rows) < LEAST_ROWS:
        return None
    if names[:2] == list(_SPACY):
        names[:2] = ["epoch", "step"]
    return Printed(tuple(names), tuple(rows)), behind


def _cells(line: str, split: re.Pattern[str]) -> list[str]:
    bare = line.strip(" ")
    return [cell.strip() for cell in split.split(bare.strip("|").strip(" ") if "|" in bare else bare)]


def _are_numbers(cells: Sequence[str]) -> bool:
    """Whether a row states something, and nothing but numbers."""
    stated = [cell for cell in cells if cell.casefold() not in _BLANK]
    return bool(stated) and all(_NUMBER.fullmatch(cell) for cell in stated)
