"""The source of an MLflow tracking server. It only reads, and everybody reads with the deployment's credentials.

The list is read page by page and kept for some seconds; search, order and filters are answered out of it. A run's
curves are read whole, metric by metric, since which metric is which, and what its steps count, is only known of all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.runs import RunSummary
from lib.data.formats.stores.points import MOST_STEP
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.listing import Listing
from lib.data.mlflow_server.reading import AT_ONCE, CurveReader, Told
from lib.data.source import IncompleteRead, Progress, Wanted, wall_clock

MOST_SINGLE = 32
"""Runs that are asked for one by one; for more the list is read."""


class MlflowSource:
    """A ``LiveSource`` over a tracking server.

    Attributes:
        refresh_s: As ``LiveSource``.
    """

    synthetic = False
    kind = "MLflow server"

    def __init__(self, server: Server) -> None:
        """Take the server; nothing is asked yet."""
        settings = server.settings
        what = repr((settings.url, settings.workspace, settings.experiments))
        mark = hashlib.sha256(what.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        self.cache_key = f"mlflow:{settings.host}:{mark}"
        self.title = settings.host
        self.refresh_s = settings.refresh_s
        self._listing = Listing(server)
        self._reader = CurveReader(server, self._listing)

    def now(self) -> datetime:
        """The moment it is."""
        return wall_clock()

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``; of very many runs the newest."""
        listed = self._listing.newest()
        return listed.index.page(query, lambda places: [listed.runs[place] for place in places], listed.unreadable)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``; a few are asked for one by one, as they are now."""
        wanted = list(dict.fromkeys(filter(None, run_ids)))
        if len(wanted) > MOST_SINGLE:
            runs = {run.run_id: run for run in self._listing.newest().runs}
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = list(pool.map(self._listing.found, wanted))
            runs = {each.run_id: self._listing.summary(each) for each in found if each is not None}
        return tuple(runs[run_id] for run_id in run_ids if run_id in runs)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
        progress: Progress | None = None,
        also: Wanted | None = None,
    ) -> dict[str, RunCurves]:
        """As ``LiveSource.load_curves``; every point is there, whatever ``buckets`` says.

        Raises:
            IncompleteRead: If some metrics could not be read; the others are in it.
        """
        told = Told(progress)
        found = {}
        for run_id, run in self._reader.curves(run_ids, told, grow=False).items():
            if metrics is not None:
                kept = {
                    name: curve
                    for name, curve in run.curves.items()
                    if name in metrics or (also is not None and also(name))
                }
                unread = tuple(name for name in run.curves if name not in kept)
                run = replace(run, curves=MappingProxyType(kept), unread=unread)
            run = run if steps is None else cut(run, *steps)
            if run.curves:
                found[run_id] = run
        return _whole(found, told)

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        """As ``LiveSource.load_new_curves``: only metrics that grew are asked for, from their last page on."""
        told = Told()
        found = {}
        for run_id, run in self._reader.curves(run_ids, told, grow=True).items():
            new = cut(run, max(0, after.get(run_id, 0)), MOST_STEP)
            if new.curves:
                found[run_id] = new
        return _whole(found, told)

    def way(self) -> str:
        """As ``LiveSource.way``."""
        return "Curves are read from the MLflow server, page by page."


def _whole(found: dict[str, RunCurves], told: Told) -> dict[str, RunCurves]:
    """What was found, where all of it was.

    Raises:
        IncompleteRead: Where something is missing.
    """
    if not told.errors:
        return found
    error = next(iter(told.errors.values()))
    count = len(told.errors)
    raise IncompleteRead(
        f"{error} Not read: {count:,} {'metric' if count == 1 else 'metrics'}.",
        curves=found,
        run_ids=tuple(dict.fromkeys(run_id for run_id, _ in told.errors)),
        rows_read=told.values,
        rows_expected=None,
        hint=error.hint,
        besides=error.besides,
    ) from error
