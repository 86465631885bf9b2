"""What comes over a websocket before it is a message: bounded in size, in time, and by what all hold together.

A browser's message comes at once. But one may be begun and never ended, in any number of pieces, each a thousandth of
what it unpacks to, on every connection that a stranger opens. And a handshake that cannot be read nobody would answer;
the server itself would hold the connection for ever, or fail over it when it ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError

from lib.gate.slow import UNTAKEN_S

if TYPE_CHECKING:
    from websockets.frames import Frame

LOGGER = "runoff.gate.unfinished"
MOST_BYTES = 64 * 2**20
"""Of all messages that are under way; of more, those that began first are given up. Thirty of the largest there are."""
MOST_PIECES = 4_096
"""Of one message: each takes memory, and may be empty. Browsers make pieces of 64 kB and more."""
MOST_S = UNTAKEN_S
"""In it a message must be whole: two megabytes on a slow line take as long."""
_NOT_READ = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Connection(Protocol):
    def give_up(self) -> None:
        """End it at once."""
        ...


class Unfinished:
    """The messages that are under way. Of the server's loop only.

    Args:
        most: Bytes of all together.
        clock: Seconds that never go back.
    """

    def __init__(self, most: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._held: dict[_Connection, tuple[float, int]] = {}
        self._bytes = 0

    def note(self, connection: _Connection, size: int, *, is_new: bool = False) -> None:
        """Say how much of a message is here.

        Args:
            connection: On which it comes.
            size: In bytes; 0 where nothing is under way.
            is_new: Whether it is another message than the last one that was noted.
        """
        # The order is that in which they began.
        began, before = self._held.get(connection, (self._clock(), 0))
        if is_new or not size:
            self._held.pop(connection, None)
            began = self._clock()
        self._bytes += size - before
        if size:
            self._held[connection] = began, size
        while self._bytes > self._most:
            self._give_up(next(iter(self._held)))

    def look(self) -> int:
        """Give up what has been under way for too long; how many that were."""
        now = self._clock()
        late = [each for each, (began, _) in self._held.items() if now - began >= MOST_S]
        for each in late:
            self._give_up(each)
        return len(late)

    def _give_up(self, connection: _Connection) -> None:
        self._bytes -= self._held.pop(connection)[1]
        connection.give_up()


class Bounded(WebSocketsSansIOProtocol):
    """A connection of Uvicorn's that notes what is under way on it."""

    def __init__(self, *given: Any, unfinished: Unfinished, **named: Any) -> None:
        super().__init__(*given, **named)
        self._unfinished = unfinished
        self._size = 0
        self._is_new = False

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        is_first = not self.handshake_initiated
        try:
            super().data_received(data)
        except Exception as error:
            # What others wrote can fail at what strangers say; a failure later is of interest in itself.
            self._end(f"{type(error).__name__}", None if is_first else error)
            return
        if not self.handshake_initiated:
            self._end(_said(self.conn.handshake_exc))
            return
        self._unfinished.note(self, self._size + len(self.conn.reader.buffer), is_new=self._is_new)
        self._is_new = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._unfinished.note(self, 0)
        super().connection_lost(exc)

    def handle_text(self, event: Frame) -> None:
        self._size = len(event.data)
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._size = len(event.data)
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        self._size += len(event.data)
        super().handle_cont(event)
        if len(self.frames) > MOST_PIECES:
            self.give_up()

    def send_receive_event_to_app(self) -> None:
        self._size, self._is_new = 0, True
        if self.curr_msg_data_type == "text":
            # The gate refuses all text; Uvicorn would log a traceback of what is none.
            self.frames = [b"".join(self.frames).decode(errors="replace").encode()]
        super().send_receive_event_to_app()

    def give_up(self) -> None:
        """End the connection at once, with what came of a message."""
        self.frames, self._size = [], 0
        self.conn.reader.buffer.clear()
        self.transport.abort()

    def _end(self, why: str, error: Exception | None = None) -> None:
        logging.getLogger(LOGGER).warning("Closed a connection that could not be read: %s.", why, exc_info=error)
        if not self.handshake_initiated:
            self.transport.write(_NOT_READ)
            self.transport.close()
        else:
            self.transport.abort()


def _said(error: Exception | None) -> str:
    """Why a handshake was none."""
    # A line that is too long is mostly that of cookies, which other programs of the host have set.
    cause = error.__cause__ if error is not None and isinstance(error.__cause__, SecurityError) else None
    return f"{error} ({cause})" if cause is not None else str(error)


def bound(config: Any, unfinished: Unfinished) -> None:
    """Let a server's websockets say no more than a browser has to say.

    Args:
        config: Uvicorn's, of the server; another one's is left as it is.
        unfinished: What is noted.
    """
    if getattr(config, "ws_protocol_class", None) is WebSocketsSansIOProtocol:
        # Streamlit bounds what comes in by the size of what goes out.
        config.ws_max_size = get_max_widget_state_size_bytes()
        config.ws_protocol_class = partial(Bounded, unfinished=unfinished)
