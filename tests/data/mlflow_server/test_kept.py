"""What takes requests to read: read once at a time, while the others get what there is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.data.mlflow_server.kept import Kept

MOST_S = 60


class Slow:
    """Counts what is read, and waits with each reading until it is let go."""

    def __init__(self) -> None:
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.count = 0
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.count += 1
        self.began.release()
        assert self.go.acquire(timeout=MOST_S)
        if self.error is not None:
            raise self.error
        return self.count


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_nobody_waits_for_what_is_read_anew(pool) -> None:
    slow = Slow()
    kept = Kept(slow, lambda _: 0.0)
    slow.go.release()
    assert kept.value() == 1
    reading = pool.submit(kept.value)
    assert slow.began.acquire(timeout=MOST_S)
    assert slow.began.acquire(timeout=MOST_S)
    assert [kept.value() for _ in range(3)] == [1, 1, 1]
    assert kept.value(anew=True) == 1
    slow.go.release()
    assert reading.result(MOST_S) == 2
    assert slow.count == 2


def test_who_has_nothing_yet_waits_for_the_one_who_reads_and_gets_the_same(pool) -> None:
    slow = Slow()
    kept = Kept(slow, lambda _: 1000.0)
    first = pool.submit(kept.value)
    assert slow.began.acquire(timeout=MOST_S)
    others = [pool.submit(kept.value) for _ in range(5)]
    slow.go.release()
    assert [each.result(MOST_S) for each in (first, *others)] == [1] * 6
    assert (kept.value(), slow.count) == (1, 1)


def test_an_error_is_that_of_all_who_waited_and_of_nobody_later(pool) -> None:
    slow = Slow()
    slow.error = OSError("not there")
    kept = Kept(slow, lambda _: 1000.0)
    waiting = [pool.submit(kept.value)]
    assert slow.began.acquire(timeout=MOST_S)
    waiting.append(pool.submit(kept.value))
    slow.go.release(2)
    for each in waiting:
        with pytest.raises(OSError, match="not there"):
            each.result(MOST_S)
    slow.error = None
    slow.go.release(2)
    assert kept.value() == slow.count


def test_how_long_a_value_is_good_depends_on_what_it_took(pool) -> None:
    slow = Slow()
    took: list[float] = []
    kept = Kept(slow, lambda seconds: took.append(seconds) or 1000.0)
    slow.go.release(2)
    assert [kept.value(), kept.value(), kept.value(anew=True), kept.value()] == [1, 1, 2, 2]
    assert len(took) == 2
    assert min(took) >= 0.0
