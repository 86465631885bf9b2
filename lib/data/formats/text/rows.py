"""Lines of a log as rows: what each counts, and the metrics that it states."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from lib.data.formats.text.lines import Bar, Line
from lib.data.formats.text.values import Named, numbers_of

MAX_STEP = 2**53
MAX_NAMES = 2_000
"""More different names than this are no metrics: no program logs so many, and other text has no end of them."""

_COUNTERS = frozenset({"step", "steps", "iter", "iters", "iteration", "it", "update", "updates", "batch", "s"})
_EPOCHS = frozenset({"epoch", "ep"})
_BEFORE_COUNTER = frozenset({"global", "current", "train", "training", "trainer", "optimizer", "optim", "opt", "eval"})
_BEFORE_COUNTER |= {"evaluation", "val", "valid", "validation", "test", "dev", "at", "loss", "the", "num", "update"}
_BEFORE_COUNTER |= {"after", "on", "of", "end"}
_WORDS = re.compile(r"[A-Za-z]+")
_PHASE_NAME = re.compile(r"(?:train|val|valid|validation|test|eval)(?:ing)?", re.I)
_OWN_PHASE = re.compile(r"(?<![a-z])(?:train|val|valid|validation|eval|evaluation|test|dev)(?![a-z])", re.I)
_KERAS = re.compile(r"\[[=>.]{3,}|━|\bETA\b|\d(?:ms|s|us)/(?:step|epoch)")
_SHORT = re.compile(r"[\w/@-]{1,40}(?: [\w/@-]{1,40})?")
_ONLY_SIGNS = re.compile(r"[\s,;|:=()\[\]%+-]{0,40}")
_BETWEEN = re.compile(r"[\s\[\](:,|-]{1,20}")
_OPEN = re.compile(r"\s?\{['\"]")
_CLOCKS = frozenset({"train time", "elapsed", "elapsed time", "total time", "wall", "time elapsed", "runtime"})
METRIC_WORD = re.compile(
    r"loss|acc|lr|learning.?rate|ppl|perplexity|bleu|rouge|f1|auc|mfu|norm|reward|tok|bpb|bpc|mse|mae|rmse|iou|map|"
    r"error|\berr|score|wer|cer|recall|precision|entropy|kl|(?:^|[ _])t[re]l$|psnr|fid|dice|nll",
    re.I,
)
"""What the name of at least one metric of a log has in it."""


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

    def __len__(self) -> int:
        return len(self._ints) // len(_INTS)

    def add(self, ints: tuple[int, ...], floats: tuple[float, ...]) -> None:
        """Take a row: its columns in the order in which ``column`` describes them."""
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


@dataclass(slots=True)
class Found:
    """What one line counts and states, and which number of the line says each."""

    head: str = ""
    step: int = -1
    total: int = 0
    epoch: float = math.nan
    epochs: float = math.nan
    part: int = -1
    parts: int = 0
    clock: float = math.nan
    values: list[tuple[str, float]] = field(default_factory=list)
    said: dict[str, Named] = field(default_factory=dict)
    metrics: list[Named] = field(default_factory=list)


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

    def read(self, number: int, line: Line) -> None:
        """Take a line, which has this number in the file."""
        if line.bar is not None:
            self._pass_bar(line.bar)
            if (found := self._of_bar(line.bar)) is not None:
                self._add(number, line, found)
            return
        found = self._find(line.text)
        if found is None:
            return
        if not found.values:
            if found.step >= 0:
                self._step = found
            if not math.isnan(found.epoch):
                self._epoch = (found.epoch, found.epochs)
            return
        if found.head == "=":
            self._of_lines_above(found)
        else:
            self._step = None
        if math.isnan(found.epoch) and (found.step >= 0 or found.part >= 0):
            found.epoch, found.epochs = self._epoch
            if found.step < 0 and not math.isnan(found.epoch) and _KERAS.search(line.text):
                # Keras writes the epoch on a line of its own, and only the last of the bars below it states the result.
                if found.part != found.parts:
                    return
                found.head, found.part, found.parts = "epoch", -1, 0
        self._add(number, line, found)

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
        values = _metrics(numbers_of(bar.more))[0] if "=" in bar.more or ":" in bar.more else []
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
        row = len(rows)
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


def found_in(text: str) -> Found | None:
    """What a line counts and states, or ``None`` where it is none of a log."""
    if not any(character in text for character in "0123456789") and "nan" not in text.lower():
        return None
    numbers = numbers_of(text)
    found = Found()
    rest: list[Named] = []
    rank = 0
    for position, each in enumerate(numbers):
        if each.is_clock:
            if _plain(each.name) in _CLOCKS and math.isnan(found.clock):
                found.clock, found.said["clock"] = each.value, each
            continue
        kind = _counter(each)
        if kind == "epoch" and math.isnan(found.epoch) and each.value >= 0:
            found.epoch, found.epochs = each.value, float(each.total) if each.total else math.nan
            found.head = found.head or _head(each)
            found.said["epoch"] = each
        elif kind == "step" and _is_step(each.value) and _weight(each) > rank:
            rank = _weight(each)
            found.step, found.total, found.head = int(each.value), each.total or 0, _head(each)
            found.said["step"] = each
        elif kind:
            continue
        elif each.total and not each.name and found.part < 0 and _is_step(each.value) and each.value <= each.total:
            if math.isnan(found.epoch) and position and _PHASE_NAME.fullmatch(numbers[position - 1].name):
                # timm: "Train: 0 [  50/1251 (  4%)]".
                found.epoch, found.head = numbers[position - 1].value, numbers[position - 1].name.lower()
                found.said["epoch"] = numbers[position - 1]
                rest = [other for other in rest if other is not numbers[position - 1]]
            if _BETWEEN.fullmatch(each.gap) or not position:
                found.part, found.parts = int(each.value), each.total
                found.said["part"] = each
        elif _plain(each.name) in _CLOCKS and math.isnan(found.clock):
            found.clock, found.said["clock"] = each.value, each
        else:
            rest.append(each)
    found.values, found.metrics = _metrics(rest)
    if found.step < 0 and math.isnan(found.epoch):
        if _OPEN.match(text) or (found.part >= 0 and found.values):
            return found
        if not found.values or not _is_all(text, rest):
            return None
        found.head = "="
    return found


def _metrics(numbers: Iterable[Named]) -> tuple[list[tuple[str, float]], list[Named]]:
    """The numbers that have a name, with the phase in it where a line has several; and what they were made of."""
    values, used = [], []
    for each in numbers:
        if each.name and (each.is_sure or each.is_closed or _is_pair(each)) and not each.is_clock:
            own = each.name
            if each.phase and not _OWN_PHASE.search(own):
                own = f"{each.phase.lower()}/{own}"
            values.append((own, each.value))
            used.append(each)
    return values, used


def _is_pair(each: Named) -> bool:
    """Whether a name is that of a metric though nothing parts its number from the next name: "iter 1 loss 3.2 lr 1"."""
    return bool(_SHORT.fullmatch(each.name) and METRIC_WORD.search(each.name))


def _is_all(text: str, rest: list[Named]) -> bool:
    """Whether a line that counts nothing is names and their numbers, and nothing else: "val loss 1.1, val acc 0.5"."""
    if not rest or len(text) > 400 or ".." in text or not all(each.name for each in rest):
        return False
    if not any(METRIC_WORD.search(each.name) for each in rest):
        return False
    for each in rest:
        before, name, after = each.gap.rpartition(each.name)
        if not name or not each.is_closed or not _ONLY_SIGNS.fullmatch(before) or not _ONLY_SIGNS.fullmatch(after):
            return False
    return bool(_ONLY_SIGNS.fullmatch(text[rest[-1].end :].lstrip("%abcdefghijklmnopqrstuvwxyz")))


def _counter(each: Named) -> str:
    """Whether a number is a step or an epoch by its name."""
    words = _plain(each.name).split()
    if not words or words[-1] not in _COUNTERS | _EPOCHS:
        return ""
    if any(word not in _BEFORE_COUNTER for word in words[:-1]):
        return ""
    if words[-1] == "s" and not (len(words) == 1 and each.is_sure):
        return ""
    return "epoch" if words[-1] in _EPOCHS else "step"


def _weight(each: Named) -> int:
    """How surely a counter is that of the whole training."""
    words = _plain(each.name).split()
    return 3 if "global" in words or "updates" in words else 1 if words[-1] == "batch" else 2


def _head(each: Named) -> str:
    """How a counter is written, with its sign: a program writes all of its lines alike, and unlike others."""
    written = each.gap[each.gap.rfind(each.name) :] if each.name in each.gap else each.name
    return " ".join((*([each.phase.lower()] if each.phase else []), *_plain(written).split()))


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _is_step(value: float) -> bool:
    return 0 <= value < MAX_STEP and value == int(value)
