"""``python -m lib.data.folder.processes.worker ROOT TOP``: reads units for another process, and says what it found.

Each line of its input says what a unit's files were when they were looked for (``asked_of``); for each it writes a line
with what was found (``to_text``), or an empty one where that cannot be said. After an empty line, and where it takes
longer, all that it found is on its way. Its first line says that it is there. It ends with its input.

With ``whole`` behind that it reads one unit, curves and all, and answers as ``lib.data.folder.processes.packed`` says.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.data.folder.checkpoints import candidates
from lib.data.folder.processes.packed import write
from lib.data.folder.reading import TRAINER, Files, UnitReader, side_places
from lib.data.folder.scan import Scan, Stamp
from lib.data.folder.units import to_text
from lib.data.formats.logged import Folder

STARTED = b"reads\n"
"""Its first line, as soon as it could answer."""
WHOLE = "whole"
"""Asks for one unit with its curves."""
TOLD_EVERY_S = 0.05
"""Each piece of an answer wakes whoever waits for it."""


def asked_of(folder: Folder, files: Files, sight: str) -> str:
    """A unit as a line of input: its files and those beside them, and the checkpoints and weights in it."""
    scan = files.scan
    if files.states is None:
        beside = {place: scan.files[place] for place in side_places(files.paths, scan) if place in scan.files}
        title = "" if files.format is None else files.format.title
        stamps = [(path, scan.stamps.get(path)) for path in files.paths]
        return json.dumps([folder, title, sight, _items(beside), [], [], stamps])
    below = scan.weights_below(folder)
    places = {folder, *files.states, *candidates(folder, scan), *below}
    checkpoints = [(place, list(scan.checkpoints[place])) for place in places if place in scan.checkpoints]
    weights = [(place, list(scan.weights[place])) for place in below]
    return json.dumps([folder, TRAINER, sight, _items(files.states), checkpoints, weights, []])


def answer_to(line: bytes, reader: UnitReader) -> str:
    """What is found in such a unit, as a line of output."""
    asked = _asked(line)
    if asked is None:
        return ""
    found, _ = reader.read(*asked, facts_only=True)
    return to_text(found) or ""


def _asked(line: bytes) -> tuple[Folder, Files, str] | None:
    """What ``asked_of`` says: folder, files and sight; ``None`` of a format that is not known here."""
    folder, title, sight, states, checkpoints, weights, stamps = json.loads(line)
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
    if title == TRAINER:
        return tuple(folder), Files(scan, own), sight
    # A state of a Trainer needs none of the readers, and the first answer comes sooner without.
    from lib.data.formats.registry import formats

    known = next((each for each in formats() if each.title == title), None)
    if known is None:
        return None
    return tuple(folder), Files(scan, None, known, tuple(tuple(path) for path, _ in stamps)), sight


def _items(files: Mapping[Folder, Mapping[str, Stamp]]) -> list[tuple[Folder, list[tuple[str, Stamp]]]]:
    return [(place, list(names.items())) for place, names in files.items()]


def _stamp(said: Any) -> Stamp:
    return None if said is None else (said[0], said[1], said[2])


def main() -> None:
    """Answer until there is no more input."""
    root, top, *how = sys.argv[1:]
    reader = UnitReader(Path(root), top)
    # Parsed logs hold no circles: to look for some after every few rows is a good part of the work.
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
    # Who looks at pages goes first.
    os.nice(5)
    if how == [WHOLE]:
        asked = _asked(sys.stdin.buffer.readline())
        if asked is not None:
            write(sys.stdout.buffer, *reader.read(*asked), time.process_time())
        return
    try:
        sys.stdout.buffer.write(STARTED)
        sys.stdout.flush()
        told = time.monotonic()
        answers: list[str] = []
        for line in sys.stdin.buffer:
            if line != b"\n":
                answers.append(answer_to(line, reader))
            if line == b"\n" or time.monotonic() - told > TOLD_EVERY_S:
                sys.stdout.buffer.write("".join(f"{each}\n" for each in answers).encode())
                sys.stdout.flush()
                answers.clear()
                told = time.monotonic()
    except (BrokenPipeError, KeyboardInterrupt):
        # Who asked is gone. What is left to write would only fail once more.
        os._exit(0)


if __name__ == "__main__":
    main()
