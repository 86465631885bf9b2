"""What stands in the records of TensorBoard's event files: scalars, hyperparameters, texts, restarts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.data.formats.records.event_messages import STRING, hyperparameters, parsed, scalar
from lib.data.formats.records.event_records import Records

_START = 1
"""The status of a session that (re)starts: what an earlier one wrote from this step on is void."""
SESSION_WORDS = {1: "success", 2: "failure", 3: "running"}

_MOST_TEXT = 2 * 2**20
"""A configuration in a text summary; longer texts are samples of what a model wrote."""
MOST_POINTS = 20_000_000
"""A million steps of twenty metrics; as arrays, and once more while they are put in order, these take 1.3 GB."""
_MOST_TAGS = 20_000
"""A model of many layers has thousands; more are names made of numbers."""
_HASH = np.uint64(0x9E3779B97F4A7C15)
_FEWEST = 4
"""Fewer records of one form are read one by one."""
_LONGEST = 512
"""Longer records hold more than one scalar."""


@dataclass(slots=True)
class Points:
    """Points of one tag and one type of number in one file, in parts.

    Attributes:
        parts: Place in the file, step, time and value of each point, four arrays of shape (n,) each.
        kind: ``<f4``, ``<f2``, ``bf16`` or ``<f8``.
    """

    kind: str
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    single: list[tuple[int, int, float, float]] = field(default_factory=list)

    def settle(self) -> None:
        """Single points become a part: as tuples they take six times the room."""
        if self.single:
            order, step, at, value = zip(*self.single, strict=True)
            self.parts.append((np.array(order, np.int64), np.array(step, np.int64), np.array(at), np.array(value)))
            self.single.clear()

    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All of them, in no order; values as the decimals that were written."""
        from lib.data.formats.records import short_decimals

        self.settle()
        columns = [np.concatenate(each) for each in zip(*self.parts, strict=True)]
        if self.kind == "<f4":
            columns[3] = short_decimals.of_float32(columns[3])
        elif self.kind == "<f2":
            columns[3] = short_decimals.of_float16(columns[3])
        elif self.kind == "bf16":
            columns[3] = short_decimals.of_bfloat16(columns[3])
        return columns[0], columns[1], columns[2], columns[3]


