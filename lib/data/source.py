"""Where runs come from.

``RunSource`` is all that the app knows about storage. Every implementation passes the same tests
(``tests/data/test_source_contract.py``); a new one is done when it passes them too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import RunSummary


def wall_clock() -> datetime:
    """The moment it is."""
    return datetime.now(UTC)


class IncompleteRead(SourceUnavailable):
    """Some rows of the curves are there, others could not be read; trying again may help.

    Attributes:
        curves: What was read, by run id. Runs that were read in full are in it too.
        run_ids: The runs whose rows are not all there.
        rows_read: How many rows of these runs were read.
        rows_expected: How many there are; ``None`` where that is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        curves: Mapping[str, RunCurves],
        run_ids: Sequence[str],
        rows_read: int,
        rows_expected: int | None,
        hint: str = "",
        besides: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, besides=besides)
        self.curves = curves
        self.run_ids = tuple(run_ids)
        self.rows_read = rows_read
        self.rows_expected = rows_expected


class RunSource(Protocol):
    """Read access to training runs. Safe to share between threads; every read gives fresh objects.

    Every run carries a ``version``: another one whenever anything changes that the source sees of the run when it
    lists it, and the same one otherwise, whoever reads and in whatever order. Where logs are files, all of a run is
    seen: rows, configuration, side files, checkpoints that come and go. Where rows stand in a table of their own,
    nobody looks at them for a list: the version is that of the run's own row, all columns of it. Rows that come
    without a change of that row are found when the curves are read anew, so what is remembered of the curves of a
    ``LiveSource`` is read anew after some time, though the version stays.

    Attributes:
        cache_key: Names the data *and* the reader. Part of every cache key, so that two readers never
            share a cached row. Never a secret.
        title: What the place is called that the runs come from.
        synthetic: True where the runs are made up; the app says so.
    """

    cache_key: str
    title: str
    synthetic: bool

    def now(self) -> datetime:
        """The moment at which its runs are looked at: of recorded runs that never go on, when the last one reported."""
        ...

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

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """Return the curves of these runs by run id; unknown ids, and runs without values, are absent.

        Args:
            run_ids: Which runs.
            metrics: Only these metrics; ``None`` for all.
            steps: Only steps from the first to the last of this pair, both included; ``None`` for all.
            buckets: The source may leave out points that a curve reduced to so many buckets does not have
                (``lib.core.curves.series.reduce_indices``); evaluations are never left out. ``None``: all points.

        Raises:
            As ``list_runs``.
            IncompleteRead: If some values could not be read; the others are in it.
        """
        ...


@runtime_checkable
class FollowedSource(RunSource, Protocol):
    """A source that looks for runs in the background: what it answers is what it found so far, at once.

    Attributes:
        refresh_s: How often it is worth asking for news, in seconds.
    """

    refresh_s: float

    def settle(self) -> None:
        """Wait until everything was looked at: for whoever asks once and wants to know all.

        Raises:
            As ``list_runs``.
        """
        ...


Progress = Callable[[int, int | None], None]
"""Is told, from any thread, how many rows of how many a read has so far; ``None`` where that is not known."""


Wanted = Callable[[str], bool]
"""Whether a metric is wanted, by its name."""


@runtime_checkable
class LiveSource(RunSource, Protocol):
    """A source far away, whose running runs grow while one looks at them.

    Attributes:
        kind: What such a place is called ("Project").
        refresh_s: How often running runs are worth asking for news, in seconds.
    """

    kind: str
    refresh_s: float

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
        progress: Progress | None = None,
        also: Wanted | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``; says meanwhile how far it is.

        Args:
            run_ids: As there.
            metrics: As there.
            steps: As there.
            buckets: As there.
            progress: Is told how far it is.
            also: Beside ``metrics``, all that the runs may have logged and that this holds for: what there is, only
                the source knows. Where that cannot be found out, ``way`` says so, and the others come all the same.
        """
        ...

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        """Return the values of these runs from step ``after`` on, that step included.

        Args:
            run_ids: Which runs.
            after: The last step held of each run; one that is missing is read from its beginning.

        Raises:
            As ``load_curves``.
        """
        ...

    def way(self) -> str:
        """How curves are read, in a sentence, as far as it is known."""
        ...
