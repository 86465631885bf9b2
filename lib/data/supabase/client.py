"""Talking to one Supabase project: connections that no reader owns, and reads with a bound in seconds.

Queries are written with ``postgrest``. They are sent from here, since its own ``execute`` loses the
HTTP status, waits seconds between repetitions, and takes any page of text for data.
"""

from __future__ import annotations

import math
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

import httpx
from postgrest import SyncPostgrestClient, SyncRequestBuilder

from lib.data import connections
from lib.data.connections import read_bounded, shared_client, whole_body, within
from lib.data.refusals import Refusal, incomplete
from lib.data.supabase.errors import (
    BEYOND_CODE,
    code_and_message,
    missing_column,
    not_supabase,
    refusal_of_answer,
    too_large,
)
from lib.data.supabase.errors import refusal_of_exception as refusal_of
from lib.data.supabase.settings import SupabaseSettings, is_token

T = TypeVar("T")
Columns = tuple[str, ...]

CONNECT_TIMEOUT_S = 5.0
"""A host that does not take a connection by then is not there."""
ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
"""Doubled with each repetition, and shortened at random so that readers do not come back all at once."""
ATTEMPT_SHARE = 0.6
"""Share of the time for a read that one attempt may take: a connection that hangs leaves time for another."""
MAX_CONNECTIONS = 40
COLUMN_AGAIN_S = 600.0
"""A column that was not there is asked for again after so many seconds: somebody may have added it."""

now = time.monotonic
"""The clock of what is known of a project for a while."""

_RANGE = re.compile(r"(?:(\d+)-(\d+)|\*)/(\d+|\*)")
_KINDS = ("application/json", "application/vnd.pgrst", "text/csv")


class Reader(Protocol):
    """Somebody who is signed in."""

    @property
    def user_id(self) -> str:
        """Names the reader; no secret."""
        ...

    def access_token(self, refused: str | None = None) -> str:
        """A token that is valid now; another one than ``refused``."""
        ...


class Damaged(Exception):
    """An answer that is not whole. Repeating the request helps."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success.

    Attributes:
        rows: How many rows the server says that it sent; ``None`` where it does not say.
        total: How many rows match; ``None`` where that was not asked.
    """

    body: bytes
    rows: int | None
    total: int | None


class Project:
    """One project, as this process talks to it. Shared by all readers: holds nobody's token."""

    def __init__(self, settings: SupabaseSettings) -> None:
        self.settings = settings
        self.pool = shared_client(
            timeout=httpx.Timeout(settings.timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20, keepalive_expiry=30),
            event_hooks={"response": [self._bounded]},
        )
        self._missing: dict[str, Mapping[str, float]] = {}
        self._functions: dict[tuple[str, str | None], float] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self.pool.close()

    def _bounded(self, response: httpx.Response) -> None:
        # The data API's answers are read by ``Access``, within the time of all attempts.
        if "/auth/v1/" in response.request.url.path:
            read_bounded(response, time.monotonic() + self.settings.timeout_s)

    def present(self, table: str, columns: Iterable[str]) -> Columns:
        """Those of the columns that the table is not known to lack."""
        missing = self.missing(table)
        return tuple(name for name in columns if name not in missing)

    def missing(self, table: str) -> tuple[str, ...]:
        """The columns that the table was found to lack of late, in the order of their names."""
        moment = now()
        return tuple(sorted(name for name, until in self._missing.get(table, {}).items() if moment < until))

    def note_missing(self, table: str, column: str) -> None:
        """Do not ask for this column for a while."""
        with self._lock:
            self._missing[table] = {**self._missing.get(table, {}), column: now() + COLUMN_AGAIN_S}

    def note_function(self, name: str, user_id: str | None, absent_for_s: float) -> None:
        """Remember that a reader may call a function (0 seconds), or may not for so long."""
        self._functions[name, user_id] = time.monotonic() + absent_for_s if absent_for_s else math.inf

    def function_state(self, name: str, user_id: str | None) -> bool | None:
        """Whether a reader may call a function; ``None`` where nobody knows."""
        noted = self._functions.get((name, user_id))
        if noted is None or (noted != math.inf and noted <= time.monotonic()):
            return None
        return noted == math.inf

    def headers(self, token: str | None = None) -> dict[str, str]:
        """What every request carries: the project's key, and the reader's token, or the key as one."""
        key = self.settings.key
        bearer = token or (key if is_token(key) else None)
        return {"apikey": key} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})


@cache
def project_of(settings: SupabaseSettings) -> Project:
    """The project of these settings; one in each process, so that connections are kept."""
    return Project(settings)


