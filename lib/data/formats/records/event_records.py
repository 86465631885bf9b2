"""The records of TensorBoard's event files: where each begins, and whether it is whole."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import numpy as np

MOST_BYTES = 4 * 2**30
"""Files of pictures and histograms reach this; they are never held whole."""
_BLOCK = 8 * 2**20
_MOST_RECORD = 4 * 2**20
"""Larger records hold pictures, sounds or graphs and are stepped over."""
_MOST_CHECKED = 4_096
"""The checksum of larger records is not looked at: no scalar is among them, and it would cost more than all scalars."""
_MANY = 64
"""From so many records of one length on it is quicker to go byte by byte through all of them."""

_BY_HAND = 64
"""So many records one after the other show whether their lengths repeat."""
_AHEAD, _MOST_AHEAD = 1_024, 65_536
"""So many records are looked at at once, at first and where all were as expected."""
_LENGTH = struct.Struct("<Q")

_HEAD, _TAIL = 12, 4
_MASK = 0xA282EAD8


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one length.

    Attributes:
        order: Places among all records of the file, shape (n,), ascending.
        content: Shape (n, length), uint8.
    """

    order: np.ndarray
    content: np.ndarray


class EventFile:
    """One event file, read once from its beginning.

    Attributes:
        damage: Where the file is damaged, after the last batch: the byte up to which it was read; ``None`` if it is
            whole. A last record that is not all there yet is no damage: whoever writes the file may be at it.
        size: In bytes, when it was opened.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.damage: int | None = None
        self.size = size
        self._file = file
        self._count = 0

    def batches(self) -> Iterator[list[Records]]:
        """All whole records up to the first damage, some megabytes at a time.

        Raises:
            OSError: If the file cannot be read.
        """
        base, rest = 0, b""
        while True:
            # What a writer adds meanwhile waits for the next time: the end shall come.
            block = self._file.read(max(0, min(_BLOCK, self.size - base - len(rest))))
            data = rest + block
            starts, at = _starts(data)
            end = len(data)
            found, bad = self._whole(data, starts)
            if found:
                yield found
            if bad is not None:
                self.damage = base + bad
                return
            if at + _HEAD <= end:
                head = np.frombuffer(data, dtype=np.uint8, count=_HEAD, offset=at)
                if not _has_checksum(head[None, :8], head[None, 8:])[0]:
                    self.damage = base + at
                    return
                length = _LENGTH.unpack_from(data, at)[0]
                if base + at + _HEAD + length + _TAIL > self.size:
                    return
                if length > _MOST_RECORD:
                    base += at + _HEAD + length + _TAIL
                    rest = b""
                    self._file.seek(base)
                    self._count += 1
                    continue
            if not block:
                return
            base, rest = base + at, data[at:]

    def _whole(self, data: bytes, starts: np.ndarray) -> tuple[list[Records], int | None]:
        """The records up to the first that is damaged, and where that begins."""
        if not len(starts):
            return [], None
        content = np.frombuffer(data, dtype=np.uint8)
        heads = _rows(content, starts, _HEAD)
        good = _has_checksum(heads[:, :8], heads[:, 8:])
        # A damaged length leads astray: nothing after it is where it seems to be.
        whole = len(good) if good.all() else int(np.argmin(good))
        length = heads[:whole, :8].copy().view("<u8")[:, 0].astype(np.int64)
        order = np.argsort(length, kind="stable")
        cuts = np.flatnonzero(np.diff(length[order])) + 1
        found: list[Records] = []
        for group in np.split(order, cuts) if whole else []:
            size = int(length[group[0]])
            if size > _MOST_RECORD:
                continue
            rows = _rows(content, starts[group] + _HEAD, size + _TAIL)
            if size <= _MOST_CHECKED:
                intact = _has_checksum(rows[:, :size], rows[:, size:])
                if not intact.all():
                    whole = min(whole, int(group[np.argmin(intact)]))
            found.append(Records(group, rows[:, :size]))
        damaged = int(starts[whole]) if whole < len(starts) else None
        kept = [
            Records(each.order[:many] + self._count, each.content[:many])
            for each in found
            if (many := int(np.searchsorted(each.order, whole)))
        ]
        self._count += whole
        return kept, damaged


def _starts(data: bytes) -> tuple[np.ndarray, int]:
    """Where the records in some bytes begin, as their lengths say, and where the last that is all there ends.

    Programs log the same metrics again and again: where the lengths of some records repeat, so do most that follow,
    which are then looked at all at once, up to the first that is another one.
    """
    content = np.frombuffer(data, dtype=np.uint8)
    found: list[np.ndarray] = []
    at, end, ahead = 0, len(data), _AHEAD
    while True:
        some: list[int] = []
        while at + _HEAD <= end and len(some) < _BY_HAND:
            after = at + _HEAD + _LENGTH.unpack_from(data, at)[0] + _TAIL
            if after > end:
                break
            some.append(at)
            at = after
        found.append(np.array(some, dtype=np.int64))
        if len(some) < _BY_HAND:
            return np.concatenate(found), at
        sizes = np.diff(np.append(found[-1], at))
        period = next((each for each in range(1, _BY_HAND // 2) if (sizes[each:] == sizes[:-each]).all()), 0)
        if not period:
            continue
        expected = np.resize(sizes[-period:], ahead)
        places = at + np.append(0, np.cumsum(expected))
        many = int(np.searchsorted(places, end, side="right")) - 1
        stated = _rows(content, places[:many], _HEAD)[:, :8].copy().view("<u8")[:, 0]
        differs = stated != (expected[:many] - _HEAD - _TAIL).astype(np.uint64)
        same = int(np.argmax(differs)) if differs.any() else many
        found.append(places[:same])
        at = int(places[same])
        ahead = min(2 * ahead, _MOST_AHEAD) if same == ahead else _AHEAD


def _rows(content: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Stretches of equal length, shape (n, length)."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(content, length)[starts])


def _byte_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> np.uint32(1)) ^ np.uint32(0x82F63B78), table >> np.uint32(1))
    return table


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """What each byte contributes to a CRC-32C, which is linear, and what the register's initial value does.

    Returns:
        By the number of bytes that follow and the byte's value, shape (_MOST_CHECKED, 256); by the number of bytes.
    """
    first = _byte_table()
    tables = np.empty((_MOST_CHECKED, 256), dtype=np.uint32)
    tables[0] = first
    starts = np.full(_MOST_CHECKED + 1, 0xFFFFFFFF, dtype=np.uint32)
    for at in range(1, _MOST_CHECKED):
        tables[at] = first[tables[at - 1] & np.uint32(255)] ^ (tables[at - 1] >> np.uint32(8))
    for at in range(1, _MOST_CHECKED + 1):
        starts[at] = first[starts[at - 1] & np.uint32(255)] ^ (starts[at - 1] >> np.uint32(8))
    return tables, starts


def _has_checksum(content: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """Which rows have the masked CRC-32C that stands behind them.

    Args:
        content: Shape (n, length), uint8.
        stored: Shape (n, 4), uint8, the lowest byte first.
    """
    rows, length = content.shape
    tables, starts = _tables()
    check = np.full(rows, starts[length], dtype=np.uint32)
    if rows >= _MANY:
        for at in range(length):
            check ^= tables[length - 1 - at][content[:, at]]
    else:
        check ^= np.bitwise_xor.reduce(tables[np.arange(length)[::-1], content], axis=1)
    check = ~check
    masked = ((check >> np.uint32(15)) | (check << np.uint32(17))) + np.uint32(_MASK)
    return np.asarray(masked == np.ascontiguousarray(stored).view("<u4")[:, 0])
