"""Zip archives: their directory is held against the limits and against the file itself before anything is unpacked."""

from __future__ import annotations

import stat
import zipfile
from calendar import timegm
from functools import partial
from typing import BinaryIO, cast

from lib.data.upload.entries import Entry, Held, Kind, check_count, check_names
from lib.data.upload.guarded import Guarded, damaged, grows, too_much
from lib.data.upload.limits import MOST_RATIO, RATIO_FROM_BYTES
from lib.data.upload.names import parts_of
from lib.data.upload.refusals import UploadRefused, said

LOCAL_HEADER = 30
"""Bytes before a member, at least."""
DIRECTORY_HEADER = 46
"""The same of what the directory says of it."""
END, LEAST_END, LONGEST_END = b"PK\5\6", 22, 22 + 2**16
"""How the end of an archive begins, and the bytes that it has at least and at most: a remark may follow."""
ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flags of members, and of directories, that need a password."""
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The ways of packing that every program has. Others make much of little before anybody can stop them."""


def held_by(file: BinaryIO, size: int, name: str, most: int, most_entries: int) -> Held:
    """What a zip archive holds.

    Args:
        file: The archive; it must stay open as long as what it holds is read.
        size: How many bytes it has.
        name: What it is called.
        most: How many bytes may come of it.
        most_entries: How many files and folders may be in it.

    Raises:
        UploadRefused: If it is none, or holds what may not be.
    """
    # A directory of very many is larger than any that is read, and this is what is wrong with it.
    check_count(_said_to_hold(file, size), most_entries, name)
    try:
        archive = zipfile.ZipFile(cast("BinaryIO", Guarded(file, size, name)))
        members = archive.infolist()
    except UploadRefused:
        raise
    except Exception as error:  # What a damaged directory makes the library raise is its own affair.
        raise UploadRefused(
            f"Expected {said(name)} to be a zip archive, found a file that cannot be read as one.",
            hint="Pack it or send it again.",
        ) from error
    check_count(len(members), most_entries, name)
    _check_places(members, archive.start_dir, name)
    held = Held()
    for member in members:
        parts = parts_of(member.orig_filename, name)
        mode = stat.S_IFMT(member.external_attr >> 16)
        if not parts:
            continue
        if member.flag_bits & ENCRYPTED:
            raise UploadRefused(
                f"Expected {said(name)} to be readable, found that it needs a password.", hint="Pack it without one."
            )
        if mode == stat.S_IFLNK:
            held.leave(Kind.LINK, parts)
        elif mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            held.leave(Kind.DEVICE, parts)
        elif member.is_dir() or member.orig_filename.endswith("\\") or mode == stat.S_IFDIR:
            held.take(Entry(parts))
        elif member.compress_type not in METHODS:
            raise UploadRefused(
                f'Expected {said(name)} to be packed as zip usually is ("deflate"), found another way of packing.',
                hint="Pack it with the system's own program, or as tar.gz.",
            )
        else:
            if member.file_size > RATIO_FROM_BYTES and member.file_size > MOST_RATIO * member.compress_size:
                raise grows(name)
            opened = partial(_Member, archive, member, name)
            held.take(Entry(parts, member.file_size, _written(member), opened))
    if held.size > most:
        raise too_much(name)
    check_names(held.entries, name)
    return held


def _said_to_hold(file: BinaryIO, size: int) -> int:
    """How many entries the end of an archive says that it has, at most as many as have room; 0 for no end."""
    file.seek(max(0, size - LONGEST_END))
    end = file.read(LONGEST_END)
    file.seek(0)
    at = end.rfind(END, 0, len(end) - LEAST_END + len(END))
    said_to_hold = int.from_bytes(end[at + 10 : at + 12], "little") if at >= 0 else 0
    return min(said_to_hold, size // (LOCAL_HEADER + DIRECTORY_HEADER))


class _Member:
    """A member that is read; what is wrong with it is said in our words."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
        self._name = name
        try:
            self._file = archive.open(member)
        except UploadRefused:
            raise
        except Exception as error:  # As above.
            raise damaged(name) from error

    def read(self, count: int, /) -> bytes:
        try:
            return self._file.read(count)
        except UploadRefused:
            raise
        except Exception as error:  # As above.
            raise damaged(self._name) from error


def _check_places(members: list[zipfile.ZipInfo], start_of_directory: int, name: str) -> None:
    """See that no member lies in another one: so a small file would unpack to a large one over and over.

    Raises:
        UploadRefused: If one does.
    """
    places = sorted((member.header_offset, member.compress_size) for member in members)
    ends = [offset + LOCAL_HEADER + packed for offset, packed in places]
    starts = [*(offset for offset, _ in places[1:]), start_of_directory]
    if any(end > start for end, start in zip(ends, starts, strict=False)):
        raise UploadRefused(
            f"Expected the files in {said(name)} to lie behind each other, found some that lie in others.",
            hint="Pack the folder of the runs anew.",
        )


def _written(member: zipfile.ZipInfo) -> float | None:
    """When it was written: zip says so without a zone, which is taken for UTC."""
    try:
        return float(timegm((*member.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        return None
