"""The Supabase source: the two tables of a project, as one reader may read them. It only reads.

Filter, search, order and page of the run list are the database's own, so a list of 100,000 runs costs
one request. Where the database cannot do quite what the other sources do in memory, it says so here:

* Orders compare stored columns: "best loss" is ``best_eval_loss``, "duration" is ``elapsed_seconds``,
  "status" the text of the status; text sorts as the database's collation does.
* A word is found in an id only at its beginning.
* Runs per status are counted only where the answer holds every run; else ``statuses`` is empty, and
  ``source_total`` is the least that is known.
* To count a long list costs the database far more than to give a page of it, so its length is asked for
  once in ten minutes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cachetools import TTLCache
from postgrest import CountMethod, SyncRequestBuilder

from lib.core.curves.metric_curves import RunCurves, cut
from lib.core.facts.errors import AppError, MalformedRow
from lib.core.facts.metrics import LOGGED
from lib.core.facts.query import RunPage, RunQuery, RunSort, Unreadable
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.source import Progress, Wanted, wall_clock
from lib.data.supabase.client import Access, Answer, Columns, Damaged, Project, Reader
from lib.data.supabase.conditions import is_uuid, of_status, searched
from lib.data.supabase.further import FurtherColumns
from lib.data.supabase.metrics import MetricsReader, Span
from lib.data.supabase.reduced import ReducedReader
from lib.data.tables.job_rows import run_from_row
from lib.data.tables.json_rows import Broken, NotWhole, rows_of_json

_JOB_COLUMNS = """
id status model_name dataset_path base_model
current_step total_steps current_epoch total_epochs progress
learning_rate max_learning_rate min_learning_rate
batch_size gradient_accumulation_steps warmup_steps num_gpus distributed_strategy
loss eval_loss grad_norm perplexity train_perplexity best_eval_loss final_loss final_eval_loss
best_epoch best_step epochs_without_improvement loss_trend best_checkpoint_path
gpu_memory_allocated_gb gpu_memory_reserved_gb gpu_utilization_percent samples_per_second
total_samples train_samples val_samples total_tokens_processed
created_at started_at completed_at updated_at elapsed_seconds remaining_seconds
config resumed_from_job_id resumed_from_checkpoint error_message parameter_updates
"""
JOB_COLUMNS = tuple(_JOB_COLUMNS.split())
"""All that is ever asked for, by name: ``job_token`` is a credential that a run's owner can read."""
ESSENTIAL = ("id",)
IDS_AT_ONCE = 100
"""Ids in one address; gateways cut long addresses off."""
LARGEST_LIMIT = 2**31 - 1
LONG_LIST, COUNTED_EVERY_S = 1000, 600.0
"""Of more runs than that, nobody minds that the length of the list is so many seconds old."""
MOST_NAMED = 5
"""Of the columns that are missing, so many are named."""

ORDERS: Mapping[RunSort, tuple[tuple[str, bool], ...]] = {
    RunSort.NEWEST: (("created_at", True), ("started_at", True)),
    RunSort.OLDEST: (("created_at", False), ("started_at", False)),
    RunSort.BEST_LOSS: (("best_eval_loss", False), ("eval_loss", False), ("created_at", True)),
    RunSort.LAST_LOSS: (("eval_loss", False), ("created_at", True)),
    RunSort.TRAIN_LOSS: (("loss", False), ("final_loss", False), ("created_at", True)),
    RunSort.PERPLEXITY: (("perplexity", False), ("created_at", True)),
    RunSort.SPEED: (("samples_per_second", True), ("created_at", True)),
    RunSort.STATUS: (("status", False), ("created_at", True)),
    RunSort.DURATION: (("elapsed_seconds", False), ("created_at", True)),
    RunSort.MODEL: (("model_name", False), ("created_at", True)),
}
"""Columns and whether they descend; nulls come last in each."""


