"""The embedded source: demo runs that come with the app, for a first look and for tests.

The files have the shape of the database tables and are read as database rows are, with no special
treatment. Nothing is read before the first question; of the curves, only those of the run asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunIndex, RunPage, RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.source import wall_clock
from lib.data.tables.job_rows import run_from_row
from lib.data.tables.metric_rows import PLACES, curves_of_rows, curves_of_table

JOBS_FILE = Path(__file__).with_name("demo_jobs.parquet")
METRICS_FILE = JOBS_FILE.with_name("demo_metrics.parquet")


BATCH_ROWS = 1000
"""Rows that are Python objects at once while the list is made: as these they take many times the room."""


class _Listed(NamedTuple):
    """The jobs table: its rows, an index of them, the row of each run id, and when a run last reported."""

    rows: pa.Table
    orders: RunIndex
    places: Mapping[str, int]
    latest: datetime | None


class EmbeddedSource:
    """The demo runs as a ``RunSource``. They are the same for every reader and never change."""

    title = "Demo runs"
    synthetic = True

    def __init__(self, jobs_file: Path = JOBS_FILE, metrics_file: Path = METRICS_FILE) -> None:
        """Take other files of the same shape in the place of the demo's; they are read when they are needed.

        Args:
            jobs_file: The jobs table.
            metrics_file: The metrics table. Quickly read where each run has row groups of its own.
        """
        self.cache_key = "embedded" if metrics_file == METRICS_FILE else f"embedded:{metrics_file}"
        self._jobs_file, self._metrics_file = jobs_file, metrics_file
        self._listed: _Listed | None = None
        # Two threads that ask at once would both read the file.
        self._loading = threading.Lock()

    def now(self) -> datetime:
        """When the last of the runs reported: the runs that are still under way stay so."""
        return self._list().latest or wall_clock()

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return the runs that match ``query``, and how many there are beyond the page.

        Raises:
            SourceUnavailable: If the demo files are not there or damaged.
        """
        listed = self._list()
        return listed.orders.page(query, lambda places: self._made(listed, places))

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """Return the runs with these ids, in the order asked for; unknown ids are left out.

        Raises:
            SourceUnavailable: As ``list_runs``.
        """
        listed = self._list()
        return tuple(self._made(listed, [listed.places[run_id] for run_id in run_ids if run_id in listed.places]))

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``; every point is there, whatever ``buckets`` says.

        Raises:
            SourceUnavailable: As ``list_runs``.
        """
        return {
            run_id: curves
            for run_id in dict.fromkeys(run_ids)
            if (curves := _run_curves(self._metrics_file, run_id, metrics, steps)) is not None and curves.curves
        }

    def _list(self) -> _Listed:
        with self._loading:
            if self._listed is None:
                table = _read(lambda: pq.read_table(self._jobs_file), self._jobs_file)
                rows = chain.from_iterable(batch.to_pylist() for batch in table.to_batches(BATCH_ROWS))
                places: dict[str, int] = {}
                latest: datetime | None = None

                def runs() -> Iterator[RunSummary]:
                    nonlocal latest
                    for place, row in enumerate(rows):
                        run = run_from_row(row, self._jobs_file.name, versioned=False)
                        places[run.run_id] = place
                        latest = max(filter(None, (latest, run.updated_at)), default=None)
                        yield run

                orders = RunIndex(runs())
                self._listed = _Listed(table, orders, places, latest)
        return self._listed

    def _made(self, listed: _Listed, positions: Sequence[int]) -> list[RunSummary]:
        """The runs at these rows, made anew: their configurations are dictionaries that a caller could write into."""
        rows = listed.rows.take(pa.array(positions, pa.int64())).to_pylist()
        return [run_from_row(row, self._jobs_file.name) for row in rows]


def _run_curves(
    path: Path, run_id: str, metrics: Sequence[str] | None, steps: tuple[int, int] | None
) -> RunCurves | None:
    """The curves of one run, out of the row groups that may hold it; ``None`` where it has none."""

    def rows() -> pa.Table:
        with pq.ParquetFile(path) as file:
            groups = [number for number in range(file.num_row_groups) if _may_hold(file, number, run_id)]
            names = [name for name in file.schema_arrow.names if name in PLACES or metrics is None or name in metrics]
            if all(_holds_only(file, number, run_id) for number in groups):
                # Text that says one thing in every row takes longer to read than all metrics together.
                names.remove("job_id")
            return file.read_row_groups(groups, names)

    table = _read(rows, path)
    if "job_id" in table.column_names:
        curves = curves_of_table(table, [run_id]).get(run_id)
    else:
        curves = curves_of_rows(run_id, table) if table.num_rows else None
    if curves is None or steps is None:
        return curves
    return cut(curves, *steps)


def _may_hold(file: pq.ParquetFile, group: int, run_id: str) -> bool:
    """Whether rows of a run can be in a row group, as far as its statistics tell."""
    known = _of_runs(file, group)
    if known is None or known.min is None or known.max is None:
        return True
    least, greatest = str(known.min), str(known.max)
    return least <= run_id <= greatest


def _holds_only(file: pq.ParquetFile, group: int, run_id: str) -> bool:
    """Whether the statistics of a row group say that every row of it is of a run."""
    known = _of_runs(file, group)
    return known is not None and known.null_count == 0 and known.min == known.max == run_id


def _of_runs(file: pq.ParquetFile, group: int) -> pq.Statistics | None:
    return file.metadata.row_group(group).column(file.schema_arrow.get_field_index("job_id")).statistics


def _read(read: Callable[[], pa.Table], path: Path) -> pa.Table:
    try:
        return read()
    except (OSError, pa.ArrowException) as error:
        raise SourceUnavailable(
            f"Demo runs could not be read: expected the Parquet file {path.name}, got {type(error).__name__}.",
            hint="Reinstall the app, or make the file anew with: make demo",
        ) from error
