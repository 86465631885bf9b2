"""What was found in the files of one unit, without its curves: small enough to keep of all, and to remember on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lib.core.facts.runs import RunSummary
from lib.data.formats.logged import FilePath, Folder, Told
from lib.data.trainer.log_marks import LogMark


@dataclass(frozen=True, slots=True)
class FoundForm:
    """One run in one form, as it was read.

    Attributes:
        folder, format, files, key, identity, name, parent: As in ``lib.data.formats.assembly.Form``.
        run: Its facts, under a provisional id and name.
        metrics: How many points each of its curves has, by the names that these have there.
        seen: Another text whenever anything else was seen of it.
        run_id: Its identity, where its format gives one; else "".
        label: The names that tell it from others in the same folder; "" for the only one there.
        mark: Of a log whose copies are looked for.
    """

    folder: Folder
    format: str
    files: tuple[FilePath, ...]
    key: str
    identity: str
    name: str
    parent: str
    run: RunSummary
    metrics: Mapping[str, int]
    seen: str
    run_id: str = ""
    label: str = ""
    mark: LogMark | None = None


@dataclass(frozen=True, slots=True)
class FoundUnit:
    """What was found in the files of a unit.

    Attributes:
        sight: Names what was there to see: as long as it stays, nothing is read again.
        forms: The runs.
        unreadable: Files that could not be read.
        unused: Files that hold nothing that can be shown.
        is_read: False where the files are not of the format after all.
        is_settled: False where another try may give more, though no file changes.
    """

    sight: str
    forms: tuple[FoundForm, ...] = ()
    unreadable: tuple[Told, ...] = ()
    unused: tuple[Told, ...] = ()
    is_read: bool = True
    is_settled: bool = True


class Unit(NamedTuple):
    """Files that are read together.

    Attributes:
        format: The title of what reads them.
        folder: Names their run or runs.
    """

    format: str
    folder: Folder
