"""What a network and a server get wrong, on request; and a log of what was asked. Both wrap an ASGI app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ERROR_PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that was answered, by the project or by a fault, or not at all (status 0).

    Attributes:
        query: The query string as it was sent.
        headers: The request's, names in lower case.
        response_bytes: Of the body, as sent: compressed where it was.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int
    response_bytes: int


class RequestLog(list[Logged]):
    """Requests in the order in which they came to their end. ``clear()`` forgets them."""

    def of(self, prefix: str) -> list[Logged]:
        """Those whose path begins so."""
        return [entry for entry in self if entry.path.startswith(prefix)]


@dataclass(slots=True)
class Fault:
    """One way to fail, see ``Faults.add``. ``seen`` counts the requests it looked at."""

    prefix: str
    method: str | None = None
    query: str = ""
    status: int | None = None
    body: str | bytes | dict | list | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: str | None = None
    hang: bool = False
    after: int = 0
    times: int | None = None
    seen: int = 0

    def strikes(self, method: str, path: str, query: str) -> bool:
        """Count a request; tell whether it is one that fails."""
        if not path.startswith(self.prefix) or (self.method and self.method != method) or self.query not in query:
            return False
        self.seen += 1
        return self.after < self.seen and (self.times is None or self.seen <= self.after + self.times)

    def answer(self) -> Response | None:
        """What is answered in the project's place; ``None`` where the project itself answers."""
        if self.status is None and self.body is None:
            return None
        status = HTTPStatus(self.status) if self.status in set(HTTPStatus) else None
        title = f"{self.status} {status.phrase if status else 'Unknown Error'}"
        body, kind = self.body, "text/html; charset=utf-8"
        if body is None:
            body = ERROR_PAGE.format(title=title)
        elif not isinstance(body, str | bytes):
            body, kind = json.dumps(body), "application/json; charset=utf-8"
        headers = {"content-type": self.content_type or kind} | dict(self.headers)
        return Response(body, self.status or 200, headers)


class Faults:
    """The faults of one gateway, switched on while a test runs. The first that strikes decides."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, prefix: str = "/", **facts: Any) -> Fault:
        """Make requests fail whose path begins with ``prefix``, e.g. ``/rest/v1/`` or ``/auth/v1/token``.

        Args:
            prefix: Of the path.
            **facts: ``method``: only this one. ``query``: only where the query string holds this. ``status`` and
                ``body``: answer this instead of asking the project; a dict or list is sent as JSON, text as HTML,
                and without a body it is an HTML error page. ``content_type``: of that answer, or, alone, of the
                true answer. ``headers``: added, e.g. ``{"Retry-After": "2"}``. ``delay``: seconds to wait first.
                ``cut="body"``: only half of the body arrives, and nothing says so; ``cut="connection"``: the
                connection ends half way. ``hang``: no answer at all. ``after``: only from the request with this
                number on (0 is the first). ``times``: for so many requests.
        """
        fault = Fault(prefix, **facts)
        self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        self._faults.remove(fault)

    def clear(self) -> None:
        """All is well again."""
        self._faults.clear()

    def striking(self, method: str, path: str, query: str = "") -> Fault | None:
        struck = [fault for fault in list(self._faults) if fault.strikes(method, path, query)]
        return struck[0] if struck else None


class Watched:
    """The app with faults and a log around it: the outermost layer, so that it counts bytes on the wire."""

    def __init__(self, app: ASGIApp, faults: Faults, log: RequestLog) -> None:
        self.app, self.faults, self.log = app, faults, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        headers = {name.lower(): value for name, value in request.headers.items()}
        status = sent = 0
        noted = False

        def note() -> None:
            nonlocal noted
            if not noted:
                noted = True
                self.log.append(Logged(request.method, request.url.path, request.url.query, headers, status, sent))

        async def counted(message: Message) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Before the client has the last byte: it may read the log at once.
                note()
            await send(message)

        try:
            await self._serve(scope, receive, counted)
        finally:
            note()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.faults.striking(scope["method"], scope["path"], scope["query_string"].decode())
        if fault is None:
            return await self.app(scope, receive, send)
        await asyncio.sleep(fault.delay)
        if fault.hang:
            while (await receive())["type"] != "http.disconnect":
                pass
            return None
        app = fault.answer() or self.app
        if fault.cut:
            return await cut(app, scope, receive, send, fault.cut)

        async def altered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(fault.headers)
                if fault.content_type:
                    headers["content-type"] = fault.content_type
            await send(message)

        return await app(scope, receive, altered)


class CutConnection(Exception):
    """Makes the server close a connection in the middle of an answer."""


async def cut(app: ASGIApp, scope: Scope, receive: Receive, send: Send, how: str) -> None:
    """Send half of an answer; either its length says that this is all, or the connection ends."""
    # A half of something compressed would fail in the client's decoder instead.
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    start: Message = {}
    body = bytearray()

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        body.extend(message.get("body", b""))

    await app(scope, receive, collect)
    half = bytes(body[: len(body) // 2])
    MutableHeaders(scope=start)["content-length"] = str(len(half if how == "body" else body))
    await send(start)
    await send({"type": "http.response.body", "body": half, "more_body": how != "body"})
    if how != "body":
        raise CutConnection
