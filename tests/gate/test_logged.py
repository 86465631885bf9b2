"""Whatever a stranger sends, each line of the log is an entry in the form that was asked for."""

from __future__ import annotations

import json
import socket

import pytest

from tests.browser.harness import TIMEOUT_S
from tests.gate.stranger import Stranger

pytestmark = pytest.mark.xdist_group("browser")


def test_what_is_no_request_and_no_message_is_logged_as_entries(serve):
    server = serve(RUNOFF_LOG="json", STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE="true")
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S) as caller:
        caller.sendall(b"GET /\x01 HTTP/9\r\n\r\n")
        assert b"400" in caller.recv(100)
    with Stranger(server) as eve:
        tab = eve.tab().run('search=x\n{"level": "error", "message": "forged"}')
        tab.send(b"\xff\xff\xff")
        assert eve.tab().run().session
    entries = [json.loads(line) for line in server.log(100_000).splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*map(set, entries))
    assert "uvicorn.error" in {entry["logger"] for entry in entries}
    assert "forged" not in {entry["message"] for entry in entries}
