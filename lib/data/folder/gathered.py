"""What was found below a root at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.core.facts.query import Unreadable, Unused
from lib.data.folder.listing import Listed
from lib.data.folder.reading import Files
from lib.data.folder.units import FoundUnit, Unit


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
    """

    listed: Listed = field(default_factory=Listed)
    files: Mapping[Unit, Files] = field(default_factory=dict)
    units: Mapping[Unit, FoundUnit] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    unused: tuple[Unused, ...] = ()
    looked_at: tuple[int, int] | None = None
