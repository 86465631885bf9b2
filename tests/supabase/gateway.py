"""The API gateway of a project: ``/rest/v1`` is PostgREST behind a check of keys, ``/auth/v1`` the sign-in stand-in."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Mapping

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.supabase.accounts import Accounts
from tests.supabase.faults import Faults, RequestLog, Watched

REST = "/rest/v1"
REST_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
OPAQUE_KEY_SECONDS = 60
"""How long the token lasts that the gateway makes for a request with an opaque key."""
START_TIMEOUT_S = 60

_NOT_PASSED_ON = {"host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
# Compressing is the gateway's, not PostgREST's.
_NOT_ASKED_FOR = _NOT_PASSED_ON | {"accept-encoding"}


class Keys:
    """Refuses requests without a key of the project, as the hosted gateway does."""

    def __init__(self, app: ASGIApp, roles: Mapping[str, str]) -> None:
        self.app, self.roles = app, roles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self.refusal(Request(scope))):
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)

    def refusal(self, request: Request) -> Response | None:
        if not request.url.path.startswith(("/rest/v1", "/auth/v1")):
            return JSONResponse({"message": "no Route matched with those values"}, 404)
        key = api_key(request)
        if not key:
            hint = "No `apikey` request header or url param was found."
            return JSONResponse({"message": "No API key found in request", "hint": hint}, 401)
        if key not in self.roles:
            hint = "Double check your Supabase `anon` or `service_role` API key."
            return JSONResponse({"message": "Invalid API key", "hint": hint}, 401)
        return None


def api_key(request: Request) -> str:
    return request.headers.get("apikey") or request.query_params.get("apikey", "")


def gateway_app(
    rest_socket: str, accounts: Accounts, roles: Mapping[str, str], faults: Faults, log: RequestLog
) -> Starlette:
    """Make the gateway.

    Args:
        rest_socket: Where PostgREST listens.
        accounts: Who may sign in.
        roles: API key to database role.
        faults: What is to go wrong.
        log: Where requests are noted.
    """
    upstream = httpx.AsyncClient(
        base_url="http://postgrest",
        transport=httpx.AsyncHTTPTransport(uds=rest_socket, limits=httpx.Limits(max_connections=100)),
        timeout=None,
    )

    async def rest(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_ASKED_FOR}
        key = api_key(request)
        if key.startswith("sb_") and headers.get("authorization") in (None, f"Bearer {key}"):
            headers["authorization"] = "Bearer " + accounts.sign(roles[key], OPAQUE_KEY_SECONDS)
        path = request.scope["raw_path"].decode().removeprefix(REST)
        target = f"{path}?{request.url.query}" if request.url.query else path
        body = await request.body()
        try:
            answer = await upstream.request(request.method, target, headers=headers, content=body)
        except httpx.TransportError:
            return JSONResponse({"message": "An invalid response was received from the upstream server"}, 502)
        passed = {name: value for name, value in answer.headers.items() if name not in _NOT_PASSED_ON}
        return Response(answer.content, answer.status_code, passed)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await upstream.aclose()

    return Starlette(
        routes=[*accounts.routes(), Route(REST + "/{path:path}", rest, methods=REST_METHODS)],
        middleware=[
            Middleware(Watched, faults=faults, log=log),
            Middleware(GZipMiddleware, minimum_size=500, compresslevel=5),
            Middleware(Keys, roles=roles),
        ],
        lifespan=lifespan,
    )


class PortUnavailable(Exception):
    """Something else listens where the gateway is to listen."""


class GatewayThread:
    """A gateway on a loopback port, served by a thread of this process, so that a test can reach into it."""

    def __init__(self, app: Starlette, port: int = 0) -> None:
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise PortUnavailable(f"Nothing can be served on port {port}: {os.strerror(error.errno)}.") from error
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="on",
            # A connection cut on purpose is an error to uvicorn.
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="gateway", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The gateway did not start.")
            time.sleep(0.005)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()
