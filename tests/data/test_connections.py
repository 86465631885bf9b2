"""Connections that all readers share: nothing of one's answer reaches another's request, and every answer ends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.data.connections import shared_client, within
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.supabase.auth import sign_in
from lib.data.supabase.client import Project
from lib.data.supabase.settings import SupabaseSettings
from lib.data.supabase.source import SupabaseSource

KEY = "sb_publishable_of_a_test"
COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: reader=ann; Path=/\r\nContent-Length: 2\r\n\r\n{}"
GIVEN_UP_S = 60.0
"""So long somebody would wait who waits for the end of a trickle."""


class Answering:
    """A server of bytes.

    Attributes:
        heads: Of the requests so far.
        ended: Set when nobody is to be answered any more.
    """

    def __init__(self, answer: Callable[[socket.socket, threading.Event], None]) -> None:
        self.heads: list[bytes] = []
        self.ended = threading.Event()
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while head := client.recv(65_536):
                self.heads.append(head)
                self._answer(client, self.ended)

    def close(self) -> None:
        self.ended.set()
        self._listener.close()


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    made: list[Answering] = []

    def make(answer: Callable[[socket.socket, threading.Event], None]) -> Answering:
        made.append(Answering(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()


def trickles(client: socket.socket, ended: threading.Event) -> None:
    """A header that never ends, a letter at a time: each comes long before a time-out for one piece."""
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    until = time.monotonic() + GIVEN_UP_S
    while time.monotonic() < until and not ended.wait(0.05):
        client.sendall(b"a")


def pool_of(kind: str, url: str) -> httpx.Client:
    return Project(SupabaseSettings(url, KEY)).pool if kind == "supabase" else Server(MlflowSettings(url))._pool


@pytest.mark.parametrize("kind", ["supabase", "mlflow"])
def test_a_cookie_in_one_answer_goes_out_with_no_other_request(answering, kind):
    server = answering(lambda client, _: client.sendall(COOKIE))
    with pool_of(kind, server.url) as pool:
        for _ in range(2):
            assert pool.get(server.url).headers["set-cookie"].startswith("reader=ann")
        assert not list(pool.cookies.jar)
    assert len(server.heads) == 2
    assert b"ann" not in b"".join(server.heads)


def test_headers_that_trickle_end_in_time(answering):
    server = answering(trickles)
    with shared_client(timeout=GIVEN_UP_S) as client, within(time.monotonic() + 0.5), pytest.raises(httpx.ReadTimeout):
        client.get(server.url)
    assert len(server.heads) == 1


def test_what_is_read_outside_is_not_cut(answering):
    def slowly(client: socket.socket, _: threading.Event) -> None:
        time.sleep(0.2)
        client.sendall(COOKIE)

    server = answering(slowly)
    with shared_client(timeout=GIVEN_UP_S) as client:
        with within(time.monotonic() + 0.05), pytest.raises(httpx.ReadTimeout):
            client.get(server.url)
        assert client.get(server.url).status_code == 200


@pytest.mark.parametrize("what", ["list", "sign-in", "mlflow"])
def test_every_request_has_an_end_though_its_headers_have_none(answering, what):
    server = answering(trickles)
    project = Project(SupabaseSettings(server.url, KEY, timeout_s=1.0))
    asked = {
        "list": lambda: SupabaseSource(project, None).list_runs(RunQuery()),
        "sign-in": lambda: sign_in(project, "ann@example.com", "a password"),
        "mlflow": lambda: Server(MlflowSettings(server.url, timeout_s=1.0)).get("experiments/search", ()),
    }
    with pytest.raises(SourceUnavailable, match="none came in time"):
        asked[what]()
    assert server.heads
