"""The people who are signed in, by the ticket that their browsers hold. One object for the whole process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    visitor: T
    agent: str
    ends: tuple[float, ...]


class Visitors(Generic[T]):
    """Tickets and whom they stand for. Safe to share between threads.

    Args:
        clocks: Seconds; a ticket ends when one of them says so. The steady clock stands still while a machine sleeps,
            and the other can be set back.

    Attributes:
        needed: Whether anything is shown to people who are signed in only.
    """

    def __init__(self, *clocks: Callable[[], float]) -> None:
        self.needed = False
        self._clocks = clocks or (time.monotonic, time.time)
        self._lock = threading.Lock()
        self._known: dict[str, _Held[T]] = {}

    def put(self, ticket: str, visitor: T, lasts_s: float, agent: str = "") -> None:
        """Remember a visitor; forget those whose time is over.

        Args:
            ticket: Nobody else can guess it.
            visitor: Whom it stands for.
            lasts_s: In so many seconds it ends, used or not.
            agent: What the browser calls itself: no other may use the ticket.
        """
        with self._lock:
            now = self._now()
            self._known = {key: held for key, held in self._known.items() if not _over(held, now)}
            self._known[ticket] = _Held(visitor, agent, tuple(each + lasts_s for each in now))

    def get(self, ticket: str, agent: str = "") -> T | None:
        """The visitor whom a ticket stands for. One that another browser shows was stolen, and ends for everybody."""
        with self._lock:
            held = self._known.get(ticket)
            if held is None:
                return None
            if _over(held, self._now()) or held.agent != agent:
                del self._known[ticket]
                return None
            return held.visitor

    def holds(self, ticket: str) -> bool:
        """Whether a ticket stands for somebody."""
        with self._lock:
            held = self._known.get(ticket)
            return held is not None and not _over(held, self._now())

    def any(self, which: Callable[[T], bool]) -> bool:
        """Whether any ticket stands for such a visitor."""
        with self._lock:
            now = self._now()
            return any(which(held.visitor) for held in self._known.values() if not _over(held, now))

    def drop(self, ticket: str) -> None:
        """Forget a visitor."""
        with self._lock:
            self._known.pop(ticket, None)

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)


def _over(held: _Held[Any], now: tuple[float, ...]) -> bool:
    return any(at >= end for at, end in zip(now, held.ends, strict=True))


VISITORS: Visitors[Any] = Visitors()
"""Those of this process."""
