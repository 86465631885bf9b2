"""The numeric columns of a project's metrics table that the catalogue does not know: further metrics.

A table does not tell a reader what columns it has, but a row does: one row is read whole, once in a while. A column
that is null there has no type yet, so that a row where it is not null is asked for. What nobody has filled in is no
metric of these runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from lib.core.facts.credentials import redact
from lib.core.facts.errors import AccessDenied, AppError
from lib.core.facts.metrics import METRICS
from lib.data.supabase.client import Access, Answer, Columns, Damaged
from lib.data.supabase.pages import can_be_read, written
from lib.data.tables.json_rows import Broken, NotWhole, rows_of_json
from lib.data.tables.metric_rows import may_be_metric

LOOK_AGAIN_S = 600.0
"""Somebody may have added a column, or filled one in that was empty."""
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
"""JSON has no such numbers: they come as text."""


class FurtherColumns:
    """What one reader has seen of the table's columns. Safe to share between threads."""

    def __init__(self, access: Access, table: str) -> None:
        self._access, self._table = access, table
        self._lock = threading.Lock()
        self._failed: tuple[float, AppError] | None = None
        self._forget()

    @property
    def has_failed(self) -> bool:
        """Whether the last question had no answer."""
        return self._failed is not None

    def of(self, run_ids: Sequence[str]) -> tuple[str, ...]:
        """The further metrics that these runs may have logged, in the order of their names.

        None where the reader may not read whole rows: then nothing says what columns there are.

        Raises:
            AppError: If there is no answer.
        """
        came_at = time.monotonic()
        # Five runs are read at once: one of them asks, the others wait for the answer, or share the failure.
        with self._lock:
            if self._failed is not None and self._failed[0] > came_at:
                raise self._failed[1]
            if time.monotonic() - self._looked_at > LOOK_AGAIN_S:
                self._forget()
            new = [run_id for run_id in run_ids if run_id not in self._settled]
            if new and (self._untyped is None or self._untyped):
                try:
                    self._look(new)
                    self._failed = None
                except AppError as error:
                    self._failed = time.monotonic(), error
                    raise
            return self._access.project.present(self._table, sorted(self._numeric))

    def _forget(self) -> None:
        self._looked_at = time.monotonic()
        self._numeric: set[str] = set()
        self._untyped: set[str] | None = None
        self._settled: set[str] = set()

    def _look(self, run_ids: Sequence[str]) -> None:
        try:
            if self._untyped is None:
                row = self._row(run_ids, ())
                if row is None:
                    return
                self._untyped = {name for name in row if _may_be_further(name)}
                self._note(row)
            while self._untyped and (row := self._row(run_ids, sorted(self._untyped))) is not None:
                if not self._note(row):
                    break
        except AccessDenied:
            # Some columns are not for this reader, and so no row is as a whole.
            self._untyped = set()
        self._settled.update(run_ids)

    def _row(self, run_ids: Sequence[str], columns: Sequence[str]) -> Mapping[str, object] | None:
        """A row of these runs: whole, or the columns of which one at least is not null; ``None`` for no row."""

        def write(table: SyncRequestBuilder, _: Columns) -> SyncSelectRequestBuilder:
            query = table.select(*map(written, columns) if columns else "*").in_("job_id", run_ids)
            if columns:
                query = query.or_(",".join(f"{written(name)}.not.is.null" for name in columns))
            return query.limit(1)

        return self._access.read(self._table, ("job_id", *columns), ("job_id",), write, _only_row)

    def _note(self, row: Mapping[str, object]) -> bool:
        """Take in the types that a row tells; whether it told one."""
        untyped = self._untyped or set()
        told = {name: value for name, value in row.items() if name in untyped and value is not None}
        untyped.difference_update(told)
        self._numeric.update(name for name, value in told.items() if _is_number(value))
        return bool(told)


def _may_be_further(name: str) -> bool:
    return may_be_metric(name) and name not in METRICS and can_be_read(name) and redact(name) == name


def _is_number(value: object) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or value in _NO_NUMBERS


def _only_row(answer: Answer, _: Columns) -> Mapping[str, object] | None:
    try:
        rows = rows_of_json(answer.body)
    except NotWhole as error:
        raise Damaged from error
    if answer.rows not in (None, len(rows)):
        raise Damaged
    if rows and all(isinstance(row, Broken) for row in rows):
        raise Damaged
    return next((row for row in rows if not isinstance(row, Broken)), None)
