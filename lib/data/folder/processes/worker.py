"""``python -m lib.data.folder.processes.worker ROOT TOP``: reads units for another process, and says what it found.

Each line of its input says what a unit's files were when they were looked for (``asked_of``); for each it writes a line
with what was found (``to_text``), or an empty one where that cannot be said. After an empty line, and where it takes
longer, all that it found is on its way. Its first line says that it is there. It ends with its input.

With ``whole`` behind that, and the number of a descriptor, it reads units, curves and all, until one is of its format
after all, and answers as ``lib.data.folder.processes.packed`` says.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lib.data.folder.beside import side_places
from lib.data.folder.checkpoints import candidates
from lib.data.folder.memory.texts import to_text
from lib.data.folder.processes.packed import write
from lib.data.folder.reading import TRAINER, Files, UnitReader
from lib.data.folder.scan import Scan, Stamp
from lib.data.formats.logged import Folder
from lib.data.formats.registry import format_of, module_of

STARTED = b"reads\n"
"""Its first line, as soon as it could answer."""
WHOLE = "whole"
"""Asks for units with their curves."""
TOLD_EVERY_S = 0.05
"""Each piece of an answer wakes whoever waits for it."""
MOST_TOGETHER = 32
"""Logs of so many units are read together: of more, that would be no quicker."""


def asked_of(folder: Folder, files: Files, sight: str) -> str:
    """A unit as a line of input: its files and those beside them, and the checkpoints and weights in it."""
    scan = files.scan
    if files.states is None:
        beside = {place: scan.files[place] for place in side_places(files.paths, scan) if place in scan.files}
        read_by = "" if files.format is None else module_of(files.format)
        stamps = [(path, scan.stamps.get(path)) for path in files.paths]
        return json.dumps([folder, read_by, sight, _items(beside), [], [], stamps])
    below = scan.weights_below(folder)
    places = {folder, *files.states, *candidates(folder, scan), *below}
    checkpoints = [(place, list(scan.checkpoints[place])) for place in places if place in scan.checkpoints]
    weights = [(place, list(scan.weights[place])) for place in below]
    return json.dumps([folder, TRAINER, sight, _items(files.states), checkpoints, weights, []])


class Asked(NamedTuple):
    """A unit that was asked for; ``files`` are ``None`` where nobody here reads them."""

    folder: Folder
    files: Files | None
    sight: str


def asked_in(line: bytes) -> Asked:
    """The unit of such a line."""
    folder, read_by, sight, states, checkpoints, weights, stamps = json.loads(line)
    own: dict[Folder, Mapping[str, Stamp]] = {
        tuple(place): {name: _stamp(stamp) for name, stamp in names} for place, names in states
    }
    scan = Scan(
        own,
        {tuple(place): names for place, names in checkpoints},
        {tuple(place): names for place, names in weights},
        (),
        stamps={tuple(path): _stamp(stamp) for path, stamp in stamps},
    )
    if read_by == TRAINER:
        return Asked(tuple(folder), Files(scan, own), sight)
    known = format_of(read_by)
    paths = tuple(tuple(path) for path, _ in stamps)
    return Asked(tuple(folder), None if known is None else Files(scan, None, known, paths), sight)


def answer_to(asked: Asked, reader: UnitReader) -> str:
    """What is found in a unit, as a line of output."""
    if asked.files is None:
        return ""
    found, _ = reader.read(asked.folder, asked.files, asked.sight, facts_only=True)
    return to_text(found) or ""


def _items(files: Mapping[Folder, Mapping[str, Stamp]]) -> list[tuple[Folder, list[tuple[str, Stamp]]]]:
    return [(place, list(names.items())) for place, names in files.items()]


def _stamp(said: Any) -> Stamp:
    return None if said is None else (said[0], said[1], said[2])


def _together(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines of which the logs are read together: some at a time, and never beyond an empty one."""
    some: list[bytes] = []
    for line in lines:
        some.append(line)
        if line == b"\n" or len(some) == MOST_TOGETHER:
            yield some
            some = []


def _tell(answers: list[str]) -> float:
    """Write answers, and forget them; when that was, by the monotonic clock."""
    sys.stdout.buffer.write("".join(f"{each}\n" for each in answers).encode())
    sys.stdout.flush()
    answers.clear()
    return time.monotonic()


def _read_whole(reader: UnitReader, place: int) -> None:
    """Read units with their curves, until one is what it was taken for: what that took goes with this process."""
    for line in sys.stdin.buffer:
        asked = asked_in(line)
        if asked.files is None:
            return
        found, curves = reader.read(asked.folder, asked.files, asked.sight)
        if not write(sys.stdout.buffer, place, found, curves, time.process_time()) or found.is_read:
            return


def main() -> None:
    """Answer until there is no more input."""
    root, top, *how = sys.argv[1:]
    reader = UnitReader(Path(root), top)
    # Parsed logs hold no circles: to look for some after every few rows is a good part of the work.
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    # Who looks at pages goes first.
    os.nice(5)
    if how[:1] == [WHOLE]:
        _read_whole(reader, int(how[1]))
        return
    try:
        sys.stdout.buffer.write(STARTED)
        sys.stdout.flush()
        told = time.monotonic()
        answers: list[str] = []
        for lines in _together(sys.stdin.buffer):
            together = [asked_in(line) for line in lines if line != b"\n"]
            reader.read_ahead(each.files for each in together if each.files is not None)
            for each in together:
                answers.append(answer_to(each, reader))
                if time.monotonic() - told > TOLD_EVERY_S:
                    told = _tell(answers)
            if lines[-1] == b"\n":
                told = _tell(answers)
    except (BrokenPipeError, KeyboardInterrupt):
        # Who asked is gone. What is left to write would only fail once more.
        os._exit(0)


if __name__ == "__main__":
    main()
