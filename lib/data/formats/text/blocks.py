"""A part of a log read at once: lines of known shapes together, the others one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lib.data.formats.text.counters import Found
from lib.data.formats.text.lines import MAX_LINE, line_of
from lib.data.formats.text.plans import Learned, Plan, learn
from lib.data.formats.text.rows import Events, Group, RowReader, Rows
from lib.data.formats.text.scan import Scan, scan
from lib.data.formats.text.words import Words

MAX_SHAPES = 16_384
"""A program's lines have some hundreds, with all lengths of their numbers; other text has no end of them."""
_ALONE, _EMPTY, _NO_MARK = 0, 1, -1
_DATE = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
"""Where the digits of a date stand, behind its year's first."""
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


class BlockReader:
    """Reads the parts of a file, one after the other."""

    def __init__(self, rows: Rows, events: Events, words: Words, find: Callable[[str], Found | None]) -> None:
        """Args: find: ``found_in``, or what gives the same and remembers."""
        self._rows, self._events, self._words = rows, events, words
        self._alone = RowReader(events, rows, find)
        self._number = 0
        self._shapes: dict[bytes, int] = {}
        """Of each known shape its entry in the lists below."""
        self._plan: list[int] = []
        self._mark: list[int] = []
        self._plans: dict[Plan, int] = {}

    def read(self, text: bytes) -> None:
        """Take whole lines."""
        lines = scan(text)
        known = self._known(lines)
        plan = np.array(self._plan)[known] if self._plan else known
        plan[known < 0] = _ALONE
        is_long = lines.ends - lines.starts > MAX_LINE
        plan[(lines.is_odd | is_long) & (plan != _EMPTY)] = _ALONE
        number = self._number + np.cumsum(plan != _EMPTY)
        self._number = int(number[-1])
        groups: list[Group] = []
        by_plan = np.argsort(plan.astype(np.int16), kind="stable")
        bounds = np.searchsorted(plan[by_plan], np.arange(2, len(self._plans) + 3))
        for index, each in enumerate(self._plans):
            mine = by_plan[bounds[index] : bounds[index + 1]]
            if not len(mine):
                continue
            applied = _Applied(each, lines, mine)
            plan[mine[~applied.is_good]] = _ALONE
            mine = mine[applied.is_good]
            if not len(mine):
                continue
            self._take(each, applied, number[mine])
            if each.is_row:
                groups.append(applied.group(number[mine]))
            elif each.bar is None:
                marks = np.array(self._mark)[known[mine]]
                self._words.add_marks(number[mine][marks != _NO_MARK], marks[marks != _NO_MARK])
        for place in np.flatnonzero(plan == _ALONE).tolist():
            self._read_alone(int(number[place]), lines.text(place)[:MAX_LINE])
        groups += self._alone.take()
        if groups:
            self._rows.add(groups)

    def _known(self, lines: Scan) -> np.ndarray:
        """Of each line the entry of its shape, -1 where there is none; shape (lines,)."""
        known = list(map(self._shapes.get, lines.shapes))
        if None in known:
            for place, entry in enumerate(known):
                if entry is None:
                    known[place] = self._entry(lines, place)
        return np.array(known, dtype=np.int64)

    def _entry(self, lines: Scan, place: int) -> int:
        shape = lines.shapes[place]
        entry = self._shapes.get(shape)
        if entry is not None:
            return entry
        if lines.is_odd[place] or len(self._shapes) >= MAX_SHAPES:
            return -1
        learned = learn(lines.text(place))
        self._shapes[shape] = entry = len(self._plan)
        self._plan.append(self._number_of(learned))
        self._mark.append(_NO_MARK if learned.mark is None else learned.mark)
        return entry

    def _number_of(self, learned: Learned) -> int:
        if learned.is_empty:
            return _EMPTY
        return _ALONE if learned.plan is None else self._plans.setdefault(learned.plan, len(self._plans) + 2)

    def _take(self, plan: Plan, applied: _Applied, number: np.ndarray) -> None:
        """Note the bars of some lines, and the epochs in their titles."""
        if plan.bar is None:
            return
        self._events.bars.append((number, *applied.bar()))
        if plan.is_titled:
            self._events.epochs.append((number, *applied.epoch()))

    def _read_alone(self, number: int, text: str) -> None:
        line = line_of(text)
        if not self._alone.read(number, line) and line.bar is None:
            self._words.read(number, line.text)


