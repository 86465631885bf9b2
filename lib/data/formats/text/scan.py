"""Many lines at once: what tells their shapes apart, and all their numbers as one array.

The shape of a line is the line with each digit as a zero; of the digits behind a point one is left, as they change
nothing. Lines of one shape have their numbers at the same places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lib.data.formats.arrow_arrays import numbers_between

NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""What ``Scan`` counts as a number."""
MAX_DIGITS = 40
"""A line with more digits in a row is read by itself."""
_FEW = 5_000
"""So many numbers are read one by one sooner than PyArrow is imported."""

_NEWLINE, _DOT, _ZERO, _E, _PLUS, _MINUS = (np.uint8(letter) for letter in b"\n.0e+-")


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The lines of a text, and its numbers.

    Attributes:
        data: The text, with a line end before it and behind it.
        starts, ends: Where each line stands in ``data``, shape (lines,).
        shapes: Of each line.
        first: Which number is the first of each line, shape (lines + 1,).
        at: Where each number begins in ``data``, shape (numbers,).
        value: Shape (numbers,), float64.
        is_odd: Whether a line has something in its numbers that asks for more care, shape (lines,).
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    shapes: list[bytes]
    first: np.ndarray
    at: np.ndarray
    value: np.ndarray
    is_odd: np.ndarray

    def text(self, line: int) -> str:
        """One line."""
        return self.data[self.starts[line] : self.ends[line]].decode("utf-8", errors="replace")


def scan(text: bytes) -> Scan:
    """Take a text apart; lines end with line feeds or carriage returns."""
    data = b"\n" + text + b"\n"
    letters = np.frombuffer(data.replace(b"\r", b"\n") if b"\r" in data else data, dtype=np.uint8)
    worth = letters - _ZERO
    digit = worth < 10
    alike = letters - worth * digit
    breaks = np.flatnonzero(alike == _NEWLINE)
    edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    start, end = np.ascontiguousarray(edges[0::2]), np.ascontiguousarray(edges[1::2])
    after, gap = alike[end], np.empty(len(start), dtype=np.int64)
    gap[:1], gap[1:] = 0, start[1:] - end[:-1]
    is_dotted = alike[start - 1] == _DOT
    second = alike[np.minimum(end + 1, len(alike) - 1)]
    behind = np.zeros(len(start), dtype=np.uint8)
    behind[1:] = second[:-1]
    is_exponent = np.zeros(len(start), dtype=bool)
    is_exponent[1:] = (after[:-1] | 32) == _E
    is_exponent &= (gap == 1) | ((gap == 2) & ((behind == _PLUS) | (behind == _MINUS)))
    is_chained = np.zeros(len(start), dtype=bool)
    is_chained[1:] = is_exponent[1:] & is_exponent[:-1]
    is_exponent &= ~is_chained
    is_whole = ~is_dotted & ~is_exponent
    follows = np.zeros(len(start), dtype=bool)
    follows[1:] = is_whole[:-1]
    begins = np.flatnonzero(is_whole | (is_dotted & ~(follows & (gap == 1))))
    at = start[begins] - is_dotted[begins]
    until = end[np.append(begins[1:] - 1, len(start) - 1)] if len(begins) else at
    # A letter may make the second of "1e2e3" an exponent or a number: such a line is read by itself.
    is_odd = is_chained | (end - start > MAX_DIGITS) | ((after == _DOT) & ((second | 32) == _E))
    odd = np.zeros(len(breaks) - 1, dtype=bool)
    odd[np.searchsorted(breaks, start[is_odd]) - 1] = True
    follows[1:] = is_dotted[:-1]
    shrinks = is_dotted | (is_exponent & follows)
    left_out = _inside(start[shrinks] + 1, end[shrinks], len(alike))
    return Scan(
        data,
        breaks[:-1] + 1,
        breaks[1:],
        alike[~left_out].tobytes()[1:-1].split(b"\n"),
        np.searchsorted(at, breaks),
        at,
        _values(data, at, until),
        odd,
    )


def _inside(start: np.ndarray, end: np.ndarray, length: int) -> np.ndarray:
    """Which places are in one of some ranges, which do not overlap; shape (length,), bool."""
    bounds = np.empty(2 * len(start) + 2, dtype=np.int64)
    bounds[0], bounds[1:-1:2], bounds[2:-1:2], bounds[-1] = 0, start, end, length
    is_in = np.zeros(len(bounds) - 1, dtype=bool)
    is_in[1::2] = True
    return np.repeat(is_in, np.diff(bounds))


def _values(data: bytes, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    found = numbers_between(data, start, end) if len(start) > _FEW else None
    if found is not None:
        return found
    # Few, or one is written as Arrow reads none.
    return np.array([float(data[a:b]) for a, b in zip(start.tolist(), end.tolist(), strict=True)], dtype="float64")
