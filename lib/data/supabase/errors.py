"""What Supabase and the network say when they refuse, in this app's errors; the one map for them.

Every answer that is no success, and every exception of the HTTP client, becomes a ``Refusal``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import httpx

from lib.core.facts.errors import (
    AccessDenied,
    RunSourceError,
    SettingsError,
    SignInExpired,
    SourceUnavailable,
)
from lib.data.refusals import SIGN_IN_FIRST_STATUS, Refusal, later, refusal_of_network, too_late, too_many

BEYOND_CODE = "PGRST103"
"""A page behind the last row, where the total was asked for too: no rows, and no error."""
TOKEN_CODES = frozenset({"PGRST301", "PGRST303"})
TABLE_CODES = frozenset({"42P01", "PGRST205", "PGRST106"})
FUNCTION_CODE = "PGRST202"
DATABASE_DOWN_CODES = frozenset({"PGRST000", "PGRST001", "PGRST002", "PGRST003"})
PAUSED_STATUS = 540
"""Hosted Supabase answers so for a project that is paused."""
TOO_LONG_STATUSES = frozenset({413, 414, 431})

_COLUMN = re.compile(r'column (?:"?[\w$]+"?\.)*"?([\w$]+)"? does not exist')
_METRIC = re.compile(r"Unknown metric: (.+)\.")
AHEAD = re.compile(r"issued at future|not yet valid", re.IGNORECASE)
"""Of a token: one of two clocks is wrong."""


class FunctionMissing(RunSourceError):
    """The optional migration is not there, or not for this reader. Never leaves the source."""


class TookTooLong(SourceUnavailable):
    """The database cancelled a query; asking for less may help."""


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
    code, message = code_and_message(body)
    if code in TOKEN_CODES and AHEAD.search(message):
        return Refusal(clock_ahead(host), retry=True)
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
    if code in ("42501", "PGRST302"):
        return Refusal(
            AccessDenied(
                f"Expected to read table {table} of {host}; the database does not let this reader.",
                hint="Ask for read access, or sign in as somebody else.",
            )
        )
    if status == 401 and message:
        return Refusal(wrong_key(host))
    if status == 429:
        return too_many(headers, host)
    if status == PAUSED_STATUS:
        return Refusal(paused(host))
    if status == SIGN_IN_FIRST_STATUS:
        return Refusal(not_supabase(host, f"HTTP {status}"))
    if status >= 500:
        said = "cannot reach its database" if code in DATABASE_DOWN_CODES else f"failed (HTTP {status})"
        return later(f"Expected runs from {host}; the server {said}.", headers)
    if status == 408:
        return Refusal(too_late(host), retry=True)
    if status in TOO_LONG_STATUSES:
        return Refusal(too_long(host, status))
    if 300 <= status < 400:
        return Refusal(not_supabase(host, f"a redirect to another address (HTTP {status})"))
    if not code:
        # Whoever answered is not the data API, and says nothing about what this reader may read.
        return Refusal(not_supabase(host, f"HTTP {status}"))
    return Refusal(
        RunSourceError(
            f"Expected rows of table {table}; {host} refused the question (HTTP {status}, code {code}).",
            hint="The table differs from what this app expects; its columns are named in the documentation.",
        )
    )


def refusal_of_exception(error: httpx.HTTPError | httpx.InvalidURL, *, host: str) -> Refusal:
    """Read an exception of the HTTP client."""
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Refusal(not_supabase(host, "an address that cannot be called"))
    return refusal_of_network(error, host)


def paused(host: str) -> SourceUnavailable:
    """A hosted project that sleeps."""
    sentence = f"Expected an answer from {host}; the project is paused."
    return SourceUnavailable(sentence, hint="Its owner can wake it in the dashboard.")


def too_long(host: str, status: int) -> SourceUnavailable:
    """A request that somebody on the way does not take: an address, a header or a body that is too long for them."""
    return SourceUnavailable(
        f"Expected an answer from {host}; the request was too long for it or for a proxy before it (HTTP {status}).",
        hint="Search for less, or choose fewer metrics; the proxy's limit on addresses and headers may be raised.",
    )


def too_large(host: str, most: int) -> SourceUnavailable:
    """An answer that would take more memory than is given to one."""
    return SourceUnavailable(
        f"Expected an answer of at most {most >> 20} MB from {host}, got a longer one.",
        hint="Check the url in the settings, and the tables for values that are very long.",
    )


def clock_ahead(host: str) -> SourceUnavailable:
    """A token that is valid later: no wrong key."""
    return SourceUnavailable(
        f"Expected a token that is valid now; {host} says that it was issued in the future: two clocks differ.",
        hint="It passes by itself where they differ by seconds; else set the clocks of the project's servers.",
    )


def not_supabase(host: str, what: str, wanted: str = "rows") -> SourceUnavailable:
    """An answer of somebody else: a proxy's page, a wrong address."""
    return SourceUnavailable(
        f"Expected {wanted} from {host}, got {what}: this is not the answer of a Supabase project.",
        hint="Check the url in the settings, and whether the network asks to sign in first.",
    )


def wrong_key(host: str) -> SettingsError:
    """The project does not know the API key."""
    return SettingsError(
        f"Expected the API key of {host}; the project refuses the one in the settings.",
        hint="Copy the publishable key from the project's dashboard: Project Settings, API Keys.",
        withdraws=True,
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


def code_and_message(body: bytes) -> tuple[str, str]:
    """PostgREST's error code and message; empty where the answer is not PostgREST's."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(said, Mapping):
        return "", ""
    return str(said.get("code") or ""), str(said.get("message") or "")
