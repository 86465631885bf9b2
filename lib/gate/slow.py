"""Connections on which nothing gets done: a request that never ends, or an answer that nobody takes.

The server closes what is quiet between two requests. But a byte now and then would keep a connection open for ever, and
each takes one of the files that a process may open. Websockets have their own end (a ping that is not answered, and
``unfinished.py``), and so have uploads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any, Protocol

from lib.gate.tabs import MOST

LOGGER = "runoff.gate.slow"
REQUEST_S = 15.0
"""In it the headers of a request must be here; also all of a body that is no upload. A browser sends both at once."""
UNTAKEN_S = 60.0
"""Who takes nothing of an answer for so long has gone: a phone is back from a tunnel before that."""
LOOK_EVERY_S = 1.0


class Connections:
    """Watches the connections of a server. Of its loop only.

    Args:
        held: The server's own, of Uvicorn's protocols; it goes on changing them.
        most: So many may be between two requests; beyond it those go that have been for longest.
        clock: Seconds that never go back.
    """

    def __init__(self, held: Collection[Any], most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._held, self._most, self._clock = held, most, clock
        self._seen: dict[Any, tuple[object, int, float]] = {}

    def look(self) -> int:
        """Close what has come to nothing; how many were closed."""
        now, before = self._clock(), self._seen
        self._seen = {}
        for each in self._held:
            if not hasattr(each, "cycle"):
                # A websocket.
                continue
            # The request that is answered, or was last; none yet on a new connection.
            request, untaken = each.cycle, each.transport.get_write_buffer_size()
            if request is not None and not request.response_complete and not untaken:
                # The app works for it.
                continue
            old, left, since = before.get(each, (None, 0, now))
            self._seen[each] = request, untaken, since if old is request and left == untaken else now
        over = {
            each
            for each, (_, untaken, since) in self._seen.items()
            if now - since >= (UNTAKEN_S if untaken else REQUEST_S)
        }
        between = [each for each, (_, untaken, _) in self._seen.items() if not untaken]
        between.sort(key=lambda each: self._seen[each][2])
        over.update(between[: max(0, len(between) - self._most)])
        for each in over:
            del self._seen[each]
            each.transport.abort()
        return len(over)


class Looked(Protocol):
    """What is looked at now and then."""

    def look(self) -> int:
        """Close what has come to nothing; how many were closed."""
        ...


@asynccontextmanager
async def watched(*looked: Looked) -> AsyncIterator[None]:
    """Look now and then while the block lasts."""
    task = asyncio.create_task(_look(looked))
    try:
        yield
    finally:
        task.cancel()


async def _look(looked: Collection[Looked]) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if closed := sum(each.look() for each in looked):
                logging.getLogger(LOGGER).warning(
                    "Closed %d connections whose request or message did not come, or whose answer was not taken,"
                    " in time.",
                    closed,
                )
        except Exception:
            # What is not closed now is looked at again.
            logging.getLogger(LOGGER).exception("Slow connections could not be looked at.")
