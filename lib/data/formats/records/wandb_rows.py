"""Rows of W&B's history, many at once: a record of plain numbers is found item by item in all of them together.

Whatever is written otherwise (a text, a picture, a name that is new, a number in quotes, another field) is left to
whoever reads records one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lib.data.formats.arrow_arrays import numbers_between

STEP = b"_step"
_OF_STEP = -2
_NUMBER, _HISTORY, _ITEM, _STEP, _KEY, _NESTED = 0x08, 0x12, 0x0A, 0x12, 0x0A, 0x12
_JSON = 0x82, 0x01
_MOST_SEPTETS = 9
_MOST_NESTED = 4
_BEYOND = bytes(1024)
"""Behind the last record: what is asked for there is none of it."""
_HASH = np.uint64(0x9E3779B97F4A7C15)

Code = Callable[[Sequence[bytes]], int | None]
"""Says for the names of an item where its numbers go: a number from 0, -1 for nowhere, ``None`` for not known yet."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What stands in some records.

    Attributes:
        is_good: Which of them were read, shape (records,); all else is of these.
        steps: W&B's step, -1 for none, shape (records,), int64.
        row, code, value: Of each number its record, where it goes, and itself, by record; shape (n,).
        items: How many items there are, with those that go nowhere.
    """

    is_good: np.ndarray
    steps: np.ndarray
    row: np.ndarray
    code: np.ndarray
    value: np.ndarray
    items: int


@dataclass(slots=True)
class Regions:
    """The bytes that name items, as they were met, by their length: hashes in order, codes, and the bytes."""

    known: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)

    def codes(self, content: np.ndarray, begin: np.ndarray, size: np.ndarray, code_of: Code) -> tuple[np.ndarray, ...]:
        """The code of each item, and whether it has one: its name may be new.

        Args:
            content: All bytes.
            begin: Where each item's name stands, shape (n,).
            size: How many bytes it has.
            code_of: As in ``rows_alike``.
        """
        codes, is_known = np.full(len(begin), -1, dtype=np.int32), np.zeros(len(begin), dtype=bool)
        for length in np.unique(size).tolist():
            mine = np.flatnonzero(size == length)
            names = np.lib.stride_tricks.sliding_window_view(content, length)[begin[mine]]
            hashes = _hashes(names)
            left = np.arange(len(mine))
            new: set[bytes] = set()
            while len(left):
                place = self._places(length, names[left], hashes[left])
                found = place >= 0
                if found.any():
                    codes[mine[left[found]]] = self.known[length][1][place[found]]
                    is_known[mine[left[found]]] = True
                    left = left[~found]
                    if not len(left):
                        break
                first = names[left[0]].tobytes()
                code = None if first in new else _code(first, code_of)
                if code is None:
                    new.add(first)
                    left = left[(names[left] != names[left[0]]).any(axis=1)]
                else:
                    self._learn(names[left[0]], hashes[left[0]], code)
        return codes, is_known

    def _places(self, length: int, names: np.ndarray, hashes: np.ndarray) -> np.ndarray:
        if length not in self.known:
            return np.full(len(names), -1)
        ordered, _, held = self.known[length]
        place = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
        # Two names may have one number.
        return np.where((ordered[place] == hashes) & (held[place] == names).all(axis=1), place, -1)

    def _learn(self, name: np.ndarray, own: np.uint64, code: int) -> None:
        hashes, codes, names = self.known.get(
            len(name), (np.empty(0, np.uint64), np.empty(0, np.int32), np.empty((0, len(name)), np.uint8))
        )
        keep = hashes != own
        hashes, codes = np.append(hashes[keep], own), np.append(codes[keep], np.int32(code))
        order = np.argsort(hashes)
        self.known[len(name)] = hashes[order], codes[order], np.concatenate([names[keep], name[None]])[order]


def _hashes(names: np.ndarray) -> np.ndarray:
    rows, length = names.shape
    padded = np.zeros((rows, -(-max(length, 1) // 8) * 8), dtype=np.uint8)
    padded[:, :length] = names
    mixed = np.zeros(rows, dtype=np.uint64)
    for column in padded.view("<u8").T:
        mixed = (mixed ^ column) * _HASH
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _code(region: bytes, code_of: Code) -> int | None:
    """The code of the names in some bytes: each is a field with its length before it."""
    names, at = [], 0
    while at < len(region):
        size = region[at + 1]
        names.append(region[at + 2 : at + 2 + size])
        at += 2 + size
    return _OF_STEP if names == [STEP] else code_of(names)


def rows_alike(records: Sequence[bytes], regions: Regions, code_of: Code) -> Alike | None:
    """Read records of history together.

    Args:
        records: Each begins with its number, and history.
        regions: Names that were met before, and are added to.
        code_of: Says where the numbers of a name go.

    Returns:
        ``None`` where what begins as a number is none.
    """
    data = b"".join((*records, _BEYOND))
    content = np.frombuffer(data, dtype=np.uint8)
    sizes = np.fromiter(map(len, records), dtype=np.int64, count=len(records))
    ends = np.cumsum(sizes)
    at = ends - sizes
    good = content[at] == _NUMBER
    _, at, is_short = _varint(content, at + 1)
    good &= is_short & (at < ends) & (content[np.minimum(at, ends)] == _HISTORY)
    size, at, is_short = _varint(content, np.minimum(at, ends) + 1)
    good &= is_short & (at + size == ends)
    steps = np.full(len(records), -1, dtype=np.int64)
    found: list[tuple[np.ndarray, ...]] = []
    mine = np.flatnonzero(good)
    at = at[mine]
    while len(mine):
        item = content[at] == _ITEM
        other = mine[~item]
        is_step, step = _steps(content, at[~item], ends[other])
        good[other[~is_step]] = False
        steps[other[is_step]] = step[is_step]
        mine, at = mine[item], at[item]
        fine, places, after = _items(content, at, ends[mine])
        good[mine[~fine]] = False
        mine, at = mine[fine], after[fine]
        found.append((mine, *(each[fine] for each in places)))
        goes_on = at < ends[mine]
        mine, at = mine[goes_on], at[goes_on]
    row, name, json, end = (np.concatenate(each) for each in zip(*found, strict=True)) if found else (at,) * 4
    code, is_known = regions.codes(content, name, json - 3 - name, code_of)
    good[row[~is_known]] = False
    kept = good[row] & (code != -1)
    items = int(np.count_nonzero(good[row]))
    order = np.flatnonzero(kept)[np.argsort(json[kept])]
    row, code, value = row[order], code[order], numbers_between(data, json[order], end[order])
    if value is None:
        return None
    counts = code == _OF_STEP
    whole = counts & (value >= 0) & (value < 2.0**63)
    steps[row[whole]] = value[whole].astype(np.int64)
    return Alike(good, steps, row[~counts], code[~counts], value[~counts], items)


def _varint(content: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers at some places, the places behind them, and which have no more than nine septets."""
    byte = content[at].astype(np.int64)
    value, behind = byte & 0x7F, at + 1
    more = np.flatnonzero(byte >= 0x80)
    for place in range(1, _MOST_SEPTETS):
        if not len(more):
            break
        byte = content[behind[more]].astype(np.int64)
        value[more] |= (byte & 0x7F) << 7 * place
        behind[more] += 1
        more = more[byte >= 0x80]
    is_short = np.ones(len(at), dtype=bool)
    is_short[more] = False
    return value, behind, is_short


