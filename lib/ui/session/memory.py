"""What the process remembers, apart from Streamlit's caches, which any visitor's browser can empty with one message.

What is remembered is shared between sessions: never change it.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")

_MISSING = object()

RESULTS_S = 600.0
"""How many seconds a result is kept: some speak of the time that has passed, as a run's that has fallen silent."""


class Memory(Generic[K, V]):
    """What was read, by key. However many ask at the same time, it is read once.

    Whoever reads for somebody has the reader in the key (``RunSource.cache_key``): readers never share a row.

    Args:
        most: How many values are kept; of more, the one that was not asked for the longest goes.
        seconds: How long each is kept.
        clock: Seconds that never go back.
    """

    def __init__(self, most: int, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._kept: TTLCache[K, V] = TTLCache(most, seconds, clock)
        self._reads: dict[K, _Read[V]] = {}
        _EVERY.add(self)

    def get(self, key: K, read: Callable[[], V]) -> V:
        """The value of a key, from ``read`` where it is not remembered. What that raises is not remembered."""
        with self._lock:
            kept = self._kept.get(key, _MISSING)
            if kept is not _MISSING:
                return kept  # type: ignore[return-value]  # what is not missing is a value
            theirs = self._reads.get(key)
            mine = _Read[V]()
            if theirs is None:
                self._reads[key] = mine
        if theirs is not None:
            theirs.over.wait()
            # What kept them from it need not keep others: it may be their sign-in that is over.
            return theirs.value[0] if theirs.value else read()
        try:
            value = read()
            mine.value = (value,)
        finally:
            with self._lock:
                # What was begun before somebody asked to forget it must not come back afterwards.
                if self._reads.get(key) is mine:
                    del self._reads[key]
                    if mine.value:
                        self._kept[key] = mine.value[0]
            mine.over.set()
        return value

    def holds(self, key: K) -> bool:
        """Whether the value of a key is remembered."""
        with self._lock:
            return key in self._kept

    def expire(self) -> None:
        """Let go what is too old to be asked for."""
        with self._lock:
            self._kept.expire()

    def forget(self, which: Callable[[K], bool] = lambda _: True) -> None:
        """Read the values of these keys anew when they are asked for next."""
        with self._lock:
            for keys in (self._kept, self._reads):
                for key in [key for key in keys if which(key)]:
                    del keys[key]


class _Read(Generic[V]):
    """A read that is under way; ``value`` holds what came of it, if it came."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.value: tuple[V] | tuple[()] = ()


class ComputedValues:
    """What was worked out of one thing that was read. It goes when that goes, so it needs no version in its keys.

    Args:
        most: How many results are kept; of more, the one that was not asked for the longest goes.
    """

    def __init__(self, most: int = 100) -> None:
        self._lock = threading.Lock()
        self._made: TTLCache[tuple[str, Hashable], Any] = TTLCache(most, RESULTS_S)
        _EVERY.add(self)

    def computed(self, subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for each subject and key and then shared: never change it.

        Args:
            subject: What is made.
            key: What it depends on besides the thing that the results are of; ``()`` for nothing.
            make: Makes it. May not draw anything.
        """
        with self._lock:
            found = self._made.get((subject, key), _MISSING)
        if found is _MISSING:
            # Two sessions may make the same at once: that costs less than one waiting for the other.
            made = make()
            with self._lock:
                self._made[subject, key] = made
            return made
        result: T = found
        return result

    def holds(self, subject: str, key: Hashable) -> bool:
        """Whether that is remembered."""
        with self._lock:
            return (subject, key) in self._made

    def expire(self) -> None:
        """Let go what is too old to be asked for."""
        with self._lock:
            self._made.expire()


class _Every:
    """All that remembers anything in this process, as long as somebody holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: weakref.WeakSet[Memory[Any, Any] | ComputedValues] = weakref.WeakSet()

    def add(self, memory: Memory[Any, Any] | ComputedValues) -> None:
        """One more."""
        with self._lock:
            self._held.add(memory)

    def expire(self) -> None:
        """Let go what is too old, of each."""
        with self._lock:
            held = list(self._held)
        for each in held:
            each.expire()


_EVERY = _Every()


def expire() -> None:
    """Let go what is too old to be asked for: by itself each does so only when more is put to it."""
    _EVERY.expire()
