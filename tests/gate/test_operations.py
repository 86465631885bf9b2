"""What a page asks for beside running: its own files are made, and nothing for anybody else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, ForwardMsg

from lib.core.facts.query import RunQuery
from lib.data.demo.source import EmbeddedSource
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.stranger import Stranger, Tab

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server]) -> Server:
    return serve()


@pytest.fixture
def ann(app) -> Iterator[Stranger]:
    with Stranger(app) as ann:
        yield ann


@pytest.fixture
def eve(app) -> Iterator[Stranger]:
    with Stranger(app) as eve:
        yield eve


def on_two_runs(tab: Tab) -> Tab:
    runs = [run.run_id for run in EmbeddedSource().list_runs(RunQuery()).runs if run.status.value == "completed"]
    return tab.run("&".join(f"run={run_id}" for run_id in runs[:2]))


def asking(tab: Tab, kind: str, session: str = "", **what: str) -> bytes:
    message = BackMsg()
    asked = message.backend_operation_request
    asked.request_id, asked.session_id = uuid.uuid4().hex, session or tab.session
    getattr(asked, kind).SetInParent()
    for name, value in what.items():
        setattr(getattr(asked, kind), name, value)
    return message.SerializeToString()


def answer(tab: Tab) -> BackendOperationResponse:
    while True:
        message = ForwardMsg.FromString(tab._socket.recv(TIMEOUT_S))
        if message.WhichOneof("type") == "backend_operation_response":
            return message.backend_operation_response


def offered(tab: Tab) -> str:
    found = re.search(r'deferred_file_id: "(\w+)"', tab.text)
    assert found, "the page offers a file that is made when it is asked for"
    return found[1]


def test_a_file_is_made_for_the_page_that_was_offered_it_and_for_no_other(ann, eve):
    anns, eves = on_two_runs(ann.tab()), on_two_runs(eve.tab())
    file = offered(anns)
    for session in (eves.session, anns.session):
        eves.send(asking(eves, "deferred_file", session, file_id=file))
        told = answer(eves)
        assert told.error_msg
        assert not told.deferred_file.url
    anns.send(asking(anns, "deferred_file", file_id=file))
    made = answer(anns)
    assert made.deferred_file.url.startswith("/media/"), made
    assert ann.client.get(made.deferred_file.url).text.startswith("run,")


@pytest.mark.parametrize("kind", ["install_skills", "dismiss_skills_nudge", "dataframe_chunk", "deferred_file"])
def test_nothing_else_is_done_and_the_log_has_nothing_to_say(app, eve, kind):
    before = len(app.log(10**6))
    tab = eve.tab().run()
    for _ in range(30):
        tab.send(asking(tab, kind))
    assert {answer(tab).error_msg for _ in range(30)} == {"This is not offered any more."}
    assert tab.is_open()
    assert "Traceback" not in app.log(10**6)[before:]


def test_what_is_no_message_ends_the_connection_behind_one_that_is_refused_too(eve):
    tab = eve.tab().run()
    tab.send(asking(tab, "dataframe_chunk"))
    assert answer(tab).error_msg
    tab.send(b"\xff\xff no message")
    assert tab.is_ended()
