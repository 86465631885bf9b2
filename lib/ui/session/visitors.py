"""The people who are signed in, by the ticket that their browsers hold. One object for the whole process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Visitors(Generic[T]):
    """Tickets and whom they stand for. Safe to share between threads.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[T, float]] = {}

    def put(self, ticket: str, visitor: T, kept_s: float) -> None:
        """Remember a visitor; forget those whose time is over."""
        with self._lock:
            now = self._clock()
            self._known = {key: held for key, held in self._known.items() if held[1] > now}
            self._known[ticket] = visitor, now + kept_s

    def get(self, ticket: str, kept_s: float) -> T | None:
        """The visitor whom a ticket stands for, from now on remembered for ``kept_s`` again."""
        with self._lock:
            visitor, until = self._known.get(ticket, (None, 0.0))
            if visitor is None or until <= self._clock():
                self._known.pop(ticket, None)
                return None
            self._known[ticket] = visitor, self._clock() + kept_s
            return visitor

    def drop(self, ticket: str) -> None:
        """Forget a visitor."""
        with self._lock:
            self._known.pop(ticket, None)
