"""What the sources far away share of being refused: why there is no answer, and how long a server asks to wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from lib.core.facts.errors import AppError, SourceUnavailable

LONGEST_NAMED_WAIT_S = 86_400.0
"""A server that asks to wait for longer than a day says nothing that helps."""
AGAIN = "Wait a moment and try again."
_ADDRESS = "Check the network and the url in the settings, then try again."
_CERTIFICATE = "Check the url in the settings, this machine's clock, and whether the network looks into connections."


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
    sentence = f"Expected an answer from {host}; it says: too many requests."
    try:
        wait = float(headers.get("retry-after", ""))
    except ValueError:
        wait = math.nan
    if not 0 <= wait <= LONGEST_NAMED_WAIT_S:
        return Refusal(SourceUnavailable(sentence, hint=AGAIN), retry=True)
    error = SourceUnavailable(sentence, hint=f"Try again in {math.ceil(wait)} s.", wait_s=wait)
    return Refusal(error, retry=True, wait_s=wait)


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
    else:
        sentence = f"Expected an answer from {host}; it broke off."
    hint = _ADDRESS if isinstance(error, httpx.ConnectError) else AGAIN
    return Refusal(SourceUnavailable(sentence, hint=hint), retry=True)


def too_late(host: str) -> SourceUnavailable:
    """No answer in time."""
    return SourceUnavailable(f"Expected an answer from {host}; none came in time.", hint=_ADDRESS)


def incomplete(host: str) -> Refusal:
    """An answer that is cut off, or is not what was asked for, though nothing said so."""
    sentence = f"Expected rows from {host}; the answer is not complete, or not what was asked for."
    return Refusal(SourceUnavailable(sentence, hint=AGAIN), retry=True)
