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
    try:
        wait = float(headers.get("retry-after", ""))
    except ValueError:
        wait = math.nan
    named = wait if 0 <= wait <= LONGEST_NAMED_WAIT_S else None
    hint = AGAIN if named is None else f"Try again in {math.ceil(named)} s."
    return Refusal(SourceUnavailable(f"{host} says: too many requests.", hint=hint), retry=True, wait_s=named)


def refusal_of_network(error: Exception, host: str) -> Refusal:
    """An exception of the HTTP client: no connection, no answer in time, or one that broke off."""
    if isinstance(error, httpx.ConnectError) and "certificate" in str(error).lower():
        return Refusal(SourceUnavailable(f"The certificate of {host} could not be verified.", hint=_ADDRESS))
    if isinstance(error, httpx.PoolTimeout):
        sentence = f"Too many reads from {host} at once."
    elif isinstance(error, httpx.TimeoutException):
        sentence = f"Expected an answer from {host}; none came in time."
    elif isinstance(error, httpx.ConnectError):
        sentence = f"{host} could not be reached."
    else:
        sentence = f"The answer of {host} broke off."
    hint = _ADDRESS if isinstance(error, httpx.ConnectError | httpx.TimeoutException) else AGAIN
    return Refusal(SourceUnavailable(sentence, hint=hint), retry=True)


def incomplete(host: str) -> Refusal:
    """An answer that is cut off, or is not what was asked for, though nothing said so."""
    return Refusal(SourceUnavailable(f"The answer of {host} is not complete.", hint=AGAIN), retry=True)
