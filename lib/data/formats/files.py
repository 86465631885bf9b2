"""Opening files that somebody else's program wrote, and may be writing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LFS_POINTER = b"version https://git-lfs"
_ONLY_POINTER = "The file is only a Git LFS pointer: its content was not fetched (git lfs pull)."


class NotReadable(Exception):
    """Why a file cannot be read, in one sentence for people."""


def open_regular(path: Path, most: int) -> BinaryIO:
    """A regular file, opened for what is too large to be held whole; the caller closes it.

    Args:
        path: Where it lies; a link to a regular file counts as one.
        most: Larger files are refused, in bytes.

    Raises:
        NotReadable: If it is none, too large, a Git LFS pointer, or cannot be opened.
    """
    file = os.fdopen(_opened(path, most)[0], "rb")
    try:
        if file.peek(len(LFS_POINTER)).startswith(LFS_POINTER):
            raise NotReadable(_ONLY_POINTER)
    except OSError as error:
        file.close()
        raise NotReadable(_why_not_opened(path, error)) from error
    except NotReadable:
        file.close()
        raise
    return file


def _opened(path: Path, most: int) -> tuple[int, int]:
    """The descriptor of a regular file, and how many bytes it has; raises as ``open_regular``."""
    try:
        # A device or a pipe would answer when it likes, and so would a file that another program has leased. What
        # it is is asked of what was opened: a name may be given to something else at any moment.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise NotReadable(_why_not_opened(path, error)) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotReadable("Expected a file, found a folder or a device.")
        if found.st_size > most:
            raise NotReadable(
                f"The file has {found.st_size / 2**20:,.0f} MB; files above {most / 2**20:,.0f} MB are not read."
            )
        if not found.st_size:
            # Files of the system say that they are empty, and then go on for ever, or wait for something to say.
            null = os.open(os.devnull, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            os.dup2(null, descriptor, inheritable=False)
            os.close(null)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found.st_size


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file.

    Args:
        path: Where it lies; a link to a regular file counts as one.
        most: Larger files are refused, in bytes.

    Raises:
        NotReadable: If it is none, too large, a Git LFS pointer, or cannot be opened.
    """
    descriptor, left = _opened(path, most)
    read: list[bytes] = []
    try:
        # No more than it had: what grows faster than it is read would have no end.
        while left and (part := os.read(descriptor, left)):
            read.append(part)
            left -= len(part)
    except OSError as error:
        raise NotReadable(_why_not_opened(path, error)) from error
    finally:
        os.close(descriptor)
    content = read[0] if len(read) == 1 else b"".join(read)
    if content.startswith(LFS_POINTER):
        raise NotReadable(_ONLY_POINTER)
    return content


def _why_not_opened(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Permission denied."
    if path.is_symlink() and error.errno in (errno.ENOENT, errno.ELOOP):
        return "It is a link that leads to no file."
    return f"The file could not be opened: {os.strerror(error.errno) if error.errno else error}."
