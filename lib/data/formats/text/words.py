"""What the lines of a log say that state no metrics: settings, plans, how it ended."""

from __future__ import annotations

import re
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_OTHER_LINES = 500_000
"""So many lines that are none of metrics are remembered, to know the head of a log again."""
_SHORTEST_HEADER = 8

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_MEGATRON = re.compile(r"\s{2}([a-z_]\w{0,60}) \.{3,60} (.{1,300}?)\s*")
_OVERRIDE = re.compile(r"Overriding(?: config)?: ([a-z_]\w{0,60}) = (.{1,300}?)\s*")
_STATED = re.compile(r"(?:^|[\s:|])(Total optimization steps|Num Epochs|Num examples) ?[=:] ?([\d,]{1,20})\b")
_ERROR = re.compile(r"(?:[\w.]{1,100}\.)?(\w{0,80}(?:Error|Exception|Interrupt|Exit|OutOfMemory\w{0,20}))(?::.*)?\s*")
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(slots=True)
class Words:
    """What was said.

    Attributes:
        numbers, marks: Which lines said nothing that is understood, and what tells them apart.
        config: Settings by section.
        stated: Plans by their names.
        broke_at: The line that the last traceback begins with; -1 for none.
        error: What it ends with.
    """

    numbers: array[int] = field(default_factory=lambda: array("q"))
    marks: array[int] = field(default_factory=lambda: array("q"))
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    stated: dict[str, float] = field(default_factory=dict)
    broke_at: int = -1
    error: str = ""

    def read(self, number: int, text: str) -> None:
        """Take a line that states no metrics and has no bar."""
        if found := _MEGATRON.fullmatch(text):
            self.config.setdefault("args", {})[found[1]] = found[2]
        elif found := _OVERRIDE.fullmatch(text):
            self.config.setdefault("overrides", {})[found[1]] = found[2]
        for found in _STATED.finditer(text):
            self.stated[found[1]] = float(found[2].replace(",", "") or "nan")
        if text.lstrip().startswith(_TRACEBACK):
            self.broke_at, self.error = number, ""
        elif self.broke_at >= 0 and (error := _ERROR.fullmatch(text.lstrip())):
            self.error = error[1]
        if (mark := mark_of(text)) is not None and len(self.marks) < MAX_OTHER_LINES:
            self.numbers.append(number)
            self.marks.append(mark)

    def add_marks(self, numbers: np.ndarray, marks: np.ndarray) -> None:
        """The same for many lines that say nothing else."""
        left = max(MAX_OTHER_LINES - len(self.marks), 0)
        self.numbers.frombytes(numbers[:left].astype("int64").tobytes())
        self.marks.frombytes(marks[:left].astype("int64").tobytes())


def says_something(text: str) -> bool:
    """Whether a line says more than its mark."""
    bare = text.lstrip()
    return bool(
        _MEGATRON.fullmatch(text)
        or _OVERRIDE.fullmatch(text)
        or _STATED.search(text)
        or bare.startswith(_TRACEBACK)
        or _ERROR.fullmatch(bare)
    )


def mark_of(text: str) -> int | None:
    """What tells a line apart from those that differ in more than numbers; ``None`` for a short one."""
    words = _DIGITS.sub("#", text).strip()
    return zlib.crc32(words.encode("utf-8", "replace")) if len(words) >= _SHORTEST_HEADER else None
