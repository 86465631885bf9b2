"""Lines of a log as rows: what each counts, and the metrics that it states."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from lib.data.formats.text.lines import Bar, Line
from lib.data.formats.text.values import Named, numbers_of

MAX_STEP = 2**53
MAX_NAMES = 2_000
"""More different names than this are no metrics: no program logs so many, and text that is no log has no end of them."""

_COUNTERS = frozenset({"step", "iter", "iteration", "it", "update", "updates", "s"})
_EPOCHS = frozenset({"epoch", "ep"})
_BEFORE_COUNTER = frozenset(
    "global current train training trainer optimizer optim opt eval evaluation val valid validation test dev at loss "
    "the num update after on of begin end finished".split()
)
_WORDS = re.compile(r"[A-Za-z]+")
_PHASE_NAME = re.compile(r"(?:train|val|valid|validation|test|eval)(?:ing)?", re.I)
_OWN_PHASE = re.compile(r"(?<![a-z])(?:train|val|valid|validation|eval|evaluation|test|dev)(?![a-z])", re.I)
_KERAS = re.compile(r"\[[=>.]{3,}|━|\bETA\b|\d(?:ms|s|us)/(?:step|epoch)")
_BETWEEN = re.compile(r"[\s\[\](:,|-]{1,20}")
_OPEN = re.compile(r"\s?\{['\"]")
_CLOCKS = frozenset({"train time", "elapsed", "elapsed time", "total time", "wall", "time elapsed", "runtime"})
METRIC_WORD = re.compile(
    r"loss|acc|lr|learning.?rate|ppl|perplexity|bleu|rouge|f1|auc|mfu|norm|reward|tok|bpb|bpc|mse|mae|rmse|iou|map|"
    r"error|\berr|score|wer|cer|recall|precision|entropy|kl|(?:^|[ _])t[re]l$|psnr|fid|dice|nll",
    re.I,
)
"""What the name of at least one metric of a log has in it."""


@dataclass(slots=True)
class Rows:
    """All rows of a file, as columns; of equal length what belongs to rows, and what to points.

    Attributes:
        head: Which of ``heads`` a row has: how its counter is written.
        step, total: What it counts; -1 and 0 where it does not say so.
        epoch, epochs: The same for epochs, NaN where not stated.
        part, parts: Place within the epoch; -1 and 0.
        at, clock: Unix seconds; seconds since the training began; NaN.
        rank: The process that wrote it, -1.
        bar, after, bar_total: The state of the training's progress bar before the row, and behind it; -1 and 0.
        line: Number of the line.
        point_row, point_name, point_value: One entry for each metric of each row, in the order written.
        summaries: Numbers of closing summaries.
        bare: Numbers of lines that state no step at all, as (line, name, value).
    """

    heads: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    head: array[int] = field(default_factory=lambda: array("q"))
    step: array[int] = field(default_factory=lambda: array("q"))
    total: array[int] = field(default_factory=lambda: array("q"))
    epoch: array[float] = field(default_factory=lambda: array("d"))
    epochs: array[float] = field(default_factory=lambda: array("d"))
    part: array[int] = field(default_factory=lambda: array("q"))
    parts: array[int] = field(default_factory=lambda: array("q"))
    at: array[float] = field(default_factory=lambda: array("d"))
    clock: array[float] = field(default_factory=lambda: array("d"))
    rank: array[int] = field(default_factory=lambda: array("q"))
    bar: array[int] = field(default_factory=lambda: array("q"))
    after: array[int] = field(default_factory=lambda: array("q"))
    bar_total: array[int] = field(default_factory=lambda: array("q"))
    line: array[int] = field(default_factory=lambda: array("q"))
    point_row: array[int] = field(default_factory=lambda: array("q"))
    point_name: array[int] = field(default_factory=lambda: array("q"))
    point_value: array[float] = field(default_factory=lambda: array("d"))
    summaries: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    dropped_names: int = 0

    def __len__(self) -> int:
        return len(self.step)


@dataclass(slots=True)
class _Found:
    """What one line counts and states."""

    head: str = ""
    step: int = -1
    total: int = 0
    epoch: float = math.nan
    epochs: float = math.nan
    part: int = -1
    parts: int = 0
    clock: float = math.nan
    values: list[tuple[str, float]] = field(default_factory=list)
    is_whole: bool = True


class RowReader:
    """Makes rows of lines, one after the other."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._bars: dict[int, tuple[int, float]] = {}
        self._main = 0
        self._last_total = 0
        self._waiting: list[int] = []
        self._epoch = (math.nan, math.nan)

    def read(self, number: int, line: Line) -> None:
        """Take a line, which has this number in the file."""
        if line.bar is not None:
            self._pass_bar(line.bar)
            found = self._of_bar(line.text, line.bar)
            if found is not None:
                self._add(number, line, found)
            return
        found = found_in(line.text)
        if found is None:
            return
        if not found.values:
            if not math.isnan(found.epoch) and found.step < 0:
                self._epoch = (found.epoch, found.epochs)
            return
        if math.isnan(found.epoch) and (found.step >= 0 or found.part >= 0):
            found.epoch, found.epochs = self._epoch
            if found.step < 0 and not math.isnan(found.epoch) and _KERAS.search(line.text):
                # Keras writes the epoch on a line of its own, and only the last of the bars below it states the result.
                if found.part != found.parts:
                    return
                found.head, found.part, found.parts = "epoch", -1, 0
        self._add(number, line, found)

    def _pass_bar(self, bar: Bar) -> None:
        self._bars[bar.total] = (bar.done, bar.elapsed)
        if len(self._bars) > 100:
            self._bars.pop(next(iter(self._bars)))
        self._last_total = bar.total
        if self._waiting and bar.total == self._main:
            for row in self._waiting:
                self.rows.after[row] = bar.done
            self._waiting.clear()

    def _of_bar(self, text: str, bar: Bar) -> _Found | None:
        """The values that a bar carries with it, at what it has done."""
        values = _metrics(numbers_of(bar.more))
        if not values:
            return None
        title = found_in(bar.title + ":") or _Found()
        head = " ".join(_WORDS.findall(bar.title.lower())[:6])
        found = _Found("bar " + head, epoch=title.epoch, epochs=title.epochs, values=values, clock=math.nan)
        found.part, found.parts = bar.done, bar.total
        return found

    def _add(self, number: int, line: Line, found: _Found) -> None:
        rows = self.rows
        stated = dict(found.values)
        if "train_runtime" in stated and "loss" not in stated:
            rows.summaries.append((len(rows), stated))
            return
        state, clock = (-1, math.nan), found.clock
        if found.step < 0 and found.part < 0:
            if "loss" in stated:
                self._main = self._last_total
            state = self._bars.get(self._main, state)
            clock = state[1] if math.isnan(clock) else clock
        row = len(rows)
        rows.head.append(rows.heads.setdefault(found.head, len(rows.heads)))
        for column, value in (
            (rows.step, found.step),
            (rows.total, found.total),
            (rows.part, found.part),
            (rows.parts, found.parts),
            (rows.rank, line.rank),
            (rows.bar, state[0]),
            (rows.after, -1),
            (rows.bar_total, self._main if state[0] >= 0 else 0),
            (rows.line, number),
        ):
            column.append(value)
        rows.epoch.append(found.epoch)
        rows.epochs.append(found.epochs)
        rows.at.append(math.nan if line.at is None else line.at)
        rows.clock.append(clock)
        if state[0] >= 0:
            self._waiting.append(row)
        for name, value in found.values:
            if name not in rows.names and len(rows.names) >= MAX_NAMES:
                rows.dropped_names += 1
                continue
            rows.point_row.append(row)
            rows.point_name.append(rows.names.setdefault(name, len(rows.names)))
            rows.point_value.append(value)


