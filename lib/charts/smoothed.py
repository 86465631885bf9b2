"""The lines of one curve for the weights of smoothing that a page offers, reduced to what is drawn of them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence

from lib.charts.drawn import Curve, Points, View, lines_by_weight

MOST_BYTES = 32 * 10**6
"""What the lines of all curves may take: those of forty pages of three runs. They are made for every page, and few
people move the slider; of what goes each line is made again in 20 ms for a million points."""


class Room:
    """Bounds what the lines of all curves take together; of more, those go that were not looked at the longest.

    Args:
        most: In bytes.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: dict[int, weakref.ref[SmoothedLines]] = {}

    def used(self, lines: SmoothedLines) -> None:
        """These were looked at or made just now."""
        with self._lock:
            self._held.pop(id(lines), None)
            self._held[id(lines)] = weakref.ref(lines)

    def keep_within(self) -> None:
        """Let lines go where they are too many; those that were made last stay."""
        with self._lock:
            living = [(key, each) for key, ref in self._held.items() if (each := ref()) is not None]
            self._held = {key: self._held[key] for key, _ in living}
            sizes = [each.size for _, each in living]
            left = sum(sizes)
            for (key, each), size in zip(living[:-1], sizes, strict=False):
                if left <= self._most:
                    return
                each.forget()
                del self._held[key]
                left -= size


ROOM = Room()
"""That of this process."""


class SmoothedLines:
    """The smoothed lines of a curve in a view. Shared: several threads may ask, and at worst make the same twice.

    Args:
        curve: All of its points; they are held, and no smoothed copy of them.
        view: Its own weight has no say.
        weights: Those whose lines are kept, each but zero.
        room: In which they are kept.
    """

    def __init__(self, curve: Curve, view: View, weights: Sequence[float], room: Room = ROOM) -> None:
        self._curve, self._view, self._room = curve, view, room
        self._weights = tuple(weight for weight in weights if weight)
        self._lines: dict[float, Points] = {}

    @property
    def are_made(self) -> bool:
        """Whether the lines of all weights are here."""
        return len(self._lines) == len(self._weights)

    def line(self, weight: float) -> Points:
        """The points that the line for a weight goes through."""
        self._room.used(self)
        line = self._lines.get(weight)
        if line is None:
            (line,) = lines_by_weight(self._curve, self._view, (weight,))
            if weight in self._weights:
                self._lines[weight] = line
                self._room.keep_within()
        return line

    def make(self) -> None:
        """Make the lines of all weights that are not here yet: 20 ms each for a million points."""
        missing = [weight for weight in self._weights if weight not in self._lines]
        if missing:
            made = lines_by_weight(self._curve, self._view, missing)
            self._lines.update(zip(missing, made, strict=True))
            self._room.used(self)
            self._room.keep_within()

    @property
    def size(self) -> int:
        """What the lines take, in bytes."""
        return sum(x.nbytes + y.nbytes for x, y in list(self._lines.values()))

    def forget(self) -> None:
        """Keep no line: each is made again when it is asked for."""
        self._lines = {}
