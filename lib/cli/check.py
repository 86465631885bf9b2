"""``check``: whether a decision on record would be made again, of what is there now."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from lib.cli.compared import read, settled
from lib.report.changes import changes
from lib.report.record import WrongRecord, again, parse, told_of

SAME, CHANGED = 0, 1
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
        description="Decide again about the runs of a record, and name what is another than on record.",
        epilog=f"Exit code {SAME}: the same. {CHANGED}: something has changed. 2: the call was wrong, or the record or "
        "the folder cannot be read.",
    )
    parser.add_argument("record", metavar="RECORD", help="a decision record, as JSON")
    parser.add_argument("folder", metavar="FOLDER", help="of training outputs")
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
    source = settled(called.folder)
    now = again(found, *read(source, source.load_runs([run["run_id"] for run in found["runs"]]), told_of(found)))
    said = changes(found, now)
    for each in said:
        sys.stdout.write(f"{each.sentence}\n")
    if not said:
        sys.stdout.write("The same: the decision would be made again.\n")
    return CHANGED if said else SAME
