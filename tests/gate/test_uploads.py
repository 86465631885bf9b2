"""What waits in memory stays within its limits, whoever sends and whatever is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from starlette.types import Message

from lib.data.upload.limits import AT_ONCE_BYTES, FILE_BYTES, WAITING_BYTES
from lib.gate.uploads import GIVEN_UP_S, LEAST_RATE, SLOW_RATE, Coming, NoRoom, Waiting, patient
from tests.own_loop import finished


class Server:
    """Holds files as Streamlit does: their sizes, by session."""

    def __init__(self) -> None:
        self.now = 0.0
        self.held: dict[str, dict[str, SimpleNamespace]] = {}
        self.waiting = Waiting(lambda: self.now)

    def room(self, session: str, size: int = FILE_BYTES):
        return self.waiting.room(session, size, self.held, lambda each: self.held.pop(each))

    def send(self, session: str, size: int = FILE_BYTES) -> None:
        with self.room(session, size):
            files = self.held.setdefault(session, {})
            files[str(len(files))] = SimpleNamespace(data=range(size))

    @property
    def total(self) -> int:
        return sum(len(file.data) for files in self.held.values() for file in files.values())


def test_a_session_has_room_again_when_its_files_were_taken():
    server = Server()
    for _ in range(AT_ONCE_BYTES // FILE_BYTES):
        server.send("ann")
    with pytest.raises(NoRoom, match="Too much at once"):
        server.send("ann", 1)
    server.send("bob")
    server.held["ann"].clear()
    server.send("ann")


def test_what_is_still_coming_counts_and_what_broke_off_does_not():
    server = Server()
    with server.room("ann"), server.room("ann"), pytest.raises(NoRoom):
        server.send("ann", 1)
    with pytest.raises(OSError), server.room("ann"):  # noqa: PT011
        raise OSError
    server.send("ann", AT_ONCE_BYTES)


def test_all_sessions_together_are_bounded_until_somebody_has_given_up():
    server = Server()
    names = [str(number) for number in range(WAITING_BYTES // FILE_BYTES)]
    for name in names:
        server.send(name)
    with pytest.raises(NoRoom, match="Others are uploading"):
        server.send("ann")
    server.now += GIVEN_UP_S
    server.send(names[0], 0)
    with pytest.raises(NoRoom):
        server.send("ann")
    server.now += 1
    server.send("ann")
    assert names[0] in server.held, "it sent something meanwhile"
    assert "ann" in server.held
    assert server.total <= WAITING_BYTES


def heard(coming: Coming, *parts: bytes, clock=lambda: 0.0, silent_s: float = 0.01) -> list[str]:
    """What a receiver is told when these parts come, and then nothing."""

    async def told() -> list[str]:
        said: asyncio.Queue[Message] = asyncio.Queue()
        for part in parts:
            said.put_nowait({"type": "http.request", "body": part, "more_body": True})
        receive = patient(said.get, coming, clock, silent_s)
        return [(await receive())["type"] for _ in range(len(parts) + 1)]

    return finished(told())


def test_who_says_nothing_for_long_is_taken_for_gone_and_who_goes_on_is_not():
    coming = Coming(2, 0.0)
    assert heard(coming, b"a", b"b") == ["http.request", "http.request", "http.disconnect"]
    assert coming.came == 2


def test_a_file_that_drips_is_given_up_and_one_on_a_slow_line_is_taken():
    def parts(rate: float) -> list[str]:
        """A megabyte, in a part each half minute."""
        seconds = iter(range(0, 100_000, 30))
        each = int(rate * 30)
        return heard(Coming(2**20, 0.0), *(b"x" * each for _ in range(2**20 // each)), clock=lambda: next(seconds))

    assert "http.disconnect" not in parts(LEAST_RATE * 2)[:-1]
    assert "http.disconnect" in parts(LEAST_RATE / 4)[:-1]


def test_who_drips_gives_way_where_others_need_the_room():
    server = Server()
    with contextlib.ExitStack() as stack:
        dripping = [stack.enter_context(server.room(str(each))) for each in range(WAITING_BYTES // FILE_BYTES)]
        with pytest.raises(NoRoom, match="Others are uploading"):
            server.send("ann")
        server.now += GIVEN_UP_S + 1
        for number, coming in enumerate(dripping):
            coming.came = int(SLOW_RATE * server.now * (2 if number else 0.5))
        server.send("ann")
        assert [each.gave_way for each in dripping] == [True, False, False, False]
        assert heard(dripping[0], b"x")[0] == "http.disconnect"
        with pytest.raises(NoRoom):
            server.send("bob")
    assert not server.waiting._coming
