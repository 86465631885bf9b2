"""Where a command reads runs: a folder, or a Supabase project that the environment names."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from lib.core.facts.errors import AppError
from lib.core.facts.query import RunPage, RunQuery
from lib.core.facts.selection import MAX_SELECTED
from lib.data.folder.source import FolderSource
from lib.data.source import RunSource
from lib.data.supabase.command import PREFIX, opened
from lib.data.supabase.source import SupabaseSource

_ALL = 10**6
"""More runs than a folder holds."""
_FOUND = 100
"""Runs of a project that are looked through for a name."""
ENVIRONMENT = (
    f"The project and its key are read from the environment: {PREFIX}URL, {PREFIX}KEY, and where somebody has to"
)
ENVIRONMENT += f" sign in {PREFIX}EMAIL and {PREFIX}PASSWORD."


class WrongSource(AppError):
    """It is not said where the runs are, or it is said twice."""


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the runs are."""
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="of training outputs")
    parser.add_argument(
        "--project", action="store_true", help="read the Supabase project that the environment names, and no folder"
    )


@contextmanager
def source_of(called: argparse.Namespace) -> Iterator[RunSource]:
    """The source that arguments name (``add_source``), all of a folder looked at.

    Raises:
        WrongSource: If they name none, or two.
        AppError: If it cannot be read.
    """
    if called.project == bool(called.folder):
        raise WrongSource(
            f"Expected a folder or --project, got {'both' if called.folder else 'neither'}.",
            hint="Name the folder of training outputs, or say --project.",
        )
    if called.project:
        with opened(os.environ) as project:
            yield project
    else:
        folder = FolderSource(called.folder)
        folder.settle()
        yield folder


def listed(source: RunSource, names: Sequence[str]) -> RunPage:
    """The runs among which some are named: all of a folder; of a project, which may have very many, those that match.

    Raises:
        RunSourceError: If they cannot be read.
    """
    if not isinstance(source, SupabaseSource):
        return source.list_runs(RunQuery(limit=_ALL))
    if not names:
        return source.list_runs(RunQuery(limit=MAX_SELECTED))
    found = {run.run_id: run for run in source.load_runs(names)}
    page = RunPage(tuple(found.values()), len(found), {}, len(found))
    for name in names:
        if name not in found:
            page = source.list_runs(RunQuery(search=name, limit=_FOUND))
            found.update({run.run_id: run for run in page.runs})
    return replace(page, runs=tuple(found.values()), total=len(found))