@dataclass(slots=True)
class FileContent:
    """What one file holds.

    Attributes:
        points: By tag, by type of number.
        tensors: Tags of which some value was a tensor.
        plugins: By tag the plugin that shows it, where the file says so: only the tag's first event does.
        starts: Place in the file and step of each restart.
        config: By section.
        session: The word for the last session's end, and when it was written, in Unix seconds.
        began: When the first record was written, in Unix seconds.
        events: How many records are events.
        broken: How many are none.
        count: How many points there are.
        passed: Whether there are more tags than are kept.
    """

    points: dict[bytes, dict[str, Points]] = field(default_factory=dict)
    tensors: set[bytes] = field(default_factory=set)
    plugins: dict[bytes, str] = field(default_factory=dict)
    starts: list[tuple[int, int]] = field(default_factory=list)
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    session: tuple[str, float] | None = None
    began: float | None = None
    events: int = 0
    broken: int = 0
    count: int = 0
    passed: bool = False

    def take(self, batch: list[Records]) -> None:
        """Take in what some records hold."""
        alone: list[tuple[int, bytes]] = []
        for records in batch:
            left = self._take_alike(records) if records.content.shape[1] <= _LONGEST else np.arange(len(records.order))
            alone += [(int(records.order[row]), records.content[row].tobytes()) for row in left]
        for order, content in sorted(alone):
            self._take_one(order, content)
        for kinds in self.points.values():
            for points in kinds.values():
                points.settle()

    def _points(self, tag: bytes, kind: str, is_tensor: bool) -> Points:
        if tag not in self.points and len(self.points) >= _MOST_TAGS:
            self.passed = True
            return Points(kind)
        if is_tensor:
            self.tensors.add(tag)
        return self.points.setdefault(tag, {}).setdefault(kind, Points(kind))

    def _take_alike(self, records: Records) -> np.ndarray:
        """Take the records that differ from each other only in time, step and a float at their end.

        Nearly all records of nearly all files do, and so are read by columns and not one by one.

        Returns:
            The rows that are left.
        """
        rows, length = records.content.shape
        everything = np.arange(rows)
        if rows < _FEWEST or length < 24:
            return everything
        content = records.content
        digits = content[:, 10:20]
        stepped = content[:, 9] == 0x10
        size = np.where(stepped, np.argmax(digits < 0x80, axis=1) + 1, 0)
        # An event begins with its time; ten digits are a negative step.
        usual = (content[:, 0] == 0x09) & (size < 10) & ((digits < 0x80).any(axis=1) | ~stepped)
        left = [everything[~usual]]
        for width in np.unique(size[usual]):
            chosen = everything[usual & (size == width)]
            if len(chosen) < _FEWEST:
                left.append(chosen)
                continue
            part = content[chosen]
            head = 10 + int(width) if width else 9
            step = np.zeros(len(chosen), dtype=np.int64)
            for digit in range(int(width)):
                step |= (part[:, 10 + digit].astype(np.int64) & 0x7F) << np.int64(7 * digit)
            groups, alone = _alike(part[:, head:-4])
            left.append(chosen[alone])
            for group in groups:
                found = self._form(part[group[0]])
                if found is None:
                    left.append(chosen[group])
                    continue
                tag, is_tensor = found
                wall = np.ascontiguousarray(part[group, 1:9]).view("<f8")[:, 0]
                value = np.ascontiguousarray(part[group, -4:]).view("<f4")[:, 0]
                self.events += len(group)
                self.count += len(group)
                self._began(float(wall[0]))
                self._points(tag, "<f4", is_tensor).parts.append(
                    (records.order[chosen[group]].astype(np.int64), step[group], wall, value)
                )
        return np.concatenate(left)

    def _form(self, row: np.ndarray) -> tuple[bytes, bool] | None:
        """The tag of a record that ends with a scalar of four bytes, and whether that is a tensor: tried out."""
        found = None
        for number in (1.5, -2.25):
            content = row[:-4].tobytes() + np.float32(number).tobytes()
            event = parsed("Event", content)
            if event is None or event.HasField("session_log") or len(event.summary.value) != 1:
                return None
            value = event.summary.value[0]
            if scalar(value) != ("<f4", number):
                return None
            self._note_plugin(value)
            found = value.tag, value.HasField("tensor")
        return found

    def _began(self, wall: float) -> None:
        if math.isfinite(wall) and wall > 0:
            self.began = wall if self.began is None else min(self.began, wall)

    def _take_one(self, order: int, content: bytes) -> None:
        event = parsed("Event", content)
        if event is None:
            self.broken += 1
            return
        self.events += 1
        self._began(event.wall_time)
        if event.HasField("session_log") and event.session_log.status == _START:
            self.starts.append((order, event.step))
        for value in event.summary.value:
            self._note_plugin(value)
            if value.HasField("metadata") and value.metadata.plugin.name == b"hparams":
                self._take_hparams(value.metadata.plugin.content, event.wall_time)
            elif value.HasField("tensor") and value.tensor.dtype == STRING:
                self._take_text(value)
            elif (number := scalar(value)) is not None:
                points = self._points(value.tag, number[0], value.HasField("tensor"))
                self.count += 1
                points.single.append((order, event.step, event.wall_time, number[1]))

    def _note_plugin(self, value: Any) -> None:
        name = value.metadata.plugin.name
        if name:
            # A plugin of somebody's own may say that what it shows are scalars.
            self.plugins.setdefault(value.tag, "scalars" if value.metadata.data_class == 1 else name.decode("latin-1"))

    def _take_hparams(self, content: bytes, wall: float) -> None:
        data = parsed("HParams", content)
        if data is None:
            return
        if data.HasField("start"):
            self.config.setdefault("hparams", {}).update(hyperparameters(data.start.hparams))
        if data.HasField("end") and data.end.status in SESSION_WORDS:
            self.session = SESSION_WORDS[data.end.status], data.end.end_time or wall

    def _take_text(self, value: Any) -> None:
        """A configuration that was written as a text: ``args/text_summary`` of Hugging Face."""
        texts = value.tensor.texts
        if len(texts) != 1 or len(texts[0]) > _MOST_TEXT or not texts[0].lstrip().startswith(b"{"):
            return
        try:
            found = json.loads(texts[0])
        except (ValueError, RecursionError):
            return
        if isinstance(found, dict):
            section = value.tag.decode("utf-8", "replace").removesuffix("/text_summary")
            self.config.setdefault(section, {}).update(found)


def _alike(content: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The rows of a table of bytes, shape (n, width), in groups of equal ones, each ascending; and all others."""
    rows, width = content.shape
    padded = np.zeros((rows, -(-width // 8) * 8), dtype=np.uint8)
    padded[:, :width] = content
    words = padded.view("<u8")
    mixed = np.zeros(rows, dtype=np.uint64)
    for column in range(words.shape[1]):
        mixed = (mixed ^ words[:, column]) * _HASH
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(mixed[order])) + 1])
    sizes = np.diff(np.append(starts, rows))
    groups, alone = [], [order[np.repeat(sizes < _FEWEST, sizes)]]
    for start, size in zip(starts[sizes >= _FEWEST], sizes[sizes >= _FEWEST], strict=True):
        group = order[start : start + size]
        # Two contents may have one number.
        same = (words[group] == words[group[0]]).all(axis=1)
        groups.append(group if same.all() else group[same])
        alone.append(group[~same])
    return groups, np.concatenate(alone)
