"""Lines of a log as rows: what each counts, and the metrics that it states."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from lib.data.formats.text.counters import Found, found_in, metrics_of
from lib.data.formats.text.lines import Bar, Line
from lib.data.formats.text.values import numbers_of

MAX_NAMES = 2_000
"""More different names than this are no metrics: no program logs so many, and other text has no end of them."""

_WORDS = re.compile(r"[A-Za-z]+")
_KERAS = re.compile(r"\[[=>.]{3,}|━|\bETA\b|\d(?:ms|s|us)/(?:step|epoch)")
COLUMNS: dict[str, tuple[type, float]] = {
    "line": (np.int32, 0),
    "head": (np.int32, 0),
    "step": (np.int64, -1),
    "total": (np.int64, 0),
    "part": (np.int64, -1),
    "parts": (np.int64, 0),
    "rank": (np.int32, -1),
    "epoch": (np.float64, math.nan),
    "epochs": (np.float64, math.nan),
    "at": (np.float64, math.nan),
    "clock": (np.float64, math.nan),
    "is_bar": (np.bool_, 0),
}
"""What is known of each row, and what it is where it is not stated."""


@dataclass(slots=True, eq=False)
class Group:
    """Rows that state the same metrics.

    Attributes:
        columns: Those of ``COLUMNS`` that are stated, shape (n,) or one for all; ``line`` always is.
        head: How their counter is written.
        names: Of their metrics.
        values: For each name shape (n,).
    """

    columns: dict[str, np.ndarray]
    head: str
    names: Sequence[str]
    values: Sequence[np.ndarray]


class Rows:
    """All rows of a file.

    Attributes:
        heads: How counters are written, and the numbers that stand for that.
        names: Of the metrics, and the numbers that stand for them.
        summaries: Numbers of closing summaries, with the line of each.
        dropped_names: Numbers that were left out as there were too many names.
        columns: Those of ``COLUMNS`` when all is read, and what ``counting.resolved`` works out. ``rank`` is the
            process that wrote a row, -1; ``part`` its place in an epoch; ``at`` Unix seconds, ``clock`` seconds since a
            start.
    """

    def __init__(self) -> None:
        self.heads: dict[str, int] = {}
        self.names: dict[str, int] = {}
        self.summaries: list[tuple[int, dict[str, float]]] = []
        self.dropped_names = 0
        self.columns: dict[str, np.ndarray] = {}
        self._count = 0
        self._parts: list[tuple[int, dict[str, np.ndarray]]] = []
        self._points: list[list[tuple[np.ndarray, np.ndarray]]] = []

    def __len__(self) -> int:
        return self._count

    def add(self, groups: Sequence[Group]) -> None:
        """Take the rows of a part of the file."""
        groups = sorted(groups, key=lambda group: int(group.columns["line"][0]))
        line = np.concatenate([group.columns["line"] for group in groups])
        order = np.argsort(line, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        stated = {"head", *chain.from_iterable(group.columns for group in groups)}
        part: dict[str, np.ndarray] = {
            name: np.full(len(order), empty, dtype) for name, (dtype, empty) in COLUMNS.items() if name in stated
        }
        new: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        begin = 0
        for group in groups:
            mine = place[begin : begin + len(group.columns["line"])]
            begin += len(mine)
            part["head"][mine] = self.heads.setdefault(group.head, len(self.heads))
            for name, column in group.columns.items():
                part[name][mine] = column
            rows = (mine + self._count).astype(np.int32)
            for name, values in zip(group.names, group.values, strict=True):
                code = self.names.get(name)
                if code is None:
                    if len(self.names) >= MAX_NAMES:
                        self.dropped_names += len(values)
                        continue
                    code = self.names[name] = len(self.names)
                    self._points.append([])
                new.setdefault(code, []).append((rows, values))
        for code, points in new.items():
            self._points[code].append(points[0] if len(points) == 1 else _by_row(points))
        self._parts.append((len(order), part))
        self._count += len(order)

    def finish(self) -> None:
        """Join the columns, once all is read. Most logs state few of them: the others take no room."""
        for name, (dtype, empty) in COLUMNS.items():
            nowhere: np.ndarray = np.broadcast_to(np.array(empty, dtype), self._count)
            self.columns[name] = nowhere
            if any(name in part for _, part in self._parts):
                self.columns[name] = np.concatenate([part.pop(name, nowhere[:size]) for size, part in self._parts])
        self._parts.clear()

    def writable(self, name: str) -> np.ndarray:
        """A column that may be written to."""
        if not self.columns[name].flags.writeable:
            self.columns[name] = self.columns[name].copy()
        return self.columns[name]

    def column(self, name: str) -> np.ndarray:
        """One value for each row, shape (rows,)."""
        return self.columns[name]

    def points(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The rows in which a metric is stated, increasing, and its values; two arrays of shape (n,)."""
        parts = self._points[self.names[name]]
        if len(parts) > 1:
            parts[:] = [(np.concatenate([rows for rows, _ in parts]), np.concatenate([values for _, values in parts]))]
        return parts[0]

    def move(self, name: str, of: np.ndarray, other: str) -> None:
        """Give the values of a metric in some rows another name.

        Args:
            name: What it is called.
            other: What it is to be called there.
            of: Which rows, shape (rows,), bool.
        """
        rows, values = self.points(name)
        mine = of[rows]
        if not mine.any() or other in self.names:
            return
        self._points[self.names[name]] = [(rows[~mine], values[~mine])]
        self.names[other] = len(self._points)
        self._points.append([(rows[mine], values[mine])])


