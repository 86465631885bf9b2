"""Values that are remembered for all sessions, whatever they are: read once, kept for a time, forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.ui.session.memory import ComputedValues, Memory


class Counter:
    """Gives 1, 2, 3 ... and knows how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.asked


def test_a_value_is_read_once_for_each_key_until_it_is_forgotten():
    memory, read = Memory[str, int](10), Counter()
    assert [memory.get("a", read), memory.get("a", read), memory.get("b", read)] == [1, 1, 2]
    memory.forget(lambda key: key == "a")
    assert [memory.get("a", read), memory.get("b", read)] == [3, 2]
    memory.forget()
    assert memory.get("b", read) == 4


def test_a_value_may_be_none_or_false():
    memory = Memory[str, object](10)
    for value in (None, False, 0, ()):
        memory.forget()
        assert [memory.get("a", lambda value=value: value), memory.get("a", lambda: 1 / 0)] == [value, value]


def test_a_value_is_kept_for_its_time_and_of_many_the_last_ones_are():
    now = [0.0]
    memory, read = Memory[str, int](2, 30.0, lambda: now[0]), Counter()
    assert memory.get("a", read) == 1
    now[0] = 29.9
    assert memory.get("a", read) == 1
    now[0] = 30.0
    assert memory.get("a", read) == 2
    for key in ("b", "a", "c"):
        memory.get(key, read)
    assert memory.get("a", read) == 2
    assert memory.get("b", read) == 5


def together(memory, read, callers=8):
    """Ask for one key from several threads, all of which are there before the first read goes on."""
    go = threading.Event()

    def slow():
        go.wait(5)
        return read()

    with ThreadPoolExecutor(callers) as threads:
        asked = [threads.submit(memory.get, "a", slow) for _ in range(callers)]
        while len(memory._reads) == 0:
            pass
        go.set()
    return asked


def test_sessions_that_ask_at_the_same_time_read_once():
    read = Counter()
    memory = Memory[str, int](10)
    assert {each.result() for each in together(memory, read)} == {1}
    assert read.asked == 1


def test_what_one_session_could_not_read_the_others_read_themselves():
    lock, left = threading.Lock(), [True]

    def read():
        with lock:
            if left.pop() if left else False:
                raise PermissionError("the sign-in of the first is over")
        return "read"

    results = [each.exception() or each.result() for each in together(Memory[str, str](10), read)]
    assert [type(each) for each in results].count(PermissionError) == 1
    assert results.count("read") == 7


def test_what_failed_is_tried_again():
    memory, read = Memory[str, int](10), Counter()
    with pytest.raises(ZeroDivisionError):
        memory.get("a", lambda: 1 // 0)
    assert memory.get("a", read) == 1


def test_a_read_that_began_before_everything_was_forgotten_is_not_remembered():
    memory = Memory[str, str](10)

    def read():
        memory.forget()
        return "of before"

    assert memory.get("a", read) == "of before"
    assert memory.get("a", lambda: "of after") == "of after"


def test_results_are_made_once_for_each_subject_and_key_and_the_last_ones_are_kept():
    results, make = ComputedValues(2), Counter()
    assert [results.computed(subject, (), make) for subject in ("x", "x", "y")] == [1, 1, 2]
    assert results.computed("x", 1, make) == 3
    assert results.computed("y", (), make) == 2
    assert results.computed("x", (), make) == 4
