"""What is offered for download goes to the browser that was told of it."""

from __future__ import annotations

from lib.gate.offered import Offered, telling
from tests.own_loop import finished


def test_an_address_is_good_in_the_browser_that_was_told_of_it_only():
    offered = Offered()
    passed = []

    async def send(message) -> None:
        passed.append(message)

    said = [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "bytes": b"\x0a\x12/media/ab12.csv\x12 /base/media/cd34.png"},
        {"type": "websocket.send", "bytes": b"nothing of the kind: /media/"},
        {"type": "websocket.send", "text": "x"},
    ]

    async def tells() -> None:
        for message in said:
            await telling(send, "anns", offered)(message)

    finished(tells())
    assert passed == said
    assert offered.is_offered("anns", "/media/ab12.csv")
    assert offered.is_offered("anns", "/media/cd34")
    assert not offered.is_offered("bobs", "/media/ab12.csv")
    assert not offered.is_offered("", "/media/ab12.csv")
    for odd in ("/media/ab1", "/media/", "/media/é", "/media/ab12x.csv", "/media//ab12.csv"):
        assert not offered.is_offered("anns", odd)


def test_of_too_many_the_oldest_are_good_no_longer():
    offered = Offered(2)
    for file in ("a", "b", "a", "c"):
        offered.note("anns", file)
    assert [offered.is_offered("anns", f"/media/{file}") for file in "abc"] == [True, False, True]
