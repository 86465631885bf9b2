"""``python -m lib.cli``: subcommands for scripts. Each is a module with ``add_to`` and stands in ``COMMANDS``.

What a command prints goes to standard output, what went wrong to standard error. It ends with 2 where the call was
wrong or what it names cannot be read.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from lib.cli import check, importing, report, runs, verdict
from lib.core.facts.errors import AppError

COMMANDS = (verdict, runs, report, check, importing)
WRONG_CALL = 2
"""As argparse ends."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lib.cli", description="What the pages say, for scripts.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_to(commands)
    # A run's name may have letters that the terminal's encoding has not: they are spelt out, and the answer comes.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    called = parser.parse_args(arguments)
    try:
        code: int = called.command(called)
    except AppError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n" if error.hint else f"{error}\n")
        return WRONG_CALL
    return code


if __name__ == "__main__":
    sys.exit(main())
