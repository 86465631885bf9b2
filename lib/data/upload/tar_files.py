"""Tar archives, packed or not: all headers are looked at before anything is unpacked."""

from __future__ import annotations

import tarfile
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from lib.data.upload.entries import Entry, Held, Kind, check_count, check_names, writing
from lib.data.upload.guarded import Guarded, damaged, packed_by, too_much, unpacked
from lib.data.upload.limits import MB
from lib.data.upload.names import parts_of
from lib.data.upload.refusals import UploadRefused, said

HEADERS_BYTES = 20 * MB
"""What the headers of the most files that may be take, besides the files."""


def plain_tar(file: BinaryIO, name: str, scratch: Path, most: int) -> tuple[BinaryIO, int]:
    """The archive without its packing: a tar has no directory, so that its headers lie between what it holds.

    Args:
        file: The archive.
        name: What it is called.
        scratch: A file that may be made.
        most: How many bytes may come of what it holds.

    Returns:
        What is read instead, and how many bytes it has. It is to be closed.

    Raises:
        UploadRefused: If it is damaged, or more than may be.
    """
    kind = packed_by(file)
    with writing():
        plain = scratch.open("x+b")
    try:
        pieces = unpacked(file, kind, name, most + HEADERS_BYTES) if kind else iter(partial(file.read, MB), b"")
        for piece in pieces:
            with writing():
                plain.write(piece)
        size = plain.tell()
        plain.seek(0)
    except BaseException:
        plain.close()
        raise
    return plain, size


def held_by(file: BinaryIO, size: int, name: str, most: int, most_entries: int, folder: Path) -> Held:
    """What a tar archive holds.

    Args:
        file: The archive without its packing; it must stay open as long as what it holds is read.
        size: How many bytes it has.
        name: What it is called.
        most: How many bytes may come of it.
        most_entries: How many files and folders may be in it.
        folder: Where it is unpacked to.

    Raises:
        UploadRefused: If it is none, or holds what may not be.
    """
    held, total, count, last = Held(), 0, 0, -1
    try:
        archive = tarfile.TarFile(
            fileobj=cast("BinaryIO", Guarded(file, size, name)), mode="r", encoding="utf-8", errors="surrogateescape"
        )
        while (member := archive.next()) is not None:
            # A header with a size below zero would lead back to what was read before, for ever.
            if member.offset <= last or member.size < 0:
                raise damaged(name)
            last, count = member.offset, count + 1
            check_count(count, most_entries, name)
            total += _take(held, archive, member, size, name, folder)
            if total > most:
                raise too_much(name)
    except UploadRefused:
        raise
    except Exception as error:  # What a damaged header makes the library raise is its own affair.
        raise UploadRefused(
            f"Expected {said(name)} to be a tar archive, found a file that cannot be read as one.",
            hint="Pack it or send it again.",
        ) from error
    check_names(held.entries, name)
    return held


def _take(held: Held, archive: tarfile.TarFile, member: tarfile.TarInfo, size: int, name: str, folder: Path) -> int:
    """Take a member, or leave it, and say how many bytes it has."""
    parts = parts_of(member.name, name)
    if not parts:
        return 0
    if member.issym() or member.islnk():
        held.leave(Kind.LINK, parts)
    elif member.isdir():
        held.take(Entry(parts))
    elif not member.isreg() or member.type == tarfile.CONTTYPE:
        held.leave(Kind.DEVICE, parts)
    elif member.issparse() or member.type == tarfile.GNUTYPE_SPARSE:
        held.leave(Kind.SPARSE, parts)
    elif member.offset_data + member.size > size:
        raise damaged(name)
    else:
        tarfile.data_filter(member, str(folder))
        held.take(Entry(parts, member.size, float(member.mtime), partial(_Member, archive, member, name)))
        return member.size
    return 0


class _Member:
    """A member that is read; what is wrong with it is said in our words."""

    def __init__(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        self._name = name
        self._file = archive.extractfile(member)

    def read(self, count: int, /) -> bytes:
        try:
            return self._file.read(count) if self._file is not None else b""
        except UploadRefused:
            raise
        except Exception as error:  # As above.
            raise damaged(self._name) from error
