"""The runs in a table with a row for each step: their curves, and what else it says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lib.data.formats.logged import FilePath, LoggedRun, Series
from lib.data.formats.tables.axes import (
    EPOCH_NAMES,
    STEP_NAMES,
    SURE_STEP_NAMES,
    Axes,
    by_group,
    clock_of,
    falls_of,
    named,
    plain_name,
    with_counts,
)
from lib.data.formats.tables.between import with_rows_between
from lib.data.formats.tables.grouping import MOST_RUNS, Grouping, grouping_of, repeats_of
from lib.data.formats.tables.ordering import in_order
from lib.data.formats.tables.rows import roles_of, runs_of_rows, value_at
from lib.data.formats.tables.shapes import runs_like_a_curve
from lib.data.formats.tables.steps import counted_steps, with_ends_of_epochs
from lib.data.formats.tables.table import NoTable, Numbers, Table, Words
from lib.data.formats.tables.vocabulary import (
    PLANNED_STEPS,
    SETTING_PREFIXES,
    is_number_of_row,
    is_of_training,
    is_setting,
)

MOST_SERIES = 100_000
_MOST_AT_A_STEP = 16
"""Values of one metric at one step: the devices of a node may each write a row."""
_FREE_LETTERS = 30
_FREE_SAMPLE = 200
_MOST_LETTERS = 200
"""A longer text is no setting: a prompt, a listing of the machine."""
_MOST_AROUND = 5
"""Rows without a step before and after the others: settings and results."""
_MOST_NAMED = 5
_MOST_SHARED = 8
"""So many different groups of metrics are remembered at a time."""
_NO_COUNT = "No column of steps: looked for step, global_step, iteration, epoch, tokens and the like."


def runs_of(table: Table, file: FilePath, *, is_log: bool = False) -> list[LoggedRun]:
    """The runs in a table of any program.

    Args:
        table: The table.
        file: Where it stood.
        is_log: Its name says that it is one, whatever its metrics are called.

    Raises:
        NoTable: If it holds no run, with the reason: it is data, or nothing says where in a training a row belongs.
    """
    if not table.rows:
        raise NoTable("The table has no rows yet.")
    table = with_ends_of_epochs(with_counts(table))
    roles = roles_of(table)
    if roles is not None and _is_of_rows(table):
        return runs_of_rows(table, roles, file)
    grouping = grouping_of(table)
    if grouping.axes is None and (ordered := in_order(table)) is not None:
        table, grouping = ordered, grouping_of(ordered)
    axes = grouping.axes
    if axes is None:
        named_so = named(table.names, (*STEP_NAMES, *EPOCH_NAMES))
        if named_so:
            raise NoTable(f'The column "{named_so[0]}" does not count steps: expected whole numbers that grow.')
        raise NoTable(_NO_COUNT)
    metrics = _metrics(table, grouping, axes)
    if grouping.labels is None and len(grouping.first) == 1:
        table = with_rows_between(table, axes, metrics)
    _check(table, grouping, axes, metrics, is_log=is_log)
    return _logged(table, grouping, axes, metrics, file)


def _is_of_rows(table: Table) -> bool:
    """Whether no column counts up from row to row of a run, which a log's does even where every row has an identity."""
    grouping = grouping_of(table)
    axes = grouping.axes
    if axes is None or axes.counts != "step" or plain_name(axes.count).rpartition("/")[2] not in SURE_STEP_NAMES:
        return True
    if 2 * len(grouping.first) > table.rows:
        return True
    parts = grouping.parts
    repeats = repeats_of(table, axes, parts, grouping.value_column)
    # A resumed run goes back now and then.
    return bool(repeats + np.count_nonzero(falls_of(table.numbers[axes.count], parts)) > table.rows / 10)


def _metrics(table: Table, grouping: Grouping, axes: Axes) -> list[str]:
    """The columns that are metrics: numbers that count nothing, name no run, and are no setting."""
    if grouping.value_column is not None:
        return [grouping.value_column]
    return [
        name
        for name, column in table.numbers.items()
        if name not in axes.all
        and name not in grouping.columns
        and not is_number_of_row(name)
        and not (_is_config(name) and _is_constant(column, grouping.runs))
    ]


def _is_config(name: str) -> bool:
    plain = plain_name(name)
    # A rate that stays the same is a curve like any other.
    is_rate = plain.rpartition("/")[2] in ("lr", "learning_rate") and not plain.startswith(SETTING_PREFIXES)
    return plain in PLANNED_STEPS or (is_setting(name) and not is_rate)


