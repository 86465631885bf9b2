"""Files of text opened: as they are, unpacked, or what a notebook shows."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from lib.data.formats.files import NotReadable, open_regular
from lib.data.formats.shown.notebooks import NoNotebook, outputs_of
from lib.data.formats.shown.printed import printed_tables

HEAD, TAIL = 2**20, 2**18
"""What is looked at to tell a log: programs that print their source and settings first print some 100 kB."""


def opened(path: Path, limit: int) -> BinaryIO:
    """A file to be read from its beginning; of one that was packed what is in it.

    Raises:
        NotReadable: If it cannot be read, or holds more bytes than the limit.
    """
    file = open_regular(path, limit)
    kind = path.suffix.lower()
    if kind == ".ipynb":
        with file:
            return io.BytesIO(_shown(file.read(limit)))
    if kind != ".gz":
        return file
    try:
        with file, gzip.GzipFile(fileobj=file) as packed:
            data = packed.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotReadable("The file could not be unpacked: expected gzip; it may be damaged or cut off.") from error
    if len(data) > limit:
        raise NotReadable(f"The file holds more than {limit / 2**20:,.0f} MB when unpacked; larger logs are not read.")
    return io.BytesIO(data)


def _shown(notebook: bytes) -> bytes:
    """What a notebook shows: its tables where there are any, as what is printed beside them is of the same training."""
    try:
        tables, printed = outputs_of(notebook)
    except NoNotebook as error:
        raise NotReadable(str(error)) from error
    return (tables if any(True for _ in printed_tables(tables.splitlines())) else printed).encode()


def ends(path: Path, most: int) -> tuple[bytes, bool]:
    """The beginning of a file and its end, and whether that is all of it.

    Args:
        path: Where it lies.
        most: Of what has to be unpacked first, in bytes.

    Raises:
        NotReadable: If it cannot be read.
    """
    with opened(path, most if path.suffix.lower() in (".gz", ".ipynb") else 2**62) as file:
        try:
            begin = file.read(HEAD)
            size = file.seek(0, os.SEEK_END)
            file.seek(len(begin))
            if size <= HEAD + TAIL:
                return begin + file.read(TAIL), True
            file.seek(size - TAIL)
            return begin + b"\n" + file.read(TAIL), False
        except OSError as error:
            raise NotReadable("The file could not be read.") from error
