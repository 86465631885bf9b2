"""How much waits in memory of what is uploaded, before the page takes it: of one session, and of all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from starlette.types import Message, Receive

from lib.data.upload.limits import AT_ONCE_BYTES, MOST_DROPPED, WAITING_BYTES

GIVEN_UP_S = 120.0
"""What no page has taken so long after its session sent the last may go, where others need the room."""


SILENT_S = 60.0
"""Who sends a file and says nothing for so long has gone: a phone is back from a tunnel before that."""


class NoRoom(Exception):
    """So much may not wait; what it says is for the one who uploads."""


class Waiting:
    """Keeps what waits within its limits. Safe to share between threads.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._coming: dict[str, list[int]] = {}
        self._sent: dict[str, float] = {}

    @contextmanager
    def room(
        self, session: str, size: int, held: Mapping[str, Mapping[str, Any]], drop: Callable[[str], object]
    ) -> Iterator[None]:
        """Keep room for a file while it comes.

        Args:
            session: Who sends it.
            size: In bytes, as far as the request says.
            held: The files that wait, by session and id; each has its content as ``data``.
            drop: Forgets what waits of a session.

        Raises:
            NoRoom: If there is none.
        """
        with self._lock:
            waiting = {each: [len(file.data) for file in list(files.values())] for each, files in list(held.items())}
            for each, sizes in self._coming.items():
                waiting[each] = [*waiting.get(each, ()), *sizes]
            own = waiting.get(session, [])
            if len(own) >= MOST_DROPPED or sum(own) + size > AT_ONCE_BYTES:
                raise NoRoom("Too much at once: wait until these files are read, or upload fewer.")
            self._make_room(waiting, size, session, drop)
            self._coming.setdefault(session, []).append(size)
        try:
            yield
        finally:
            with self._lock:
                self._coming[session].remove(size)
                if not self._coming[session]:
                    del self._coming[session]
                self._sent[session] = self._clock()
                self._forget(held)

    def _make_room(
        self, waiting: Mapping[str, list[int]], size: int, session: str, drop: Callable[[str], object]
    ) -> None:
        left = sum(map(sum, waiting.values()))
        for each, sizes in waiting.items():
            if left + size <= WAITING_BYTES:
                return
            long_ago = self._clock() - self._sent.get(each, self._clock()) > GIVEN_UP_S
            if each != session and each not in self._coming and long_ago:
                drop(each)
                left -= sum(sizes)
        if left + size > WAITING_BYTES:
            raise NoRoom("Others are uploading: try again in a minute.")

    def _forget(self, held: Mapping[str, Mapping[str, Any]]) -> None:
        self._sent = {each: at for each, at in self._sent.items() if each in held or each in self._coming}


def patient(receive: Receive, silent_s: float = SILENT_S) -> Receive:
    """``receive`` that takes somebody who says nothing for so long for gone, so that the room is for others."""

    async def heard() -> Message:
        try:
            return await asyncio.wait_for(receive(), silent_s)
        except TimeoutError:
            return {"type": "http.disconnect"}

    return heard


def waiting_of(manager: Any) -> MutableMapping[str, MutableMapping[str, Any]]:
    """The files that Streamlit holds for its sessions, by session and id."""
    found: MutableMapping[str, MutableMapping[str, Any]] = manager.file_storage
    return found


WAITING = Waiting()
"""What waits in this process."""
