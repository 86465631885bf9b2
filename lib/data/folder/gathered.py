"""What was found below a root: at one moment, and so far in a look that goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lib.core.facts.query import Unreadable, Unused
from lib.data.folder.listing import Listed
from lib.data.folder.reading import Files
from lib.data.folder.scan import Scan, Stamp
from lib.data.folder.units import FoundUnit, Unit
from lib.data.formats.logged import EMPTY, FilePath, Format, Told
from lib.data.formats.text.file_names import may_be_log, should_be_written
from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.trainer.training_files import is_side_file


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything below the root at one moment. Never changed.

    Attributes:
        listed: The runs.
        files: Those of each unit, to read it again.
        units: What was found in each.
        unreadable: What could not be read.
        unused: What is no run.
        looked_at: How many folders of how many were looked at; ``None`` when all were.
        is_list: It is the list and nothing else, as it was remembered of the same tree: no units yet.
    """

    listed: Listed = field(default_factory=Listed)
    files: Mapping[Unit, Files] = field(default_factory=dict)
    units: Mapping[Unit, FoundUnit] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    unused: tuple[Unused, ...] = ()
    looked_at: tuple[int, int] | None = None
    is_list: bool = False


def scan_digest(scan: Scan) -> str:
    """Another text for anything else that lies there."""
    seen = hashlib.blake2b(repr((scan.unreadable, scan.looked_at)).encode(), digest_size=16)
    for part in (scan.files, scan.checkpoints, scan.weights, scan.matching, scan.stamps, scan.others):
        seen.update(f"{len(part)}\n".encode())
        for each in part.items():
            # One by one: to write out hundreds of thousands at once, no other thread would run for seconds.
            seen.update(f"{each!r}\n".encode())
    return seen.hexdigest()


def is_empty(stamp: Stamp) -> bool:
    """Whether a file holds nothing."""
    return stamp is not None and stamp[1] == 0


class Look:
    """How far one look is.

    Args:
        scan: What lies where.
        last: What the look before it came to.
        publish_at: As below.

    Attributes:
        scan: What lies where.
        units, files: What was found so far, and where.
        fresh: What of it was read in this look and is not remembered on disk yet.
        passed: Files that may have been logs, and are none.
        is_bounded: What is remembered on disk is within its limits.
        is_final: Another look would come to the same, as long as nothing changes in the tree.
        publish_at: When what was found is to be listed next, by the monotonic clock.
    """

    def __init__(self, scan: Scan, last: Gathered, publish_at: float) -> None:
        self.scan = scan
        self.units: dict[Unit, FoundUnit] = {}
        self.files: dict[Unit, Files] = {}
        self.fresh: dict[Unit, FoundUnit | str | None] = {}
        self.passed: list[FilePath] = []
        self.is_bounded = True
        self.is_final = True
        self.publish_at = publish_at
        logs = (folder for folder, names in scan.files.items() if TRAINER_STATE in names)
        self._left = {*logs, *(path[:-1] for path in scan.stamps)}
        self._of = len(self._left)
        self._empty = {path for path, stamp in scan.stamps.items() if is_empty(stamp)}
        # What was a log a moment ago may just be written anew: who read it then is asked, and nobody else.
        held = last.units.items() if self._empty else ()
        self._held = {path: unit.format for unit, found in held if found.forms for path in last.files[unit].paths}
        self._unasked: dict[FilePath, None] = {}

    @property
    def looked_at(self) -> tuple[int, int]:
        """How many folders with logs of how many were looked at."""
        return self._of - len(self._left), self._of

    def asked_of(self, each: Format) -> Sequence[FilePath]:
        """The files that a format is asked about: of those whose names many programs use, none that are empty."""
        paths = self.scan.matching.get(each.title, ())
        if not each.is_general or not self._empty:
            return paths
        self._unasked.update((path, None) for path in paths if path in self._empty and path not in self._held)
        return [path for path in paths if path not in self._empty or self._held.get(path) == each.title]

    def told_empty(self) -> Iterator[Told]:
        """Of each empty file that no format was asked about, or took, that it is, where somebody would wonder."""
        taken = {told.path for found in self.units.values() for told in (*found.unused, *found.unreadable)}
        return (Told(path, EMPTY) for path in self._unasked if path not in taken and _is_told(path[-1]))

    def pass_over(self, asked: Iterable[FilePath], taken: Collection[FilePath]) -> None:
        """Note the files that no format took, of those that some were asked about, and of the empty ones."""
        left = (path for path in dict.fromkeys((*asked, *self._unasked)) if path not in taken)
        told = {path for path in self._unasked if _is_told(path[-1])}
        self.passed = [path for path in left if path not in told and not is_side_file(path[-1])]

    def take(self, unit: Unit, files: Files, found: FoundUnit) -> None:
        """Take what was found in a unit, which consists of these files."""
        self.units[unit], self.files[unit] = found, files
        self._left -= set(files.states) if files.states is not None else {path[:-1] for path in files.paths}


def _is_told(name: str) -> bool:
    return not is_side_file(name) and (should_be_written(name) or not may_be_log(name))
