"""Trackio's projects: a database ``PROJECT.db``, or ``PROJECT.parquet`` with its ``_configs`` and ``_system``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.core.facts.values import moment
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told
from lib.data.formats.stores import sqlite_files
from lib.data.formats.stores.json_numbers import number_columns, parsed_rows
from lib.data.formats.stores.parquet_files import encoded, has_columns, number_leaves, parquet
from lib.data.formats.stores.points import MOST_VALUES, Gathering, Points, dropped_steps, steps_by_time, usable
from lib.data.formats.stores.sqlite_files import WAL, Database, as_text, database, is_named_so

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

PARQUET, CONFIGS, SYSTEM = ".parquet", "_configs", "_system"

ROWS_AT_ONCE = 4_000
MOST_ROW = 2**18
"""Bytes of what was logged at once: numbers, not tables or pictures in them."""
MOST_RUNS = 100_000
"""Runs of one project."""

OLD_ID = "run_name"
"""Projects of older versions know their runs by name alone."""

_NOT_METRICS = frozenset({"id", "run_id", "timestamp", "run_name", "step", "log_id", "space_id"})
_NOT_CONFIG = frozenset({"id", "run_id", "run_name", "created_at"})


class Trackio:
    """Trackio's projects, as a database or as its Parquet files."""

    title = "Trackio"
    reads = "a project's .db or .parquet"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return is_named_so(path) or path[-1].endswith(PARQUET)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        tables = [path for path in files if path[-1].endswith(PARQUET)]
        found = sqlite_files.units([path for path in files if not path[-1].endswith(PARQUET)])
        there = set(tables)
        for path in tables:
            stem = path[-1].removesuffix(PARQUET)
            for part in (CONFIGS, SYSTEM):
                if stem.endswith(part) and (whole := (*path[:-1], stem.removesuffix(part) + PARQUET)) in there:
                    break
            else:
                whole = path
            found.setdefault(whole, []).append(path)
            found[whole].sort(key=lambda each: (each != whole, each))
        return found

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        project = _Project(files)
        path = project.path
        try:
            if path[-1].endswith(PARQUET):
                is_ours = _read_tables(root, project)
            else:
                with database(root.joinpath(*path)) as found:
                    is_ours = found is not None and _is_trackio(found) and _read_database(found, project)
        except NotReadable as error:
            # Any table may be a Parquet file; only its companions tell that it is a project's.
            is_ours = not path[-1].endswith(PARQUET) or len(files) > 1
            return Reading(unreadable=(Told(path, str(error)),)) if is_ours else None
        return project.reading() if is_ours else None


FORMAT = Trackio()


