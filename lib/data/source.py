"""Where runs come from.

``RunSource`` is all that the app knows about storage. Every implementation passes the same tests
(``tests/data/test_source_contract.py``); a new one is done when it passes them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import pandas as pd

from lib.core.query import RunPage, RunQuery
from lib.core.runs import RunSummary


class RunSource(Protocol):
    """Read access to training runs. Safe to share between threads; every read gives fresh objects.

    Attributes:
        cache_key: Names the data *and* the reader. Part of every cache key, so that two readers never
            share a cached row. Never a secret.
        title: What the app says it reads, in a few words.
        synthetic: True where the runs are made up; the app says so.
    """

    cache_key: str
    title: str
    synthetic: bool

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return the runs that match ``query``, and how many there are beyond the page.

        Raises:
            SourceUnavailable: If the source cannot be reached.
            AccessDenied: If the reader is refused.
            MalformedRow: If a row cannot be understood; the message names the row and the column.
        """
        ...

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """Return the runs with these ids, in the order asked for; unknown ids are left out.

        Raises:
            As ``list_runs``.
        """
        ...

    def load_metrics(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
    ) -> pd.DataFrame:
        """Return the curves of these runs as a metric frame (``lib.core.metric_frame``), complete.

        Unknown ids, and runs without metrics, have no rows.

        Args:
            run_ids: Which runs.
            metrics: Only these metrics; ``None`` for all.
            steps: Only steps from the first to the last of this pair, both included; ``None`` for all.

        Raises:
            As ``list_runs``.
        """
        ...


@runtime_checkable
class LiveSource(RunSource, Protocol):
    """A source whose running runs grow while one looks at them.

    Attributes:
        refresh_s: How often running runs are worth asking for news, in seconds.
    """

    refresh_s: float

    def load_new_metrics(self, run_ids: Sequence[str], after: Mapping[str, int]) -> pd.DataFrame:
        """Return the rows of these runs from step ``after`` on, that step included, as a metric frame.

        Args:
            run_ids: Which runs.
            after: The last step held of each run; one that is missing is read from its beginning.

        Raises:
            As ``load_metrics``.
        """
        ...
