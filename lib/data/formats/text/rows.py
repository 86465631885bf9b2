"""Lines of a log as rows: what each counts, and the metrics that it states."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lib.data.formats.text.counters import Found, found_in, metrics_of
from lib.data.formats.text.lines import Bar, Line
from lib.data.formats.text.values import numbers_of

MAX_NAMES = 2_000
"""More different names than this are no metrics: no program logs so many, and other text has no end of them."""

_WORDS = re.compile(r"[A-Za-z]+")
_KERAS = re.compile(r"\[[=>.]{3,}|━|\bETA\b|\d(?:ms|s|us)/(?:step|epoch)")
_INTS = ("head", "step", "total", "part", "parts", "rank", "bar", "after", "bar_total", "line")
_FLOATS = ("epoch", "epochs", "at", "clock")
_AFTER = _INTS.index("after")


@dataclass(slots=True)
class Rows:
    """All rows of a file.

    Attributes:
        heads: How counters are written, and the numbers that stand for that.
        names: Of the metrics, and the numbers that stand for them.
        point_row, point_name, point_value: One entry for each metric of each row, in the order written.
        summaries: Numbers of closing summaries, with the number of rows before each.
        dropped_names: Numbers that were left out as there were too many names.
        count: How many rows there are.
    """

    heads: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    point_row: array[int] = field(default_factory=lambda: array("q"))
    point_name: array[int] = field(default_factory=lambda: array("q"))
    point_value: array[float] = field(default_factory=lambda: array("d"))
    summaries: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    dropped_names: int = 0
    _ints: array[int] = field(default_factory=lambda: array("q"))
    _floats: array[float] = field(default_factory=lambda: array("d"))

    count: int = 0

    def __len__(self) -> int:
        return self.count

    def add(self, ints: tuple[int, ...], floats: tuple[float, ...]) -> None:
        """Take a row: its columns in the order in which ``column`` describes them."""
        self.count += 1
        self._ints.extend(ints)
        self._floats.extend(floats)

    def pass_bar(self, row: int, done: int) -> None:
        """Note what the progress bar behind a row says."""
        self._ints[row * len(_INTS) + _AFTER] = done

    def column(self, name: str) -> np.ndarray:
        """One value for each row, shape (rows,).

        ``head`` (by ``heads``); ``step`` and ``total``, -1 and 0 where not stated; ``part`` and ``parts``, the place in
        an epoch, the same; ``rank``, the process that wrote it, -1; ``bar``, ``after`` and ``bar_total``, the state of
        the training's progress bar before it and behind it, -1 and 0; ``line``, its number. And as floats, NaN where
        not stated: ``epoch`` and ``epochs``; ``at`` in Unix seconds; ``clock`` in seconds since training began.
        """
        names, data = (_INTS, self._ints) if name in _INTS else (_FLOATS, self._floats)
        return np.array(data).reshape(-1, len(names))[:, names.index(name)].copy()


class RowReader:
    """Makes rows of lines, one after the other."""

    def __init__(self, find: Callable[[str], Found | None]) -> None:
        """Args: find: ``found_in``, or what gives the same and remembers."""
        self.rows = Rows()
        self._find = find
        self._bars: dict[int, tuple[int, float]] = {}
        self._main = 0
        self._last_total = 0
        self._waiting: list[int] = []
        self._epoch = (math.nan, math.nan)
        self._step: Found | None = None

    def read(self, number: int, line: Line) -> bool:
        """Take a line, which has this number in the file, and tell whether it is a row."""
        if line.bar is not None:
            self._pass_bar(line.bar)
            if (found := self._of_bar(line.bar)) is not None:
                self._add(number, line, found)
            return True
        found = self._find(line.text)
        if found is None:
            return False
        if not found.values:
            if found.step >= 0:
                self._step = found
            if not math.isnan(found.epoch):
                self._epoch = (found.epoch, found.epochs)
            return False
        if found.head == "=":
            self._of_lines_above(found)
        else:
            self._step = None
        if math.isnan(found.epoch) and (found.step >= 0 or found.part >= 0):
            found.epoch, found.epochs = self._epoch
            if found.step < 0 and not math.isnan(found.epoch) and _KERAS.search(line.text):
                # Keras writes the epoch on a line of its own, and only the last of the bars below it states the result.
                if found.part != found.parts:
                    return False
                found.head, found.part, found.parts = "epoch", -1, 0
        self._add(number, line, found)
        return True

    def _of_lines_above(self, found: Found) -> None:
        """Give a line of values what a line above it counts, as programs write that print each value on its own."""
        found.epoch, found.epochs = self._epoch
        if self._step is not None:
            found.head, found.step, found.total = self._step.head, self._step.step, self._step.total
            found.epoch, found.epochs = self._step.epoch, self._step.epochs

    def _pass_bar(self, bar: Bar) -> None:
        if "poch" in bar.title and (title := found_in(bar.title + ":")) and not math.isnan(title.epoch):
            self._epoch = (title.epoch, title.epochs)
        self._bars[bar.total] = (bar.done, bar.elapsed)
        if len(self._bars) > 100:
            self._bars.pop(next(iter(self._bars)))
        self._last_total = bar.total
        if self._waiting and bar.total == self._main:
            for row in self._waiting:
                self.rows.pass_bar(row, bar.done)
            self._waiting.clear()

    def _of_bar(self, bar: Bar) -> Found | None:
        """The values that a bar carries with it, at what it has done."""
        values = metrics_of(numbers_of(bar.more))[0] if "=" in bar.more or ":" in bar.more else []
        if not values:
            return None
        title = found_in(bar.title + ":") or Found()
        head = " ".join(_WORDS.findall(bar.title.lower())[:6])
        return Found(
            "bar " + head, epoch=title.epoch, epochs=title.epochs, values=values, part=bar.done, parts=bar.total
        )

    def _add(self, number: int, line: Line, found: Found) -> None:
        rows = self.rows
        names = [name for name, _ in found.values]
        if "train_runtime" in names and "loss" not in names:
            rows.summaries.append((len(rows), dict(found.values)))
            return
        state, clock = (-1, math.nan), found.clock
        row = rows.count
        if found.step < 0 and found.part < 0:
            if "loss" in names:
                self._main = self._last_total
            state = self._bars.get(self._main, state)
            clock = state[1] if math.isnan(clock) else clock
            if state[0] >= 0:
                self._waiting.append(row)
        bar = (state[0], -1, self._main if state[0] >= 0 else 0)
        head = rows.heads.setdefault(found.head, len(rows.heads))
        rows.add(
            (head, found.step, found.total, found.part, found.parts, line.rank, *bar, number),
            (found.epoch, found.epochs, math.nan if line.at is None else line.at, clock),
        )
        for name, value in found.values:
            code = rows.names.get(name)
            if code is None:
                if len(rows.names) >= MAX_NAMES:
                    rows.dropped_names += 1
                    continue
                code = rows.names[name] = len(rows.names)
            rows.point_row.append(row)
            rows.point_name.append(code)
            rows.point_value.append(value)
