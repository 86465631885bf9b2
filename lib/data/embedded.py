"""The embedded source: demo runs that come with the app, for a first look and for tests.

The files have the shape of the database tables and are read as database rows are, with no special
treatment. Nothing is read before the first question, and nothing twice in one process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.core.errors import SourceUnavailable
from lib.core.query import RunPage, RunQuery, answer
from lib.core.runs import RunSummary
from lib.data.rows import metric_frame_from_table, run_from_row

JOBS_FILE = Path(__file__).parent / "demo" / "demo_jobs.parquet"
METRICS_FILE = JOBS_FILE.with_name("demo_metrics.parquet")


class EmbeddedSource:
    """The demo runs as a ``RunSource``. They are the same for every reader and never change."""

    cache_key = "embedded"
    title = "Demo runs"
    synthetic = True

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return the runs that match ``query``, and how many there are beyond the page.

        Raises:
            SourceUnavailable: If the demo files are not there or damaged.
        """
        return answer(_runs(), query)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """Return the runs with these ids, in the order asked for; unknown ids are left out.

        Raises:
            SourceUnavailable: As ``list_runs``.
        """
        runs = {run.run_id: run for run in _runs()}
        return tuple(runs[run_id] for run_id in run_ids if run_id in runs)

    def load_metrics(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
    ) -> pd.DataFrame:
        """Return the curves of these runs as a metric frame, complete.

        Args:
            run_ids: Which runs; unknown ids have no rows.
            metrics: Only these metrics; ``None`` for all.
            steps: Only steps from the first to the last of this pair, both included; ``None`` for all.

        Raises:
            SourceUnavailable: As ``list_runs``.
        """
        with _LOADING:
            frame = _metric_frame()
        wanted = frame["run_id"].isin(list(run_ids))
        if metrics is not None:
            wanted &= frame["metric"].isin(list(metrics))
        if steps is not None:
            wanted &= frame["step"].between(*steps)
        return frame[wanted].reset_index(drop=True)


_LOADING = Lock()
"""Two threads that ask at once would both read the files."""


def _runs() -> list[RunSummary]:
    """All runs, made anew: their configurations are dictionaries that a caller could write into."""
    with _LOADING:
        rows = _job_rows()
    return [run_from_row(row, JOBS_FILE.name) for row in rows]


@cache
def _job_rows() -> list[dict]:
    return _read(JOBS_FILE).to_pylist()


@cache
def _metric_frame() -> pd.DataFrame:
    return metric_frame_from_table(_read(METRICS_FILE))


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise SourceUnavailable(
            f"Demo runs could not be read: expected the Parquet file {path.name}, got {type(error).__name__}.",
            hint="Reinstall the app, or make the file anew with: python -m lib.data.demo.generate",
        ) from error
