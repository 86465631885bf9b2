"""Who is signed in is remembered for a time by the clock, in one browser, and for nobody else's ticket."""

from __future__ import annotations

import threading

import pytest

from lib.gate.visitors import Visitors

KEPT_S = 100.0


class Clock:
    """A clock that stands still unless told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitors(clock) -> Visitors[str]:
    return Visitors(clock)


def test_a_ticket_stands_for_its_own_visitor_only(visitors):
    visitors.put("a", "ann", KEPT_S)
    visitors.put("b", "bob", KEPT_S)
    assert visitors.get("a") == "ann"
    assert visitors.get("b") == "bob"
    assert visitors.get("c") is None
    assert visitors.get("") is None


@pytest.mark.parametrize(("later_s", "found"), [(0, "ann"), (KEPT_S - 1, "ann"), (KEPT_S, None), (10 * KEPT_S, None)])
def test_a_visitor_is_forgotten_when_the_time_is_over(visitors, clock, later_s, found):
    visitors.put("a", "ann", KEPT_S)
    clock.now += later_s
    assert visitors.get("a") == found


def test_no_use_puts_the_end_off(visitors, clock):
    visitors.put("a", "ann", KEPT_S)
    for _ in range(5):
        assert visitors.get("a") == "ann"
        assert visitors.holds("a")
        clock.now += KEPT_S / 5
    assert not visitors.holds("a")
    assert visitors.get("a") is None


@pytest.mark.parametrize("which", [0, 1])
def test_either_clock_ends_it(which):
    # A machine that slept stops the steady one; the other may be set back.
    clocks = Clock(), Clock()
    visitors: Visitors[str] = Visitors(*clocks)
    visitors.put("a", "ann", KEPT_S)
    clocks[which].now += KEPT_S
    clocks[1 - which].now -= KEPT_S
    assert not visitors.holds("a")
    assert visitors.get("a") is None


def test_a_ticket_that_another_browser_shows_ends_for_both(visitors):
    visitors.put("a", "ann", KEPT_S, "Firefox")
    assert visitors.get("a", "Firefox") == "ann"
    assert visitors.get("a", "curl") is None
    assert visitors.get("a", "Firefox") is None


def test_who_was_forgotten_does_not_come_back_with_the_clock(visitors, clock):
    visitors.put("a", "ann", KEPT_S)
    clock.now += KEPT_S
    assert visitors.get("a") is None
    clock.now -= KEPT_S
    assert visitors.get("a") is None


def test_whoever_comes_lets_go_of_those_whose_time_is_over(visitors, clock):
    # Nobody asks again for a browser that was closed: its token must not stay for ever.
    visitors.put("a", "ann", KEPT_S)
    clock.now += KEPT_S
    visitors.put("b", "bob", KEPT_S)
    clock.now -= KEPT_S
    assert visitors.get("a") is None
    assert visitors.get("b") == "bob"


def test_a_dropped_ticket_is_worth_nothing_and_may_be_dropped_again(visitors):
    visitors.put("a", "ann", KEPT_S)
    visitors.put("b", "bob", KEPT_S)
    visitors.drop("a")
    visitors.drop("a")
    visitors.drop("never known")
    assert visitors.get("a") is None
    assert visitors.get("b") == "bob"


def test_one_visitor_may_hold_several_tickets(visitors):
    visitors.put("here", "ann", KEPT_S)
    visitors.put("there", "ann", KEPT_S)
    assert visitors.any(lambda visitor: visitor == "ann")
    visitors.drop("here")
    assert visitors.get("there") == "ann"
    assert visitors.any(lambda visitor: visitor == "ann")
    visitors.drop("there")
    assert not visitors.any(lambda visitor: visitor == "ann")


def test_threads_may_come_and_go_at_the_same_time():
    visitors: Visitors[str] = Visitors()
    wrong: list[str] = []

    def visit(name: str) -> None:
        for number in range(200):
            ticket = f"{name}:{number}"
            visitors.put(ticket, name, KEPT_S)
            if visitors.get(ticket) != name:
                wrong.append(ticket)
            visitors.drop(ticket)

    threads = [threading.Thread(target=visit, args=(name,)) for name in ("ann", "bob", "eve", "kim")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
