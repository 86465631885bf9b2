"""How many pages may be open: so many that a process stays up, and nobody who has signed in is kept out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from lib.gate import tabs
from lib.gate.keeping import COOKIE
from lib.gate.middleware import Gate
from lib.gate.tabs import MOST, Tabs, most_of
from lib.gate.visitors import VISITORS
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.stranger import Stranger, Tab
from tests.own_loop import finished

pytestmark = pytest.mark.xdist_group("browser")

FILES = 300


class Narrow(Server):
    """The app, started where a process may open few files."""

    def _command(self) -> list[str]:
        return ["sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", *super()._command()]


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    with Narrow() as server:
        yield server


def filled(stranger: Stranger) -> list[Tab]:
    """Pages that a stranger opens until no more are let in."""
    held: list[Tab] = []
    while len(held) <= FILES:
        try:
            held.append(stranger.tab())
        except InvalidStatus:
            return held
    raise AssertionError("All were let in.")


def test_a_stranger_who_opens_all_they_can_stops_nobody_who_is_there(narrow):
    with Stranger(narrow) as ann, Stranger(narrow) as eve:
        own = ann.tab().run()
        held = filled(eve)
        assert len(held) == most_of(FILES) - 1
        assert httpx.get(f"{narrow.url}/_stcore/health", trust_env=False, timeout=TIMEOUT_S).status_code == 200
        assert own.run().session
        held[0].close()
        assert ann.tab().run().session, "a page that is closed makes room"
    with Stranger(narrow) as later:
        assert later.tab().run().session


def test_pages_that_come_back_before_their_last_ones_are_given_up_find_room(narrow):
    # A network that broke: the server still holds the connections of every page.
    with Stranger(narrow) as everybody:
        before = [everybody.tab() for _ in range(most_of(FILES) // 2)]
        assert all(everybody.tab().is_open() for _ in before)


def test_as_many_more_are_let_in_of_people_who_are_signed_in(monkeypatch):
    monkeypatch.setattr(tabs, "TABS", Tabs(2))
    VISITORS.put("anns-ticket", "ann", 60)
    begun: list[str] = []

    async def opened(cookie: str) -> tuple[asyncio.Task[None], list[str]]:
        said: list[str] = []

        async def server(scope: Scope, receive: Receive, send: Send) -> None:
            begun.append(cookie)
            await asyncio.Event().wait()

        async def send(message) -> None:
            said.append(message["type"])

        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/_stcore/stream",
            "headers": [(b"cookie", cookie.encode())],
        }
        page = asyncio.create_task(Gate(server)(scope, None, send))
        await asyncio.sleep(0)
        return page, said

    async def visits() -> list[list[str]]:
        cookies = ["", "", "", f"{COOKIE}=guessed", *[f"{COOKIE}=anns-ticket"] * 3]
        pages = [await opened(cookie) for cookie in cookies]
        for page, _ in pages:
            page.cancel()
        await asyncio.gather(*(page for page, _ in pages), return_exceptions=True)
        assert (await opened(""))[1] == [], "all that were closed have made room"
        return [said for _, said in pages]

    refused = ["websocket.close"]
    assert finished(visits()) == [[], [], refused, refused, [], [], refused]
    VISITORS.drop("anns-ticket")


@pytest.mark.parametrize(("files", "most"), [(256, 25), (4_096, 409), (10_000, MOST), (1_048_576, MOST), (2, 1)])
def test_a_process_keeps_files_for_other_things(files, most):
    assert most_of(files) == most
