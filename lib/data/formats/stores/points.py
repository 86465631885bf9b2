"""Values of many metrics of many runs, on their way to series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lib.data.formats.logged import Series

MOST_STEP = 2**53
"""Larger numbers are no steps, and would not survive a chart, which counts in floats."""
MOST_VALUES = 10_000_000
"""Values of all runs that are read at once; with what it takes to part them they need some 60 bytes each."""
MOST_SERIES = 100_000
"""Metrics of all runs that are read at once: more come of names that are made of values."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The values of one metric in the order in which they were written.

    Attributes:
        step: Shape (n,), int64; 0 also where none was given.
        at: Shape (n,), float64, Unix seconds; NaN where not known.
        value: Shape (n,), float64.
    """

    step: np.ndarray
    at: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.step)

    def series(self) -> Series:
        """The same as a series, in the same order."""
        return Series(self.step, self.value, at=self.at if np.isfinite(self.at).any() else None)


def usable(points: Points) -> tuple[Points, int]:
    """Points with steps that can be shown, and how many others were dropped (negative ones, and numbers beyond all)."""
    good = (points.step >= 0) & (points.step <= MOST_STEP)
    bad = len(points) - int(good.sum())
    return (Points(points.step[good], points.at[good], points.value[good]), bad) if bad else (points, 0)


def dropped_steps(count: int) -> list[str]:
    """The sentence on points that ``usable`` dropped, if there are any."""
    return [f"Values at negative or impossible steps, left out: {count:,}."] if count else []


def steps_by_time(at: np.ndarray, known: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray | None:
    """The step that training stood at when each of some values was logged.

    Args:
        at: When they were logged, shape (n,), float64, in seconds.
        known: Steps and seconds, on the same clock, of what was logged with a step; seconds may be NaN.

    Returns:
        Shape (n,), int64: of all points that were logged by then the step of the last one, and for what came before
        all of them the step of the first. ``None`` where a time is missing, or no step is known.
    """
    pairs = [(step, seconds) for step, seconds in known if len(step)]
    if not pairs or not np.isfinite(at).all():
        return None
    steps = np.concatenate([step for step, _ in pairs])
    seconds = np.concatenate([each for _, each in pairs])
    has_time = np.isfinite(seconds)
    steps, seconds = steps[has_time], seconds[has_time]
    if not len(steps):
        return None
    # Of what was logged at one moment the highest step is where training stood.
    order = np.lexsort((steps, seconds))
    place = np.searchsorted(seconds[order], at, side="right") - 1
    return np.asarray(steps[order][np.maximum(place, 0)], dtype=np.int64)


class Gathering:
    """Points of many metrics as they come, until they are parted into series.

    Attributes:
        too_many: There are more metrics than are kept.
    """

    def __init__(self) -> None:
        self.too_many = False
        self._places: dict[tuple[str, str], int] = {}
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def add(
        self, names: Sequence[tuple[str, str]], which: np.ndarray, step: np.ndarray, at: np.ndarray, value: np.ndarray
    ) -> None:
        """Keep some points.

        Args:
            names: Runs and metrics.
            which: For each point the place of its name, shape (n,), integers.
            step: Shape (n,), int64.
            at: Shape (n,), float64, Unix seconds.
            value: Shape (n,), float64.
        """
        if not len(which):
            return
        places = np.array([self._place(name) for name in names], dtype=np.int32)[which]
        if self.too_many and (places < 0).any():
            kept = places >= 0
            places, step, at, value = places[kept], step[kept], at[kept], value[kept]
        self._parts.append((places, step, at, value))

    def points(self) -> Iterator[tuple[str, str, Points]]:
        """Run, metric and points of every series, by the order of their first points; what was gathered is given up."""
        parts, self._parts = self._parts, []
        if not parts:
            return
        place, step, at, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        del parts
        order = np.argsort(place, kind="stable")
        ends = np.cumsum(np.bincount(place, minlength=len(self._places)))[:-1]
        columns = (np.split(column[order], ends) for column in (step, at, value))
        for (run, metric), each in zip(self._places, zip(*columns, strict=True), strict=True):
            if len(each[0]):
                yield run, metric, Points(*each)

    def _place(self, name: tuple[str, str]) -> int:
        if (known := self._places.get(name)) is not None:
            return known
        if len(self._places) >= MOST_SERIES:
            self.too_many = True
            return -1
        return self._places.setdefault(name, len(self._places))
