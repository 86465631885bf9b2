"""The records of a W&B run file (``run-ID.wandb``), and what they say about the run."""

from __future__ import annotations

import json
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, BinaryIO

from lib.data.formats.files import NotReadable

MOST_BYTES = 4 * 2**30
"""Read as a stream, this takes some minutes; runs of 100,000 rows have 70 MB."""
_HEADER = b":W&B\xe1\xbe\x00"
_BLOCK = 32_768
_MOST_RECORD = 64 * 2**20
MOST_ITEMS = 40_000_000
"""A million rows of forty items; as arrays they take 640 MB."""
_MOST_NAMES = 20_000
"""A model of many layers has thousands of metrics; more are names made of numbers."""
_MOST_LEVELS = 8
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_TYPE_CHECKS = {kind: zlib.crc32(bytes([kind])) for kind in (_WHOLE, _FIRST, _MIDDLE, _LAST)}

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


class LogFile:
    """The frames of one file, in the log format of LevelDB, read once from the beginning.

    Attributes:
        damage: The first byte that is damaged; ``None`` if none is. Reading goes on with the next block of 32 kB.
            A last record that is not all there yet is no damage.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.damage: int | None = None
        self._file = file
        self._size = size

    def records(self) -> Iterator[bytes]:
        """All whole records.

        Raises:
            NotReadable: If it does not begin as such a file does.
            OSError: If it cannot be read.
        """
        parts: list[bytes] | None = None
        for base in range(0, self._size, _BLOCK):
            block = self._file.read(min(_BLOCK, self._size - base))
            at = 0
            if base == 0:
                if not block.startswith(_HEADER):
                    raise NotReadable("Expected a run file of Weights & Biases, found something else.")
                at = len(_HEADER)
            while at + 7 <= len(block):
                check, length, kind = struct.unpack_from("<IHB", block, at)
                content = block[at + 7 : at + 7 + length]
                if kind == 0 and length == 0:
                    break  # Room that was set aside.
                if len(content) < length and len(block) < _BLOCK:
                    return
                if len(content) < length or zlib.crc32(content, _TYPE_CHECKS.get(kind, 0)) != check:
                    self.damage = base + at if self.damage is None else self.damage
                    parts = None
                    break
                at += 7 + length
                if kind in (_WHOLE, _FIRST):
                    parts = []
                if parts is None:
                    continue
                parts.append(content)
                if kind in (_WHOLE, _LAST):
                    yield content if kind == _WHOLE else b"".join(parts)
                    parts = None
                elif len(parts) * _BLOCK > _MOST_RECORD:
                    parts = None  # A table or a picture.
            if len(block) < _BLOCK:
                return


@dataclass(slots=True)
class Column:
    """One item of the history: the rows that have it, and its values there."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


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
    _repeated: list[bytes] = field(default_factory=list)
    _parts: set[str] = field(default_factory=set)
    _shown: set[str] = field(default_factory=set)

    def take(self, records: Iterator[bytes]) -> None:
        """Take in all records of a file."""
        from google.protobuf.message import DecodeError

        parse = _record_class().FromString
        for content in records:
            # Each row is repeated in a summary that says nothing new, which would double the time.
            if _kind(content) == 0x1A and (b"_step" in content or b"runtime" in content):
                self._repeated = [*self._repeated[-2:], content]
                continue
            try:
                record = parse(content)
            except DecodeError:
                self.broken += 1
                continue
            if record.HasField("history"):
                self._items += len(record.history.item)
                self.passed = self._items > MOST_ITEMS
                if not self.passed:
                    self._take_row(record.history)
            else:
                self._take_other(record)
        said = dict(self.summary)
        for content in self._repeated:
            try:
                self._take_summary(parse(content).summary)
            except DecodeError:
                self.broken += 1
        # A picture's size, a table's rows: of what states its type, parts are no metrics.
        parts = {name for name in self._parts if name.startswith(tuple(self._shown))}
        self.columns = {name: column for name, column in self.columns.items() if name not in parts}
        self.summary = {name: number for name, number in {**self.summary, **said}.items() if name not in parts}

    def _take_row(self, history: Any) -> None:
        row = len(self.steps)
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
            if name == b"_step":
                step = int(number) if 0 <= number < 2**63 else step
            elif (column := names.get(name)) is not None:
                column.rows.append(row)
                column.values.append(number)
            else:
                self._put(name, row, number)
                if len(nested) > 1 and name in names:
                    self._parts.add(name.decode("utf-8", "replace"))
        self.steps.append(step if step >= 0 else -1)

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
            path = _path(item)
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
            path = _path(item)
            place = self.config
            for each in path[:-1]:
                inner = place.get(each)
                place = inner if isinstance(inner, dict) else {}
            place.pop(path[-1], None)

    def _take_summary(self, update: Any) -> None:
        for item in update.update:
            self._note_type(item.nested)
            found = {name: each for name, each in numbers(".".join(_path(item)), value_of(item)) if name[:1] != "_"}
            self.summary |= found
            self._parts |= found.keys() if len(item.nested) > 1 else set()
        for item in update.remove:
            self.summary.pop(".".join(_path(item)), None)


def _kind(content: bytes) -> int:
    """The first byte after the record's number: which field comes first."""
    at = 0
    if content[:1] == b"\x08":
        at = 1
        while at < len(content) and content[at] >= 0x80:
            at += 1
        at += 1
    return content[at] if at < len(content) else 0


def _path(item: Any) -> list[str]:
    names = list(item.nested) or [item.key]
    return [each.decode("utf-8", "replace") for each in names]


def value_of(item: Any) -> Any:
    """What an item holds: written as JSON, or of one of the types that newer schemas have."""
    kind = item.WhichOneof("one")
    if kind in ("flag", "whole", "number"):
        return getattr(item, kind)
    if kind == "text":
        return item.text.decode("utf-8", "replace")
    text = item.other if kind == "other" else item.json
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""How numbers that JSON does not know are written as texts."""


def numbers(name: str, value: Any, levels: int = _MOST_LEVELS) -> Iterator[tuple[str, float]]:
    """The numbers in a value, with dotted names; pictures, tables and the like (``_type``) have none.

    Example:
        >>> list(numbers("eval", {"loss": 0.5, "by": {"x": 1, "y": "NaN"}, "name": "a", "ok": True}))
        [('eval.loss', 0.5), ('eval.by.x', 1.0), ('eval.by.y', nan)]
    """
    if isinstance(value, dict):
        if levels and "_type" not in value:
            for key, each in value.items():
                yield from numbers(f"{name}.{key}" if name else str(key), each, levels - 1)
    elif isinstance(value, str):
        if value in _WORDS:
            yield name, _WORDS[value]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            yield name, float(value)
        except OverflowError:
            return