def _is_constant(column: Numbers | Words, runs: np.ndarray) -> bool:
    """Whether a column has one value in each run."""
    given = column.given if isinstance(column, Numbers) else column.codes >= 0
    rows = np.flatnonzero(given)
    if not rows.size:
        return False
    order = by_group(rows, runs)
    values = column.values[order] if isinstance(column, Numbers) else column.codes[order]
    # Infinities have no difference.
    return not ((values[1:] != values[:-1]) & (runs[order][1:] == runs[order][:-1])).any()


def _check(table: Table, grouping: Grouping, axes: Axes, metrics: Sequence[str], *, is_log: bool) -> None:
    """Refuse what has a count and is no log all the same.

    Raises:
        NoTable: With the reason.
    """
    if not metrics or not any(table.numbers[name].given.any() for name in metrics):
        raise NoTable(f"The table has steps ({axes.count}) and no column of numbers beside them.")
    if len(grouping.first) > MOST_RUNS:
        raise NoTable(f"The table has {len(grouping.first):,} runs; more than {MOST_RUNS:,} are not read.")
    count = table.numbers[axes.count].given
    if np.count_nonzero(count) < table.rows / 2 and np.count_nonzero(count) + 2 * _MOST_AROUND < table.rows:
        raise NoTable(f"Most rows have no step ({axes.count}).")
    sure = axes.counts != "step" or plain_name(axes.count).rpartition("/")[2] in SURE_STEP_NAMES
    is_learning = any(is_of_training(name) for name in (*metrics, *grouping.label_names))
    if grouping.is_guessed and not is_learning:
        parting = ", ".join(grouping.columns)
        raise NoTable(f'Rows are parted by "{parting}", and no column has the name of something that is measured.')
    if not (sure or is_learning):
        raise NoTable(f'"{axes.count}" may count steps, but no column has the name of something that is measured.')
    if not (is_log or is_learning or any(runs_like_a_curve(table.numbers[name], grouping.parts) for name in metrics)):
        beside = ", ".join(metrics[:_MOST_NAMED]) + (" and more" if len(metrics) > _MOST_NAMED else "")
        raise NoTable(f'No column that is a training metric: beside "{axes.count}" it has {beside}.')
    if axes.counts != "step of the epoch":
        repeats = repeats_of(table, axes, grouping.parts, grouping.value_column)
        rows = np.count_nonzero(count)
        texts = [name for name, each in table.words.items() if name not in grouping.columns and _is_free_text(each)]
        if texts and repeats > rows / 4:
            raise NoTable(f'Several rows share a step, each with a text of its own ("{texts[0]}"): data, not a log.')
        if repeats * _MOST_AT_A_STEP > rows * (_MOST_AT_A_STEP - 1):
            raise NoTable(f'More than {_MOST_AT_A_STEP} rows share a step ("{axes.count}"), and no column parts them.')
    labels = max(1, len(grouping.label_names))
    if len(grouping.first) * len(metrics) * labels > MOST_SERIES:
        raise NoTable(f"The table has more than {MOST_SERIES:,} curves; larger ones are not read.")


def _is_free_text(words: Words) -> bool:
    """Whether a column holds sentences: mostly different ones, long, of several words."""
    sample = words.words[:_FREE_SAMPLE]
    if not sample or len(words.words) < np.count_nonzero(words.codes >= 0) / 2:
        return False
    long = sum(len(word) > _FREE_LETTERS and " " in word.strip() for word in sample)
    return long > len(sample) / 2


def _logged(table: Table, grouping: Grouping, axes: Axes, metrics: Sequence[str], file: FilePath) -> list[LoggedRun]:
    given = table.numbers[axes.count].given
    rows = np.flatnonzero(given if grouping.labels is None else given & (grouping.labels >= 0))
    steps, notes = counted_steps(table, grouping.runs, axes)
    labels = grouping.labels
    if labels is None and len(grouping.first) == 1:
        parts: list[np.ndarray] = [rows]
    else:
        of_rows = grouping.parts
        order = by_group(rows, of_rows)
        parts = np.split(order, np.flatnonzero(np.diff(of_rows[order])) + 1)
    found: list[dict[str, Series]] = [{} for _ in grouping.first]
    for part in parts:
        if not part.size:
            continue
        run = int(grouping.runs[part[0]])
        label = "" if labels is None else grouping.label_names[int(labels[part[0]])].strip()
        names = {name: _series_name(name, label, grouping.value_column) for name in metrics}
        found[run].update(series_of(table, axes, part, steps, names))
    several = len(grouping.first) > 1
    facts = _facts(table, grouping, axes)
    around = ({}, {}) if several else _around(table, given)
    return [
        LoggedRun(
            files=(file,),
            key=_key(table, grouping, run, several),
            name=grouping.name(table, run),
            identity=grouping.identity(table, run),
            series=series,
            counted="epoch" if axes.counts == "epoch" else "step",
            config=_config(table, facts, int(grouping.first[run]), around[0]),
            last=around[1],
            total_steps=_planned(table, int(grouping.first[run])),
            notes=(*table.notes, *notes),
        )
        for run, series in enumerate(found)
        if series
    ]


