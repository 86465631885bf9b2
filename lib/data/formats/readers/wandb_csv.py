"""CSV files that Weights & Biases exports: a chart of many runs, a run's history, the table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.data.formats.csv_tables import read_csv, read_head
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told, by_file
from lib.data.formats.tables.axes import (
    CLOCK_NAMES,
    EPOCH_NAMES,
    STEP_NAMES,
    Axes,
    clock_of,
    is_count,
    named,
    plain_name,
)
from lib.data.formats.tables.rows import MOST_RUNS, Roles, runs_of_rows
from lib.data.formats.tables.runs import series_of
from lib.data.formats.tables.table import NoTable, Numbers, Table
from lib.data.formats.tables.vocabulary import is_measured

_BETWEEN = " - "
_LOW, _HIGH = "__MIN", "__MAX"
_OF_RUNS = frozenset({"State", "User", "Created", "Runtime", "Sweep", "Notes", "Tags", "Hostname", "ID", "Group"})
_TAGS = ("Notes", "User", "Tags", "Hostname", "Group", "Job Type", "Agent", "GitHub", "Sweep")
_HISTORY = frozenset({"_step", "_runtime", "_timestamp"})


def knows(table: Table) -> bool:
    """Whether columns are those of an export of W&B."""
    return _is_chart(table) or _is_history(table) or _is_of_runs(table)


def _is_chart(table: Table) -> bool:
    names = set(table.names)
    if any(name.endswith(_LOW) and name.removesuffix(_LOW) + _HIGH in names for name in names):
        return True
    # Somebody may have taken out the columns of what the chart shades.
    axis, *others = table.names
    return bool(named([axis], STEP_NAMES) and others) and all(
        _BETWEEN in name and is_measured(name.rpartition(_BETWEEN)[2]) for name in others
    )


def _is_history(table: Table) -> bool:
    return "_step" in table.names and len(_HISTORY & set(table.names)) > 1


def _is_of_runs(table: Table) -> bool:
    names = set(table.names)
    return "Name" in names and len(_OF_RUNS & names) > 1


class WandbCsv:
    """Exports of W&B's pages and of its Python interface."""

    title = "W&B CSV"
    reads = "CSV exports of W&B: charts, histories and tables of runs"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        return path[-1].lower().endswith(".csv")

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_file(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        del folder
        file = files[0]
        path = root.joinpath(*file)
        try:
            head, whole = read_head(path)
            if not knows(head):
                return None
            table = head if whole else read_csv(path)
        except (NotReadable, NoTable):
            # Whoever reads files of any kind says why not.
            return None
        try:
            if _is_chart(table):
                return Reading(runs=tuple(_of_chart(table, file)))
            if _is_history(table):
                return Reading(runs=(_of_history(table, file),))
            return Reading(runs=tuple(_of_table(table, file)))
        except NoTable as error:
            return Reading(unused=(Told(file, str(error)),))


def _of_chart(table: Table, file: FilePath) -> list[LoggedRun]:
    """The runs of a chart: its first column is the axis, and each run has a column of each metric.

    Raises:
        NoTable: If no column says at which step a row was.
    """
    axis = table.names[0]
    columns: dict[str, dict[str, str]] = {}
    for name in table.names[1:]:
        # A second run of the same name has the same columns again.
        plain, again = _without_number(name)
        if plain.endswith((_LOW, _HIGH)) or _BETWEEN not in plain:
            continue
        run, _, metric = plain.rpartition(_BETWEEN)
        columns.setdefault(run + again, {})[metric] = name
    if len(columns) > MOST_RUNS:
        raise NoTable(f"The chart has {len(columns):,} runs; more than {MOST_RUNS:,} are not read.")
    runs = [_chart_run(table, axis, key, metrics, file) for key, metrics in columns.items()]
    found = [each for each in runs if each is not None]
    if not found:
        raise NoTable(f'The chart\'s axis is "{axis}": its points have no steps. Export it with Step as its axis.')
    return found


def _without_number(name: str) -> tuple[str, str]:
    """A column's name as it was written, and the number that tells it from an earlier one of that name."""
    plain, _, number = name.rpartition(" (")
    if plain and number.endswith(")") and number[:-1].isdigit():
        return plain, f" ({number[:-1]}" + ")"
    return name, ""


def _chart_run(table: Table, axis: str, key: str, metrics: Mapping[str, str], file: FilePath) -> LoggedRun | None:
    """A run of a chart; ``None`` where nothing counts its points."""
    steps = table.numbers.get(metrics.get("_step", axis))
    ours = np.zeros(table.rows, dtype=np.int64)
    plain = plain_name(axis)
    is_step = bool(named([axis], STEP_NAMES)) or "_step" in metrics
    is_epoch = bool(named([axis], EPOCH_NAMES))
    if steps is None or not (is_step or is_epoch) or not is_count(steps, ours, True):
        return None
    rows = np.flatnonzero(steps.given)
    counted = np.where(steps.given, steps.values, 0.0).astype(np.int64)
    beside = axis if "_step" in metrics and axis in table.numbers else None
    axes = Axes(
        metrics.get("_step", axis),
        "step" if is_step else "epoch",
        beside if is_epoch else None,
        beside if plain in CLOCK_NAMES and clock_of(table, axis) is not None else None,
    )
    names = {column: name for name, column in metrics.items() if name != "_step" and column in table.numbers}
    series = series_of(table, axes, rows, counted, names)
    notes = list(table.notes)
    if any(_is_mean(table, column) for column in names):
        notes.append("The export has means of several steps in a point: the lowest and highest values differ from it.")
    return LoggedRun(
        files=(file,),
        key=key,
        name=_without_number(key)[0],
        series=series,
        counted="step" if is_step else "epoch",
        notes=tuple(notes),
    )


def _is_mean(table: Table, column: str) -> bool:
    plain, again = _without_number(column)
    low, high = (table.numbers.get(plain + end + again) for end in (_LOW, _HIGH))
    if low is None or high is None:
        return False
    both = low.given & high.given
    return bool((low.values[both] < high.values[both]).any())


def _of_history(table: Table, file: FilePath) -> LoggedRun:
    """The run whose history it is.

    Raises:
        NoTable: If it counts no steps.
    """
    ours = np.zeros(table.rows, dtype=np.int64)
    metrics = [name for name in table.numbers if name and not name.startswith("_") and plain_name(name) != "unnamed_0"]
    own = [
        name for name in named(metrics, ("global_step", "trainer_global_step")) if _is_everywhere(table, name, metrics)
    ]
    count = own[0] if own else "_step"
    steps = table.numbers.get(count)
    if steps is None or not is_count(steps, ours, True):
        raise NoTable('Expected whole numbers that grow in the column "_step".')
    epoch = next((name for name in named(metrics, EPOCH_NAMES) if name != count), None)
    clock = next((name for name in ("_timestamp", "_runtime") if clock_of(table, name) is not None), None)
    axes = Axes(count, "step", epoch, clock)
    rows = np.flatnonzero(steps.given)
    counted = np.where(steps.given, steps.values, 0.0).astype(np.int64)
    names = {name: name for name in metrics if name not in axes.all}
    notes = (f'Its steps are those of "{count}"; W&B\'s own count its entries.',) if own else ()
    return LoggedRun(files=(file,), series=series_of(table, axes, rows, counted, names), notes=(*table.notes, *notes))


def _is_everywhere(table: Table, name: str, metrics: Sequence[str]) -> bool:
    """Whether a column of the program's own steps has one wherever a metric has a value."""
    steps = table.numbers[name]
    if not is_count(steps, np.zeros(table.rows, dtype=np.int64), True):
        return False
    return all(not (table.numbers[each].given & ~steps.given).any() for each in metrics)


def _of_table(table: Table, file: FilePath) -> list[LoggedRun]:
    """The runs of a table of runs: names, states, settings and last values, and no curves."""
    if not 0 < table.rows <= MOST_RUNS:
        raise NoTable(f"The table has {table.rows:,} runs; 1 to {MOST_RUNS:,} are read.")
    rest = [name for name in table.names if name not in ("Name", "ID", "State", "Created", "Runtime", *_TAGS)]
    last = [name for name in rest if name in table.numbers and is_measured(name)]
    roles = Roles(
        name="Name",
        identity="ID" if "ID" in table.names else None,
        state="State" if "State" in table.names else None,
        created="Created" if "Created" in table.names else None,
        last=last,
        config=[name for name in rest if name not in last],
        tags=[name for name in _TAGS if name in table.names],
    )
    found = runs_of_rows(table, roles, file, "wandb")
    lasted = table.numbers.get("Runtime")
    return found if lasted is None else [_ended(run, lasted, row) for row, run in enumerate(found)]


def _ended(run: LoggedRun, lasted: Numbers, row: int) -> LoggedRun:
    """A run with its end, where the table has its start and how long it took."""
    if run.created_at is None or not lasted.given[row] or not np.isfinite(lasted.values[row]):
        return run
    return replace(run, ended=run.created_at + float(lasted.values[row]))


FORMAT = WandbCsv()