class Access:
    """What one reader may read of a project. Threads may share it; readers may not.

    Args:
        project: Where to read.
        reader: Who reads; ``None`` for an anonymous visitor.
    """

    def __init__(self, project: Project, reader: Reader | None = None) -> None:
        self.project = project
        self.reader = reader

    def read(
        self,
        table: str,
        columns: Sequence[str],
        essential: Sequence[str],
        write: Callable[[SyncRequestBuilder, Columns], Any],
        parse: Callable[[Answer, Columns], T],
    ) -> T:
        """Send a query and read its answer; repeat it where that may help, for at most ``timeout_s``.

        Args:
            table: Which table.
            columns: What to ask for. What the table turns out to lack is left out, now and from then on.
            essential: The columns without which the answer says nothing.
            write: Writes the query, given the table and those of the columns that are there.
            parse: Reads the answer to it; raises ``Damaged`` where it is not whole.

        Raises:
            AppError: If there is no answer, or a refusal.
        """
        return self._read(table, columns, essential, lambda client, found: write(client.from_(table), found), parse)

    def call(
        self,
        function: str,
        table: str,
        columns: Sequence[str],
        arguments: Callable[[Columns], Mapping[str, Any]],
        parse: Callable[[Answer, Columns], T],
    ) -> T:
        """Call a function of the database that only reads, as ``read`` does.

        Args:
            function: Which function.
            table: The table that it reads.
            columns: What of it is wanted. What the table turns out to lack is left out.
            arguments: Says the arguments, given those of the columns that are there.
            parse: Reads the answer; raises ``Damaged`` where it is not whole.

        Raises:
            FunctionMissing: If the database has no such function for this reader.
            AppError: If there is no answer, or a refusal.
        """
        return self._read(table, columns, (), lambda client, found: client.rpc(function, dict(arguments(found))), parse)

    def _read(
        self,
        table: str,
        columns: Sequence[str],
        essential: Sequence[str],
        write: Callable[[SyncPostgrestClient, Columns], Any],
        parse: Callable[[Answer, Columns], T],
    ) -> T:
        deadline = time.monotonic() + self.project.settings.timeout_s
        token = refused = None
        attempt, lacking = 0, set[str]()
        while True:
            if self.reader is not None:
                token = self.reader.access_token(refused)
            present = tuple(name for name in self.project.present(table, columns) if name not in lacking)
            outcome = self._attempt(table, token, present, write, parse, deadline)
            if not isinstance(outcome, Refusal):
                return outcome[0]
            if outcome.column in present and outcome.column not in essential:
                self.project.note_missing(table, outcome.column)
                lacking.add(outcome.column)
                continue
            if outcome.column is not None:
                raise missing_column(table, outcome.column)
            if outcome.token_refused and refused is None:
                refused = token
                continue
            attempt += 1
            pause = max(outcome.wait_s or 0.0, FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1))
            if not outcome.retry or attempt == ATTEMPTS or time.monotonic() + pause >= deadline:
                raise outcome.error
            time.sleep(pause)

    def _attempt(
        self,
        table: str,
        token: str | None,
        columns: Columns,
        write: Callable[[SyncPostgrestClient, Columns], Any],
        parse: Callable[[Answer, Columns], T],
        deadline: float,
    ) -> tuple[T] | Refusal:
        settings, pool = self.project.settings, self.project.pool
        client = SyncPostgrestClient(
            f"{settings.url}/rest/v1", headers=self.project.headers(token), http_client=pool, retry_enabled=False
        )
        query = write(client, columns).request
        left = max(deadline - time.monotonic(), 0.05)
        each = min(left, settings.timeout_s * ATTEMPT_SHARE)
        timeout = httpx.Timeout(each, connect=min(each, CONNECT_TIMEOUT_S))
        try:
            request = pool.build_request(
                query.http_method,
                str(query.path),
                params=query.params,
                headers=query.headers,
                json=query.json,
                timeout=timeout,
            )
            with within(deadline):
                response = pool.send(request, stream=True)
                try:
                    body = whole_body(response, deadline)
                finally:
                    response.close()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return refusal_of(error, host=settings.host).caused_by(error)
        if body is None:
            return Refusal(too_large(settings.host, connections.MOST_BODY))
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and _is_beyond(body):
            return (parse(Answer(b"", 0, None), columns),)
        if not response.is_success:
            return refusal_of_answer(
                response.status_code,
                response.headers,
                body,
                host=settings.host,
                table=table,
                signed_in=token is not None,
            )
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith(_KINDS):
            return Refusal(not_supabase(settings.host, kind or "something without a type"))
        try:
            return (parse(_answer(body, response.headers.get("content-range", "")), columns),)
        except Damaged as error:
            return incomplete(settings.host).caused_by(error)


def _is_beyond(body: bytes) -> bool:
    return code_and_message(body)[0] == BEYOND_CODE


def _answer(body: bytes, content_range: str) -> Answer:
    found = _RANGE.fullmatch(content_range.strip())
    if not found:
        return Answer(body, None, None)
    first, last, total = found.groups()
    rows = int(last) - int(first) + 1 if first is not None else 0
    return Answer(body, rows, None if total == "*" else int(total))
