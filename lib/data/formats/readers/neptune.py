"""Exports of Neptune: ``data/PROJECT-hash/RUN-hash_part_N.parquet``, a row for each value of each attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.core.facts.runs import RunStatus
from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told
from lib.data.formats.stores.parquet_files import encoded, has_columns, number_leaves, parquet
from lib.data.formats.stores.points import MOST_VALUES, Gathering, Points, dropped_steps, steps_by_time, usable

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

PARQUET, UNFINISHED = ".parquet", ".parquet.tmp"
COLUMNS = ("run_id", "attribute_path", "attribute_type", "step", "float_value")

MOST_FACTS = 20_000
"""Attributes of one run that are no series."""
MOST_FACT = 10_000
"""Characters of one; longer texts are documents."""

# Where a fact of each type stands.
_VALUES = {
    "float": "float_value",
    "int": "int_value",
    "string": "string_value",
    "bool": "bool_value",
    "datetime": "datetime_value",
    "string_set": "string_set_value",
}
MILLION = 1_000_000
SYSTEM = "sys"
SAMPLED = "monitoring"
"""Use of processor and memory, sampled by the clock: its steps count samples."""
_NOT_CONFIG = frozenset({SAMPLED, "source_code", "artifacts"})
_RESULTS = re.compile(r"(metrics?|eval\w*|test\w*|val(id\w*)?|results?|scores?|summary|final)", re.IGNORECASE)
_PART = re.compile(r"(.+)_part_(\d{1,9})\.parquet(\.tmp)?", re.DOTALL)


class NeptuneExport:
    """The Parquet files of Neptune's exporter; the parts of a run belong together."""

    title = "Neptune export"
    reads = "Parquet files of Neptune's exporter"
    is_general = False

    def matches(self, path: FilePath) -> bool:
        return path[-1].endswith((PARQUET, UNFINISHED))

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        found: dict[Folder, list[tuple[int, FilePath]]] = {}
        for path in files:
            part = _PART.fullmatch(path[-1])
            name, number = (part[1], int(part[2])) if part else (path[-1], 0)
            found.setdefault((*path[:-1], name), []).append((number, path))
        return {folder: [path for _, path in sorted(parts)] for folder, parts in found.items()}

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        export = _Export(files)
        for path in files:
            is_part = _PART.fullmatch(path[-1]) is not None
            if path[-1].endswith(UNFINISHED):
                if is_part:
                    export.told.append(Told(path, "This part of the export is still being written, or was given up."))
                continue
            try:
                with parquet(root.joinpath(*path)) as file:
                    if file is not None and has_columns(file, COLUMNS):
                        export.is_one = True
                        export.take(file)
            except NotReadable as error:
                # Any table may be a Parquet file; the name of a part tells whose it is.
                if is_part or export.is_one:
                    export.told.append(Told(path, str(error)))
        return export.reading() if export.is_one or export.told else None


FORMAT = NeptuneExport()


