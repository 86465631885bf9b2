"""``python -m lib.data.folder.worker ROOT TOP``: reads trainings for another process, and says what it found.

Each line of its input is a JSON list of what a unit's files were when they were looked for (``asked_of``); for each it
writes a line with what was found (``to_text``), or an empty one where that cannot be said. It ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.data.folder.checkpoints import candidates
from lib.data.folder.reading import Files, UnitReader
from lib.data.folder.scan import Scan, Stamp
from lib.data.folder.units import to_text
from lib.data.formats.logged import Folder


def asked_of(folder: Folder, states: Mapping[Folder, Mapping[str, Stamp]], scan: Scan, sight: str) -> str:
    """A unit of trainings as a line of input: its files, and the checkpoints and weights in it."""
    below = scan.weights_below(folder)
    places = {folder, *states, *candidates(folder, scan), *below}
    return json.dumps(
        [
            folder,
            [(place, list(names.items())) for place, names in states.items()],
            [(place, list(scan.checkpoints[place])) for place in places if place in scan.checkpoints],
            [(place, list(scan.weights[place])) for place in below],
            sight,
        ]
    )


def answer_to(line: bytes, reader: UnitReader) -> str:
    """What is found in such a unit, as a line of output."""
    folder, states, checkpoints, weights, sight = json.loads(line)
    own: dict[Folder, Mapping[str, Stamp]] = {
        tuple(place): {name: _stamp(stamp) for name, stamp in names} for place, names in states
    }
    scan = Scan(
        own,
        {tuple(place): names for place, names in checkpoints},
        {tuple(place): names for place, names in weights},
        (),
    )
    found, _ = reader.read(tuple(folder), Files(scan, own), sight)
    return to_text(found) or ""


def _stamp(said: Any) -> Stamp:
    return None if said is None else (said[0], said[1], said[2])


def main() -> None:
    """Answer until there is no more input."""
    root, top = sys.argv[1:]
    reader = UnitReader(Path(root), top)
    # Who looks at pages goes first.
    os.nice(5)
    for line in sys.stdin.buffer:
        sys.stdout.write(answer_to(line, reader) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
