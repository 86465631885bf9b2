"""Logs of lines of text, as programs print them: nanoGPT, Megatron, torchtune, the Trainer's dictionaries, others."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from lib.data.formats.files import NotReadable, open_regular
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Told
from lib.data.formats.tables.printed import table_of_cells
from lib.data.formats.tables.runs import runs_of as table_runs
from lib.data.formats.tables.table import NoTable
from lib.data.formats.text.file_names import EMPTY, NOT_LOGS, should_be_written
from lib.data.formats.text.lines import chunks, texts
from lib.data.formats.text.log import looks_like_log, runs_of
from lib.data.formats.text.notebooks import NoNotebook, outputs_of
from lib.data.formats.text.printed import printed_tables

MAX_BYTES = 256 * 2**20
"""Of a log and its older parts: at 60 bytes a line some four million lines."""
MOST_OF_TABLES = 16 * 2**20
"""Nobody prints longer tables; longer files are not searched for them."""
HEAD, TAIL = 2**20, 2**18
"""What is looked at to tell a log: programs that print their source and settings first print some 100 kB."""

_NAMES = re.compile(
    r"(?:(?:.+\.)?(?:log|txt|out|err)|(?:.*[-_.])?(?:stdout|stderr|nohup|log))(?:\.gz)?|.+\.ipynb", re.IGNORECASE
)
_PART = re.compile(
    r"(?P<name>.+\.(?:log|txt|out|err)|stdout|stderr|nohup)"
    r"[.-](?:(?P<number>\d{1,4})|(?P<day>\d{4}-?\d\d-?\d\d(?:[_T-]\d\d(?:[-:]?\d\d){0,2})?))(?:\.gz)?",
    re.IGNORECASE,
)
"""A part of a log that a newer one took the place of: "train.log.1", "train.log.2026-01-31", "train.log-20260131.gz"."""


class _TextLogs:
    title = "text log"
    reads = "lines with a step and its metrics (.log, .txt, .out, also packed as .gz), and the outputs of notebooks"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        name = path[-1]
        return bool(_NAMES.fullmatch(name) or _PART.fullmatch(name)) and not NOT_LOGS.fullmatch(name)

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """A file, with its older parts where a program began a new one now and then (``train.log.1``)."""
        found: dict[Folder, list[FilePath]] = {}
        for path in files:
            part = _PART.fullmatch(path[-1])
            packed = re.sub(r"\.gz$", "", path[-1], flags=re.IGNORECASE)
            found.setdefault((*path[:-1], part["name"] if part else packed), []).append(path)
        return {folder: sorted(parts, key=_age) for folder, parts in found.items()}

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        unreadable: list[Told] = []
        logs: list[FilePath] = []
        parts: list[BinaryIO] = []
        left = MAX_BYTES
        is_written = False
        with contextlib.ExitStack() as opened:
            for path in sorted(files, key=_age):
                place = root.joinpath(*path)
                try:
                    ends, is_whole = _ends(place)
                    is_written = is_written or bool(ends.strip())
                    if not is_whole and not looks_like_log(ends):
                        continue
                    part = io.BytesIO(ends) if is_whole else opened.enter_context(_opened(place, left))
                    left -= len(ends) if is_whole else part.seek(0, os.SEEK_END)
                    part.seek(0)
                except NotReadable as error:
                    unreadable.append(Told(path, str(error)))
                    continue
                parts.append(part)
                logs.append(path)
            try:
                runs = runs_of(reversed(parts), tuple(logs)) if logs else ()
            except OSError:
                return Reading((), (*unreadable, *(Told(path, "The file could not be read.") for path in logs)))
        if not runs and len(logs) == 1:
            runs = tuple(_printed(root.joinpath(*logs[0]), logs[0]))
        if runs or unreadable:
            return Reading(runs, tuple(unreadable))
        return None if is_written or not should_be_written(files[0][-1]) else Reading(unused=(Told(files[0], EMPTY),))


def _printed(path: Path, file: FilePath) -> list[LoggedRun]:
    """The runs in tables that were printed for people, where a file has no lines of a log."""
    try:
        with _opened(path, MOST_OF_TABLES) as opened:
            lines = [line for chunk in chunks(opened) for line in texts(chunk)]
    except NotReadable:
        return []
    found: list[LoggedRun] = []
    for each in printed_tables(lines):
        with contextlib.suppress(NoTable):
            found += table_runs(table_of_cells(each.names, each.rows), file)
    if len(found) < 2:
        return found
    return [
        replace(run, key="" if number == 1 else str(number), name=f"{file[-1]}, table {number}")
        for number, run in enumerate(found, 1)
    ]


def _age(path: FilePath) -> tuple[bool, int]:
    """Sorts the newest part first: that without a number or a day, then the lowest number or the latest day."""
    part = _PART.fullmatch(path[-1])
    if part is None:
        return False, 0
    return True, int(part["number"]) if part["number"] else -int(re.sub(r"\D", "", part["day"]).ljust(14, "0"))


def _opened(path: Path, limit: int) -> BinaryIO:
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


def _ends(path: Path) -> tuple[bytes, bool]:
    """The beginning of a file and its end, and whether that is all of it."""
    with _opened(path, MAX_BYTES if path.suffix.lower() in (".gz", ".ipynb") else 2**62) as file:
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


FORMAT = _TextLogs()
