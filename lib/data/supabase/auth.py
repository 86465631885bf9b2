"""Signing in to a Supabase project, and staying signed in.

A ``SignedIn`` belongs to one visitor, who keeps it in their own session. The library's client is made
anew for each step and thrown away: it would keep the session on itself, and a timer that refreshes it
for ever.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from supabase_auth import SyncGoTrueClient
from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError

from lib.core.facts.errors import AccessDenied, AppError, SignInExpired, SourceUnavailable
from lib.data.connections import within
from lib.data.refusals import SIGN_IN_FIRST_STATUS, later, passing, too_late, too_many
from lib.data.supabase.client import Project
from lib.data.supabase.errors import (
    AHEAD,
    PAUSED_STATUS,
    TOO_LONG_STATUSES,
    clock_ahead,
    expired,
    not_supabase,
    paused,
    refusal_of_exception,
    too_long,
    wrong_key,
)

T = TypeVar("T")

EARLY_S = 60.0
"""Tokens are renewed so long before they expire, so that none expires on its way."""
EARLY_SHARE = 0.5
"""Of the life of a token that does not live for minutes."""
AGAIN_S = 5.0
"""While the old token does, a renewal that failed is not tried again before so many seconds: each is waited for."""

_SIGN_IN = "a sign-in"
_WRONG = {
    "invalid_credentials": ("E-mail address or password is wrong.", "Check both and try again."),
    "otp_expired": ("The code is wrong or has expired.", "Check the code, or let a new one be sent."),
    "email_not_confirmed": ("The e-mail address is not confirmed yet.", "Open the link in the e-mail first."),
    "email_address_invalid": ("That is not an e-mail address that the project takes.", "Check the address."),
    "user_banned": ("This account is locked.", "Ask the owner of the project."),
    "email_provider_disabled": ("The project does not let anybody sign in by e-mail.", "Ask its owner."),
    "captcha_failed": ("The project asks for a captcha, which this app cannot show.", "Ask its owner."),
} | dict.fromkeys(
    ("otp_disabled", "signup_disabled", "user_not_found"),
    ("There is no account with this e-mail address.", "Check the address, or ask the owner of the project."),
)
_PASSING = frozenset(("conflict", "hook_timeout", "hook_timeout_after_retry", "request_timeout", "unexpected_failure"))
"""Codes that say nothing about who signs in, whatever the status is: the service was busy, or waited in vain."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the project gave for a sign-in.

    Attributes:
        expires_at: When the access token expires, in Unix seconds by this machine's clock.
        lifetime_s: How long an access token lives.
    """

    user_id: str
    email: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float
    lifetime_s: float

    @property
    def renew_at(self) -> float:
        """When a new access token is due."""
        return self.expires_at - min(EARLY_S, self.lifetime_s * EARLY_SHARE)


class SignedIn:
    """A visitor who has signed in; keeps the access token valid. Safe to share between threads."""

    def __init__(self, project: Project, session: Session) -> None:
        self._project = project
        self._session: Session | None = session
        self._failed: tuple[float, SourceUnavailable] | None = None
        self._lock = threading.Lock()
        self.user_id = session.user_id
        self.email = session.email

    def __repr__(self) -> str:
        return f"SignedIn(user_id={self.user_id!r}, email={self.email!r})"

    def access_token(self, refused: str | None = None) -> str:
        """A token that is valid now.

        Args:
            refused: A token that the project refused: another one is got.

        Raises:
            SignInExpired: If there is none any more.
            SourceUnavailable: If a new one is needed, and the project cannot be reached.
        """
        asked_at = time.monotonic()
        # One lock: a refresh token may be used only once, and several pages read at the same time.
        with self._lock:
            session = self._session
            if session is None:
                raise expired()
            is_refused = session.access_token == refused
            if is_refused or time.time() >= session.renew_at:
                session = self._renewed(session, asked_at, is_over=is_refused or time.time() >= session.expires_at)
            return session.access_token

    def sign_out(self) -> None:
        """End this sign-in; others of the same user go on. Never fails: here it is over in any case."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(AppError):
                _asked(self._project, lambda auth: auth.admin.sign_out(session.access_token, "local"))

    def _renewed(self, session: Session, asked_at: float, *, is_over: bool) -> Session:
        """The session with a new token; as it is where that fails and the old token does for some seconds yet."""
        if self._failed is not None:
            failed_at, error = self._failed
            # Who waited while it failed does not wait for another one: with many pages that would have no end.
            if failed_at >= asked_at or (not is_over and asked_at - failed_at < AGAIN_S):
                if is_over:
                    raise SourceUnavailable(
                        str(error), hint=error.hint, besides=error.besides, wait_s=error.wait_s
                    ) from error
                return session
        try:
            answer = _asked(self._project, lambda auth: auth.refresh_session(session.refresh_token))
            self._session, self._failed = _session(answer, self._project), None
            return self._session
        except SourceUnavailable as error:
            self._failed = time.monotonic(), error
            if is_over:
                raise
            return session
        except (AccessDenied, SignInExpired) as error:
            self._session = None
            raise expired() from error


