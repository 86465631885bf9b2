"""A tab of a browser without the browser: it clicks, and does by itself what the page does by itself.

Beside what ``bench.session`` says it signs in as a person does (the code that the page shows becomes a cookie), runs
fragments at their times, uploads files, and changes pages. What has arrived is there to be looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from lib.gate.keeping import PATH

TIMEOUT_S = 180.0
XSRF = "_streamlit_xsrf"
_CODE = re.compile(rf'data-code="([\w-]+)" data-path="{PATH}"')
_EVENTS = "$$STREAMLIT_INTERNAL_KEY_{id}__events"
"""The widget that takes what a component sends."""


class Tab:
    """One tab, for as long as the ``async with`` block lasts.

    Args:
        url: Of the app.
        query: The link that it opens.
        heard: Is told every message, as it came.

    Attributes:
        query: The link in the address bar.
        pages: The app's pages, by the last part of their address, with what names them to the server.
        broken: What came that no page may show.
        runs: How many runs of the whole page have ended.
    """

    def __init__(self, url: str, query: str = "", heard: Callable[[bytes], None] = lambda _: None) -> None:
        self.query = query
        self.pages: dict[str, str] = {}
        self.broken: list[str] = []
        self.runs = 0
        self._url, self._heard = url, heard
        self._page = self._session = self._run = ""
        self._elements: dict[tuple[int, ...], tuple[Element, str, str]] = {}
        self._cache: dict[str, tuple[ForwardMsg, int]] = {}
        self._turn = 0
        self._timers: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = asyncio.Condition()
        self._fragments_of_run: frozenset[str] = frozenset()
        self._is_open = False
        self._events: deque[tuple[float, str]] = deque(maxlen=40)
        self._drawn: set[str] = set()

    async def __aenter__(self) -> Tab:
        self._client = httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT_S, trust_env=False)
        await self._client.get("/_stcore/health")
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._client.cookies.jar)
        self._socket = await connect(
            self._url.replace("http", "ws", 1) + "/_stcore/stream",
            origin=self._url,  # type: ignore[arg-type]  # a NewType of str
            subprotocols=["streamlit", self._client.cookies.get(XSRF) or "none"],  # type: ignore[list-item]
            additional_headers={"Cookie": cookies},
            user_agent_header="strain",
            compression="deflate",
            max_size=None,
            open_timeout=TIMEOUT_S,
            ping_interval=None,
            proxy=None,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop_timers()
        tasks = (self._reading, *self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._socket.close()
        await self._client.aclose()

    @property
    def timers(self) -> int:
        """How many fragments run by themselves."""
        return sum(not timer.done() for timer in self._timers)

    @property
    def shown(self) -> Iterator[Element]:
        """What is on the page."""
        return (element for element, _, _ in list(self._elements.values()))

    def widget(self, key: str) -> Any:
        """The widget of a key, as it was sent; ``None`` where it is not on the page."""
        return next((each for each in self._widgets() if _key(each.id) == key), None)

    def submit(self, form: str) -> tuple[dict[str, str], str]:
        """A form: the ids of its fields by their labels, and that of its button."""
        fields, button = {}, ""
        for each in self._widgets():
            if getattr(each, "form_id", "") == form:
                if getattr(each, "is_form_submitter", False):
                    button = each.id
                else:
                    fields[each.label] = each.id
        return fields, button

    def component(self, name: str) -> bytes:
        """What a component was last sent; empty where it is not on the page."""
        for element in self.shown:
            if element.WhichOneof("type") == "bidi_component" and element.bidi_component.component_name == name:
                return element.bidi_component.bytes or element.bidi_component.json.encode()
        return b""

    async def run(self, *states: WidgetState, page: str | None = None) -> float:
        """Run the page's script with what was done, and wait for its end.

        Returns:
            Seconds from sending to the end.

        Raises:
            TimeoutError: If that does not come.
        """
        if page is not None:
            self._page = self.pages[page]
        before, began = self.runs, time.perf_counter()
        await self._send(states)
        try:
            async with asyncio.timeout(TIMEOUT_S), self._finished:
                await self._finished.wait_for(lambda: self.runs > before or self._reading.done())
        except TimeoutError:
            took = time.perf_counter() - began
            raise TimeoutError(f"no end of a run after {took:.0f} s; {self._told_of(began)}") from None
        if self._reading.done():
            raise RuntimeError("; ".join(self.broken))
        return time.perf_counter() - began

    async def click(self, key: str) -> float:
        """Click a button; as ``run``."""
        return await self.run(WidgetState(id=self.widget(key).id, trigger_value=True))

    async def ask(self, component: str, event: str, value: Mapping[str, Any]) -> float:
        """Let a component, named by its key, send something; as ``run``."""
        aggregated = _EVENTS.format(id=self.widget(component).id)
        said = json.dumps([{"event": event, "value": value}])
        return await self.run(WidgetState(id=aggregated, json_trigger_value=said))

    async def ask_list(self, **asked: Any) -> float:
        """Ask for something in the list of runs; as ``run``."""
        self._turn += 1
        return await self.ask("runs", "asked", {"turn": self._turn, **asked})

    async def upload(self, name: str, content: bytes) -> float:
        """Upload a file; as ``run``."""
        widget = next(each for each in self._widgets() if _key(each.id).startswith("upload:files"))
        self._turn += 1
        file = f"file-{self._turn}"
        path = f"/_stcore/upload_file/{self._session}/{file}"
        answer = await self._client.put(
            path, files={"file": (name, content)}, headers={"X-Xsrftoken": self._client.cookies.get(XSRF) or ""}
        )
        answer.raise_for_status()
        state = WidgetState(id=widget.id)
        info = state.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(content), file_id=file)
        info.file_urls.file_id, info.file_urls.upload_url, info.file_urls.delete_url = file, path, path
        return await self.run(state)

    def _told_of(self, began: float) -> str:
        """What came of runs since, by seconds."""
        return ", ".join(f"{at - began:.1f}: {what}" for at, what in self._events if at >= began - 5) or "nothing came"

    def _widgets(self) -> Iterator[Any]:
        for element in self.shown:
            said = getattr(element, element.WhichOneof("type") or "", None)
            if getattr(said, "id", ""):
                yield said

    async def _send(self, states: tuple[WidgetState, ...], fragment: str = "", *, by_timer: bool = False) -> None:
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.page_script_hash = self.query, self._page
        state.fragment_id, state.is_auto_rerun = fragment, by_timer
        state.cached_message_hashes.extend(self._cache)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-GB"
        state.context_info.url, state.context_info.color_scheme = self._url, "light"
        state.widget_states.widgets.extend(states)
        for each in self._drawn:
            state.widget_states.widgets.add(id=each, json_value=json.dumps({"drawn": "grid"}))
        self._events.append((time.perf_counter(), f"asked for {fragment[:6] or 'the page'}"))
        await self._socket.send(request.SerializeToString())

    async def _read(self) -> None:
        try:
            while True:
                raw = await self._socket.recv(decode=False)
                self._heard(raw)
                message = ForwardMsg.FromString(raw)
                await self._take(message)
        except Exception as error:
            self.broken.append(f"nothing more could be read: {error!r}")
            raise
        finally:
            async with self._finished:
                self._finished.notify_all()

    async def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                said = message.new_session
                if message.metadata.run.fragment_ids and self._is_open:
                    # A fragment that is asked for in the moment in which the page's run ends takes the end's message
                    # with it (Streamlit's AppSession.request_rerun says how): whoever runs now, the page does not.
                    await self._end(ForwardMsg.FINISHED_SUCCESSFULLY)
                self._session = said.initialize.session_id or self._session
                self._page, self._run = said.page_script_hash, message.metadata.run.script_run_id
                of = ", ".join(each[:6] for each in message.metadata.run.fragment_ids)
                self._events.append((time.perf_counter(), f"began {of or 'the page'}"))
                self._fragments_of_run = frozenset(message.metadata.run.fragment_ids)
                self.pages |= {page.url_pathname: page.page_script_hash for page in said.app_pages}
                self._is_open = not self._fragments_of_run
                if self._is_open:
                    self._stop_timers()
            case "navigation":
                self.pages |= {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
            case "ref_hash":
                known, _ = self._cache[message.ref_hash]
                self._cache[message.ref_hash] = known, self.runs
                self._delta(known, tuple(message.metadata.delta_path))
            case "delta":
                if message.metadata.cacheable:
                    self._cache[message.hash] = message, self.runs
                self._delta(message, tuple(message.metadata.delta_path))
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "auto_rerun":
                again = message.auto_rerun
                self._timers.append(asyncio.create_task(self._repeat(again.interval, again.fragment_id)))
            case "script_finished":
                await self._end(message.script_finished)

    def _delta(self, message: ForwardMsg, path: tuple[int, ...]) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            # A block that is drawn anew has nothing in it yet.
            return
        element, fragment = message.delta.new_element, message.delta.fragment_id
        self._elements[path] = element, self._run, fragment
        match element.WhichOneof("type"):
            case "exception":
                self.broken.append(f"{element.exception.type}: {element.exception.message}")
            case "html" if found := _CODE.search(element.html.body):
                self._later(self._keep(found[1]))
            case "bidi_component" if element.bidi_component.component_name == "runoff_after_charts":
                if not json.loads(element.bidi_component.json)["drawn"]:
                    self._drawn = {element.bidi_component.id}
                    self._later(self._send((), fragment))

    async def _end(self, how: int) -> None:
        self._events.append((time.perf_counter(), f"ended ({how})"))
        self._is_open = False
        if how == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.broken.append("a compile error")
        if how == ForwardMsg.FINISHED_SUCCESSFULLY:
            self._elements = {path: each for path, each in self._elements.items() if each[1] == self._run}
            self.runs += 1
            # As old as a browser lets them become.
            self._cache = {key: each for key, each in self._cache.items() if self.runs - each[1] <= 2}
        elif how == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            own = self._fragments_of_run
            self._elements = {
                path: each for path, each in self._elements.items() if each[1] == self._run or each[2] not in own
            }
        async with self._finished:
            self._finished.notify_all()

    async def _repeat(self, interval: float, fragment: str) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._send((), fragment, by_timer=True)

    def _stop_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    async def _keep(self, code: str) -> None:
        answer = await self._client.post(f"/{PATH}", content=code, headers={"Origin": self._url})
        if answer.status_code != httpx.codes.NO_CONTENT:
            self.broken.append(f"a code was answered with HTTP {answer.status_code}")

    def _later(self, what: Any) -> None:
        async def quietly() -> None:
            with contextlib.suppress(ConnectionClosed):
                await what

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _key(widget: str) -> str:
    """An id ends with the key that the script gave the widget."""
    return widget.split("-", 2)[-1]