class _Applied:
    """A plan applied to lines of its shapes.

    Attributes:
        is_good: Which of the lines it holds for; all else is of these, shape (good lines,).
    """

    def __init__(self, plan: Plan, lines: Scan, places: np.ndarray) -> None:
        self._plan, self._lines = plan, lines
        self._first = lines.first[places]
        self._at: np.ndarray | None = None
        good = np.ones(len(places), dtype=bool)
        if plan.date is not None:
            self._at, good = self._dates()
        for place, value in plan.equal:
            good &= self._number(place) == value
        for counter in (plan.step, plan.part):
            if counter is not None and counter[1] >= 0:
                good &= self._number(counter[1]) != 0
        if plan.part is not None and plan.part[1] >= 0:
            good &= self._number(plan.part[0]) <= self._number(plan.part[1])
        if plan.bar is not None:
            done, total = self._number(plan.bar[0]), self._number(plan.bar[1])
            good &= (total > 0) & (total < 2**53) & (done <= total) & ((done > 0) | (not plan.is_row))
        self.is_good = good
        self._first = self._first[good]
        self._at = None if self._at is None else self._at[good]

    def _number(self, place: int) -> np.ndarray:
        values: np.ndarray = self._lines.value[self._first + place]
        return values

    def bar(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Done, total and seconds."""
        assert self._plan.bar is not None
        done, total, parts = self._plan.bar
        elapsed = np.zeros(len(self._first))
        for part in parts:
            elapsed = elapsed * 60 + self._number(part)
        return self._number(done).astype(np.int64), self._number(total).astype(np.int64), elapsed

    def epoch(self) -> tuple[np.ndarray, np.ndarray]:
        """Epoch and epochs."""
        assert self._plan.epoch is not None
        at, scale, of = self._plan.epoch
        return self._number(at) * scale, self._number(of) if of >= 0 else np.full(len(self._first), np.nan)

    def group(self, number: np.ndarray) -> Group:
        """The rows, whose lines have these numbers."""
        plan = self._plan
        columns: dict[str, np.ndarray] = {"line": number.astype(np.int32)}
        for counter, names in ((plan.step, ("step", "total")), (plan.part, ("part", "parts"))):
            if counter is not None:
                for name, place in zip(names, counter, strict=True):
                    if place >= 0:
                        columns[name] = self._number(place).astype(np.int64)
        if plan.bar is not None:
            columns["part"], columns["parts"], _ = self.bar()
            columns["is_bar"] = np.ones(1, dtype=bool)
        if plan.epoch is not None:
            columns["epoch"], columns["epochs"] = self.epoch()
        if plan.clock is not None:
            columns["clock"] = self._number(plan.clock[0]) * plan.clock[1]
        if plan.rank >= 0:
            columns["rank"] = self._number(plan.rank).astype(np.int32)
        if self._at is not None:
            columns["at"] = self._at
        values = [
            self._number(at) * scale if at >= 0 else np.full(len(number), float(scale)) for at, scale in plan.picks
        ]
        return Group(columns, plan.head, plan.names, values)

    def _dates(self) -> tuple[np.ndarray, np.ndarray]:
        """Unix times, and which of them are known surely."""
        assert self._plan.date is not None
        year, digits, zone = self._plan.date
        letters = np.frombuffer(self._lines.data, dtype=np.uint8)
        begin = self._lines.at[self._first + year]
        read = [letters[begin + place].astype(np.int64) - 48 for place in _DATE]
        years = read[0] * 1000 + read[1] * 100 + read[2] * 10 + read[3]
        month, day, hour, minute, second = (read[k] * 10 + read[k + 1] for k in range(4, 14, 2))
        is_leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
        in_year = (years // 100 == 19) | (years // 100 == 20)
        good = in_year & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
        length = _DAYS[np.clip(month, 1, 12) - 1] + (is_leap & (month == 2))
        good &= (day >= 1) & (day <= length)
        months = (np.where(good, years, 1970) - 1970) * 12 + np.where(good, month, 1) - 1
        days = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1
        at = (((days * 24 + hour) * 60 + minute) * 60 + second).astype(np.float64) + zone
        if digits:
            fraction = np.zeros(len(begin), dtype=np.int64)
            for place in range(20, 20 + digits):
                digit = letters[np.minimum(begin + place, len(letters) - 1)].astype(np.int64) - 48
                good &= (digit >= 0) & (digit <= 9)
                fraction = fraction * 10 + digit
            behind = letters[np.minimum(begin + 20 + digits, len(letters) - 1)]
            good &= (behind < 48) | (behind > 57)
            at = at + fraction / 10.0**digits
        return at, good
