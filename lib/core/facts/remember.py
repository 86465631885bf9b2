"""What follows from a run, or from two, is worked out once: how long it is kept, whoever asks decides."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Remember(Protocol):
    """Keeps what follows from runs."""

    def __call__(self, run_ids: tuple[str, ...], subject: str, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for each subject and key, and then shared: never change it.

        Args:
            run_ids: The runs that it follows from, and from these alone.
            subject: What is made.
            key: What it depends on besides; ``()`` for nothing.
            make: Makes it.
        """


class Kept:
    """A ``Remember`` for runs that do not change while it lives."""

    def __init__(self) -> None:
        self._made: dict[tuple[tuple[str, ...], str, Hashable], Any] = {}

    def __call__(self, run_ids: tuple[str, ...], subject: str, key: Hashable, make: Callable[[], T]) -> T:
        place = run_ids, subject, key
        if place not in self._made:
            self._made[place] = make()
        made: T = self._made[place]
        return made
