"""Whatever a stranger sends, each line of the log is an entry in the form that was asked for."""

from __future__ import annotations

import json
import socket

import pytest

from lib.log.often import MOST
from tests.browser.harness import TIMEOUT_S
from tests.gate.stranger import XSRF, Stranger

pytestmark = pytest.mark.xdist_group("browser")


def begun_and_left(stranger: Stranger, session: str) -> None:
    """Send the beginning of a file, as somebody does who closes the page."""
    with socket.create_connection(("127.0.0.1", stranger.server.port), timeout=TIMEOUT_S) as caller:
        said = [
            f"PUT /_stcore/upload_file/{session}/a HTTP/1.1",
            f"Host: {stranger.host}",
            f"X-Xsrftoken: {stranger.cookies[XSRF]}",
            f"Cookie: {XSRF}={stranger.cookies[XSRF]}",
            "Content-Type: multipart/form-data; boundary=b",
            "Content-Length: 1000000",
            "Expect: 100-continue",
        ]
        caller.sendall("\r\n".join([*said, "", ""]).encode())
        assert b"100" in caller.recv(100), "it is being taken"


def test_what_is_no_request_and_no_message_is_logged_as_entries(serve):
    server = serve(RUNOFF_LOG="json", STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE="true")
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as caller:
        caller.sendall(b"GET /\x01 HTTP/9\r\n\r\n")
        assert b"400" in caller.recv(100)
    with Stranger(server) as eve:
        begun_and_left(eve, eve.tab().run().session)
        tab = eve.tab().run('search=x\n{"level": "error", "message": "forged"}')
        for number in range(3 * MOST):
            tab = eve.tab()
            tab.run() if not number else None
            tab.send("secret" if number % 2 else b"\xff\xffsecret")
            assert tab.is_ended()
        assert eve.tab().run().session
    entries = [json.loads(line) for line in server.log(100_000).splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, entries))
    assert "uvicorn.error" in {entry["logger"] for entry in entries}
    assert not [entry for entry in entries if "ClientDisconnect" in entry.get("traceback", "")]
    assert "forged" not in {entry["message"] for entry in entries}
    closed = [entry["message"] for entry in entries if entry["logger"] == "runoff.gate.messages"]
    assert len(closed) == MOST
    assert "left out" in closed[-1]
    assert not [entry for entry in entries if "BackMsg" in str(entry) or "secret" in str(entry)]
    assert not [entry for entry in entries if "traceback" in entry]
