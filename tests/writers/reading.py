"""What the readers make of a place that a program logged to."""

from __future__ import annotations

from pathlib import Path

from lib.data.formats.logged import Format, LoggedRun
from tests.data.formats.reading import readings


def runs_in(format_: Format, place: Path) -> dict[str, LoggedRun]:
    """The runs of a place by name, or by the folder that names them; nothing of it is unreadable or unused."""
    found: dict[str, LoggedRun] = {}
    for folder, reading in readings(format_, place).items():
        assert reading.unreadable == ()
        assert reading.unused == ()
        for run in reading.runs:
            name = run.name or folder.rpartition("/")[2]
            assert name not in found
            found[name] = run
    return found
