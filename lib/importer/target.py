"""The project that runs are written into: what its tables look like, what is there of a run, and writing.

A write that broke off may have been done. It is never simply repeated: ``Unsure`` says so, and whoever writes looks
first at what is there.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from postgrest import SyncRequestBuilder

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AccessDenied, AppError, RunSourceError, SettingsError
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import LOGGED
from lib.data.refusals import Refusal
from lib.data.supabase.auth import SignedIn, sign_in
from lib.data.supabase.client import Access, Answer, Columns, Damaged, Project
from lib.data.supabase.errors import refusal_of_answer, refusal_of_exception
from lib.data.supabase.pages import can_be_read
from lib.data.supabase.source import SupabaseSource
from lib.importer.job_rows import EPOCHS, JOB_COLUMNS
from lib.importer.settings import ImportSettings

ATTEMPTS = 5
FIRST_PAUSE_S = 0.5
LEAST_JOB_COLUMNS = 8
"""A table that has fewer of a job's columns is another table."""
MOST_PROBED = 60
"""So many further metrics are asked for by name where no row tells the columns: each that is not there is a request."""
PLACES = ("step", "epoch", "timestamp")


class Unsure(Exception):
    """Whether something was written cannot be told.

    Attributes:
        error: What to say if that goes on.
    """

    def __init__(self, error: AppError) -> None:
        super().__init__(str(error))
        self.error = error


class TooMuch(Exception):
    """The database would not take so much at once; nothing of it was written."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the two tables look like.

    Attributes:
        jobs: Those of ``JOB_COLUMNS`` that the table of jobs has.
        metrics: The columns of the table of metrics, as far as they were asked for or told.
        whole: Columns of epochs that take whole numbers only, by table and name.
    """

    jobs: tuple[str, ...]
    metrics: tuple[str, ...]
    whole: frozenset[tuple[str, str]]

    @property
    def lacking(self) -> tuple[str, ...]:
        """Columns of jobs that are not there."""
        return tuple(name for name in JOB_COLUMNS if name not in self.jobs)


