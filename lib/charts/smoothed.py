"""The lines of one curve for the weights of smoothing that a page offers, reduced to what is drawn of them."""

from __future__ import annotations

from collections.abc import Sequence

from lib.charts.drawn import Curve, Points, View, lines_by_weight


class SmoothedLines:
    """The smoothed lines of a curve in a view. Shared: several threads may ask, and at worst make the same twice.

    Args:
        curve: All of its points; they are held, and no smoothed copy of them.
        view: Its own weight has no say.
        weights: Those whose lines are kept, each but zero.
    """

    def __init__(self, curve: Curve, view: View, weights: Sequence[float]) -> None:
        self._curve, self._view = curve, view
        self._weights = tuple(weight for weight in weights if weight)
        self._lines: dict[float, Points] = {}

    @property
    def are_made(self) -> bool:
        """Whether the lines of all weights are here."""
        return len(self._lines) == len(self._weights)

    def line(self, weight: float) -> Points:
        """The points that the line for a weight goes through."""
        line = self._lines.get(weight)
        if line is None:
            (line,) = lines_by_weight(self._curve, self._view, (weight,))
            if weight in self._weights:
                self._lines[weight] = line
        return line

    def make(self) -> None:
        """Make the lines of all weights that are not here yet: 20 ms each for a million points."""
        missing = [weight for weight in self._weights if weight not in self._lines]
        if missing:
            made = lines_by_weight(self._curve, self._view, missing)
            self._lines.update(zip(missing, made, strict=True))
