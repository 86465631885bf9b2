"""Rows of JSON, as a training logs them one after the other, and their numbers as columns."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import numpy as np

from lib.core.facts.values import number
from lib.data.formats.logged import Series

Row = dict[str, Any]
MAX_STEP = 2**53
"""Larger numbers are no steps, and would not survive a chart, which counts in floats."""
_NUMBERS = {float, int}


def as_steps(column: np.ndarray) -> np.ndarray:
    """Numbers as steps, int64: -1 where one is no whole number from 0 to ``MAX_STEP``."""
    good = (column >= 0) & (column < MAX_STEP) & (column == np.floor(column))
    return np.where(good, column, -1).astype("int64")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The numbers of many rows, in the order in which they stand.

    Attributes:
        names: Of all of them; those of inner objects are joined by a slash.
        code: Which name each number has, shape (n,).
        row: Which row each stands in, shape (n,), increasing.
        value: Shape (n,), float64.
        rows: How many rows there are.
    """

    names: Sequence[str]
    code: np.ndarray
    row: np.ndarray
    value: np.ndarray
    rows: int

    def of(self, name: str) -> np.ndarray:
        """One number for each row, NaN where it has none; shape (rows,)."""
        column = np.full(self.rows, np.nan)
        if name in self.names:
            mine = np.flatnonzero(self.code == self.names.index(name))
            column[self.row[mine]] = self.value[mine]
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
        mine = np.flatnonzero(rows[self.row])
        order = mine[np.argsort(self.code[mine], kind="stable")]
        bounds = np.searchsorted(self.code[order], np.arange(len(self.names) + 1))
        found = {}
        for code, name in enumerate(self.names):
            points = order[bounds[code] : bounds[code + 1]]
            if name in without or not len(points):
                continue
            where = self.row[points]
            epochs, times = (None if each is None else each[where] for each in (epoch, at))
            found[name] = Series(
                step[where],
                self.value[points],
                epochs if epochs is not None and np.isfinite(epochs).any() else None,
                times if times is not None and np.isfinite(times).any() else None,
            )
        return found


@dataclass(frozen=True, slots=True)
class Shape:
    """Rows of equal keys in equal order.

    Attributes:
        keys: These.
        rows: The rows.
        at: Where they stand, shape (n,), int64.
    """

    keys: tuple[str, ...]
    rows: Sequence[Row]
    at: np.ndarray


@dataclass(frozen=True, slots=True)
class Shapes:
    """Rows by their keys.

    Attributes:
        rows: The rows.
        keys: Keys in the order in which they first occur together.
        of: Which of these each row has, shape (rows,), int32.
    """

    rows: Sequence[Row]
    keys: Sequence[tuple[str, ...]]
    of: np.ndarray

    def having(self, key: str) -> np.ndarray:
        """Where the rows stand that have a key."""
        are = [key in keys for keys in self.keys]
        if all(are):
            return np.arange(len(self.rows))
        return np.flatnonzero(np.array(are)[self.of]) if any(are) else np.zeros(0, dtype="int64")

    def __iter__(self) -> Iterator[Shape]:
        for place, keys in enumerate(self.keys):
            at = np.flatnonzero(self.of == place)
            yield Shape(keys, [self.rows[each] for each in at.tolist()], at)


def shapes_of(rows: Sequence[Row]) -> Shapes:
    """The rows by their keys."""
    numbers: dict[tuple[str, ...], int] = {}
    found: list[int] = []
    counts: list[int] = []
    # Most rows are as the one before, which is sooner seen than looked up.
    for keys, same in groupby(map(tuple, rows)):
        found.append(numbers.setdefault(keys, len(numbers)))
        counts.append(len(list(same)))
    return Shapes(rows, tuple(numbers), np.repeat(np.array(found, dtype="int32"), counts))


