"""What is read now and then, by one thread at a time, while the others go on with what there is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that takes requests to read. Safe to share between threads; no lock is held over a request.

    Whoever finds it too old reads it anew; until that is done all others get the last value. Only where there is none
    yet they wait for the one who reads, and get the same error where that fails.

    Args:
        read: Reads it.
        good_for: For how many seconds it is good, given how many it took to be read.
    """

    def __init__(self, read: Callable[[], T], good_for: Callable[[float], float]) -> None:
        self._read, self._good_for = read, good_for
        self._lock = threading.Lock()
        self._known: tuple[T, float] | None = None
        self._reading: Future[T] | None = None

    def value(self, *, anew: bool = False) -> T:
        """The value, good or on its way to be replaced by another thread; ``anew`` however good it is.

        Raises:
            Whatever reading it raises.
        """
        began = time.monotonic()
        with self._lock:
            if self._known is not None and not anew and began < self._known[1]:
                return self._known[0]
            awaited = self._reading
            if awaited is not None and self._known is not None:
                return self._known[0]
            own: Future[T] = Future()
            if awaited is None:
                self._reading = own
        if awaited is not None:
            return awaited.result()
        try:
            found = self._read()
        except BaseException as error:
            with self._lock:
                self._reading = None
            own.set_exception(error)
            raise
        now = time.monotonic()
        with self._lock:
            self._known, self._reading = (found, now + self._good_for(now - began)), None
        own.set_result(found)
        return found