def _key(table: Table, grouping: Grouping, run: int, several: bool) -> str:
    if not several:
        return ""
    values = [value_at(table, name, int(grouping.first[run])) for name in grouping.columns]
    return " ".join("" if value is None else str(value) for value in values) or f"run {run + 1}"


def _series_name(metric: str, label: str, value_column: str | None) -> str:
    if not label:
        return metric
    return label if value_column is not None else f"{label}/{metric}"


def series_of(
    table: Table, axes: Axes, rows: np.ndarray, steps: np.ndarray, names: Mapping[str, str]
) -> dict[str, Series]:
    """The curves of some rows.

    Args:
        table: The table.
        axes: What counts in it.
        rows: The rows of one run, in order; all of them have a count.
        steps: The step of each row of the table, int64.
        names: What the metric of each column is called.
    """
    is_block = rows.size and rows[-1] - rows[0] + 1 == rows.size
    # A view of a block instead of a copy.
    part: slice | np.ndarray = slice(int(rows[0]), int(rows[-1]) + 1) if is_block else rows
    epochs = table.numbers[axes.epoch] if axes.epoch is not None else None
    clock = clock_of(table, axes.clock) if axes.clock is not None else None
    step = steps[part]
    epoch = _gaps(epochs, part)
    at = _gaps(clock, part)
    found = {}
    # What was logged together has one array of steps, which is then looked at once.
    shared: list[tuple[np.ndarray, Series]] = []
    for column, name in names.items():
        numbers = table.numbers[column]
        given = numbers.given[part]
        if not given.any():
            continue
        values = numbers.values[part]
        if given.all():
            found[name] = Series(step, values, epoch, at)
            continue
        like = next((other for mask, other in shared if np.array_equal(mask, given)), None)
        if like is None:
            like = Series(step[given], values[given], *(None if each is None else each[given] for each in (epoch, at)))
            shared = [*shared, (given, like)][-_MOST_SHARED:]
        found[name] = replace(like, value=values[given])
    return found


def _gaps(column: Numbers | None, rows: slice | np.ndarray) -> np.ndarray | None:
    if column is None:
        return None
    given, values = column.given[rows], column.values[rows]
    # Mostly there is nothing to do, and of a long table a copy is large.
    return values if np.isnan(values[~given]).all() else np.where(given, values, np.nan)


def _facts(table: Table, grouping: Grouping, axes: Axes) -> list[str]:
    """The columns that stay the same throughout a run, and are no numbers that are measured."""
    taken = {*axes.all, grouping.label_column, grouping.value_column}
    found = []
    for name in table.names:
        column: Numbers | Words | None = table.numbers.get(name) or table.words.get(name)
        if column is None or name in taken:
            continue
        is_fact = isinstance(column, Words) or _is_config(name)
        if name in grouping.columns or (is_fact and _is_constant(column, grouping.runs)):
            found.append(name)
    return found


def _config(table: Table, facts: Sequence[str], row: int, around: Mapping[str, Any]) -> dict[str, Any]:
    values = {**{name: value_at(table, name, row) for name in facts}, **around}
    found = {name: each for name, each in values.items() if each is not None and len(str(each)) <= _MOST_LETTERS}
    return {"table": found} if found else {}


def _planned(table: Table, row: int) -> int | None:
    for name, column in table.numbers.items():
        if plain_name(name).rpartition("/")[2] in PLANNED_STEPS and column.given[row]:
            value = column.values[row]
            return int(value) if np.isfinite(value) and 0 < value < 2**53 else None
    return None


def _around(table: Table, given: np.ndarray) -> tuple[dict[str, Any], dict[str, float]]:
    """Settings in the first rows, before any step, and numbers in the last rows, after every step."""
    steps = np.flatnonzero(given)
    before, after = int(steps[0]), int(steps[-1]) + 1
    config: dict[str, Any] = {}
    last: dict[str, float] = {}
    for row in range(max(0, before - _MOST_AROUND), before):
        config.update({name: value for name in table.names if (value := value_at(table, name, row)) is not None})
    for row in range(after, min(table.rows, after + _MOST_AROUND)):
        last.update({name: float(each.values[row]) for name, each in table.numbers.items() if each.given[row]})
    return config, last
