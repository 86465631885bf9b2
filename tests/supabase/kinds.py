"""The kinds of answers that are none, as servers, gateways, proxies and networks give them."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus

from tests.supabase.faults import ERROR_PAGE
from tests.supabase.front import Answer, Connection

JSON, HTML, TEXT = "application/json; charset=utf-8", "text/html; charset=utf-8", "text/plain"
HUGE = 3 * 2**20
"""Bytes of an answer that is too long; the test says how long one may be."""
DRIP_S = 0.05
PACKED = gzip.compress(json.dumps([{"id": str(number)} for number in range(999)]).encode())


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of answer.

    Attributes:
        name: What comes, in words.
        answer: Gives it; ``None``: nobody listens.
        is_silent: It is waited for in vain.
        is_secure: The project is asked over TLS, which it does not speak.
        is_signed_by_nobody: It speaks TLS, with a certificate of its own.
        host: What the project is called instead.
    """

    name: str
    answer: Answer | None
    is_silent: bool = False
    is_secure: bool = False
    is_signed_by_nobody: bool = False
    host: str = ""


def http(
    status: int,
    body: str | bytes | dict | list = b"",
    kind: str | None = JSON,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """An answer, byte for byte."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {"content-length": str(len(content)), **({"content-type": kind} if kind else {}), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {phrase(status)}\r\n{head}\r\n".encode() + content


def phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown Error"


def sends(data: bytes) -> Answer:
    return lambda connection: connection.send(data)


def page(status: int) -> Kind:
    """A web page, as proxies send it."""
    title = f"{status} {phrase(status)}"
    return Kind(f"HTTP {status} with a web page", sends(http(status, ERROR_PAGE.format(title=title), HTML)))


def said(status: int, name: str, headers: Mapping[str, str] | None = None, **body: str) -> Kind:
    """An error as the project itself words it."""
    return Kind(name, sends(http(status, body, headers=headers)))


def given(name: str, body: str | bytes | dict | list, kind: str | None = JSON, **headers: str) -> Kind:
    """A success that is none."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Kind(name, sends(http(200, body, kind, named)))


def _reset(connection: Connection) -> None:
    connection.reset()


def _reset_half_way(connection: Connection) -> None:
    connection.send(http(200, b"[" + b" " * 999)[:300])
    connection.reset()


def _closes_half_way(connection: Connection) -> None:
    answer = connection.forward()
    head, _, body = answer.partition(b"\r\n\r\n")
    connection.send(head + b"\r\n\r\n" + body[: len(body) // 2])


def _silence(connection: Connection) -> None:
    connection.wait(30)


def _silent_half_way(connection: Connection) -> None:
    connection.send(http(200, b"[" + b" " * 999)[:300])
    connection.wait(30)


def _drip(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999\r\n\r\n")
    while not connection.wait(DRIP_S):
        connection.send(b" ")


def _huge(connection: Connection) -> None:
    connection.send(http(200, b'["' + b"x" * HUGE + b'"]'))


def _endless_head(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(4000):
        connection.send(b"x-%d: %s\r\n" % (number, b"y" * 100))
    time.sleep(DRIP_S)


def _wrong_range(connection: Connection) -> None:
    """The project's answer, which says that it has more rows than it has."""
    answer = connection.forward()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-range:")]
    connection.send(b"\r\n".join([*lines, b"content-range: 0-998/999", b"", b""]) + body)


def _cut_body(connection: Connection) -> None:
    """Half of the project's answer, of which its length says that it is all."""
    answer = connection.forward()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [
        line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))
    ]
    half = body[: len(body) // 2]
    connection.send(b"\r\n".join([*lines, b"content-length: %d" % len(half), b"", b""]) + half)


def _without_end(connection: Connection) -> None:
    """Answers that say that the answer comes."""
    while not connection.wait(0):
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)


def _cut_chunks(connection: Connection) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    connection.send(head + b"5\r\n[    \r\n9\r\n    ")


def in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


def _until_a_date(connection: Connection) -> None:
    later = {"retry-after": in_an_hour()}
    connection.send(http(429, {"message": "API rate limit exceeded"}, headers=later))


def redirect(status: int) -> Kind:
    headers = {"location": "https://login.example.com/sign-in"}
    return Kind(f"HTTP {status}, a redirect to a page for signing in", sends(http(status, b"", None, headers)))


KINDS = (
    *map(page, (400, 401, 403, 404, 406, 407, 408, 409, 413, 414, 416, 418, 429, 431, 500, 502, 503, 504, 511, 520)),
    said(400, "a value of a wrong type (22P02)", code="22P02", message="invalid input syntax"),
    said(400, "a function that fails (P0001)", code="P0001", message="raised"),
    said(401, "an API key that the project does not know", message="Invalid API key", hint="Double check your key."),
    said(401, "a token issued in the future", code="PGRST301", message="JWT issued at future"),
    said(404, "no such table (PGRST205)", code="PGRST205", message="Could not find the table in the schema cache"),
    said(429, "too many requests, wait 60 s", {"retry-after": "60"}, message="API rate limit exceeded"),
    Kind("too many requests, wait until a date", _until_a_date),
    said(429, "too many requests, wait for a year", {"retry-after": "31536000"}, message="API rate limit exceeded"),
    said(503, "an overloaded server, wait 60 s", {"retry-after": "60"}, message="name resolution failed"),
    said(500, "a query that took too long (57014)", code="57014", message="canceling statement due to timeout"),
    said(503, "no database behind the API (PGRST000)", code="PGRST000", message="Database connection error"),
    said(540, "a project that is paused", message="Project paused"),
    redirect(301),
    redirect(302),
    redirect(307),
    redirect(308),
    Kind("HTTP 204, no content", sends(http(204, b"", None))),
    given("an empty body", b""),
    given("an empty body without a type", b"", None),
    given("a web page instead of data", ERROR_PAGE.format(title="Welcome"), HTML),
    given("plain text instead of data", "upstream ok", TEXT),
    Kind("a body cut in half, with a length that fits", _cut_body),
    given("JSON that is cut", '[{"id": "00000000-0000-40'),
    given("JSON of a wrong type: an object", {"a": 1}),
    given("JSON of a wrong type: numbers", [1, 2, 3]),
    given("JSON of a wrong type: text", '"rows"'),
    given("JSON of a wrong type: null", "null"),
    given("JSON nested a million deep", "[" * 1_000_000),
    given("bytes that are no text", bytes(range(256)) * 4),
    given("a body that says it is compressed and is not", "[]", JSON, content_encoding="gzip"),
    given("a compressed body that is cut", PACKED[:200], JSON, content_encoding="gzip"),
    given("a body that is compressed as nobody asked for", b"\x1f\x9d\x90[\x00", JSON, content_encoding="compress"),
    given("a body that unpacks to very much", gzip.compress(b"[" + b" " * 8 * HUGE), JSON, content_encoding="gzip"),
    given("a body that is compressed twice", gzip.compress(PACKED), JSON, content_encoding="gzip, gzip"),
    given("a mark of the encoding before the data", b'\xef\xbb\xbf{"a": 1}'),
    Kind("a wrong content range", _wrong_range),
    Kind("an answer of many megabytes", _huge),
    Kind("nobody listens", None),
    Kind("the connection is reset", _reset),
    Kind("the connection is reset half way", _reset_half_way),
    Kind("the connection is closed without an answer", lambda connection: None),
    Kind("the connection is closed half way", _closes_half_way),
    Kind("silence", _silence, is_silent=True),
    Kind("silence half way", _silent_half_way, is_silent=True),
    Kind("a trickle of bytes", _drip, is_silent=True),
    Kind("headers without end", _endless_head),
    Kind("another protocol than HTTP", sends(b"SSH-2.0-OpenSSH_9.6\r\n")),
    Kind("chunks that are none", sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")),
    Kind("chunks that are cut", _cut_chunks),
    Kind("hints without end before the answer", _without_end, is_silent=True),
    Kind("a host that has no address", None, host="project.invalid"),
    Kind("a certificate that nobody knows", None, is_secure=True, is_signed_by_nobody=True),
    Kind("no TLS where https is asked for", sends(b""), is_secure=True),
)
"""Every kind, once."""
