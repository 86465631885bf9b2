"""What was found below a root: at one moment, and so far in a look that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.core.facts.query import Unreadable, Unused
from lib.data.folder.listing import Listed
from lib.data.folder.reading import Files
from lib.data.folder.scan import Scan
from lib.data.folder.units import FoundUnit, Unit
from lib.data.formats.logged import FilePath
from lib.data.trainer.hf_log import TRAINER_STATE


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


class Look:
    """How far one look is.

    Attributes:
        scan: What lies where.
        units, files: What was found so far, and where.
        fresh: What of it was read in this look and is not remembered on disk yet.
        passed: Files that may have been logs, and are none.
        is_bounded: What is remembered on disk is within its limits.
        is_final: Another look would come to the same, as long as nothing changes in the tree.
        publish_at: When what was found is to be listed next, by the monotonic clock.
    """

    def __init__(self, scan: Scan, publish_at: float) -> None:
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

    @property
    def looked_at(self) -> tuple[int, int]:
        """How many folders with logs of how many were looked at."""
        return self._of - len(self._left), self._of

    def take(self, unit: Unit, found: FoundUnit) -> None:
        """Take what was found in a unit."""
        self.units[unit] = found
        files = self.files[unit]
        self._left -= set(files.states) if files.states is not None else {path[:-1] for path in files.paths}