def found_in(text: str) -> _Found | None:
    """What a line counts and states, or ``None`` where it is none of a log."""
    if not any(character in text for character in "0123456789") and "nan" not in text.lower():
        return None
    numbers = numbers_of(text)
    found = _Found()
    rest: list[Named] = []
    rank = 0
    for position, each in enumerate(numbers):
        if each.is_clock:
            if _plain(each.name) in _CLOCKS and math.isnan(found.clock):
                found.clock = each.value
            continue
        kind = _counter(each)
        if kind == "epoch" and math.isnan(found.epoch) and each.value >= 0:
            found.epoch, found.epochs = each.value, float(each.total) if each.total else math.nan
            found.head = found.head or _head(each)
        elif kind == "step" and _is_step(each.value) and _weight(each) > rank:
            rank = _weight(each)
            found.step, found.total, found.head = int(each.value), each.total or 0, _head(each)
        elif kind:
            continue
        elif each.total and not each.name and found.part < 0 and _is_step(each.value):
            if math.isnan(found.epoch) and position and _PHASE_NAME.fullmatch(numbers[position - 1].name):
                # timm: "Train: 0 [  50/1251 (  4%)]".
                found.epoch, found.head = numbers[position - 1].value, numbers[position - 1].name.lower()
                rest = [other for other in rest if other is not numbers[position - 1]]
            if _BETWEEN.fullmatch(each.gap) or not position:
                found.part, found.parts = int(each.value), each.total
        elif _plain(each.name) in _CLOCKS and math.isnan(found.clock):
            found.clock = each.value
        else:
            rest.append(each)
    found.values = _metrics(rest)
    if found.step < 0 and math.isnan(found.epoch):
        if _OPEN.match(text) or (found.part >= 0 and found.values):
            return found
        if not found.values or not _is_all(text, rest):
            return None
        found.head = "="
    return found


