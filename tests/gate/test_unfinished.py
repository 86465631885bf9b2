"""What a stranger begins to say over a websocket and never ends costs nobody else anything."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from lib.gate.unfinished import MOST_BYTES, MOST_PIECES, MOST_S, Unfinished
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.spoken import MORE, TEXT, Spoken, frame, packed
from tests.gate.stranger import Stranger, Tab

pytestmark = pytest.mark.xdist_group("browser")

SAID = 2_000_000
"""Bytes of the largest message."""
UNREADABLE = {
    "a method that has no handshake": ("POST", b""),
    "a name that is no text": ("GET", b"Sec-WebSocket-Protocol: streamlit, \xe9\r\n"),
    "a line that is too long": ("GET", b"Cookie: " + b"a" * 9000 + b"\r\n"),
    "too many lines": ("GET", b"X-A: b\r\n" * 200),
    "another version": ("GET", b"Sec-WebSocket-Version: 8\r\n"),
}


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server]) -> Server:
    return serve()


EVERYTHING = 10**8
"""Of a log that other tests have filled too."""


@pytest.fixture
def tab(app) -> Iterator[Tab]:
    """Somebody else's page."""
    with Stranger(app) as ann:
        yield ann.tab().run()


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_handshake_that_cannot_be_read_is_refused_and_holds_nothing(app, tab, kind):
    before = len(app.log(EVERYTHING))
    with Spoken(app, *UNREADABLE[kind]) as said:
        assert said.status == "400"
        assert said.is_ended()
    assert "Traceback" not in app.log(EVERYTHING)[before:]
    assert tab.is_open()
    if kind == "a line that is too long":
        assert "could not be read: did not receive a valid HTTP request (line too long)" in app.log()


def test_a_server_ends_well_after_handshakes_that_could_not_be_read():
    with Server() as server:
        for method, headers in UNREADABLE.values():
            with Spoken(server, method, headers):
                pass
        with Stranger(server) as ann:
            tab = ann.tab().run()
            os.kill(server.pid, signal.SIGTERM)
            assert tab.is_ended()
            assert server._process.wait(TIMEOUT_S) == 0
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("ends", [True, False])
def test_a_message_that_unpacks_to_more_than_a_browser_says_is_not_unpacked(app, tab, ends):
    with Spoken(app) as said:
        assert said.status == "101"
        said.say(frame(packed(bytes(10 * SAID)), ends=ends, packed=True))
        assert said.is_ended()
    assert tab.run().session


def test_what_all_have_begun_to_say_is_bounded_and_who_began_first_goes(app, tab):
    begun = frame(packed(bytes(SAID - 1000)), ends=False, packed=True)
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(MOST_BYTES // SAID + 4):
            held.append(stack.enter_context(Spoken(app)))
            held[-1].say(begun)
        assert all(each.is_ended() for each in held[:3])
        assert not held[-1].is_ended(0.1)
    assert tab.run().session


def test_a_message_in_pieces_without_end_ends_the_connection(app, tab):
    with Spoken(app) as said:
        said.say(frame(b"", ends=False), frame(b"", MORE, ends=False) * (MOST_PIECES + 1))
        assert said.is_ended()
    assert tab.run().session


def test_a_message_in_many_pieces_is_understood_though_others_are_under_way(app):
    with Spoken(app) as said, Spoken(app) as other:
        other.say(frame(b"\x0a", ends=False))
        message = b"\x0a\x00"  # An empty rerun of the page, or nothing that a page knows: it is a message either way.
        said.say(frame(message[:1], ends=False), frame(message[1:], MORE))
        assert not said.is_ended(0.5)


def test_text_that_is_none_leaves_one_line_in_the_log(app, tab):
    before = len(app.log(EVERYTHING))
    with Spoken(app) as said:
        said.say(frame(b"\xff\xfe", TEXT))
        assert said.is_ended()
    assert "Traceback" not in app.log(EVERYTHING)[before:]
    assert tab.run().session


class Held:
    """A connection that may be given up."""

    def __init__(self) -> None:
        self.is_open = True

    def give_up(self) -> None:
        self.is_open = False


def test_a_message_that_takes_too_long_is_given_up_and_one_that_ends_is_not():
    now = 0.0
    under_way = Unfinished(clock=lambda: now)
    drip, talks, quiet = Held(), Held(), Held()
    for second in range(int(MOST_S) + 1):
        now = float(second)
        under_way.note(drip, 10 + second)
        # A message ends in each of them, and another one begins.
        under_way.note(talks, 10, is_new=True)
        under_way.note(quiet, 0)
        under_way.look()
    assert [each.is_open for each in (drip, talks, quiet)] == [False, True, True]


def test_who_began_first_goes_first_whoever_says_most():
    under_way = Unfinished(most=100)
    first, second, third = Held(), Held(), Held()
    under_way.note(first, 10)
    under_way.note(second, 60)
    under_way.note(first, 20)
    under_way.note(third, 30)
    assert [each.is_open for each in (first, second, third)] == [False, True, True]
    under_way.note(second, 0)
    under_way.note(third, 100)
    assert third.is_open
