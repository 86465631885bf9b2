"""A stand-in for a project's sign-in service: passwords, e-mail codes, sessions, rotating refresh tokens.

It signs real HS256 tokens, which PostgREST checks, and answers and errs as the hosted service does.
"""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API_VERSION = "2024-01-01"
TOKEN_SECONDS = 3600
REUSE_SECONDS = 10
"""For so long after its first use a refresh token may be used again: two tabs may refresh at once."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    id: str
    email: str
    password: str


@dataclass(slots=True)
class RefreshToken:
    """What the service knows about one it gave out; ``used`` is when it was first used."""

    user: User
    session_id: str
    used: float | None = None


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Accounts:
    """The users of a project and their sessions.

    Attributes:
        token_seconds: How long an access token lasts; may be changed at any time.
        reuse_seconds: How long a used refresh token still works.
        codes: The last code that was "sent" to each e-mail address.
    """

    def __init__(self, users: dict[str, User], secret: str) -> None:
        self.by_email = {user.email: user for user in users.values()}
        self.secret = secret
        self.codes: dict[str, str] = {}
        self.sessions: dict[str, User] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.reset()

    def reset(self) -> None:
        """Put the settings back; sessions stay."""
        self.token_seconds: float = TOKEN_SECONDS
        self.reuse_seconds: float = REUSE_SECONDS

    def end_sessions(self, user: User) -> None:
        """Revoke every session of a user, as an administrator does. Access tokens last until they expire."""
        for session_id in [known for known, owner in self.sessions.items() if owner == user]:
            self._end(session_id)

    def sign(self, role: str, seconds: float, **claims: Any) -> str:
        """A token for ``seconds`` from now; negative, it expired so long ago."""
        now = int(time.time())
        claims = {
            "role": role,
            "iss": "supabase",
            "iat": now + min(0, int(seconds)),
            "exp": now + int(seconds),
        } | claims
        return jwt.encode(claims, self.secret, "HS256")

    def access_token(self, user: User, seconds: float | None = None, session_id: str | None = None) -> str:
        """A user's token, with a session that the service knows only if ``session_id`` is one."""
        return self.sign(
            "authenticated",
            self.token_seconds if seconds is None else seconds,
            aud="authenticated",
            sub=user.id,
            email=user.email,
            session_id=session_id or str(uuid.uuid4()),
        )

    def routes(self) -> list[Route]:
        def route(path: str, action: Any, method: str) -> Route:
            async def endpoint(request: Request) -> Response:
                try:
                    return await action(request)
                except Refused as refusal:
                    body = {"code": refusal.code, "message": refusal.message}
                    return JSONResponse(body, refusal.status, {"X-Supabase-Api-Version": API_VERSION})

            return Route(f"/auth/v1/{path}", endpoint, methods=[method])

        return [
            route("token", self._token, "POST"),
            route("otp", self._send_code, "POST"),
            route("verify", self._verify, "POST"),
            route("logout", self._logout, "POST"),
            route("user", self._user, "GET"),
        ]

    async def _token(self, request: Request) -> Response:
        body = await request.json()
        match request.query_params.get("grant_type"):
            case "password":
                user = self.by_email.get(body.get("email", "").lower())
                if not user or user.password != body.get("password"):
                    raise Refused(400, "invalid_credentials", "Invalid login credentials")
                return JSONResponse(self._session(user))
            case "refresh_token":
                return JSONResponse(self._refresh(body.get("refresh_token", "")))
        raise Refused(400, "validation_failed", "unsupported_grant_type")

    def _refresh(self, token: str) -> dict:
        known = self.refresh_tokens.get(token)
        if not known:
            raise Refused(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        if known.used is not None and time.time() - known.used > self.reuse_seconds:
            # Somebody else may have it: the whole session ends.
            self._end(known.session_id)
            raise Refused(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
        known.used = known.used or time.time()
        return self._session(known.user, known.session_id)

    async def _send_code(self, request: Request) -> Response:
        body = await request.json()
        email = body.get("email", "").lower()
        if email not in self.by_email:
            code = "signup_disabled" if body.get("create_user", True) else "otp_disabled"
            raise Refused(422, code, "Signups not allowed for otp")
        self.codes[email] = f"{secrets.randbelow(10**6):06}"
        return JSONResponse({})

    async def _verify(self, request: Request) -> Response:
        body = await request.json()
        email = body.get("email", "").lower()
        if not body.get("token") or self.codes.get(email) != body["token"]:
            raise Refused(403, "otp_expired", "Token has expired or is invalid")
        del self.codes[email]
        return JSONResponse(self._session(self.by_email[email]))

    async def _user(self, request: Request) -> Response:
        user, _ = self._signed_in(request)
        return JSONResponse(described(user))

    async def _logout(self, request: Request) -> Response:
        user, session_id = self._signed_in(request)
        match request.query_params.get("scope", "global"):
            case "global":
                self.end_sessions(user)
            case "local":
                self._end(session_id)
            case "others":
                for other in [known for known, owner in self.sessions.items() if owner == user and known != session_id]:
                    self._end(other)
            case scope:
                raise Refused(400, "validation_failed", f"Unsupported logout scope {scope!r}")
        return Response(status_code=204)

    def _signed_in(self, request: Request) -> tuple[User, str]:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not token:
            raise Refused(401, "no_authorization", "This endpoint requires a valid Bearer token")
        try:
            claims = jwt.decode(token, self.secret, ["HS256"], audience="authenticated")
        except jwt.InvalidTokenError as error:
            reason = f"invalid JWT: unable to parse or verify signature, {error}"
            raise Refused(403, "bad_jwt", reason) from error
        if claims["session_id"] not in self.sessions:
            raise Refused(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return self.sessions[claims["session_id"]], claims["session_id"]

    def _session(self, user: User, session_id: str | None = None) -> dict:
        session_id = session_id or str(uuid.uuid4())
        self.sessions[session_id] = user
        refresh_token = secrets.token_urlsafe(12)
        self.refresh_tokens[refresh_token] = RefreshToken(user, session_id)
        return {
            "access_token": self.access_token(user, session_id=session_id),
            "token_type": "bearer",
            "expires_in": int(self.token_seconds),
            "expires_at": int(time.time() + self.token_seconds),
            "refresh_token": refresh_token,
            "user": described(user),
        }

    def _end(self, session_id: str) -> None:
        self.sessions.pop(session_id, None)
        for token in [token for token, known in self.refresh_tokens.items() if known.session_id == session_id]:
            del self.refresh_tokens[token]


def described(user: User) -> dict:
    """A user as the service describes one."""
    return {
        "id": user.id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": user.email,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {},
        "identities": [],
        "created_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    }
