"""What a page asks for beside running: its own files are made, and nothing for anybody else."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable

import pytest
from starlette.websockets import WebSocketDisconnected
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, ForwardMsg

from lib.core.facts.query import RunQuery
from lib.data.demo.source import EmbeddedSource
from lib.data.upload.limits import MOST_FILES
from lib.gate.messages import understood
from lib.gate.middleware import Gate
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.stranger import Tab
from tests.own_loop import finished

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server]) -> Server:
    return serve()


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


def until(tab: Tab, kind: str) -> tuple[ForwardMsg, list[str]]:
    """The next message of a kind, and the kinds of those before it."""
    before: list[str] = []
    while True:
        message = ForwardMsg.FromString(tab._socket.recv(TIMEOUT_S))
        if message.WhichOneof("type") == kind:
            return message, before
        before.append(message.WhichOneof("type"))


def answer(tab: Tab) -> BackendOperationResponse:
    return until(tab, "backend_operation_response")[0].backend_operation_response


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


@pytest.mark.parametrize("kind", ["load_git_info", "debug_disconnect_websocket", "debug_shutdown_runtime"])
def test_what_only_developers_of_streamlit_say_is_not_heard(app, eve, kind):
    before = len(app.log(10**6))
    tab = eve.tab().run()
    for _ in range(20):
        tab.say(kind)
    tab.send(asking(tab, "dataframe_chunk"))
    assert "git_info_changed" not in until(tab, "backend_operation_response")[1]
    assert tab.is_open()
    assert app.log(10**6)[before:] == ""


def places_for(tab: Tab, count: int) -> ForwardMsg:
    message = BackMsg()
    message.file_urls_request.request_id, message.file_urls_request.session_id = "a", tab.session
    message.file_urls_request.file_names.extend(["a.csv"] * count)
    tab.send(message.SerializeToString())
    return until(tab, "file_urls_response")[0]


def test_places_are_made_for_as_many_files_as_an_archive_may_have(eve):
    tab = eve.tab().run()
    given = places_for(tab, MOST_FILES).file_urls_response
    assert (len(given.file_urls), given.error_msg) == (MOST_FILES, "")
    refused = places_for(tab, MOST_FILES + 1).file_urls_response
    assert (len(refused.file_urls), refused.response_id) == (0, "a")
    assert refused.error_msg == "More than 5,000 files at once: pack them as zip or tar.gz."


def test_between_two_messages_of_one_page_others_have_their_turn():
    turns: list[int] = []

    async def receive():
        return {"type": "websocket.receive", "bytes": BackMsg(clear_cache=True).SerializeToString()}

    async def send(_):
        raise AssertionError("nothing is said")

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both():
        task = asyncio.create_task(other())
        heard = understood(receive, send)
        for _ in range(100):
            await heard()
        task.cancel()

    finished(both())
    assert len(turns) >= 99


def test_who_goes_before_all_was_taken_leaves_nothing_in_the_log():
    async def app(scope, receive, send):
        raise WebSocketDisconnected("gone")

    async def none(*_):
        return {"type": "websocket.disconnect"}

    scope = {"type": "websocket", "scheme": "ws", "path": "/_stcore/stream", "headers": [(b"host", b"runs.example")]}
    scope["headers"] += [(b"origin", b"http://runs.example")]
    finished(Gate(app)(scope, none, none))


@pytest.mark.parametrize("kind", ["load_git_info", "debug_disconnect_websocket", "debug_shutdown_runtime"])
def test_streamlit_itself_is_not_told_of_it(kind):
    said = [
        {"type": "websocket.receive", "bytes": BackMsg(**{kind: True}).SerializeToString()},
        {"type": "websocket.receive", "bytes": BackMsg(clear_cache=True).SerializeToString()},
    ]

    async def receive():
        return said.pop(0)

    async def send(_):
        raise AssertionError("nothing is said")

    heard = finished(understood(receive, send)())
    assert BackMsg.FromString(heard["bytes"]).WhichOneof("type") == "clear_cache"
