"""What the sources far away share of being refused: why there is no answer, and how long a server asks to wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from lib.core.facts.errors import AppError, SourceUnavailable

LONGEST_NAMED_WAIT_S = 86_400.0
"""A server that asks to wait for longer than a day says nothing that helps."""
_AGAIN = "Wait a moment and try again."
_CHECK = "Check the network and the url in the settings"
_ADDRESS = f"{_CHECK}, then try again."
_CERTIFICATE = "Check the url in the settings, this machine's clock, and whether the network looks into connections."
_PROXY = "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the app's environment, and whether the proxy asks to sign in."
SIGN_IN_FIRST_STATUS = 511
"""Networks answer so, in the place of whoever was asked, until somebody has signed in to them."""


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

    def caused_by(self, cause: Exception) -> Refusal:
        """The same, with what came before its error."""
        self.error.__cause__ = cause
        return self


def too_many(headers: Mapping[str, str], host: str) -> Refusal:
    """The answer of a server that is asked too often, which may name the seconds to wait in ``retry-after``."""
    return later(f"Expected an answer from {host}; it says: too many requests.", headers)


def later(sentence: str, headers: Mapping[str, str]) -> Refusal:
    """The answer of a server that may give another one after a while, which it may name.

    Args:
        sentence: What is said of it.
        headers: The answer's.
    """
    wait = asked_to_wait_s(headers)
    if wait is None:
        return Refusal(passing(sentence), retry=True)
    error = SourceUnavailable(sentence, hint=f"Try again in {math.ceil(wait)} s.", besides="", wait_s=wait)
    return Refusal(error, retry=True, wait_s=wait)


def asked_to_wait_s(headers: Mapping[str, str]) -> float | None:
    """The seconds that ``retry-after`` asks to wait, by a number or a date; ``None`` where it says neither."""
    said = headers.get("retry-after", "").strip()
    try:
        wait = float(said) if not said.endswith("GMT") else _until(said, headers.get("date", ""))
    except (ValueError, OverflowError, TypeError):
        return None
    return wait if 0 <= wait <= LONGEST_NAMED_WAIT_S else None


def _until(date: str, sent: str) -> float:
    """Seconds until a date, by the clock of the server that names it where it says what that shows."""
    now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
    # One that is over while the answer travelled asks for nothing more.
    return max(0.0, (parsedate_to_datetime(date) - now).total_seconds())


def refusal_of_network(error: Exception, host: str) -> Refusal:
    """An exception of the HTTP client: no connection, no answer in time, or one that broke off."""
    said = str(error).lower()
    if isinstance(error, httpx.PoolTimeout):
        sentence = f"Expected an answer from {host}; too many reads wait for one."
    elif isinstance(error, httpx.TimeoutException):
        return Refusal(too_late(host), retry=True)
    elif isinstance(error, httpx.ConnectError) and "certificate" in said:
        sentence = f"Expected a certificate of {host} that holds; it could not be verified."
        return Refusal(SourceUnavailable(sentence, hint=_CERTIFICATE))
    elif isinstance(error, httpx.ConnectError) and "ssl" in said:
        sentence = f"Expected {host} to answer over TLS (https); no secure connection came about."
    elif isinstance(error, httpx.ConnectError):
        sentence = f"Expected an answer from {host}, which could not be reached."
    elif isinstance(error, httpx.ProxyError):
        sentence = f"Expected an answer from {host}; the proxy that is asked for it lets nothing through."
        return Refusal(SourceUnavailable(sentence, hint=_PROXY))
    else:
        sentence = f"Expected an answer from {host}; it broke off."
    return Refusal(_unreached(sentence) if isinstance(error, httpx.ConnectError) else passing(sentence), retry=True)


def passing(sentence: str) -> SourceUnavailable:
    """What may well be over in a moment: there is nothing to do but to try again."""
    return SourceUnavailable(sentence, hint=_AGAIN, besides="")


def too_late(host: str) -> SourceUnavailable:
    """No answer in time."""
    return _unreached(f"Expected an answer from {host}; none came in time.")


def incomplete(host: str) -> Refusal:
    """An answer that is cut off, or is not what was asked for, though nothing said so."""
    sentence = f"Expected rows from {host}; the answer is not complete, or not what was asked for."
    return Refusal(passing(sentence), retry=True)


def _unreached(sentence: str) -> SourceUnavailable:
    return SourceUnavailable(sentence, hint=_ADDRESS, besides=f"{_CHECK}.")
