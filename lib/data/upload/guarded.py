"""Reading files that lie about themselves: no read is larger, and all reads together are no more, than is honest."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from lib.data.upload.limits import MB, MOST_RATIO, RATIO_FROM_BYTES, TOTAL_MB
from lib.data.upload.refusals import UploadRefused, said

LARGEST_READ = 4 * MB
"""Of one read. The directory of a zip with the most files that may be is smaller, and so is any header of a tar."""
READS, SLACK = 4, 16 * MB
"""All reads together: so many times the file, and this besides. A reader that goes in circles ends there."""
LEAST_READ = 256
"""What a read counts as at least."""
CHUNK = 256 * 1024
MOST_STREAMS = 10_000
"""Packed streams that one file may consist of: programs that pack on several cores make one for each megabyte."""
XZ_MEMORY = 128 * MB
"""What unpacking may take; the most thorough setting of ``xz`` takes 65 MB."""


class Guarded:
    """A file for a library to read in: each of its reads is held against the limits above.

    Args:
        file: What is read.
        size: How many bytes it has.
        name: What it is called, for messages.
    """

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file, self._size, self._name = file, size, name
        self._left = READS * size + SLACK

    def read(self, count: int | None = -1) -> bytes:
        """As a file's.

        Raises:
            UploadRefused: If more is asked for than an honest file makes a reader ask for.
        """
        rest = max(self._size - self._file.tell(), 0)
        wanted = rest if count is None or count < 0 else count
        # Reads that give nothing count too, or whoever waits for more at the end would do so for ever.
        self._left -= max(min(wanted, rest), LEAST_READ)
        if wanted > LARGEST_READ or self._left < 0:
            raise UploadRefused(
                f"Expected {said(self._name)} to be an archive of logs, found headers that are larger than any.",
                hint="Pack the folder of the runs anew.",
            )
        return self._file.read(min(wanted, rest))

    def seek(self, offset: int, whence: int = 0) -> int:
        """As a file's."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As a file's."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Leave the file to whoever opened it."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """A gzip stream in the manner of the other two: what does not fit into an answer comes with the next."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


STARTS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
"""What packed files begin with."""


def packed_by(file: BinaryIO) -> str:
    """What a file is packed by, by its first bytes; "" for nothing known. The file is at its beginning afterwards."""
    file.seek(0)
    start = file.read(6)
    file.seek(0)
    return next((kind for sign, kind in STARTS.items() if start.startswith(sign)), "")


def unpacked(file: BinaryIO, kind: str, name: str, most: int) -> Iterator[bytes]:
    """What a packed file holds, a piece at a time.

    Args:
        file: At its beginning.
        kind: A value of ``STARTS``.
        name: What it is called, for messages.
        most: How many bytes may come of it.

    Raises:
        UploadRefused: If more comes of it, if it grows more than logs do, or if it is damaged.
    """
    taken = made = streams = 0
    stream: _Unpacker | None = None
    rest = b""
    while True:
        data = rest
        if not data:
            data = file.read(CHUNK)
            taken += len(data)
        if not data:
            break
        rest = b""
        if stream is None:
            # Some programs fill the file up with zeros.
            data = data.lstrip(b"\0")
            if not data:
                continue
            if streams and not any(data[:1] == sign[:1] for sign in STARTS):
                return
            stream, streams = _stream(kind), streams + 1
            if streams > MOST_STREAMS:
                raise damaged(name)
        try:
            for piece in _pieces(stream, data):
                made += len(piece)
                _hold(name, taken, made, most)
                yield piece
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise damaged(name) from error
        if stream.eof:
            rest, stream = stream.unused_data, None
    if stream is not None or not streams:
        raise damaged(name)


def _pieces(stream: _Unpacker, data: bytes) -> Iterator[bytes]:
    while True:
        piece = stream.decompress(data, CHUNK)
        data = b""
        if piece:
            yield piece
        if stream.eof or len(piece) < CHUNK:
            return


def _hold(name: str, taken: int, made: int, most: int) -> None:
    if made > most:
        raise too_much(name)
    if made > RATIO_FROM_BYTES and made > MOST_RATIO * taken:
        raise grows(name)


def too_much(name: str) -> UploadRefused:
    """What unpacks to more than may be."""
    return UploadRefused(
        f"Expected at most {TOTAL_MB} MB of all uploaded files together, unpacked; {said(name)} has more than is left.",
        hint="Leave out weights and other large files, or remove an upload.",
    )


def grows(name: str) -> UploadRefused:
    """What is packed more tightly than logs can be."""
    return UploadRefused(
        f"Expected {said(name)} to grow at most {MOST_RATIO} times when it is unpacked, found more: no log does.",
        hint="Leave out files that are filled with one value.",
    )


def damaged(name: str) -> UploadRefused:
    """What cannot be unpacked."""
    return UploadRefused(
        f"Expected {said(name)} to be whole, found a file that is damaged or ends too early.",
        hint="Pack it or send it again.",
    )


def _stream(kind: str) -> _Unpacker:
    if kind == "gzip":
        return _Gzip()
    return bz2.BZ2Decompressor() if kind == "bzip2" else lzma.LZMADecompressor(memlimit=XZ_MEMORY)