def _by_row(points: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    rows, values = np.concatenate([rows for rows, _ in points]), np.concatenate([values for _, values in points])
    order = np.argsort(rows, kind="stable")
    return rows[order], values[order]


@dataclass(slots=True)
class Events:
    """What lines say that are no rows, by their numbers in the file.

    Attributes:
        epochs: Line, epoch and epochs, arrays of equal shape: what the rows behind each are of.
        steps: Line, head, step, total, epoch and epochs: the same for lines that count nothing themselves; a step of
            -1 ends it.
        bars: Line, done, total and seconds, as ``epochs``.
    """

    epochs: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    steps: list[tuple[int, str, int, int, float, float]] = field(default_factory=list)
    bars: list[tuple[np.ndarray, ...]] = field(default_factory=list)


class RowReader:
    """Makes rows of lines that are read by themselves, one after the other."""

    def __init__(self, events: Events, rows: Rows, find: Callable[[str], Found | None]) -> None:
        """Args: find: ``found_in``, or what gives the same and remembers."""
        self._events, self._rows, self._find = events, rows, find
        self._epoch = (math.nan, math.nan)
        self._groups: list[Group] = []
        self._bars: list[tuple[float, ...]] = []
        self._epochs: list[tuple[float, ...]] = []

    def read(self, number: int, line: Line) -> bool:
        """Take a line, which has this number in the file, and tell whether it is a row or a bar."""
        if line.bar is not None:
            self._pass_bar(number, line.bar)
            # Before anything was done it shows what the one before it came to.
            if line.bar.done and (found := found_of_bar(line.bar)) is not None:
                self._add(number, line, found, is_bar=True)
            if line.bar.behind:
                self.read(number, Line(line.bar.behind, line.at, line.rank, None))
            return True
        found = self._find(line.text)
        if found is None:
            return False
        if not found.values:
            if found.step >= 0:
                self._events.steps.append((number, found.head, found.step, found.total, found.epoch, found.epochs))
            if not math.isnan(found.epoch):
                self._pass_epoch(number, found.epoch, found.epochs)
            return False
        if is_summary(found):
            self._rows.summaries.append((number, dict(found.values)))
            self._events.steps.append((number, "", -1, 0, math.nan, math.nan))
            return True
        if (
            math.isnan(found.epoch)
            and found.step < 0 <= found.part
            and not math.isnan(self._epoch[0])
            and is_of_keras(line.text)
        ):
            # Keras writes the epoch on a line of its own, and only the last of the bars below it states the result.
            if found.part != found.parts:
                self._events.steps.append((number, "", -1, 0, math.nan, math.nan))
                return False
            found.head, found.part, found.parts = "epoch", -1, 0
            found.epoch, found.epochs = self._epoch
        self._add(number, line, found, is_bar=False)
        return True

    def take(self) -> list[Group]:
        """The rows since the last time."""
        groups, self._groups = self._groups, []
        for mine, events in ((self._bars, self._events.bars), (self._epochs, self._events.epochs)):
            if mine:
                events.append(tuple(np.array(each) for each in zip(*mine, strict=True)))
                mine.clear()
        return groups

    def _pass_epoch(self, number: int, epoch: float, epochs: float) -> None:
        self._epoch = (epoch, epochs)
        self._epochs.append((number, epoch, epochs))

    def _pass_bar(self, number: int, bar: Bar) -> None:
        if (title := of_titles_epoch(bar)) is not None and not math.isnan(title.epoch):
            self._pass_epoch(number, title.epoch, title.epochs)
        self._bars.append((number, bar.done, bar.total, bar.elapsed))

    def _add(self, number: int, line: Line, found: Found, *, is_bar: bool) -> None:
        stated: Iterable[tuple[str, float]] = (
            ("line", number),
            ("step", found.step),
            ("total", found.total),
            ("part", found.part),
            ("parts", found.parts),
            ("rank", line.rank),
            ("epoch", found.epoch),
            ("epochs", found.epochs),
            ("at", math.nan if line.at is None else line.at),
            ("clock", found.clock),
            ("is_bar", is_bar),
        )
        columns: dict[str, np.ndarray] = {name: np.array([value], dtype=COLUMNS[name][0]) for name, value in stated}
        values = [np.array([value]) for _, value in found.values]
        self._groups.append(Group(columns, found.head, [name for name, _ in found.values], values))


def is_summary(found: Found) -> bool:
    """Whether a line closes a training, and states no step of it."""
    names = [name for name, _ in found.values]
    return "train_runtime" in names and "loss" not in names


def is_of_keras(text: str) -> bool:
    """Whether a line is drawn as Keras draws its bars."""
    return bool(_KERAS.search(text))


def of_titles_epoch(bar: Bar) -> Found | None:
    """What the title of a bar counts; ``None`` where it has no word of an epoch."""
    return found_in(bar.title + ":") if "poch" in bar.title else None


def found_of_bar(bar: Bar) -> Found | None:
    """The values that a bar carries with it, at what it has done."""
    values, metrics = metrics_of(numbers_of(bar.more)) if "=" in bar.more or ":" in bar.more else ([], [])
    if not values:
        return None
    title = found_in(bar.title + ":") or Found()
    head = " ".join(_WORDS.findall(bar.title.lower())[:6])
    found = Found("bar " + head, epoch=title.epoch, epochs=title.epochs, part=bar.done, parts=bar.total)
    found.values, found.metrics = values, metrics
    return found


def distinct(values: np.ndarray) -> np.ndarray:
    """The values that occur, sorted; those of a run of equal ones are looked at once, and none is hashed."""
    kept = np.ones(len(values), dtype=bool)
    kept[1:] = values[1:] != values[:-1]
    ordered = np.sort(values[kept])
    kept = np.ones(len(ordered), dtype=bool)
    kept[1:] = ordered[1:] != ordered[:-1]
    return ordered[kept]