class ColumnsOfRows:
    """Makes columns of rows, many at a time: those of equal keys go together."""

    def __init__(self, flat: Collection[str] = ()) -> None:
        """Args: flat: Keys whose inner objects hold no numbers that anybody wants."""
        self.rows = 0
        self._flat = flat
        self._codes: dict[str, int] = {}
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, rows: Sequence[Row], shapes: Shapes | None = None) -> None:
        """Take more rows. Text that is a number is that number; null, true and other text are none.

        Args:
            rows: The rows.
            shapes: Of these, where they are known.
        """
        shapes = shapes_of(rows) if shapes is None else shapes
        if rows and not self._add_plain(shapes):
            self._add_any(shapes)
        self.rows += len(rows)

    def _add_plain(self, shapes: Shapes) -> bool:
        """Take rows of nothing but numbers, which most are: then they follow each other as they stand."""
        flat = list(chain.from_iterable(map(dict.values, shapes.rows)))
        if not set(map(type, flat)) <= _NUMBERS:
            return False
        try:
            value = np.array(flat, dtype="float64")
        except OverflowError:
            return False
        del flat
        row = np.arange(self.rows, self.rows + len(shapes.rows), dtype="int32")
        codes = [np.array([self._code(key) for key in keys], dtype="int32") for keys in shapes.keys]
        if len(codes) == 1:
            self._parts.append((np.tile(codes[0], len(row)), np.repeat(row, len(codes[0])), value))
        else:
            # A table of rows by the widest of them would be large where one log has long rows and another one many.
            widths = np.array([len(own) for own in codes])
            starts, many = np.cumsum(widths) - widths, widths[shapes.of]
            places = np.repeat(starts[shapes.of] - (np.cumsum(many) - many), many) + np.arange(len(value))
            self._parts.append((np.concatenate(codes)[places], np.repeat(row, many), value))
        return True

    def _add_any(self, shapes: Shapes) -> None:
        found: list[tuple[np.ndarray, int, np.ndarray, np.ndarray]] = []
        for shape in shapes:
            for position, key in enumerate(shape.keys):
                found += self._column(key, position, shape.at, list(map(itemgetter(key), shape.rows)))
        if found:
            width = max(position for _, position, _, _ in found) + 1
            sizes = [len(value) for *_, value in found]
            in_row = np.concatenate([at for at, *_ in found])
            rank = in_row * width + np.repeat([position for _, position, _, _ in found], sizes)
            order = np.argsort(rank, kind="stable")
            code = np.concatenate([code for _, _, code, _ in found])[order]
            value = np.concatenate([value for *_, value in found])[order]
            self._parts.append((code, in_row[order].astype("int32") + self.rows, value))

    def _column(
        self, key: str, position: int, at: np.ndarray, values: list[Any]
    ) -> Iterator[tuple[np.ndarray, int, np.ndarray, np.ndarray]]:
        """The numbers that stand under one key of the rows at some places: their places, and names and values."""
        if (numbers := _all_numbers(values)) is not None:
            yield at, position, np.full(len(at), self._code(key), dtype="int32"), numbers
            return
        place, code, value = array("q"), array("i"), array("d")
        for where, each in enumerate(values):
            for name, found in _numbers(key, each, deep=key not in self._flat):
                place.append(where)
                code.append(self._code(name))
                value.append(found)
        if len(place):
            yield at[np.array(place)], position, np.array(code), np.array(value)

    def _code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    def finish(self) -> Columns:
        """All that was added."""
        parts, self._parts = self._parts, []
        if not parts:
            parts = [(np.empty(0, dtype="int32"), np.empty(0, dtype="int32"), np.empty(0))]
        code, row, value = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        return Columns(tuple(self._codes), code, row, value, self.rows)


def _all_numbers(values: list[Any]) -> np.ndarray | None:
    """A column as numbers, where all of it is numbers, or text that is."""
    kinds = set(map(type, values))
    try:
        if kinds <= _NUMBERS:
            return np.array(values, dtype="float64")
        # "1_000" is a Python literal, not a number anybody logged.
        if kinds <= {*_NUMBERS, str} and not any("_" in each for each in values if type(each) is str):
            return np.array(list(map(float, values)))
    except (ValueError, OverflowError):
        pass
    return None


def _numbers(key: str, value: Any, *, deep: bool) -> Iterator[tuple[str, float]]:
    """The numbers below a key by their names, in the order in which they stand."""
    pending = [(key, value)]
    while pending:
        name, each = pending.pop()
        if isinstance(each, dict):
            if not deep:
                return
            pending.extend((f"{name}/{inner}", more) for inner, more in reversed(each.items()))
        elif (parsed := number(each)) is not None:
            yield name, parsed


def starts(step: np.ndarray) -> list[np.ndarray]:
    """Part rows where their step goes back to where it began, or below: there another training begins.

    Args:
        step: Of each row, shape (n,); -1 where it states none, which belongs to the row before.

    Returns:
        The rows of each training, as arrays of positions; one that goes back less was resumed, and is one.
    """
    known = np.flatnonzero(step >= 0)
    if not len(known):
        return []
    counts = step[known]
    bounds = known[1:][(np.diff(counts) < 0) & (counts[1:] <= counts[0])]
    return np.split(np.arange(len(step)), bounds)
