"""What an MLflow server, what stands before it and the network say when they refuse, in this app's errors.

No sentence repeats what the server wrote: it may quote what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from lib.core.facts.errors import AccessDenied, RunSourceError, SettingsError, SourceUnavailable
from lib.core.facts.foreign import isolated
from lib.data.refusals import SIGN_IN_FIRST_STATUS, Refusal, later, refusal_of_network, too_many

NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
_SLOW = "The server may be busy: try again, or set a longer timeout_s."
_LONGER = "The server may be busy; a longer timeout_s gives it more time."
_SIGN_IN = "Check token, or user and password, in the settings."


class NotThere(RunSourceError):
    """The server has no such run, experiment or endpoint."""


class TooSlow(SourceUnavailable):
    """No answer came in time; asking for less may help."""


def refusal_of_answer(status: int, headers: Mapping[str, str], body: bytes, *, host: str, signed_in: bool) -> Refusal:
    """Read an answer that is no success.

    Args:
        status: HTTP status.
        headers: The answer's.
        body: The answer's.
        host: The server, for the sentence.
        signed_in: Whether the request carried credentials.
    """
    code = _code(body)
    if 300 <= status < 400:
        return Refusal(_redirected(headers.get("location", ""), host))
    if status == 401:
        said = "the server refuses those in the settings" if signed_in else "the server asks for them"
        return Refusal(SettingsError(f"Expected credentials that {host} takes; {said}.", hint=_SIGN_IN))
    if status == 403 and b"invalid host header" in body[:2000].lower():
        return Refusal(
            SettingsError(
                f"Expected {host} to answer; the MLflow server does not know that it is called by this name.",
                hint="This is no wrong password: start the server with --allowed-hosts and this name,"
                " or use an address that it knows.",
            )
        )
    if status == 403:
        return Refusal(
            AccessDenied(
                f"Expected to read runs of {host}; the server does not let this user.",
                hint="Ask for read access to the experiments, or use other credentials.",
            )
        )
    if status == 404 and code == NOT_THERE:
        return Refusal(NotThere(f"{host} has no such run or experiment."))
    if status in (404, 405):
        return Refusal(not_mlflow(host, f"HTTP {status}"))
    if status == 429:
        return too_many(headers, host)
    if status == SIGN_IN_FIRST_STATUS:
        return Refusal(not_mlflow(host, f"HTTP {status}"))
    if status >= 500:
        return later(f"Expected runs from {host}; the server failed (HTTP {status}).", headers)
    if status == 400 and not code:
        return Refusal(not_mlflow(host, f"HTTP {status}"))
    return Refusal(
        RunSourceError(
            f"Expected an answer of {host}; the server refused the question (HTTP {status}, "
            f"{isolated(code[:60]) or 'no code'}).",
            hint="Its version of MLflow may be older or newer than this app knows.",
        )
    )


def refusal_of_exception(error: Exception, *, host: str) -> Refusal:
    """Read an exception of the HTTP client."""
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Refusal(not_mlflow(host, "an address that cannot be called"))
    if isinstance(error, httpx.ReadTimeout):
        sentence = f"Expected an answer from {host}; none came in time."
        return Refusal(TooSlow(sentence, hint=_SLOW, besides=_LONGER), retry=True)
    return refusal_of_network(error, host)


def too_large(host: str, most: int) -> Refusal:
    """An answer that would take more memory than is given to one."""
    return Refusal(
        SourceUnavailable(
            f"Expected an answer of at most {most >> 20} MB from {host}, got a longer one.",
            hint="A newer MLflow answers in pages; or read its database file or mlruns folder instead.",
        )
    )


def not_mlflow(host: str, what: str) -> SourceUnavailable:
    """An answer of somebody else: a proxy's page, a wrong address."""
    return SourceUnavailable(
        f"Expected the REST API of an MLflow server at {host}, got {what}.",
        hint="Check the url in the settings, the server's path prefix, and whether the network asks to sign in first."
        " MLflow must be 1.28 or newer.",
    )


def _redirected(location: str, host: str) -> SourceUnavailable:
    try:
        to = urlsplit(location).hostname or ""
    except ValueError:
        to = ""
    to = f" to {isolated(to[:100])}" if to else ""
    return SourceUnavailable(
        f"Expected an answer of {host}; it sends on{to}, which is not followed: the credentials are for {host} alone.",
        hint="Set url to the address where the server answers itself (https instead of http?), or sign in at the proxy"
        " before it.",
    )


def _code(body: bytes) -> str:
    """MLflow's error code; "" where the answer is not MLflow's."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("error_code") or "") if isinstance(said, Mapping) else ""
