"""The records of a W&B run file (``run-ID.wandb``), and what they say about the run."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from lib.data.formats.records.wandb_rows import STEP, Alike, Regions, rows_alike
from lib.data.formats.records.wandb_values import numbers, path_of, value_of

MOST_BYTES = 4 * 2**30
"""Read as a stream, this takes some minutes; runs of 100,000 rows have 70 MB."""
MOST_ITEMS = 40_000_000
"""A million rows of forty items; as arrays they take 640 MB."""
_MOST_NAMES = 20_000
"""A model of many layers has thousands of metrics; more are names made of numbers."""
_NUMBER, _HISTORY, _SUMMARY = 0x08, 0x12, 0x1A
_TOGETHER, _FEWEST = 2**20, 64
"""So many bytes of rows are read together; fewer rows are read one by one."""
_LEAST_ITEM = 6
"""Bytes that an item has at least."""

_SCHEMA = {
    "Record": "history 2 History; summary 3 Update; config 5 Update; metric 12 Metric; run 17 Run; exit 18 Exit",
    "History": "item 1 Item*; step 2 Step",
    "Step": "num 1 int64",
    "Item": "key 1 bytes; nested 2 bytes*; json 16 bytes;"
    " flag 4 bool?; whole 5 int64?; number 6 double?; text 7 bytes?; other 8 bytes?",
    "Update": "update 1 Item*; remove 2 Item*",
    "Metric": "name 1 bytes; glob 2 bytes; step 4 bytes",
    "Run": "id 1 bytes; project 3 bytes; config 4 Update; summary 5 Update; group 6 bytes; job 7 bytes; name 8 bytes;"
    " notes 9 bytes; tags 10 bytes*; host 13 bytes; start 17 Time; resumed 18 bool",
    "Time": "seconds 1 int64; nanos 2 int32",
    "Exit": "code 1 int32; runtime 2 int32",
}


@cache
def _record_class() -> Any:
    from lib.data.formats.records.protobuf_schema import message_classes

    return message_classes("runoff.wandb", _SCHEMA)["Record"]


@dataclass(slots=True)
class Column:
    """One item of the history: the rows that have it, and its values there."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def order(self) -> None:
        """Bring both into the order of the rows."""
        rows = np.array(self.rows, dtype=np.int64)
        if (rows[1:] < rows[:-1]).any():
            by_row = np.argsort(rows, kind="stable")
            self.rows = array("q", rows[by_row].tobytes())
            self.values = array("d", np.array(self.values)[by_row].tobytes())


