"""A session of the app without a browser: what a browser says over the websocket, and how long the answer takes.

The messages are the ones that the installed Streamlit ships. What a browser does besides is left out: drawing, and
telling the server the state of widgets that nobody touched, save check boxes. That the charts are drawn, for which the
table waits (lib.ui.frame.after_charts), it says at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from tests.browser.harness import Server

if TYPE_CHECKING:
    from streamlit.proto.Element_pb2 import Element

TIMEOUT_S = 120.0
_FINISHED = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class WatchedServer(Server):
    """A server whose use of the machine can be read, as far as Linux tells."""

    def resident_mb(self) -> float:
        """Memory in use, of all processes together."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def processor_s(self) -> tuple[float, float]:
        """Processor time so far: of all processes, and of their main threads, which pack and send."""
        pids = self._pids()
        return (
            sum(_processor_s(f"/proc/{pid}/stat") for pid in pids),
            sum(_processor_s(f"/proc/{pid}/task/{pid}/stat") for pid in pids),
        )

    def _pids(self) -> list[int]:
        """The process, and what it started: of ``make serve`` the app's processes and the balancer."""
        started = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, started)]


def machine_s() -> float:
    """Processor time of everything on the machine so far, as far as Linux tells."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / CLOCK_TICKS


def _processor_s(path: str) -> float:
    fields = Path(path).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came after a request.

    Attributes:
        seconds: From sending to the message that the script has finished.
        first_s: From sending to the first element.
        whole_s: From sending until what follows the charts was there too.
        megabytes: Of all messages, as they are before compression.
    """

    seconds: float
    first_s: float
    whole_s: float
    megabytes: float


class Session:
    """One session, for as long as the ``async with`` block lasts.

    Attributes:
        checks: The check boxes of the page by their key: their ids and whether they are on.
        query: The URL's query, as the server last wrote it.
    """

    def __init__(self, url: str, query: str = "") -> None:
        self.query = query
        self.checks: dict[str, tuple[str, bool]] = {}
        self._address = url.replace("http", "ws", 1) + "/_stcore/stream"
        self._url, self._page = url, ""
        self._runs, self._keep = 0, 2
        self._held: dict[str, int] = {}
        self._drawn: set[str] = set()
        self._waiting: tuple[str, str] | None = None

    async def __aenter__(self) -> Session:
        # Compressed as a browser would have it: the server's work on that belongs to what is measured.
        self._socket = await connect(
            self._address,
            subprotocols=["streamlit"],
            compression="deflate",
            max_size=None,
            open_timeout=TIMEOUT_S,
            ping_interval=None,
            proxy=None,
        )
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._socket.close()

    async def run(self) -> Answer:
        """Run the page's script: its first run, or one more in which nothing changed."""
        async with asyncio.timeout(TIMEOUT_S):
            answer = await self._request()
            if self._waiting is None:
                return answer
            each, fragment = self._waiting
            self._waiting = None
            self._drawn.add(each)
            rest = await self._request(fragment)
        return Answer(answer.seconds, answer.first_s, answer.seconds + rest.seconds, answer.megabytes + rest.megabytes)

    async def _request(self, fragment: str = "") -> Answer:
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self._page, fragment
        state.cached_message_hashes.extend(self._held)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-GB"
        state.context_info.url, state.context_info.color_scheme = self._url, "light"
        for each, on in self.checks.values():
            state.widget_states.widgets.add(id=each, bool_value=on)
        for each in self._drawn:
            state.widget_states.widgets.add(id=each, json_value=json.dumps({"drawn": True}))
        sent = time.perf_counter()
        await self._socket.send(request.SerializeToString())
        return await self._answer(sent)

    async def toggle(self, run_id: str) -> Answer:
        """Take a run out of the link's runs, or put it behind them, as somebody does who changes the link."""
        parameters = parse_qsl(self.query, keep_blank_values=True)
        others = [each for each in parameters if each != ("run", run_id)]
        self.query = urlencode(others if others != parameters else [*parameters, ("run", run_id)])
        return await self.run()

    async def _answer(self, sent: float) -> Answer:
        first, size = 0.0, 0
        while True:
            raw = await self._socket.recv()
            size += len(raw)
            message = ForwardMsg.FromString(raw)
            match message.WhichOneof("type"):
                case "delta":
                    first = first or time.perf_counter() - sent
                    if message.metadata.cacheable:
                        self._held[message.hash] = self._runs
                    if message.delta.WhichOneof("type") == "new_element":
                        self._element(message.delta.new_element, message.delta.fragment_id)
                case "ref_hash":
                    self._held[message.ref_hash] = self._runs
                case "page_info_changed":
                    self.query = message.page_info_changed.query_string
                case "new_session":
                    self._page = message.new_session.page_script_hash
                    self._keep = message.new_session.config.max_cached_message_age
                case "script_finished" if message.script_finished in _FINISHED:
                    self._forget(fragment=message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
                    took = time.perf_counter() - sent
                    return Answer(took, first, took, size / 1e6)
                case "script_finished" if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise RuntimeError("Expected the page's script to run, got a compile error.")

    def _element(self, element: Element, fragment: str) -> None:
        match element.WhichOneof("type"):
            case "checkbox":
                box = element.checkbox
                # An id ends with the key that the script gave the widget.
                key = box.id.split("-", 2)[-1]
                self.checks[key] = box.id, box.value if box.set_value else self.checks.get(key, ("", box.default))[1]
            case "bidi_component" if element.bidi_component.component_name == "runoff_after_charts":
                if not json.loads(element.bidi_component.json)["drawn"]:
                    self._waiting = element.bidi_component.id, fragment
            case "exception":
                raise RuntimeError(f"Expected a page, got {element.exception.type}: {element.exception.message}")

    def _forget(self, *, fragment: bool) -> None:
        """As a browser does, grow older with every run, and after those of the page drop what is too old."""
        self._runs += 1
        if not fragment:
            self._held = {each: run for each, run in self._held.items() if self._runs - run <= self._keep}
