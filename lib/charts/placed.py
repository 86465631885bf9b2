"""Where in a still picture everything is whose place depends on pixels: thinned marks, names at line ends, chips.

``static/plot.js`` finds the same for the page, whose size only the browser knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.charts.drawn import Points

APART = 17
"""Pixels between names below each other."""
MARKS_APART = 11
"""Marks of one curve that are nearer to each other are thinned."""
CHIP = 13
"""The side of a finding's sign."""
OVER_THE_EDGE = 6
"""So many pixels above the plot a line is still drawn."""


@dataclass(frozen=True, slots=True)
class Plot:
    """The plot of a picture: what its axes reach over, and its size in pixels. Pixels are counted from its upper left.

    Attributes:
        first: Where the range in view begins.
        last: Where it ends.
        x: What the x axis reaches over.
        y: What the y axis reaches over.
        log: Whether that is logarithmic.
        width: Of the plot.
        height: Of the plot.
    """

    first: float
    last: float
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool
    width: float
    height: float

    def across(self, x: np.ndarray | float) -> np.ndarray:
        """Pixels from the left."""
        return (np.asarray(x, float) - self.x[0]) / (self.x[1] - self.x[0]) * self.width

    def down(self, y: np.ndarray | float) -> np.ndarray:
        """Pixels from the top."""
        level = np.log10(y) if self.log else np.asarray(y, float)
        low, high = np.log10(self.y) if self.log else self.y
        return self.height - (level - low) / (high - low) * self.height

    def inside(self, points: Points) -> Points:
        """The points in the range in view."""
        kept = (points[0] >= self.first) & (points[0] <= self.last)
        return points[0][kept], points[1][kept]

    def reached(self, points: Points) -> Points:
        """The points that the y axis reaches."""
        kept = (points[1] >= self.y[0]) & (points[1] <= self.y[1])
        return points[0][kept], points[1][kept]


def plot_of(
    shown: Sequence[Points],
    extent: Sequence[float],
    bounds: tuple[float, float] | None,
    *,
    log: bool,
    size: tuple[float, float],
) -> Plot:
    """The plot that shows some curves.

    Args:
        shown: Their points; on a log axis above zero.
        extent: The two ends of the range in view; none where nothing is logged.
        bounds: What the y axis shall reach over; ``None`` for all that is in view.
        log: Whether the y axis is logarithmic.
        size: Width and height in pixels.
    """
    first, last = extent if len(extent) else (0.0, 1.0)
    values = np.concatenate([np.empty(0), *(y[(x >= first) & (x <= last)] for x, y in shown)])
    if bounds is not None:
        low, high = bounds
    elif len(values):
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (1.0, 10.0) if log else (0.0, 1.0)
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1)
    low, high = (np.log10(low), np.log10(high)) if log else (low, high)
    room = (high - low) * 0.05
    y = (low - room, high + room)
    beside = (last - first) * 0.008 or 1.0
    reach = (float(10 ** y[0]), float(10 ** y[1])) if log else (float(y[0]), float(y[1]))
    return Plot(first, last, (first - beside, last + beside), reach, log, *size)


def thinned(points: Points, plot: Plot) -> Points:
    """The marks that do not touch: the first, the last and the extremes always, of the others what has room."""
    x, y = plot.inside(points)
    if len(x) < 3:
        return x, y
    across, down = plot.across(x), plot.down(y)
    fixed = sorted({0, int(y.argmin()), int(y.argmax()), len(x) - 1})
    kept = [0]
    for at in range(1, len(x)):
        following = fixed[int(np.searchsorted(fixed, at))]
        far = [np.hypot(across[at] - across[other], down[at] - down[other]) for other in (kept[-1], following)]
        if at == following or min(far) >= MARKS_APART:
            kept.append(at)
    return x[kept], y[kept]


def beyond(points: Points, plot: Plot) -> tuple[list[float], list[float]]:
    """Where a line leaves the plot after it was inside for a while: pixels from the left, above it and below it."""
    above: list[float] = []
    below: list[float] = []
    since = np.inf
    x, y = plot.inside(points)
    for across, down in zip(plot.across(x).tolist(), plot.down(y).tolist(), strict=True):
        if -OVER_THE_EDGE <= down <= plot.height + 1:
            since = min(since, across)
            continue
        if across - since >= 2 * MARKS_APART:
            (above if down < 0 else below).append(across)
        since = np.inf
    return above, below


def end_of(line: Points, plot: Plot) -> tuple[float, float] | None:
    """Where a line ends in the plot, in pixels; ``None`` where none of it is in view."""
    x, y = line
    inner_x, inner_y = plot.inside(line)
    if not len(inner_x) and not (len(x) > 1 and x[0] < plot.first and x[-1] > plot.last):
        return None
    if x[-1] > plot.last:
        after = int(np.argmax(x > plot.last))
        end = (
            plot.last,
            float(np.interp(plot.last, x[max(after - 1, 0) : after + 1], y[max(after - 1, 0) : after + 1])),
        )
    else:
        end = (float(inner_x[-1]), float(inner_y[-1]))
    return float(plot.across(end[0])), float(np.clip(plot.down(end[1]), 0.0, plot.height))


def spread(wanted: Sequence[float], lowest: float) -> list[float]:
    """Heights at least ``APART`` from each other, as near as can be to those that are wanted, in their order.

    Args:
        wanted: Pixels from the top.
        lowest: The largest height that there is room for.
    """
    order = np.argsort(wanted, kind="stable")
    # Less the room of those above, what shall keep apart shall only not descend: means of neighbours that do.
    groups: list[list[float]] = []
    for rank, at in enumerate(order):
        groups.append([wanted[at] - APART * rank])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    levels = np.concatenate([np.full(len(group), np.mean(group)) for group in groups]) if groups else np.empty(0)
    levels = np.clip(levels, 0.0, max(0.0, lowest - APART * (len(levels) - 1)))
    found = np.empty(len(levels))
    found[order] = levels + APART * np.arange(len(levels))
    heights: list[float] = found.tolist()
    return heights


def chips(places: Sequence[tuple[str, float, float]], width: float) -> list[tuple[str, float]]:
    """The signs of a run's findings: those of a kind that would touch as one, the others moved apart.

    Args:
        places: Kind, begin and end of each, from left to right, in pixels.
        width: Of the plot.
    """
    kept: list[tuple[str, float]] = []
    at: dict[str, float] = {}
    for kind, begin, _ in places:
        begin = max(begin, CHIP / 2)
        if begin - at.get(kind, -np.inf) >= CHIP:
            at[kind] = begin
            kept.append((kind, begin))
    last = -np.inf
    for number, (kind, place) in enumerate(kept):
        last = max(place, last + CHIP + 1)
        kept[number] = (kind, last)
    most = width + CHIP / 2
    for number in range(len(kept) - 1, -1, -1):
        kept[number] = (kept[number][0], min(kept[number][1], most))
        most = kept[number][1] - CHIP - 1
    return kept
