"""Somebody who opens the app with a program of their own, which says whatever they like and keeps cookies."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser.harness import TIMEOUT_S, Server

XSRF = "_streamlit_xsrf"


class Stranger:
    """One program with its cookies and tabs, until the ``with`` block ends.

    Args:
        server: Where it goes.
        host: What it calls the server; the address unless said otherwise.
        headers: It says these with everything.
    """

    def __init__(self, server: Server, host: str = "", headers: dict[str, str] | None = None) -> None:
        self.server = server
        self.host = host or f"127.0.0.1:{server.port}"
        self.headers = dict(headers or {})
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Stranger:
        self.client = self._stack.enter_context(
            httpx.Client(
                base_url=self.server.url, headers={"Host": self.host} | self.headers, timeout=TIMEOUT_S, trust_env=False
            )
        )
        self.client.get("/_stcore/health")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.client.cookies.jar}

    def tab(
        self, origin: str | None = None, session: str = "", cookies: dict[str, str] | None = None, **headers: str
    ) -> Tab:
        """Connect as a page does.

        Args:
            origin: Of the page; that of the app unless said otherwise, "" to say none.
            session: The id of a session to go on with.
            cookies: Instead of its own.
            headers: Further ones; ``_`` stands for ``-``.

        Raises:
            websockets.exceptions.InvalidStatus: If the server refuses.
        """
        own = self.cookies if cookies is None else cookies
        said = self.headers | {name.replace("_", "-"): text for name, text in headers.items()}
        agent = said.pop("User-Agent", "curl/8")
        socket_ = self._stack.enter_context(
            connect(
                f"ws://{self.host}/_stcore/stream",
                sock=socket.create_connection(("127.0.0.1", self.server.port), timeout=TIMEOUT_S),
                origin=f"http://{self.host}" if origin is None else origin or None,
                subprotocols=["streamlit", own.get(XSRF) or "none", *([session] if session else [])],
                additional_headers=said | {"Cookie": "; ".join(f"{name}={text}" for name, text in own.items())},
                user_agent_header=agent,
                max_size=None,
                proxy=None,
            )
        )
        return Tab(socket_)

    def upload(self, session: str, content: bytes, file: str = "a", **headers: str) -> httpx.Response:
        """Send a file to a session, as the page's upload does."""
        return self.client.put(
            f"/_stcore/upload_file/{session}/{file}",
            files={"file": ("a.csv", content)},
            headers={"X-Xsrftoken": self.cookies.get(XSRF, "")} | headers,
        )


class Tab:
    """A page of the app, as far as the server knows.

    Attributes:
        session: Its id, after the first run.
        text: All that came in the last run, as text.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._socket = connection
        self.session = self.text = ""

    def say(self, kind: str, value: bool = True) -> None:
        """Send a message that is a switch, such as ``clear_cache``."""
        self._socket.send(BackMsg(**{kind: value}).SerializeToString())

    def send(self, message: bytes | str) -> None:
        """Send anything."""
        self._socket.send(message)

    def run(self, query: str = "") -> Tab:
        """Run the page's script, and take all that comes."""
        request = BackMsg()
        request.rerun_script.query_string = query
        request.rerun_script.context_info.timezone = "UTC"
        self._socket.send(request.SerializeToString())
        self.text = "".join(map(str, self.messages()))
        return self

    def messages(self) -> Iterator[ForwardMsg]:
        """What comes until a run is over."""
        while True:
            message = ForwardMsg.FromString(self._socket.recv(TIMEOUT_S))
            if message.WhichOneof("type") == "new_session":
                self.session = message.new_session.initialize.session_id
            yield message
            if message.WhichOneof("type") == "script_finished":
                return

    def is_open(self) -> bool:
        """Whether the server still answers."""
        try:
            return self._socket.ping().wait(TIMEOUT_S)
        except ConnectionClosed:
            return False

    def is_ended(self) -> bool:
        """Whether the server ends the connection, before long."""
        try:
            while True:
                self._socket.recv(TIMEOUT_S)
        except ConnectionClosed:
            return True
        except TimeoutError:
            return False

    def close(self) -> None:
        """Go away, as a closed page does."""
        self._socket.close()