@dataclass(slots=True)
class _Project:
    """A project while it is read; everything of a run is kept by the run's id.

    Attributes:
        files: The one with the metrics first.
        names: What the runs are called.
        configs: Their configuration.
        created: When they say that they began, in Unix seconds.
        metrics, system: What was logged with steps, and by the clock alone.
        bad: Rows that are no JSON object.
        unreadable: Files that could not be read, or not to their end.
    """

    files: Sequence[FilePath]
    names: dict[str, str] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: dict[str, float] = field(default_factory=dict)
    metrics: Gathering = field(default_factory=Gathering)
    system: Gathering = field(default_factory=Gathering)
    bad: int = 0
    unreadable: list[Told] = field(default_factory=list)

    @property
    def path(self) -> FilePath:
        return next(path for path in self.files if not path[-1].endswith(WAL))

    def configure(self, run: str, name: str, config: dict[str, Any], created_at: Any) -> None:
        """Keep what a run states of itself."""
        self.names.setdefault(run, name)
        self.configs[run] = config
        if (created := moment(created_at) or moment(config.get("_Created"))) is not None:
            self.created[run] = created.timestamp()

    def reading(self) -> Reading:
        """What all that comes to."""
        metrics, system = _by_run(self.metrics), _by_run(self.system)
        runs = [self._run(run, metrics.get(run, {}), system.get(run, {})) for run in self.names]
        if self.metrics.too_many:
            self.unreadable.append(Told(self.path, "The project has metrics of too many names; not all were read."))
        if self.bad:
            self.unreadable.append(Told(self.path, f"{self.bad:,} rows are no JSON objects and were left out."))
        unused = () if runs else (Told(self.path, "A project of Trackio without runs."),)
        return Reading(tuple(runs), tuple(self.unreadable), unused)

    def _run(self, run: str, metrics: dict[str, Points], system: dict[str, Points]) -> LoggedRun:
        series: dict[str, Series] = {}
        dropped = 0
        for key, points in metrics.items():
            good, bad = usable(points)
            dropped += bad
            if len(good):
                series[key] = good.series()
        known = [(each.step, each.at) for each in series.values() if each.at is not None]
        placed = 0
        for key, points in system.items():
            if key not in series and (steps := steps_by_time(points.at, known)) is not None:
                series[key] = Points(steps, points.at, points.value).series()
                placed += 1
        notes = dropped_steps(dropped)
        if placed:
            notes.append("System metrics have no steps; they are placed by the time of logging.")
        config = self.configs.get(run, {})
        hyperparameters = {key: value for key, value in config.items() if not key.startswith("_")}
        tags = {key[1:].lower(): str(value) for key, value in config.items() if key.startswith("_") and value}
        # A run that is resumed states anew when it was created.
        starts = [self.created[run]] if run in self.created else []
        starts += [float(np.nanmin(at)) for _, at in known]
        is_old = run == self.names[run]
        return LoggedRun(
            files=tuple(self.files),
            series=series,
            key=run,
            name=self.names[run],
            identity="" if is_old else run,
            config={"config": hyperparameters} if hyperparameters else {},
            started=min(starts, default=None),
            tags={"project": self.path[-1].rpartition(".")[0], **tags},
            notes=tuple(notes),
        )


def _by_run(gathering: Gathering) -> dict[str, dict[str, Points]]:
    found: dict[str, dict[str, Points]] = {}
    for run, key, points in gathering.points():
        found.setdefault(run, {})[key] = points
    return found


def _is_trackio(found: Database) -> bool:
    return found.has("metrics", "id", "run_name", "timestamp", "step", "metrics")


def _read_database(found: Database, project: _Project) -> bool:
    try:
        _read_rows(found, project, "metrics", project.metrics)
        if found.has("configs", "run_name", "config", "created_at"):
            run_id = _id_column(found, "configs")
            for run, name, text, created in found.rows(
                f"SELECT {run_id}, run_name, config, created_at FROM configs "
                f"WHERE length(config) <= {MOST_ROW} ORDER BY rowid LIMIT {MOST_RUNS}"
            ):
                (config,) = parsed_rows([text if isinstance(text, bytes) else b""])
                project.configure(as_text(run), as_text(name), config or {}, as_text(created))
        if found.has("system_metrics", "run_name", "timestamp", "metrics"):
            _read_rows(found, project, "system_metrics", project.system)
    except NotReadable as error:
        project.unreadable.append(Told(project.path, str(error)))
    return True


def _id_column(found: Database, table: str) -> str:
    return "run_id" if "run_id" in found.tables[table] else OLD_ID


def _read_rows(found: Database, project: _Project, table: str, gathering: Gathering) -> None:
    """Gather the rows of a table in the order in which they were written, and keep the names of their runs."""
    step = "step" if "step" in found.tables[table] else "0"
    question = (
        f"SELECT {_id_column(found, table)}, run_name, {step}, timestamp, metrics FROM {table} NOT INDEXED "
        f"WHERE typeof({step}) = 'integer' AND typeof(metrics) IN ('text', 'blob') AND length(metrics) <= {MOST_ROW} "
        "ORDER BY rowid"
    )
    seconds = _Seconds()
    for chunk in found.chunks(question, at_once=ROWS_AT_ONCE):
        ids, names, steps, times, texts = zip(*chunk, strict=True)
        # Rows of one run mostly follow each other, and there are few runs in all.
        distinct = {pair: place for place, pair in enumerate(dict.fromkeys(zip(ids, names, strict=True)))}
        runs = [as_text(run) for run, _ in distinct]
        for run, (_, name) in zip(runs, distinct, strict=True):
            if len(project.names) < MOST_RUNS:
                project.names.setdefault(run, as_text(name))
        which = np.array([distinct[pair] for pair in zip(ids, names, strict=True)], dtype=np.int64)
        objects = parsed_rows(texts)
        project.bad += objects.count(None)
        _gather(gathering, number_columns(objects), runs, which, np.array(steps, dtype=np.int64), seconds.of(times))


