"""The errors this app raises on purpose.

* AppError
    * SettingsError           the deployment is configured wrongly
    * RunSourceError          the runs could not be read
        * SourceUnavailable   try again: missing folder, network, time-out
            * IncompleteRead  some rows of the curves are there, others could not be read (``lib.data.source``)
        * AccessDenied        do not try again: permissions, row-level security, a wrong password
        * SignInExpired       nobody is signed in, or no longer: sign in again
        * MalformedRow        a stored row has a shape the app does not understand

``str(error)`` is one sentence that says what was expected and what came; ``hint`` says what to do.
The pages show both. Anything that is not an ``AppError`` is a bug.
"""

from __future__ import annotations

from lib.core.facts.credentials import redact


class AppError(Exception):
    """Base class. The message is shown to users: no traceback, no markup in it; credentials are masked here."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(redact(message))
        self.hint = redact(hint)


class SettingsError(AppError):
    """The deployment is configured wrongly."""


class RunSourceError(AppError):
    """The runs could not be read."""


class SourceUnavailable(RunSourceError):
    """The source did not answer; trying again may help."""


class AccessDenied(RunSourceError):
    """The source refused this reader; trying again will not help."""


class SignInExpired(RunSourceError):
    """Nobody is signed in, or no longer; signing in again helps."""


class MalformedRow(RunSourceError):
    """A stored row has a shape the app does not understand."""
