"""Which rows of a table belong to one run, and which to one metric of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from lib.data.formats.tables.axes import Axes, axes_of, by_group, falls_of, named, plain_name
from lib.data.formats.tables.rows import value_at
from lib.data.formats.tables.table import Table
from lib.data.formats.tables.vocabulary import (
    IDENTITY_NAMES,
    RUN_NAMES,
    SOME_RUN_NAMES,
    SPLITS,
    TAG_NAMES,
    VALUE_NAMES,
    is_number_of_row,
)

MOST_RUNS = 2_000
_MOST_COLUMNS_OF_RUNS = 3
_REST = 0.25
_MOST_CANDIDATES = 20
_MOST_LOOKED_UP = 10_000_000
_MOST_OTHER_WORDS = 200
"""A column of texts that nobody has named for runs may tell so many apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """How the rows of a table are parted.

    Attributes:
        runs: To which run each row belongs, shape (rows,), integers from 0; -1 for none.
        first: A row of each run.
        columns: The columns that tell runs apart.
        labels: To which metric, or part of the data, each row belongs, as ``runs``; ``None`` for all to one.
        label_names: What these are called.
        label_column, value_column: Of a long table the columns of names and values; of a wide one parted by train and
            validation only the first.
        axes: What counts; ``None`` where nothing does.
    """

    runs: np.ndarray
    first: np.ndarray
    columns: tuple[str, ...]
    labels: np.ndarray | None
    label_names: Sequence[str]
    label_column: str | None
    value_column: str | None
    axes: Axes | None

    @property
    def is_guessed(self) -> bool:
        """Whether runs are told apart by a column whose name says nothing of runs."""
        return len(named(self.columns, (*RUN_NAMES, *SOME_RUN_NAMES))) < len(self.columns)

    @property
    def parts(self) -> np.ndarray:
        """A number for each run and label, shape (rows,)."""
        return combined(self.runs, self.labels)

    def name(self, table: Table, run: int) -> str:
        """What a run is called."""
        values = [value_at(table, name, int(self.first[run])) for name in self._names()]
        return " ".join(str(value) for value in values if value is not None)

    def identity(self, table: Table, run: int) -> str:
        """What a run is called wherever it is logged, "" where no column says so."""
        for name in self.columns:
            if plain_name(name) in IDENTITY_NAMES:
                return str(value_at(table, name, int(self.first[run])) or "")
        return ""

    def _names(self) -> Sequence[str]:
        speaking = [name for name in self.columns if plain_name(name) not in IDENTITY_NAMES]
        return speaking or self.columns


