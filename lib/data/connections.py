"""Connections that all readers share: nothing of one's answer goes out with another's request, and each answer ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

MOST_BODY = 256 * 2**20
"""Bytes of one answer. A page of rows has some megabytes; an MLflow server that knows no pages sends a metric whole."""
_GRACE_S = 5.0
"""What is still coming so long after the time is over has no end."""
_LEAST_S = 1e-6
"""What is there already is read though the time is over; 0 would mean another kind of socket."""
_UNTIL: ContextVar[float | None] = ContextVar("until", default=None)


def shared_client(**options: Any) -> httpx.Client:
    """A client that keeps no cookies, and heeds ``within``.

    Args:
        options: As of ``httpx.Client``; redirects would carry credentials to another host, and are not followed.
    """
    client = httpx.Client(follow_redirects=False, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])), **options)
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            # There is no public way to one that also goes through the proxies of the environment.
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend)
    return client


def read_bounded(response: httpx.Response, deadline: float) -> None:
    """Read a body in time and within bounds, for a library that would read it by itself.

    Args:
        response: Its body has not been read.
        deadline: By ``time.monotonic``.
    """
    body = whole_body(response, deadline)
    if body is None:
        raise httpx.ReadError("The answer is too long.", request=response.request)
    # As httpx itself keeps it: what asks for the body later gets this.
    response._content = body


@contextmanager
def within(until: float) -> Iterator[None]:
    """Whatever this thread reads of a shared client's connections comes by then, headers and all.

    The client's own time-outs are for each piece, so a trickle would never end.

    Args:
        until: By ``time.monotonic``. What has not come by then is ``httpx.ReadTimeout``.
    """
    token = _UNTIL.set(until)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def whole_body(response: httpx.Response, deadline: float) -> bytes | None:
    """The whole body; ``None`` where it is too long.

    The client's own time-outs are for each piece, so a trickle would never end.
    """
    if "," in response.headers.get("content-encoding", ""):
        # Nobody asked for that, and each time it may unpack to a thousand times as much, in one piece.
        raise httpx.DecodingError("The answer is packed several times.", request=response.request)
    pieces, size = [], 0
    for piece in response.iter_bytes():
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("The answer trickles.", request=response.request)
        size += len(piece)
        if size > MOST_BODY:
            return None
        pieces.append(piece)
    return b"".join(pieces)


class _Backend:
    """Opens connections as another one does."""

    def __init__(self, opens: Any) -> None:
        self._opens = opens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opens, name)

    def connect_tcp(self, *where: Any, **how: Any) -> _Stream:
        return _Stream(self._opens.connect_tcp(*where, **how))


class _Stream:
    """A connection whose reads heed ``within``."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = _UNTIL.get()
        if until is not None:
            left = until - time.monotonic()
            if left < -_GRACE_S:
                raise httpcore.ReadTimeout("The answer does not end.")
            left = max(left, _LEAST_S)
            timeout = left if timeout is None else min(left, timeout)
        read: bytes = self._stream.read(max_bytes, timeout=timeout)
        return read

    def start_tls(self, *how: Any, **named: Any) -> _Stream:
        return _Stream(self._stream.start_tls(*how, **named))