class SupabaseSource:
    """A ``RunSource`` over a Supabase project, for one reader. Make one for each."""

    synthetic = False
    kind = "Project"

    def __init__(self, project: Project, reader: Reader | None = None) -> None:
        """Take the project and the reader; nothing is asked yet.

        Args:
            project: Where to read.
            reader: Who reads; ``None`` for an anonymous visitor.
        """
        settings = project.settings
        who = reader.user_id if reader is not None else "anon"
        self.cache_key = f"supabase:{settings.host}:{settings.jobs_table}:{settings.metrics_table}:{who}"
        self.title = settings.host
        self.refresh_s = settings.refresh_s
        self._jobs_table = settings.jobs_table
        self._lengths: TTLCache[tuple[RunStatus | None, str], int] = TTLCache(100, COUNTED_EVERY_S)
        self._lock = threading.Lock()
        self._access = Access(project, reader)
        self._metrics = MetricsReader(self._access, settings.metrics_table)
        self._further = FurtherColumns(self._access, settings.metrics_table)
        self._reduced = ReducedReader(self._access, settings.metrics_table)

    def now(self) -> datetime:
        """The moment it is."""
        return wall_clock()

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``; what differs is said at the top of this module."""
        limit = max(0, query.limit)

        def narrow(rows: Any, columns: Columns) -> Any:
            rows = searched(of_status(rows, query.status, columns), query.search, columns)
            for column, descending in ORDERS[query.sort]:
                if column in columns:
                    rows = rows.order(column, desc=descending, nullsfirst=False)
            return rows.order("id")

        asked = query.status, query.search
        with self._lock:
            known = self._lengths.get(asked)
        runs, total, unreadable = self._runs(narrow, limit, known)
        if known is None and total > LONG_LIST:
            with self._lock:
                self._lengths[asked] = total
        narrowed = query.status is not None or bool(query.search.strip())
        complete = query.status is None and len(runs) + len(unreadable) == total
        return RunPage(
            runs=runs,
            total=total,
            statuses=Counter(run.status for run in runs) if complete else {},
            # Whether a source has no runs or none that match is worth a question of its own.
            source_total=self._runs(lambda rows, _: rows, 0)[1] if narrowed and not total else total,
            unreadable=unreadable,
        )

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``; one request for up to 100 runs."""
        wanted = _ids(run_ids)
        found: dict[str, RunSummary] = {}
        for start in range(0, len(wanted), IDS_AT_ONCE):
            some = wanted[start : start + IDS_AT_ONCE]

            def narrow(rows: Any, _: Columns, some: Sequence[str] = some) -> Any:
                return rows.in_("id", some).order("id")

            runs, _, _ = self._runs(narrow, len(some))
            found.update((run.run_id, run) for run in runs)
        return tuple(found[run_id] for run_id in run_ids if run_id in found)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
        progress: Progress | None = None,
        also: Wanted | None = None,
    ) -> dict[str, RunCurves]:
        """As ``LiveSource.load_curves``; only the metrics and steps asked for travel.

        With ``buckets`` the database reduces the curves, where it has the function for it.

        Raises:
            IncompleteRead: If some rows could not be read; the others are in it.
        """
        wanted = _ids(run_ids)
        first, last = (0, None) if steps is None else (max(0, steps[0]), steps[1])
        if not wanted or (last is not None and last < first):
            return {}
        known: Columns = LOGGED
        is_told = True
        try:
            known = (*LOGGED, *self._further.of(wanted))
        except AppError:
            is_told = False
            # What is known by name stays worth having where nobody says what else there is.
            if metrics is None or not set(metrics) <= set(LOGGED):
                raise
        asked = [name for name in known if metrics is None or name in metrics or (also is not None and also(name))]
        curves = None
        if buckets is not None and self._reduced.is_there is not False:
            curves = self._reduced.curves(wanted, asked, (first, last), buckets)
        if curves is None:
            spans = [Span(run_id, first, last) for run_id in wanted]
            curves = self._metrics.curves(spans, asked, whole=metrics is None, progress=progress)
            curves = curves if steps is None else {run_id: cut(run, *steps) for run_id, run in curves.items()}
        if metrics is None:
            return curves
        unread = tuple(name for name in known if name not in asked)
        return {run_id: replace(run, unread=unread, may_have_more=not is_told) for run_id, run in curves.items()}

    def load_new_curves(self, run_ids: Sequence[str], after: Mapping[str, int]) -> dict[str, RunCurves]:
        """As ``LiveSource.load_new_curves``.

        The step itself is among them, since an evaluation may be written after the training row of its
        step: put them in the place of what is held (``lib.core.curves.metric_curves.extended``).
        """
        wanted = _ids(run_ids)
        spans = [Span(run_id, max(0, after.get(run_id, 0))) for run_id in wanted]
        return self._metrics.curves(spans, (*LOGGED, *self._further.of(wanted)), whole=True)

    def way(self) -> str:
        """As ``LiveSource.way``."""
        if self._reduced.is_there:
            said = "Curves are reduced in the database (function reduced_metrics)."
        else:
            said = "Every row is read; the optional migration would let the database reduce long curves."
        lacking = [*self._access.project.missing(self._jobs_table), *self._access.project.missing(self._metrics.table)]
        if lacking:
            more = " and others" if len(lacking) > MOST_NAMED else ""
            said += f" The tables have no column {', '.join(lacking[:MOST_NAMED])}{more}."
        if self._further.has_failed:
            said += " Which further metrics there are could not be asked, so none of them can decide."
        return said

    def _runs(
        self, narrow: Callable[[Any, Columns], Any], limit: int, total: int | None = None
    ) -> tuple[tuple[RunSummary, ...], int, tuple[Unreadable, ...]]:
        """The first runs in an order, past the server's limit; how many there are; and the rows that are no runs."""
        found: dict[str, RunSummary] = {}
        unreadable: list[Unreadable] = []
        offset, count = 0, CountMethod.exact if total is None else None
        while True:
            left = min(limit - offset, LARGEST_LIMIT)

            def write(table: SyncRequestBuilder, columns: Columns, left: int = left, offset: int = offset) -> Any:
                query = narrow(table.select(*columns, count=count), columns).limit(left)
                return query.offset(offset) if offset else query

            rows, counted = self._access.read(self._jobs_table, JOB_COLUMNS, ESSENTIAL, write, _rows)
            total = counted if counted is not None else total
            for number, row in enumerate(rows, offset + 1):
                try:
                    run = self._run(row)
                except MalformedRow as error:
                    # One bad row is one bad row: it is named, and the others are listed.
                    unreadable.append(Unreadable(f"{self._jobs_table}, row {number:,} of this list", str(error)))
                    continue
                # A run that started meanwhile moves the others on, so that one may come twice.
                found[run.run_id] = run
            offset += len(rows)
            if not rows or offset >= limit or (total is not None and offset >= total):
                return tuple(found.values()), len(found) if total is None else total, tuple(unreadable)

    def _run(self, row: Mapping[str, Any] | Broken) -> RunSummary:
        if isinstance(row, Broken):
            raise MalformedRow(f"Expected a row with columns, got {row.got}.")
        run = run_from_row(row, self._jobs_table, now=self.now())
        if not is_uuid(run.run_id):
            # The database is asked for runs by uuid: of another type it would refuse the whole question.
            note = "Its id is no uuid, so that it cannot be selected; this app expects a column id of type uuid."
            return replace(run, notes=(*run.notes, note))
        return run


def _rows(answer: Answer, _: Columns) -> tuple[list[dict[str, Any] | Broken], int | None]:
    if not answer.body.strip() and answer.rows == 0:
        return [], answer.total
    try:
        rows = rows_of_json(answer.body)
    except NotWhole as error:
        raise Damaged from error
    if rows and all(isinstance(row, Broken) or row.keys().isdisjoint(ESSENTIAL) for row in rows):
        # No table answers so: whoever did is not the data API, and what was read before stays.
        raise Damaged
    if answer.rows not in (None, len(rows)):
        raise Damaged
    return rows, answer.total


def _ids(run_ids: Iterable[str]) -> list[str]:
    """The ids that the database can know, each once: others would be an error there."""
    return [run_id for run_id in dict.fromkeys(run_ids) if is_uuid(run_id)]