def combined(runs: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Pairs of numbers as one number; rows of no run or label stay apart from the others."""
    if labels is None:
        return runs
    kinds = int(labels.max(initial=0)) + 2
    # Of millions of rows half as much is held.
    is_short = (int(runs.max(initial=0)) + 2) * kinds < 2**31
    kind = np.int32 if is_short else np.int64
    found: np.ndarray = np.multiply(runs + 1, kinds, dtype=kind, casting="same_kind")
    return np.asarray(np.add(found, labels + 1, dtype=kind, casting="same_kind"))


def grouping_of(table: Table) -> Grouping:
    """How the rows of a table are parted into runs and metrics.

    A column named for runs parts them. Other columns of texts, and those of seeds and folds, do only where the count
    of steps would start again without them, or have several values of one metric at a step.
    """
    label_column, value_column = _long_columns(table)
    if label_column is None:
        label_column = next((name for name in table.words if _is_split(table, name)), None)
    labels = None if label_column is None else table.words[label_column].codes
    taken = {label_column, value_column}
    runs = np.zeros(table.rows, dtype=np.int64)
    columns: list[str] = []
    for name in named(table.names, RUN_NAMES):
        if name not in taken and (codes := _codes(table, name)) is not None and codes.max(initial=0) > 0:
            runs = _refined(runs, codes)
            columns.append(name)
    if runs.max(initial=0) >= MOST_RUNS or (columns and runs.max(initial=0) + 1 == table.rows > 1):
        # Every row a name of its own: no run has two points.
        runs, columns = np.zeros(table.rows, dtype=np.int64), []
    axes = axes_of(table, combined(runs, labels))
    trouble = _trouble(table, axes, runs, labels, value_column)
    before, sure = trouble, (runs, axes, list(columns))
    while trouble > 0 and len(columns) < _MOST_COLUMNS_OF_RUNS:
        best = _best_column(table, runs, labels, value_column, {*taken, *columns}, trouble)
        if best is None:
            break
        runs, axes, trouble = best[1], best[2], best[3]
        columns.append(best[0])
    if trouble > before * _REST:
        # Columns that take some of it away by chance are no reason to part anything.
        runs, axes, columns = sure
    first = np.zeros(int(runs.max(initial=0)) + 1, dtype=np.int64)
    # Of several rows of a run the one that is written last here is its first.
    first[runs[::-1]] = np.arange(table.rows)[::-1]
    return Grouping(
        runs=runs,
        first=first,
        columns=tuple(columns),
        labels=labels,
        label_names=() if label_column is None else table.words[label_column].words,
        label_column=label_column,
        value_column=value_column,
        axes=axes,
    )


def _long_columns(table: Table) -> tuple[str | None, str | None]:
    """The columns of metrics' names and of their values, where a table has both."""
    tag = next(iter(named(table.words, TAG_NAMES)), None)
    value = next(iter(named(table.numbers, VALUE_NAMES)), None)
    return (tag, value) if tag is not None and value is not None else (None, None)


def _is_split(table: Table, name: str) -> bool:
    words = table.words[name].words
    return bool(words) and len(words) <= len(SPLITS) and all(word.strip().lower() in SPLITS for word in words)


def _codes(table: Table, name: str) -> np.ndarray | None:
    """A number for each value of a column, 0 where nothing stands; ``None`` where it cannot tell runs apart."""
    if name in table.words:
        words = table.words[name]
        return words.codes.astype(np.int64) + 1 if 1 <= len(words.words) <= MOST_RUNS else None
    column = table.numbers.get(name)
    if column is None or not column.given.any():
        return None
    values = np.where(column.given & np.isfinite(column.values), column.values, -1.0)
    kinds, codes = np.unique(values, return_inverse=True)
    return codes.reshape(-1).astype(np.int64) if len(kinds) <= MOST_RUNS else None


def _has_blanks(table: Table, name: str) -> bool:
    words = table.words.get(name)
    return bool((words.codes < 0).any()) if words is not None else not table.numbers[name].given.all()


def _refined(runs: np.ndarray, codes: np.ndarray) -> np.ndarray:
    pairs = combined(runs, codes)
    if pairs.max(initial=0) < _MOST_LOOKED_UP:
        is_there = np.bincount(pairs) > 0
        return np.asarray((np.cumsum(is_there) - 1)[pairs], dtype=np.int64)
    _, found = np.unique(pairs, return_inverse=True)
    return np.asarray(found.reshape(-1), dtype=np.int64)


def _best_column(
    table: Table,
    runs: np.ndarray,
    labels: np.ndarray | None,
    value_column: str | None,
    taken: set[str | None],
    trouble: int,
) -> tuple[str, np.ndarray, Axes | None, int] | None:
    """The column that takes most of the trouble away: its name, and runs, axes and trouble with it."""
    others = (name for name, words in table.words.items() if 1 < len(words.words) <= _MOST_OTHER_WORDS)
    best: tuple[str, np.ndarray, Axes | None, int] | None = None
    for name in islice(dict.fromkeys(chain(named(table.names, SOME_RUN_NAMES), others)), _MOST_CANDIDATES):
        codes = None if name in taken or _has_blanks(table, name) else _codes(table, name)
        if codes is None or (codes == codes[0]).all():
            continue
        refined = _refined(runs, codes)
        if refined.max(initial=0) + 1 > max(2, table.rows / 2):
            continue
        axes = axes_of(table, combined(refined, labels))
        rest = _trouble(table, axes, refined, labels, value_column)
        if rest < trouble and (best is None or rest < best[3]):
            best = name, refined, axes, rest
        if rest == 0:
            break
    return best


def _trouble(
    table: Table, axes: Axes | None, runs: np.ndarray, labels: np.ndarray | None, value_column: str | None
) -> int:
    """How often the count falls, or a metric has another value at a step that it has one at."""
    if axes is None:
        return table.rows
    parts = combined(runs, labels)
    count = table.numbers[axes.count]
    if axes.counts == "step of the epoch" and axes.epoch is not None:
        parts = combined(parts, np.floor(np.nan_to_num(table.numbers[axes.epoch].values, nan=-1.0)).astype(np.int64))
    falls = int(np.count_nonzero(falls_of(count, parts)))
    return falls + repeats_of(table, axes, parts, value_column)


def repeats_of(table: Table, axes: Axes, parts: np.ndarray, value_column: str | None) -> int:
    """How many values the fullest metric has beyond one for each step of a part."""
    others = (name for name in table.numbers if name not in axes.all and not is_number_of_row(name))
    metrics = [value_column] if value_column else list(others)
    if not metrics:
        return 0
    fullest = max(metrics, key=lambda name: int(np.count_nonzero(table.numbers[name].given)))
    count = table.numbers[axes.count]
    rows = np.flatnonzero(count.given & table.numbers[fullest].given)
    if not rows.size:
        return 0
    part, steps = parts[rows], count.values[rows]
    if not _ascends(part, steps):
        order = by_group(rows, parts)
        part, steps = parts[order], count.values[order]
        if not _ascends(part, steps):
            order = np.lexsort((steps, part))
            part, steps = part[order], steps[order]
    return int(np.count_nonzero((part[1:] == part[:-1]) & (steps[1:] == steps[:-1])))


def _ascends(part: np.ndarray, steps: np.ndarray) -> bool:
    """Whether steps ascend within their parts, and these too: so most logs are written, and need no sorting."""
    return bool(((part[1:] > part[:-1]) | ((part[1:] == part[:-1]) & (steps[1:] >= steps[:-1]))).all())