def _metrics(numbers: Iterable[Named]) -> list[tuple[str, float]]:
    """The numbers that have a name, with the phase in it where a line has several."""
    values = []
    for each in numbers:
        if each.name and (each.is_sure or each.is_closed) and not each.is_clock:
            own = each.name
            if each.phase and not _OWN_PHASE.search(own):
                own = f"{each.phase.lower()}/{own}"
            values.append((own, each.value))
    return values


def _is_all(text: str, rest: list[Named]) -> bool:
    """Whether a line that counts nothing is a name and its number, and nothing else: "val loss 1.1000"."""
    return len(text) < 200 and ".." not in text and len(rest) == 1 and bool(METRIC_WORD.search(rest[0].name)) and rest[0].is_closed and bool(
        re.fullmatch(r"\s*[\w ./@-]{1,60}?\s?[:=]?\s?[-+\w.%]{1,40}\s*", text)
    )


def _counter(each: Named) -> str:
    """Whether a number is a step or an epoch by its name."""
    words = _plain(each.name).split()
    if not words or words[-1] not in _COUNTERS and words[-1] not in _EPOCHS:
        return ""
    if any(word not in _BEFORE_COUNTER for word in words[:-1]):
        return ""
    if words[-1] == "s" and not (len(words) == 1 and each.is_sure):
        return ""
    return "epoch" if words[-1] in _EPOCHS else "step"


def _weight(each: Named) -> int:
    """How surely a counter is that of the whole training."""
    words = _plain(each.name).split()
    return 3 if "global" in words or "updates" in words else 2


def _head(each: Named) -> str:
    """How a counter is written, with its sign: a program writes all of its lines alike, and unlike others."""
    written = each.gap[each.gap.rfind(each.name) :] if each.name in each.gap else each.name
    return " ".join((*([each.phase.lower()] if each.phase else []), *_plain(written).split()))


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _is_step(value: float) -> bool:
    return 0 <= value < MAX_STEP and value == int(value)
