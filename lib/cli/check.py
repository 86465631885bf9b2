"""``check``: whether a decision on record would be made again, of what is there now."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from lib.cli.compared import read
from lib.cli.sources import ENVIRONMENT, add_source, source_of
from lib.core.facts.foreign import isolated
from lib.report.changes import About, Change, changes
from lib.report.record import WrongRecord, again, parse, told_of

SAME, CHANGED, CANNOT_TELL = 0, 1, 2
LONGEST = 64 * 2**20
"""Bytes of a record: some hundred for each curve."""


def add_to(commands: Any) -> None:
    """Add the command.

    Args:
        commands: What ``argparse.ArgumentParser.add_subparsers`` gave; its type has no public name.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="whether a decision on record still holds",
        description="Decide again about the runs of a record, and name what is another than on record. " + ENVIRONMENT,
        epilog=f"Exit code {SAME}: the same. {CHANGED}: something has changed. {CANNOT_TELL}: it cannot be told, as "
        "where runs may not be read or a record was made of a part of the points; or the call was wrong.",
    )
    parser.add_argument("record", metavar="RECORD", help="a decision record, as JSON")
    add_source(parser)
    parser.set_defaults(command=run)


def run(called: argparse.Namespace) -> int:
    """Say what has changed and return the exit code.

    Raises:
        WrongRecord: If the file is no record, or cannot be read.
    """
    try:
        path = Path(called.record)
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= LONGEST else ""
    except (OSError, UnicodeDecodeError) as error:
        raise WrongRecord(
            f"Expected a decision record, and the file could not be read: {type(error).__name__}.",
            hint="Check its path.",
        ) from error
    found = parse(text)
    with source_of(called) as source:
        runs = source.load_runs([run["run_id"] for run in found["runs"]])
        now = again(found, *read(source, runs, told_of(found)))
    said = changes(found, now)
    for each in said:
        sys.stdout.write(f"{each.sentence}\n")
    why = list(_untold(found, said, {run.run_id for run in runs}, is_project=called.project))
    for reason in why:
        sys.stderr.write(f"It cannot be told whether the decision would be made again: {reason}\n")
    if why:
        return CANNOT_TELL
    if not said:
        sys.stdout.write("The same: the decision would be made again.\n")
    return CHANGED if said else SAME


_SURE = (About.RECORD, About.SETTINGS, About.POLICY, About.CONSTANT)
"""What is another whatever could not be read."""


def _untold(
    record: dict[str, Any], said: Sequence[Change], there: Collection[str], *, is_project: bool
) -> Iterator[str]:
    """Why what was found is no answer; nothing where it is one."""
    reduced = [run["label"] for run in record["runs"] if run.get("complete") is False and run["run_id"] in there]
    gone = [run["label"] for run in record["runs"] if run["run_id"] not in there]
    if any(each.about in _SURE for each in said):
        return
    if reduced:
        names = ", ".join(map(isolated, reduced))
        yield f"the record has only a part of the points of {names}; make one with all rows."
    elif len(gone) == len(record["runs"]) and not is_project:
        yield "none of its runs lies there; name the folder that it was made of: a run is known by its place in that."
    # A project shows nobody whether a run is gone or another's; what is then said of the others follows from that.
    elif gone and is_project and not any(each.about is About.DATA for each in said):
        yield f"{', '.join(map(isolated, gone))} cannot be read with this key and this sign-in, or is gone."
