"""The errors this app raises on purpose.

* AppError
    * SettingsError           the deployment is configured wrongly
    * RunSourceError          the runs could not be read
        * SourceUnavailable   try again: missing folder, network, time-out
            * IncompleteRead  some rows of the curves are there, others could not be read
        * AccessDenied        do not try again: permissions, row-level security, a wrong password
        * SignInExpired       nobody is signed in, or no longer: sign in again
        * MalformedRow        a stored row has a shape the app does not understand

``str(error)`` is one sentence that says what was expected and what came; ``hint`` says what to do.
The pages show both. Anything that is not an ``AppError`` is a bug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib.core.metric_curves import RunCurves


class AppError(Exception):
    """Base class. The message is shown to users: no secret, no traceback, no markup in it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(AppError):
    """The deployment is configured wrongly."""


class RunSourceError(AppError):
    """The runs could not be read."""


class SourceUnavailable(RunSourceError):
    """The source did not answer; trying again may help."""


class IncompleteRead(SourceUnavailable):
    """Some rows of the curves are there, others could not be read; trying again may help.

    Attributes:
        curves: What was read, by run id. Runs that were read in full are in it too.
        run_ids: The runs whose rows are not all there.
        rows_read: How many rows of these runs were read.
        rows_expected: How many there are; ``None`` where that is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        curves: Mapping[str, RunCurves],
        run_ids: Sequence[str],
        rows_read: int,
        rows_expected: int | None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.curves = curves
        self.run_ids = tuple(run_ids)
        self.rows_read = rows_read
        self.rows_expected = rows_expected


class AccessDenied(RunSourceError):
    """The source refused this reader; trying again will not help."""


class SignInExpired(RunSourceError):
    """Nobody is signed in, or no longer; signing in again helps."""


class MalformedRow(RunSourceError):
    """A stored row has a shape the app does not understand."""
