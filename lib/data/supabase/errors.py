"""What Supabase and the network say when they refuse, in this app's errors; the one map for them.

Every answer that is no success, and every exception of the HTTP client, becomes a ``Refusal``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from lib.core.facts.errors import (
    AccessDenied,
    AppError,
    RunSourceError,
    SettingsError,
    SignInExpired,
    SourceUnavailable,
)

TOKEN_CODES = frozenset({"PGRST301", "PGRST303"})
TABLE_CODES = frozenset({"42P01", "PGRST205", "PGRST106"})
FUNCTION_CODE = "PGRST202"
DATABASE_DOWN_CODES = frozenset({"PGRST000", "PGRST001", "PGRST002", "PGRST003"})
PAUSED_STATUS = 540
"""Hosted Supabase answers so for a project that is paused."""
LONGEST_NAMED_WAIT_S = 86_400.0

_COLUMN = re.compile(r'column (?:"?[\w$]+"?\.)*"?([\w$]+)"? does not exist')
_METRIC = re.compile(r"Unknown metric: (.+)\.")
_AGAIN = "Wait a moment and try again."
_ADDRESS = "Check the internet connection and the url in the settings, then try again."


class FunctionMissing(RunSourceError):
    """The optional migration is not there, or not for this reader. Never leaves the source."""


class TookTooLong(SourceUnavailable):
    """The database cancelled a query; asking for less may help."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request got no usable answer.

    Attributes:
        error: What to raise in the end.
        retry: Whether the same request may well succeed in a moment.
        wait_s: How long the server asks to wait first; ``None`` where it does not say.
        token_refused: Whether the reader's token was refused: a new one may be taken.
        column: The column that the table lacks.
    """

    error: AppError
    retry: bool = False
    wait_s: float | None = None
    token_refused: bool = False
    column: str | None = None


def refusal_of_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, host: str, table: str, signed_in: bool
) -> Refusal:
    """Read an answer of the data API that is no success.

    Args:
        status: HTTP status.
        headers: The answer's.
        body: The answer's.
        host: The project, for the sentence.
        table: The table that was asked.
        signed_in: Whether the request carried a reader's token.
    """
    code, message = _code_and_message(body)
    if code in TOKEN_CODES or (code == "PGRST302" and signed_in):
        return Refusal(expired(), token_refused=True) if signed_in else Refusal(wrong_key(host))
    if code == FUNCTION_CODE:
        return Refusal(FunctionMissing(f"Expected a function that reduces table {table}, found none."))
    if code == "22023" and (found := _METRIC.fullmatch(message)):
        return Refusal(missing_column(table, found[1]), column=found[1])
    if code in TABLE_CODES:
        return Refusal(
            SettingsError(
                f"Expected a table {table} in the project {host}, found none.",
                hint="Check jobs_table and metrics_table in the settings, and that the schema public is exposed.",
            )
        )
    if code == "42703" and (found := _COLUMN.search(message)):
        return Refusal(missing_column(table, found[1]), column=found[1])
    if code == "57014":
        return Refusal(
            TookTooLong(
                f"Expected rows of table {table}; the database cancelled the query because it took too long.",
                hint="An index on (job_id, step) of the metrics table makes it fast.",
            )
        )
    if code == "42501" or status == 403 or code == "PGRST302":
        return Refusal(
            AccessDenied(
                f"Expected to read table {table} of {host}; the database does not let this reader.",
                hint="Ask for read access, or sign in as somebody else.",
            )
        )
    if status == 401:
        return Refusal(wrong_key(host))
    if status == 429:
        return _too_many(headers, host)
    if status == PAUSED_STATUS:
        return Refusal(
            SourceUnavailable(f"The project {host} is paused.", hint="Its owner can wake it in the dashboard.")
        )
    if status >= 500:
        said = "cannot reach its database" if code in DATABASE_DOWN_CODES else f"failed (HTTP {status})"
        return Refusal(SourceUnavailable(f"Expected runs from {host}; the server {said}.", hint=_AGAIN), retry=True)
    if 300 <= status < 400 or (status == 404 and not code):
        return Refusal(not_supabase(host, f"HTTP {status}"))
    return Refusal(
        RunSourceError(
            f"Expected rows of table {table}; {host} refused the question (HTTP {status}, code {code or 'none'}).",
            hint="The table differs from what this app expects; its columns are named in the documentation.",
        )
    )


def refusal_of_exception(error: httpx.HTTPError | httpx.InvalidURL, *, host: str) -> Refusal:
    """Read an exception of the HTTP client."""
    said = str(error).lower()
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Refusal(not_supabase(host, "an address that cannot be called"))
    if isinstance(error, httpx.PoolTimeout):
        sentence = f"Too many reads from {host} at once."
    elif isinstance(error, httpx.TimeoutException):
        sentence = f"Expected an answer from {host}; none came in time."
    elif isinstance(error, httpx.ConnectError) and "certificate" in said:
        refused = SourceUnavailable(f"The certificate of {host} could not be verified.", hint=_ADDRESS)
        return Refusal(refused)
    elif isinstance(error, httpx.ConnectError):
        sentence = f"{host} could not be reached."
    else:
        sentence = f"The answer of {host} broke off."
    hint = _ADDRESS if isinstance(error, httpx.ConnectError | httpx.TimeoutException) else _AGAIN
    return Refusal(SourceUnavailable(sentence, hint=hint), retry=True)


def damaged(host: str) -> Refusal:
    """An answer that is cut off, though nothing said so."""
    return Refusal(SourceUnavailable(f"The answer of {host} is not complete.", hint=_AGAIN), retry=True)


def not_supabase(host: str, what: str) -> SourceUnavailable:
    """An answer of somebody else: a proxy's page, a wrong address."""
    return SourceUnavailable(
        f"Expected rows from {host}, got {what}: this is not the answer of a Supabase project.",
        hint="Check the url in the settings, and whether the network asks to sign in first.",
    )


def wrong_key(host: str) -> SettingsError:
    """The project does not know the API key."""
    return SettingsError(
        f"Expected the API key of {host}; the project refuses the one in the settings.",
        hint="Copy the publishable key from the project's dashboard: Project Settings, API Keys.",
    )


def missing_column(table: str, column: str) -> SettingsError:
    """A column without which a table cannot be read."""
    return SettingsError(
        f"Expected a column {column} in table {table}, found none.",
        hint="Check jobs_table and metrics_table in the settings.",
    )


def expired() -> SignInExpired:
    """The sign-in has come to its end."""
    return SignInExpired("The sign-in has expired.", hint="Sign in again.")


def _too_many(headers: Mapping[str, str], host: str) -> Refusal:
    try:
        wait = float(headers.get("retry-after", ""))
    except ValueError:
        wait = math.nan
    if not 0 <= wait <= LONGEST_NAMED_WAIT_S:
        return Refusal(SourceUnavailable(f"{host} says: too many requests.", hint=_AGAIN), retry=True)
    return Refusal(
        SourceUnavailable(f"{host} says: too many requests.", hint=f"Try again in {math.ceil(wait)} s."),
        retry=True,
        wait_s=wait,
    )


def _code_and_message(body: bytes) -> tuple[str, str]:
    """PostgREST's error code and message; empty where the answer is not PostgREST's."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(said, Mapping):
        return "", ""
    return str(said.get("code") or ""), str(said.get("message") or "")
