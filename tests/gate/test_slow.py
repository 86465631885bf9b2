"""Who asks for something without end, or never takes the answer, keeps no connection open; who is only slow does."""

from __future__ import annotations

import contextlib
import socket
import time
from types import SimpleNamespace

import pytest

from lib.gate.slow import REQUEST_S, UNTAKEN_S, Connections
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.stranger import Stranger

BEGUN = b"GET /_stcore/health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WHOLE = BEGUN + b"\r\n"
SIGN_IN = b"POST /runoff/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 150\r\n\r\n"
REFUSED = b"POST /none HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\nContent-Length: 150\r\n\r\n"
DRIPPING = {
    "nothing at all": (b"", b""),
    "headers without end": (BEGUN, b"X-Drop: x\r\n"),
    "headers without end after a request": (WHOLE + BEGUN, b"X-Drop: x\r\n"),
    "a body without end": (SIGN_IN, b"x"),
    "a body without end that nobody wants": (REFUSED, b"x"),
}


class Drip:
    """A connection on which a little is said now and then."""

    def __init__(self, server: Server, first: bytes, then: bytes) -> None:
        self._socket, self._then = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S), then
        self._socket.sendall(first)
        self.is_closed = False

    def drip(self) -> None:
        self._socket.settimeout(0.01)
        try:
            self._socket.sendall(self._then)
            while self._socket.recv(65536):
                pass
            self.is_closed = True
        except TimeoutError:
            pass
        except OSError:
            self.is_closed = True

    def close(self) -> None:
        self._socket.close()


@pytest.mark.xdist_group("browser")
def test_a_request_without_end_ends_the_connection_and_nobody_elses(serve):
    servers = {"alone": serve(), "behind the balancer": serve(processes=2)}
    with contextlib.ExitStack() as stack:
        drips = {
            (name, kind): stack.enter_context(contextlib.closing(Drip(server, *said)))
            for name, server in servers.items()
            for kind, said in DRIPPING.items()
        }
        ann = stack.enter_context(Stranger(servers["alone"]))
        tab = ann.tab().run()
        began = time.monotonic()
        # Together longer than a request may take, on one connection.
        asked = stack.enter_context(contextlib.closing(Drip(servers["alone"], b"", WHOLE)))
        while time.monotonic() - began < 2 * REQUEST_S + TIMEOUT_S:
            for each in (*drips.values(), asked):
                each.drip()
            assert not asked.is_closed
            if all(each.is_closed for each in drips.values()) and time.monotonic() - began > 1.5 * REQUEST_S:
                break
            time.sleep(0.25)
        assert [kind for kind, each in drips.items() if not each.is_closed] == []
        assert tab.is_open()
        assert tab.run().session


class Held:
    """A connection as the server holds it, asked for one thing."""

    def __init__(self) -> None:
        self.untaken, self.is_open = 0, True
        self.cycle: SimpleNamespace | None = None
        self.transport = SimpleNamespace(get_write_buffer_size=lambda: self.untaken, abort=self._abort)

    def _abort(self) -> None:
        self.is_open = False


class Watched:
    """Connections, looked at every second."""

    def __init__(self, count: int = 1, most: int = 1000) -> None:
        self.now = 0.0
        self.held = [Held() for _ in range(count)]
        self._connections = Connections(self.held, most, lambda: self.now)

    def pass_s(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.now += 1.0
            self._connections.look()
            self.held[:] = [each for each in self.held if each.is_open]


def test_what_the_app_works_for_is_waited_for():
    watched = Watched()
    watched.held[0].cycle = SimpleNamespace(response_complete=False)
    watched.pass_s(10 * UNTAKEN_S)
    assert len(watched.held) == 1
    watched.held[0].cycle.response_complete = True
    watched.pass_s(REQUEST_S - 1)
    assert len(watched.held) == 1
    watched.pass_s(2)
    assert watched.held == []


def test_an_answer_may_be_taken_slowly_but_is_taken():
    watched = Watched()
    watched.held[0].cycle = SimpleNamespace(response_complete=False)
    for left in (60_000, 50_000, 40_000):
        watched.held[0].untaken = left
        watched.pass_s(UNTAKEN_S - 2)
    assert len(watched.held) == 1
    watched.pass_s(UNTAKEN_S)
    assert watched.held == []


def test_a_connection_that_is_used_again_begins_anew():
    watched = Watched()
    for _ in range(5):
        watched.held[0].cycle = SimpleNamespace(response_complete=True)
        watched.pass_s(REQUEST_S - 2)
    assert len(watched.held) == 1


def test_of_too_many_those_go_that_have_waited_longest():
    watched = Watched(count=3, most=3)
    watched.pass_s(2)
    old, new = list(watched.held), [Held(), Held()]
    watched.held += new
    watched.pass_s(1)
    assert watched.held == [old[2], *new]


def test_a_websocket_is_left_alone():
    watched = Watched()
    del watched.held[0].cycle
    watched.pass_s(10 * UNTAKEN_S)
    assert len(watched.held) == 1
