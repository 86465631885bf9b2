"""Reading for somebody who waits: where the disk does not answer, they are told so after a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from lib.core.facts.errors import SourceUnavailable

T = TypeVar("T")

LONGEST_S = 20.0
"""Who waits for a file is told after so many seconds that it is still read."""
MOST_LATE = 8
"""Reads that nobody waits for any more. With more that go on, no other one is begun; of more that ended, one goes."""


class Waiting(Generic[T]):
    """Reads that go on where nobody waits for them any more. Safe to share between threads.

    Args:
        late: What is said of one that takes too long, by what is read.
    """

    def __init__(self, late: Callable[[str], SourceUnavailable] | None = None) -> None:
        self._late = late_log if late is None else late
        self._lock = threading.Lock()
        self._reads: dict[Hashable, _Read[T]] = {}

    def get(self, key: Hashable, read: Callable[[], T], what: str, longest_s: float) -> T:
        """What ``read`` gives. What came too late for the one who asked is there for the next.

        Args:
            key: Names what is read: whoever asks for the same meanwhile waits for the same.
            read: Runs in a thread of its own.
            what: What is read, for people.
            longest_s: How long to wait, in seconds.

        Raises:
            SourceUnavailable: If it takes longer.
        """
        with self._lock:
            theirs = self._reads.get(key)
            if theirs is None:
                self._make_room(what)
                theirs = self._reads[key] = _Read(read)
                threading.Thread(target=theirs.run, name="runoff-curves", daemon=True).start()
        is_over = theirs.over.wait(min(longest_s, threading.TIMEOUT_MAX))
        with self._lock:
            theirs.is_late = not is_over
            if is_over and self._reads.get(key) is theirs:
                del self._reads[key]
        if not is_over:
            raise self._late(what)
        if theirs.error is not None:
            raise theirs.error
        return theirs.value[0]

    def _make_room(self, what: str) -> None:
        forgotten = [key for key, each in self._reads.items() if each.is_late]
        if sum(not self._reads[key].over.is_set() for key in forgotten) >= MOST_LATE:
            raise self._late(what)
        # Of what nobody came back for, the oldest goes.
        for key in [key for key in forgotten if self._reads[key].over.is_set()][:-MOST_LATE]:
            del self._reads[key]


class _Read(Generic[T]):
    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self.over = threading.Event()
        self.value: tuple[T, ...] = ()
        self.error: BaseException | None = None
        self.is_late = False

    def run(self) -> None:
        try:
            self.value = (self._read(),)
        except BaseException as error:
            self.error = error
        finally:
            self.over.set()


def late_log(what: str) -> SourceUnavailable:
    """That a run's log, or those of several, are not read yet."""
    return SourceUnavailable(
        f"The log of {what} is still being read: it is very long, or its disk does not answer.",
        hint="It is shown as soon as it was read. If it does not come, check the disk that the folder is on.",
    )


def late_folder(what: str) -> SourceUnavailable:
    """That nobody knows yet what a folder holds."""
    return SourceUnavailable(
        f"The folder {what} does not answer.",
        hint="Its runs are shown as soon as it does. If they do not come, check the disk that the folder is on.",
    )