class Target:
    """A project, opened for writing.

    Attributes:
        user_id: Who owns what is written.
        host: The project, for people.
    """

    def __init__(self, settings: ImportSettings) -> None:
        """Open it, signing in where that is asked for.

        Raises:
            AppError: If that fails.
        """
        self._project = Project(settings.project)
        self._reader: SignedIn | None = None
        self.host = settings.project.host
        self.jobs_table, self.metrics_table = settings.project.jobs_table, settings.project.metrics_table
        try:
            if settings.email is not None and settings.password is not None:
                self._reader = sign_in(self._project, settings.email, settings.password)
                if settings.user_id not in (None, self._reader.user_id):
                    raise SettingsError(
                        "Expected the user that runs are written for to be the one who signs in, found another one.",
                        hint="Remove RUNOFF_IMPORT_USER, or sign in as that user.",
                    )
        except BaseException:
            self.close()
            raise
        self.user_id = self._reader.user_id if self._reader is not None else (settings.user_id or "")
        self._access = Access(self._project, self._reader)

    def close(self) -> None:
        """End the sign-in and close the connections."""
        if self._reader is not None:
            self._reader.sign_out()
        self._project.close()

    def shape(self, metrics: Sequence[str]) -> Shape:
        """Look at the tables.

        Args:
            metrics: Columns of metrics that would be written.

        Raises:
            SettingsError: If they do not look like tables of jobs and of metrics.
            AppError: If they cannot be looked at.
        """
        jobs = self._columns(self.jobs_table, JOB_COLUMNS, ("id", "status"))
        if len(jobs) < LEAST_JOB_COLUMNS:
            raise _another(self.jobs_table, "jobs", f"only {', '.join(jobs)} of their columns")
        told = self._told()
        further = [name for name in dict.fromkeys(metrics) if name not in LOGGED and can_be_read(name)]
        if told is None:
            further = further[:MOST_PROBED]
            there = self._columns(self.metrics_table, (*PLACES, "job_id", *LOGGED, *further), ("job_id", "step"))
        else:
            there = tuple(name for name in (*PLACES, "job_id", *LOGGED, *further) if name in told)
            if not {"job_id", "step"} <= set(there):
                raise _another(self.metrics_table, "metrics", "no column job_id or step")
        if not {"train_loss", "eval_loss"} & set(there):
            raise _another(self.metrics_table, "metrics", "neither train_loss nor eval_loss")
        columns = [(self.jobs_table, name) for name in EPOCHS if name in jobs]
        columns += [(self.metrics_table, "epoch")] if "epoch" in there else []
        return Shape(jobs, there, frozenset(each for each in columns if self._is_whole(*each)))

    def jobs(self, job_ids: Sequence[str], shape: Shape) -> dict[str, Mapping[str, Any]]:
        """The rows of jobs with these ids that are there, by id."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(job_ids), 100):
            some = job_ids[start : start + 100]

            def write(table: SyncRequestBuilder, columns: Columns, some: Sequence[str] = some) -> Any:
                return table.select(*columns).in_("id", some).limit(len(some))

            rows = self._access.read(self.jobs_table, shape.jobs, ("id",), write, _rows)
            found.update((str(row["id"]), row) for row in rows)
        return found

    def curves(self, job_id: str) -> RunCurves | None:
        """What the table of metrics has of a run; ``None`` for nothing."""
        # A source remembers which columns were empty, and they may just have been filled.
        return SupabaseSource(self._project, self._reader).load_curves([job_id]).get(job_id)

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, all or none.

        Raises:
            Unsure: If that may have been done.
            TooMuch: If fewer may be taken.
            AppError: If it was refused.
        """
        self._write("POST", table, {}, rows)

    def update_job(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Change columns of one job; doing so twice does no harm. Raises as ``insert``."""
        self._write("PATCH", self.jobs_table, {"id": f"eq.{job_id}"}, values)

    def _columns(self, table: str, wanted: Sequence[str], needed: Sequence[str]) -> tuple[str, ...]:
        found: Columns = self._access.read(
            table, wanted, needed, lambda rows, columns: rows.select(*columns).limit(1), lambda _, columns: columns
        )
        return found

    def _told(self) -> frozenset[str] | None:
        """The columns of a row of metrics, of which nothing else is kept; ``None`` where there is no row to be seen."""
        try:
            rows = self._access.read(
                self.metrics_table, ("job_id",), ("job_id",), lambda table, _: table.select("*").limit(1), _rows
            )
        except AccessDenied:
            return None
        return frozenset(rows[0]) if rows else None

    def _is_whole(self, table: str, column: str) -> bool:
        """Whether a column takes whole numbers only: then it does not understand the question for a half."""
        try:
            self._access.read(
                table, (column,), (), lambda rows, columns: rows.select(*columns).eq(column, "0.5").limit(1), _rows
            )
        except RunSourceError as error:
            # A refusal of just this question, and not the network or the sign-in.
            return type(error) is RunSourceError
        return False

    def _write(self, method: str, table: str, where: Mapping[str, str], body: Any) -> None:
        settings, refused = self._project.settings, None
        for attempt in range(1, ATTEMPTS + 1):
            token = self._reader.access_token(refused) if self._reader is not None else None
            wait = FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1)
            try:
                answer = self._project.pool.request(
                    method,
                    f"{settings.url}/rest/v1/{table}",
                    params=where,
                    headers={**self._project.headers(token), "Prefer": "return=minimal, count=exact"},
                    content=json.dumps(body, allow_nan=False).encode(),
                    timeout=httpx.Timeout(settings.timeout_s, connect=min(settings.timeout_s, 5.0)),
                )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                # Nothing was sent.
                if attempt == ATTEMPTS:
                    raise refusal_of_exception(error, host=self.host).error from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise Unsure(refusal_of_exception(error, host=self.host).error) from error
            else:
                if answer.is_success:
                    if method == "PATCH" and answer.headers.get("content-range", "").endswith("/0"):
                        # Row-level security hides from an update what may not be changed, and says nothing.
                        raise self._denied(table)
                    return
                refusal = self._refusal(answer, table, signed_in=token is not None)
                if refusal.token_refused and refused is None:
                    refused = token
                    continue
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS or attempt == ATTEMPTS:
                    raise refusal.error
                wait = max(wait, min(refusal.wait_s or 0.0, 60.0))
            time.sleep(wait)

    def _refusal(self, answer: httpx.Response, table: str, *, signed_in: bool) -> Refusal:
        code, message = _code_and_message(answer)
        if code == "57014" or answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise TooMuch
        if code == "42501" or (answer.status_code == httpx.codes.FORBIDDEN and not code):
            raise self._denied(table)
        if code == "23505":
            # It is there by now: somebody else imports too, or an answer was lost.
            raise Unsure(RunSourceError(f"Expected a new row in table {table}; it is there already."))
        if code == "23503":
            raise SettingsError(
                f"Expected table {table} to take the row; what it refers to is not there.",
                hint="Check that RUNOFF_IMPORT_USER is the id of a user of this project.",
            )
        if code[:2] in ("22", "23") or code in ("PGRST204", "PGRST102", "42804", "428C9"):
            found = _column_named(message)
            raise RunSourceError(
                f"Expected table {table} to take the rows; it refuses them"
                f"{f' because of column {isolated(found)}' if found else ''} (code {code}).",
                hint="The column's type, or a rule of the table, does not fit; nothing of this batch was written.",
            )
        refusal = refusal_of_answer(
            answer.status_code, answer.headers, answer.content, host=self.host, table=table, signed_in=signed_in
        )
        if answer.status_code >= 500:
            raise Unsure(refusal.error)
        return refusal

    def _denied(self, table: str) -> AccessDenied:
        return AccessDenied(
            f"Expected to write into table {table} of {self.host}; the database does not let this user.",
            hint="Its row-level security needs policies for insert and update; or use a service key.",
        )


def _column_named(message: str) -> str:
    parts = message.partition('column "')[2].partition('"')
    return parts[0][:63] if parts[1] else ""


def _rows(answer: Answer, _: Columns) -> list[dict[str, Any]]:
    if not answer.body.strip():
        return []
    try:
        rows = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Damaged from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Damaged
    return rows


def _code_and_message(answer: httpx.Response) -> tuple[str, str]:
    try:
        said = answer.json()
    except ValueError:
        return "", ""
    if not isinstance(said, Mapping):
        return "", ""
    return str(said.get("code") or ""), str(said.get("message") or "")


def _another(table: str, kind: str, found: str) -> SettingsError:
    return SettingsError(
        f"Expected {table} to be a table of {kind}, found {found}.",
        hint="Nothing is written there. Check the names of the two tables in the settings.",
    )