def sign_in(project: Project, email: str, password: str) -> SignedIn:
    """Sign in with a password.

    Raises:
        AccessDenied: If address or password is wrong.
        SourceUnavailable: If the project cannot be reached.
        SettingsError: If the project refuses the API key.
    """
    if not email.strip() or not password:
        raise AccessDenied("Expected an e-mail address and a password.", hint="Fill in both.")
    return _signed_in(project, lambda auth: auth.sign_in_with_password({"email": email.strip(), "password": password}))


def send_code(project: Project, email: str) -> None:
    """Let the project send a code to somebody who has an account.

    Raises:
        As ``sign_in``.
    """
    if not email.strip():
        raise AccessDenied("Expected an e-mail address.", hint="Fill it in.")
    _asked(
        project,
        lambda auth: auth.sign_in_with_otp({"email": email.strip(), "options": {"should_create_user": False}}),
    )


def sign_in_with_code(project: Project, email: str, code: str) -> SignedIn:
    """Sign in with a code that came by e-mail.

    Raises:
        As ``sign_in``.
    """
    if not email.strip() or not code.strip():
        raise AccessDenied("Expected an e-mail address and the code from the e-mail.", hint="Fill in both.")
    return _signed_in(
        project,
        lambda auth: auth.verify_otp({"email": email.strip(), "token": code.strip(), "type": "email"}),
    )


def _signed_in(project: Project, ask: Callable[[SyncGoTrueClient], Any]) -> SignedIn:
    return SignedIn(project, _session(_asked(project, ask), project))


def _session(answer: Any, project: Project) -> Session:
    given = answer.session
    if given is None or answer.user is None:
        raise not_supabase(project.settings.host, "one without a session", _SIGN_IN)
    if given.expires_in <= 0:
        raise SourceUnavailable(
            f"Expected a sign-in of {project.settings.host} that lasts; it was over before it began.",
            hint="Set the life of access tokens in the project's settings, and the clocks of its servers.",
        )
    # The server's clock may differ from this one's: what counts is how long the token lasts.
    return Session(
        user_id=str(answer.user.id),
        email=answer.user.email or "",
        access_token=given.access_token,
        refresh_token=given.refresh_token,
        expires_at=time.time() + given.expires_in,
        lifetime_s=float(given.expires_in),
    )


def _asked(project: Project, ask: Callable[[SyncGoTrueClient], T]) -> T:
    """Ask the sign-in service, with its exceptions and the HTTP client's made ours."""
    settings = project.settings
    auth = SyncGoTrueClient(
        url=f"{settings.url}/auth/v1",
        headers=project.headers(),
        http_client=project.pool,
        auto_refresh_token=False,
        persist_session=False,
    )
    try:
        with within(time.monotonic() + settings.timeout_s):
            return ask(auth)
    except AuthError as error:
        raise _error_of(error, settings.host) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise refusal_of_exception(error, host=settings.host).error from error
    except ValueError as error:
        # Its answers are read by pydantic: a success that is no sign-in service's.
        raise not_supabase(settings.host, "something else", _SIGN_IN) from error


def _error_of(error: AuthError, host: str) -> AppError:
    cause = error.__cause__
    if isinstance(error, AuthRetryableError) and isinstance(cause, httpx.RequestError):
        return refusal_of_exception(cause, host=host).error
    code, status = error.code or "", getattr(error, "status", 0)
    if isinstance(cause, httpx.HTTPStatusError):
        status = cause.response.status_code
    said = str(error).lower()
    if not code and "invalid login credentials" in said:
        # Older services have no codes.
        code = "invalid_credentials"
    if code in _PASSING:
        return passing(f"Expected a sign-in from {host}; its service failed ({code}).")
    if code in _WRONG:
        sentence, hint = _WRONG[code]
        return AccessDenied(sentence, hint=hint)
    is_api = isinstance(error, AuthApiError)
    if code.startswith(("refresh_token_", "session_")) or code in ("bad_jwt", "no_authorization"):
        return expired()
    if is_api and not code and "refresh token" in said:
        return expired()
    if status == 429 or code.startswith("over_"):
        return too_many(cause.response.headers if isinstance(cause, httpx.HTTPStatusError) else {}, host).error
    if AHEAD.search(said):
        return clock_ahead(host)
    if status == PAUSED_STATUS:
        return paused(host)
    if status >= 500 and status != SIGN_IN_FIRST_STATUS:
        headers = cause.response.headers if isinstance(cause, httpx.HTTPStatusError) else {}
        return later(f"Expected a sign-in from {host}; its service failed (HTTP {status}).", headers).error
    if status == 408:
        return too_late(host)
    if status in TOO_LONG_STATUSES:
        return too_long(host, status)
    if is_api and status == 401:
        return wrong_key(host)
    if is_api and code:
        return AccessDenied(f"{host} refused the sign-in ({code}).", hint="Ask its owner.")
    # Whoever answered is not the sign-in service, and says nothing about who may sign in.
    redirect = f"a redirect to another address (HTTP {status})" if 300 <= status < 400 else f"HTTP {status}"
    return not_supabase(host, redirect if status else "something else", _SIGN_IN)