@dataclass(slots=True)
class _Export:
    """What was read of the parts of a unit: points, and facts by run.

    Attributes:
        files: The parts, in their order.
        is_one: A part has the columns of the exporter.
        told: Parts that could not be read.
        gathering: Points by run and attribute, with steps in millionths.
        projects, facts: By run its project, and its attributes that are no series.
        values: How many points there are.
    """

    files: Sequence[FilePath]
    is_one: bool = False
    told: list[Told] = field(default_factory=list)
    gathering: Gathering = field(default_factory=Gathering)
    projects: dict[str, str] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    values: int = 0

    def take(self, file: pq.ParquetFile) -> None:
        """Read a part, row group by row group."""
        there = file.schema_arrow.names
        more = [each for each in ("timestamp", "project_id") if each in there]
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=[*COLUMNS, *more])
            runs, run = encoded(table["run_id"])
            paths, path = encoded(table["attribute_path"])
            types, kind = encoded(table["attribute_type"])
            projects, project = encoded(table["project_id"]) if "project_id" in there else ([""], np.zeros_like(run))
            for each, row in zip(runs, np.unique(run, return_index=True)[1].tolist(), strict=True):
                self.facts.setdefault(each, {})
                self.projects.setdefault(each, projects[project[row]])
            is_series = kind == (types.index("float_series") if "float_series" in types else -1)
            self._take_points(table, (runs, run), (paths, path), is_series)
            fact_types = [place for place, each in enumerate(types) if each in _VALUES]
            rows = np.flatnonzero(np.isin(kind, fact_types))
            if len(rows):
                columns = sorted({_VALUES[types[place]] for place in np.unique(kind[rows])} & set(there))
                values = file.read_row_group(group, columns=[*columns]).take(rows) if columns else None
                for place, row in enumerate(rows[:MOST_FACTS].tolist()):
                    column = _VALUES[types[kind[row]]]
                    if values is not None and column in values.column_names:
                        self._take_fact(runs[run[row]], paths[path[row]], values[column][place].as_py())
            if self.values > MOST_VALUES:
                raise NotReadable(f"The export has more than {MOST_VALUES:,} values; the others were not read.")

    def _take_points(
        self,
        table: pa.Table,
        runs: tuple[list[str], np.ndarray],
        paths: tuple[list[str], np.ndarray],
        is_series: np.ndarray,
    ) -> None:
        for _, rows, values in number_leaves("", table["float_value"]):
            kept = is_series[rows]
            rows, values = rows[kept], values[kept]
            step = np.full(table.num_rows, np.nan)
            for _, places, numbers in number_leaves("", table["step"]):
                step[places] = numbers
            at = _seconds(table)
            pair = runs[1][rows] * len(paths[0]) + paths[1][rows]
            distinct, which = np.unique(pair, return_inverse=True)
            names = [(runs[0][each // len(paths[0])], paths[0][each % len(paths[0])]) for each in distinct.tolist()]
            # Kept as millionths, of which the exporter's steps are whole numbers.
            with_step = np.isfinite(step[rows])
            micro = np.rint(np.clip(step[rows], -1.0, 2.0**42) * 1e6, where=with_step, out=np.zeros(len(rows)))
            self.gathering.add(
                names, which[with_step], micro[with_step].astype(np.int64), at[rows][with_step], values[with_step]
            )
            self.values += len(rows)

    def _take_fact(self, run: str, path: str, value: Any) -> None:
        facts = self.facts[run]
        if value is None or (isinstance(value, str) and len(value) > MOST_FACT) or len(facts) >= MOST_FACTS:
            return
        if isinstance(value, list):
            value = ", ".join(str(each) for each in value[:100])
        facts[path] = value

    def reading(self) -> Reading:
        """What all that comes to."""
        series: dict[str, dict[str, Points]] = {}
        for run, path, points in self.gathering.points():
            series.setdefault(run, {})[path] = points
        runs = tuple(
            _run(run, self.projects[run], facts, series.get(run, {}), self.files) for run, facts in self.facts.items()
        )
        unused = () if runs or self.told else (Told(self.files[0], "A part of an export without rows."),)
        return Reading(runs, tuple(self.told), unused)


def _run(
    run: str, project: str, facts: Mapping[str, Any], metrics: Mapping[str, Points], files: Sequence[FilePath]
) -> LoggedRun:
    series, notes = _series(metrics)
    config: dict[str, Any] = {}
    last: dict[str, float] = {}
    for path, value in facts.items():
        section, _, rest = path.partition("/")
        if section == SYSTEM or section in _NOT_CONFIG:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if rest and is_number and _RESULTS.fullmatch(section):
            last[path] = float(value)
        else:
            _put(config.setdefault(section if rest else "run", {}), rest or path, value)
    system = {path.partition("/")[2]: value for path, value in facts.items() if path.startswith(f"{SYSTEM}/")}
    status, said = _status(system)
    words = ("owner", "tags", "group_tags", "description", "hostname")
    created = system.get("creation_time")
    return LoggedRun(
        files=tuple(files),
        series=series,
        key=run,
        name=str(system.get("name") or system.get("experiment/name") or run),
        identity=f"{project}/{run}" if project else run,
        config=config,
        last=last,
        status=status,
        said=said,
        created_at=created.timestamp() if isinstance(created, datetime) else None,
        tags={
            **({"project": project} if project else {}),
            **{word: str(system[word]) for word in words if system.get(word)},
        },
        notes=tuple(notes),
    )


def _status(system: Mapping[str, Any]) -> tuple[RunStatus, str | None]:
    """What Neptune says: that a run is inactive and did not fail does not say that it was finished."""
    if system.get("failed") is True:
        return RunStatus.FAILED, "failed"
    state = system.get("state")
    if not isinstance(state, str) or not state:
        return RunStatus.UNKNOWN, None
    return (RunStatus.RUNNING if state.lower() in ("active", "running") else RunStatus.UNKNOWN), state


def _put(section: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at its place below a section; where a value stands on the way there, under its whole path."""
    inner = section
    *way, last = path.split("/")
    for part in way:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            section[path] = value
            return
    if isinstance(inner.get(last), dict):
        section[path] = value
    else:
        inner[last] = value.isoformat() if isinstance(value, datetime) else value


def _series(metrics: Mapping[str, Points]) -> tuple[dict[str, Series], list[str]]:
    """Series of points whose steps are in millionths, and remarks.

    Neptune allows fractional steps. Where the longest metric has them, they are what the run counts in, and all its
    steps are multiplied; otherwise they are of another clock, and placed among the others by time.
    """
    own = {path: points for path, points in metrics.items() if path.partition("/")[0] != SAMPLED}
    apart = {path for path, points in own.items() if (points.step % MILLION).any()}
    notes: list[str] = []
    unit = MILLION
    if apart and max(len(own[path]) for path in apart) > max(
        (len(own[path]) for path in own.keys() - apart), default=0
    ):
        unit = int(np.gcd.reduce([MILLION, *(int(np.gcd.reduce(points.step)) for points in own.values())]))
        notes.append(f"Steps were logged as fractions; all of them are multiplied by {MILLION // unit:,}.")
        apart = set()
    series: dict[str, Series] = {}
    dropped = 0
    for path in own.keys() - apart:
        good, bad = usable(_in_units(own[path], unit))
        dropped += bad
        if len(good):
            series[path] = good.series()
    known = [(each.step, each.at) for each in series.values() if each.at is not None]
    for path in sorted(apart) + [path for path in metrics if path not in own]:
        points = _in_units(metrics[path], MILLION)
        steps = steps_by_time(points.at, known)
        good, bad = usable(points if steps is None else Points(steps, points.at, points.value))
        dropped += bad
        if len(good):
            series[path] = good.series()
    if apart:
        notes.append(
            f"Logged at fractions of steps, and placed by the time of logging: {', '.join(sorted(apart)[:3])}."
        )
    if len(metrics) > len(own) and known:
        notes.append("What is sampled by the clock (monitoring) is placed by the time of logging.")
    return {path: series[path] for path in metrics if path in series}, notes + dropped_steps(dropped)


def _in_units(points: Points, unit: int) -> Points:
    return Points(points.step // unit, points.at, points.value)


def _seconds(table: pa.Table) -> np.ndarray:
    """When the rows were logged, in Unix seconds, shape (n,); NaN where that is not known."""
    import pyarrow as pa

    at = np.full(table.num_rows, np.nan)
    if "timestamp" in table.column_names and pa.types.is_timestamp(table["timestamp"].type):
        counts = table["timestamp"].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
        for _, rows, values in number_leaves("", counts):
            at[rows] = values / 1e6
    return at
