"""A format of the tests' own: ``.lines`` files with a step, a metric and a value in each line."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lib.data.formats.files import NotReadable, read_bytes
from lib.data.formats.logged import FilePath, Folder, LoggedRun, Reading, Series, Told, by_file


class LinesFormat:
    """Reads "10 loss 0.5"; a line that starts with a name and a colon is of the run of that name.

    Attributes:
        asked: The files that were read, in order.
        waits: Files by name whose reading waits for the event.
        works: Files by name whose reading is work for so many seconds, or until they are taken out of it.
    """

    title, reads, is_general = "Lines", ".lines files", False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waits: dict[str, threading.Event] = {}
        self.works: dict[str, float] = {}
        self.fails = False

    def matches(self, path: FilePath) -> bool:
        return path[-1].endswith(".lines")

    def units(self, files: Sequence[FilePath]) -> Mapping[Folder, Sequence[FilePath]]:
        return by_file(files)

    def read(self, root: Path, folder: Folder, files: Sequence[FilePath]) -> Reading | None:
        (path,) = files
        self.asked.append("/".join(path))
        if path[-1] in self.waits:
            self.waits[path[-1]].wait(60)
        began = time.monotonic()
        while time.monotonic() - began < self.works.get(path[-1], 0.0):
            pass
        if self.fails:
            raise KeyError("planted")
        try:
            text = read_bytes(root.joinpath(*path), 10**8).decode()
        except NotReadable as error:
            return Reading(unreadable=(Told(path, str(error)),))
        if not text.startswith("lines\n"):
            return None
        if text.endswith("broken"):
            return Reading(unreadable=(Told(path, "It is broken."),))
        found: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
        for line in text.splitlines()[1:]:
            name, _, rest = line.rpartition(":")
            step, metric, value = rest.split()
            found[name][metric].append((int(step), float(value)))
        runs = [
            LoggedRun(
                files=(path,),
                key=name,
                name=name,
                series={
                    metric: Series(np.array([step for step, _ in points]), np.array([value for _, value in points]))
                    for metric, points in own.items()
                },
            )
            for name, own in found.items()
        ]
        return Reading(tuple(runs), unused=() if runs else (Told(path, "A file without lines."),))


def write_lines(path: Path, *lines: str) -> Path:
    """Write such a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("lines", *lines)) + "\n")
    return path