@dataclass(slots=True)
class RunContent:
    """What one run file says.

    Attributes:
        run: The run's own record; ``None`` where it has none.
        config: As it stood at the end.
        summary: Numbers that were not logged as history, as they stood at the end.
        steps: W&B's step of each row of the history; -1 where it has none.
        columns: By the name of the item.
        axes: What ``define_metric`` says: by name, or by how names begin and ``*``, the item that counts its steps.
        exit: Exit code and seconds since the start; ``None`` where no end was recorded.
        broken: Records that are none of W&B's.
        passed: Whether there is more history than is kept.
    """

    run: Any = None
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, float] = field(default_factory=dict)
    steps: array[int] = field(default_factory=lambda: array("q"))
    columns: dict[str, Column] = field(default_factory=dict)
    axes: dict[str, str] = field(default_factory=dict)
    exit: tuple[int, int] | None = None
    broken: int = 0
    passed: bool = False
    _items: int = 0
    _names: dict[bytes, Column | None] = field(default_factory=dict)
    _coded: list[Column] = field(default_factory=list)
    _regions: Regions = field(default_factory=Regions)
    _parts: set[str] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)

    def take(self, records: Iterator[bytes]) -> None:
        """Take in all records of a file."""
        waiting: list[bytes] = []
        size = 0
        repeated: deque[bytes] = deque(maxlen=3)
        try:
            for content in records:
                kind = _kind(content)
                if kind == _HISTORY:
                    waiting.append(content)
                    size += len(content)
                    if size > _TOGETHER:
                        self._take_rows(waiting)
                        waiting, size = [], 0
                # Each row is repeated in a summary that says nothing new, which would double the time.
                elif kind == _SUMMARY and (b"_step" in content or b"runtime" in content):
                    repeated.append(content)
                else:
                    self._take_one(content)
        finally:
            self._take_rows(waiting)
            for column in self.columns.values():
                column.order()
        said = dict(self.summary)
        for content in repeated:
            if (record := self._parsed(content)) is not None:
                self._take_summary(record.summary)
        # A picture's size, a table's rows: of what states its type, parts are no metrics.
        parts = {name for name in self._parts if name.startswith(tuple(self._shown))}
        self.columns = {name: column for name, column in self.columns.items() if name not in parts}
        self.summary = {name: number for name, number in {**self.summary, **said}.items() if name not in parts}

    def _parsed(self, content: bytes) -> Any:
        from google.protobuf.message import DecodeError

        try:
            return _record_class().FromString(content)
        except DecodeError:
            self.broken += 1
            return None

    def _take_one(self, content: bytes) -> None:
        record = self._parsed(content)
        if record is None:
            return
        if not record.HasField("history"):
            self._take_other(record)
            return
        self._items += len(record.history.item)
        self.passed = self._items > MOST_ITEMS
        if not self.passed:
            self.steps.append(-1)
            self._take_row(record.history, len(self.steps) - 1)

    def _take_rows(self, contents: Sequence[bytes]) -> None:
        """Take records that begin with history: most differ in their numbers only, and those are read together."""
        alike = rows_alike(contents, self._regions, self._code_of) if len(contents) >= _FEWEST else None
        if alike is None or self._items + sum(map(len, contents)) // _LEAST_ITEM > MOST_ITEMS:
            for content in contents:
                self._take_one(content)
            return
        records = {place: self._parsed(contents[place]) for place in np.flatnonzero(~alike.is_good).tolist()}
        there = np.ones(len(contents), dtype=bool)
        there[[place for place, record in records.items() if record is None]] = False
        rows = len(self.steps) + np.cumsum(there) - 1
        self.steps.frombytes(np.where(alike.is_good, alike.steps, -1)[there].tobytes())
        self._take_alike(alike, rows)
        for place, record in records.items():
            if record is not None:
                self._items += len(record.history.item)
                self._take_row(record.history, int(rows[place]))

    def _take_alike(self, alike: Alike, rows: np.ndarray) -> None:
        self._items += alike.items
        by_code = np.argsort(alike.code.astype(np.uint16), kind="stable")
        bounds = np.searchsorted(alike.code[by_code], np.arange(len(self._coded) + 1))
        for code, column in enumerate(self._coded):
            mine = by_code[bounds[code] : bounds[code + 1]]
            column.rows.frombytes(rows[alike.row[mine]].astype(np.int64).tobytes())
            column.values.frombytes(alike.value[mine].tobytes())

    def _code_of(self, names: Sequence[bytes]) -> int | None:
        """Which of ``_coded`` the numbers below a name go to, -1 for none; ``None`` for a name that is new."""
        name = b".".join(names)
        if name not in self._names:
            return None
        column = self._names[name]
        if column is None:
            return -1
        if all(each is not column for each in self._coded):
            self._coded.append(column)
        return next(code for code, each in enumerate(self._coded) if each is column)

    def _take_row(self, history: Any, row: int) -> None:
        step = history.step.num if history.HasField("step") else -1
        names = self._names
        for item in history.item:
            nested = item.nested
            name = item.key if not nested else nested[0] if len(nested) == 1 else b".".join(nested)
            text = item.json
            if not text or text[0] not in b"-0123456789NI":
                self._note_type(nested)
                for path, number in numbers(name.decode("utf-8", "replace"), value_of(item)):
                    self._put(path.encode(), row, number)
                continue
            try:
                number = float(text)
            except ValueError:
                continue
            if name == STEP:
                step = int(number) if 0 <= number < 2**63 else step
            elif (column := names.get(name)) is not None:
                column.rows.append(row)
                column.values.append(number)
            else:
                self._put(name, row, number)
                if len(nested) > 1 and name in names:
                    self._parts.add(name.decode("utf-8", "replace"))
        self.steps[row] = max(step, -1)

    def _note_type(self, nested: Sequence[bytes]) -> None:
        if len(nested) > 1 and nested[-1] == b"_type":
            self._shown.add(b".".join(nested[:-1]).decode("utf-8", "replace") + ".")

    def _put(self, name: bytes, row: int, number: float) -> None:
        if name not in self._names:
            if len(self._names) >= _MOST_NAMES:
                return
            text = name.decode("utf-8", "replace")
            internal = text.startswith("_") and text != "_timestamp"
            self._names[name] = None if internal else self.columns.setdefault(text, Column())
        column = self._names[name]
        if column is not None:
            column.rows.append(row)
            column.values.append(number)

    def _take_other(self, record: Any) -> None:
        if record.HasField("run"):
            self.run = record.run
            self._take_config(record.run.config)
            self._take_summary(record.run.summary)
        if record.HasField("config"):
            self._take_config(record.config)
        if record.HasField("summary"):
            self._take_summary(record.summary)
        if record.HasField("exit"):
            self.exit = record.exit.code, record.exit.runtime
        if record.HasField("metric") and record.metric.step:
            for each in (record.metric.name, record.metric.glob):
                if each:
                    self.axes[each.decode("utf-8", "replace")] = record.metric.step.decode("utf-8", "replace")

    def _take_config(self, update: Any) -> None:
        for item in update.update:
            path = path_of(item)
            if path[0] in ("_wandb", ""):
                continue
            place = self.config
            for each in path[:-1]:
                inner = place.get(each)
                if not isinstance(inner, dict):
                    inner = place[each] = {}
                place = inner
            place[path[-1]] = value_of(item)
        for item in update.remove:
            path = path_of(item)
            place = self.config
            for each in path[:-1]:
                inner = place.get(each)
                place = inner if isinstance(inner, dict) else {}
            place.pop(path[-1], None)

    def _take_summary(self, update: Any) -> None:
        for item in update.update:
            self._note_type(item.nested)
            found = {name: each for name, each in numbers(".".join(path_of(item)), value_of(item)) if name[:1] != "_"}
            self.summary |= found
            self._parts |= found.keys() if len(item.nested) > 1 else set()
        for item in update.remove:
            self.summary.pop(".".join(path_of(item)), None)


def _kind(content: bytes) -> int:
    """The first byte after the record's number: which field comes first."""
    try:
        if content[0] != _NUMBER:
            return content[0]
        at = 1
        while content[at] >= 0x80:
            at += 1
        return content[at + 1]
    except IndexError:
        return 0
