"""How much waits in memory of what is uploaded, before the page takes it: of one session, and of all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Message, Receive

from lib.data.upload.limits import AT_ONCE_BYTES, MOST_DROPPED, WAITING_BYTES

GIVEN_UP_S = 120.0
"""What no page has taken so long after its session sent the last may go, where others need the room."""
SILENT_S = 60.0
"""Who sends a file and says nothing for so long has gone: a phone is back from a tunnel before that."""
LEAST_RATE = 16 * 2**10
"""Bytes a second, over all of a file: the slowest lines that people upload over bring twice as much."""
SLOW_RATE = 64 * 2**10
"""Who brings less gives way, after ``GIVEN_UP_S``, where others need the room that is kept for the rest."""


class NoRoom(Exception):
    """So much may not wait; what it says is for the one who uploads."""


@dataclass(slots=True, eq=False)
class Coming:
    """A file that is on its way.

    Attributes:
        size: In bytes, as far as the request says.
        began: By the clock of ``Waiting``.
        came: Bytes of it that are here.
        gave_way: Its room is for others now.
    """

    size: int
    began: float
    came: int = 0
    gave_way: bool = False

    @property
    def ends(self) -> float:
        """When it must be here."""
        return self.began + SILENT_S + self.size / LEAST_RATE

    def is_slow(self, now: float) -> bool:
        """Whether it may have to give way."""
        return now - self.began > GIVEN_UP_S and self.came < SLOW_RATE * (now - self.began)


class Waiting:
    """Keeps what waits within its limits. Safe to share between threads.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._coming: dict[str, list[Coming]] = {}
        self._sent: dict[str, float] = {}

    @contextmanager
    def room(
        self, session: str, size: int, held: Mapping[str, Mapping[str, Any]], drop: Callable[[str], object]
    ) -> Iterator[Coming]:
        """Keep room for a file while it comes.

        Args:
            session: Who sends it.
            size: In bytes, as far as the request says.
            held: The files that wait, by session and id; each has its content as ``data``.
            drop: Forgets what waits of a session.

        Raises:
            NoRoom: If there is none.
        """
        coming = Coming(size, self.clock())
        with self._lock:
            waiting = {each: [len(file.data) for file in list(files.values())] for each, files in list(held.items())}
            for each, files in self._coming.items():
                waiting[each] = [*waiting.get(each, ()), *(file.size for file in files if not file.gave_way)]
            own = waiting.get(session, [])
            if len(own) >= MOST_DROPPED or sum(own) + size > AT_ONCE_BYTES:
                raise NoRoom("Too much at once: wait until these files are read, or upload fewer.")
            self._make_room(waiting, size, session, drop)
            self._coming.setdefault(session, []).append(coming)
        try:
            yield coming
        finally:
            with self._lock:
                self._coming[session].remove(coming)
                if not self._coming[session]:
                    del self._coming[session]
                self._sent[session] = self.clock()
                self._forget(held)

    def _make_room(
        self, waiting: Mapping[str, list[int]], size: int, session: str, drop: Callable[[str], object]
    ) -> None:
        left = sum(map(sum, waiting.values()))
        now = self.clock()
        for each, sizes in waiting.items():
            if left + size <= WAITING_BYTES:
                return
            long_ago = now - self._sent.get(each, now) > GIVEN_UP_S
            if each != session and each not in self._coming and long_ago:
                drop(each)
                left -= sum(sizes)
        files = [file for files in self._coming.values() for file in files if not file.gave_way and file.is_slow(now)]
        for file in sorted(files, key=lambda file: file.came / (now - file.began)):
            if left + size <= WAITING_BYTES:
                return
            file.gave_way = True
            left -= file.size
        if left + size > WAITING_BYTES:
            raise NoRoom("Others are uploading: try again in a minute.")

    def _forget(self, held: Mapping[str, Mapping[str, Any]]) -> None:
        self._sent = {each: at for each, at in self._sent.items() if each in held or each in self._coming}


def patient(
    receive: Receive, coming: Coming, clock: Callable[[], float] = time.monotonic, silent_s: float = SILENT_S
) -> Receive:
    """``receive`` that takes somebody for gone who says nothing for long, is not done in time, or has given way.

    Args:
        receive: Of the request.
        coming: The file; it learns how much has come.
        clock: That of ``coming``.
        silent_s: How long nothing may come.
    """

    async def heard() -> Message:
        left = coming.ends - clock()
        if coming.gave_way or left <= 0:
            return {"type": "http.disconnect"}
        try:
            message = await asyncio.wait_for(receive(), min(silent_s, left))
        except TimeoutError:
            return {"type": "http.disconnect"}
        coming.came += len(message.get("body", b""))
        return message

    return heard


def waiting_of(manager: Any) -> MutableMapping[str, MutableMapping[str, Any]]:
    """The files that Streamlit holds for its sessions, by session and id."""
    found: MutableMapping[str, MutableMapping[str, Any]] = manager.file_storage
    return found


WAITING = Waiting()
"""What waits in this process."""
