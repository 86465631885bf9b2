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
from lib.core.facts.foreign import without_controls


class AppError(Exception):
    """Base class. The message is shown to users: no traceback, no markup in it; credentials are masked here.

    Characters that only steer, such as the ends of lines and what a terminal obeys, are taken out of it here too.

    Attributes:
        hint: What to do; "" for nothing.
        besides: What of that is left to do where whoever shows the error tries again by itself.
        withdraws: What was read before may not be shown any more: the reader is refused, and it did not merely fail.
        wait_s: How long the source asks to wait before the next read; 0 where it does not say.
    """

    withdraws = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        besides: str | None = None,
        withdraws: bool | None = None,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(without_controls(redact(message)))
        # Where it lists something, each has its line.
        self.hint = "\n".join(map(without_controls, redact(hint).split("\n")))
        self.besides = self.hint if besides is None else without_controls(redact(besides))
        self.wait_s = wait_s
        if withdraws is not None:
            self.withdraws = withdraws


class SettingsError(AppError):
    """The deployment is configured wrongly."""


class RunSourceError(AppError):
    """The runs could not be read."""


class SourceUnavailable(RunSourceError):
    """The source did not answer; trying again may help."""


class AccessDenied(RunSourceError):
    """The source refused this reader; trying again will not help."""

    withdraws = True


class SignInExpired(RunSourceError):
    """Nobody is signed in, or no longer; signing in again helps."""

    withdraws = True


class MalformedRow(RunSourceError):
    """A stored row has a shape the app does not understand."""
