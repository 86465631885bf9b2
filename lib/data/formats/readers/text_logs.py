"""Logs of lines of text, as programs print them: nanoGPT, Megatron, torchtune, the Trainer's dictionaries, others."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from lib.data.formats.files import NotReadable
from lib.data.formats.logged import EMPTY, FilePath, Folder, LoggedRun, Reading, Told
from lib.data.formats.shown.opening import ends, opened
from lib.data.formats.shown.printed import printed_tables
from lib.data.formats.tables.printed import runs_of_cells
from lib.data.formats.text.file_names import age_of, may_be_log, should_be_written, whole_of
from lib.data.formats.text.lines import chunks, texts
from lib.data.formats.text.log import looks_like_log, runs_of

MAX_BYTES = 256 * 2**20
"""Of a log and its older parts: at 60 bytes a line some four million lines."""
MOST_OF_TABLES = 16 * 2**20
"""Nobody prints longer tables; longer files are not searched for them."""


class _TextLogs:
    title = "text log"
    reads = "lines with a step and its metrics (.log, .txt, .out, also packed as .gz), and the outputs of notebooks"
    is_general = True

    def matches(self, path: FilePath) -> bool:
        return may_be_log(path[-1])

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        """A file, with its older parts where a program began a new one now and then (``train.log.1``)."""
        found: dict[Folder, list[FilePath]] = {}
        for path in files:
            found.setdefault((*path[:-1], whole_of(path[-1])), []).append(path)
        return {folder: sorted(parts, key=lambda path: age_of(path[-1])) for folder, parts in found.items()}

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        unreadable: list[Told] = []
        logs: list[FilePath] = []
        parts: list[BinaryIO] = []
        left = MAX_BYTES
        is_written = False
        with contextlib.ExitStack() as stack:
            for path in sorted(files, key=lambda path: age_of(path[-1])):
                place = root.joinpath(*path)
                try:
                    begin_and_end, is_whole = ends(place, MAX_BYTES)
                    is_written = is_written or bool(begin_and_end.strip())
                    if not is_whole and not looks_like_log(begin_and_end):
                        continue
                    part = io.BytesIO(begin_and_end) if is_whole else stack.enter_context(opened(place, left))
                    left -= len(begin_and_end) if is_whole else part.seek(0, os.SEEK_END)
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
            runs = _printed(root.joinpath(*logs[0]), logs[0])
        if runs or unreadable:
            return Reading(runs, tuple(unreadable))
        return None if is_written or not should_be_written(files[0][-1]) else Reading(unused=(Told(files[0], EMPTY),))


def _printed(path: Path, file: FilePath) -> tuple[LoggedRun, ...]:
    """The runs in tables that were printed for people, where a file has no lines of a log."""
    try:
        with opened(path, MOST_OF_TABLES) as content:
            lines = [line for chunk in chunks(content) for line in texts(chunk)]
    except NotReadable:
        return ()
    return runs_of_cells(((each.names, each.rows) for each in printed_tables(lines)), file)


FORMAT = _TextLogs()