def _steps(content: np.ndarray, at: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which records end with W&B's step from here on, and it; nothing in it is step 0."""
    size = content[at + 1].astype(np.int64)
    fine = (content[at] == _STEP) & (at + 2 + size == ends)
    step, behind, is_short = _varint(content, at + 3)
    is_stated = (content[at + 2] == _NUMBER) & is_short & (behind == ends)
    return fine & ((size == 0) | is_stated), np.where(size == 0, 0, step)


def _items(
    content: np.ndarray, at: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
    """Look for an item in each record that is a name and a number as JSON.

    Returns:
        Which have one; where its name, the number and the number's end are; and where the next item is.
    """
    size, name, is_short = _varint(content, at + 1)
    end = name + size
    fine = is_short & (size > 0) & (end <= ends)
    # What is no item leads nowhere: it shall not lead beyond the bytes.
    end = np.where(fine, end, at)
    name = np.minimum(name, ends)
    kind = content[name]
    json = name + 2 + content[name + 1]
    fine &= ((kind == _KEY) | (kind == _NESTED)) & (content[name + 1] < 0x80)
    for _ in range(_MOST_NESTED):
        more = fine & (json < end) & (kind == _NESTED) & (content[np.minimum(json, ends)] == _NESTED)
        if not more.any():
            break
        inner = content[json[more] + 1]
        fine[more] &= inner < 0x80
        json[more] += 2 + inner.astype(np.int64)
    json = np.minimum(json, ends)
    length = content[json + 2]
    fine &= (content[json] == _JSON[0]) & (content[json + 1] == _JSON[1]) & (length > 0) & (length < 0x80)
    begin = json + 3
    first = content[begin]
    fine &= (begin + length == end) & ((first == ord("-")) | ((first >= ord("0")) & (first <= ord("9"))))
    return fine, (name, begin, end), end
