"""The frames of a W&B run file, in the log format of LevelDB."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from lib.data.formats.files import NotReadable

_HEADER = b":W&B\xe1\xbe\x00"
_BLOCK = 32_768
_MOST_RECORD = 64 * 2**20
_WHOLE, _FIRST, _LAST = 1, 2, 4
_TYPE_CHECKS = [zlib.crc32(bytes([kind])) if _WHOLE <= kind <= _LAST else 0 for kind in range(256)]
_FRAME = struct.Struct("<IHB")


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
        unpack, crc32, checks = _FRAME.unpack_from, zlib.crc32, _TYPE_CHECKS
        for base in range(0, self._size, _BLOCK):
            block = self._file.read(min(_BLOCK, self._size - base))
            at = 0
            if base == 0:
                if not block.startswith(_HEADER):
                    raise NotReadable("Expected a run file of Weights & Biases, found something else.")
                at = len(_HEADER)
            size = len(block)
            while at + 7 <= size:
                check, length, kind = unpack(block, at)
                after = at + 7 + length
                if kind == 0 and length == 0:
                    break  # Room that was set aside.
                if after > size and size < _BLOCK:
                    return
                content = block[at + 7 : after]
                if after > size or crc32(content, checks[kind]) != check:
                    self.damage = base + at if self.damage is None else self.damage
                    parts = None
                    break
                at = after
                if kind == _WHOLE:
                    parts = None
                    yield content
                    continue
                if kind == _FIRST:
                    parts = []
                if parts is None:
                    continue
                parts.append(content)
                if kind == _LAST:
                    yield b"".join(parts)
                    parts = None
                elif len(parts) * _BLOCK > _MOST_RECORD:
                    parts = None  # A table or a picture.
            if size < _BLOCK:
                return
