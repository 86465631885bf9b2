"""What is read of the parts of a Neptune export, until it is parted into runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import FilePath, Reading, Told
from lib.data.formats.stores.neptune_runs import MILLION, run_of
from lib.data.formats.stores.parquet_files import encoded, number_leaves
from lib.data.formats.stores.points import MOST_VALUES, Gathering, Points

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

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


@dataclass(slots=True)
class Export:
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
            micro = np.rint(np.clip(step[rows], -1.0, 2.0**42) * MILLION, where=with_step, out=np.zeros(len(rows)))
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
            run_of(run, self.projects[run], facts, series.get(run, {}), self.files) for run, facts in self.facts.items()
        )
        unused = () if runs or self.told else (Told(self.files[0], "A part of an export without rows."),)
        return Reading(runs, tuple(self.told), unused)


def _seconds(table: pa.Table) -> np.ndarray:
    """When the rows were logged, in Unix seconds, shape (n,); NaN where that is not known."""
    import pyarrow as pa

    at = np.full(table.num_rows, np.nan)
    if "timestamp" in table.column_names and pa.types.is_timestamp(table["timestamp"].type):
        counts = table["timestamp"].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
        for _, rows, values in number_leaves("", counts):
            at[rows] = values / 1e6
    return at