def _gather(
    gathering: Gathering,
    columns: Iterable[tuple[str, np.ndarray, np.ndarray]],
    runs: list[str],
    which: np.ndarray,
    step: np.ndarray,
    at: np.ndarray,
) -> None:
    for key, rows, values in columns:
        distinct, places = np.unique(which[rows], return_inverse=True)
        gathering.add([(runs[each], key) for each in distinct.tolist()], places, step[rows], at[rows], values)


class _Seconds:
    """Unix seconds of texts; rows that are written together have the same."""

    def __init__(self) -> None:
        self._known: dict[Any, float] = {}

    def of(self, texts: Sequence[Any]) -> np.ndarray:
        for text in set(texts).difference(self._known):
            found = moment(as_text(text))
            self._known[text] = np.nan if found is None else found.timestamp()
        at = np.array([self._known[text] for text in texts], dtype=np.float64)
        if len(self._known) > MOST_RUNS:
            self._known.clear()
        return at


def _read_tables(root: Path, project: _Project) -> bool:
    """Read a project's Parquet files; whether they are of Trackio."""
    whole, *others = project.files
    with parquet(root.joinpath(*whole)) as file:
        if file is None or not has_columns(file, ("id", "run_name", "timestamp", "step")):
            return False
        _read_columns(file, project, project.metrics)
    for path in others:
        try:
            with parquet(root.joinpath(*path)) as file:
                if file is not None and path[-1].endswith(SYSTEM + PARQUET) and has_columns(file, ("timestamp",)):
                    _read_columns(file, project, project.system)
                elif file is not None and has_columns(file, ("run_name", "created_at")):
                    _read_configs(file, project)
        except NotReadable as error:
            project.unreadable.append(Told(path, str(error)))
    return True


def _read_columns(file: pq.ParquetFile, project: _Project, gathering: Gathering) -> None:
    there = file.schema_arrow.names
    run_id = "run_id" if "run_id" in there else OLD_ID
    if not {run_id, "run_name"} <= set(there):
        return
    seconds = _Seconds()
    values = 0
    for group in range(file.num_row_groups):
        head = file.read_row_group(group, columns=[each for each in there if each in _NOT_METRICS])
        runs, which = encoded(head[run_id])
        names, called = encoded(head["run_name"])
        # The first row of each run.
        firsts = np.unique(which, return_index=True)[1]
        for run, row in zip(runs, firsts, strict=True):
            project.names.setdefault(run, names[called[row]])
        rows = head.num_rows
        step = _numbers(head["step"]) if "step" in there else np.zeros(rows, np.int64)
        texts, place = encoded(head["timestamp"])
        at = seconds.of(texts)[place] if texts else np.empty(0)
        for name in there:
            if name in _NOT_METRICS or values > MOST_VALUES:
                continue
            table = file.read_row_group(group, columns=[name])
            if name not in table.column_names:
                continue
            columns = list(number_leaves(name, table[name]))
            values += sum(len(numbers) for _, _, numbers in columns)
            _gather(gathering, columns, runs, which, step, at)
    if values > MOST_VALUES:
        raise NotReadable(f"The file has more than {MOST_VALUES:,} values; the others were not read.")


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Steps; what is no number becomes -1, which is left out."""
    step = np.full(len(column), -1, dtype=np.int64)
    for _, rows, values in number_leaves("", column):
        step[rows] = np.clip(np.nan_to_num(values, nan=-1.0), -1, 2.0**62)
    return step


def _read_configs(file: pq.ParquetFile, project: _Project) -> None:
    for batch in file.iter_batches(batch_size=256):
        for row in batch.to_pylist():
            run, name = row.get("run_id") or row.get(OLD_ID), row.get("run_name")
            if not isinstance(run, str) or len(project.configs) > MOST_RUNS:
                continue
            # A column is there for all runs if one of them has it; null is what the others did not state.
            config = {key: value for key, value in row.items() if key not in _NOT_CONFIG and value is not None}
            project.configure(run, name if isinstance(name, str) else run, config, row.get("created_at"))
