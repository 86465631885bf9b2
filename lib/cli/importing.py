"""``import``: writes the runs of a folder into a Supabase project, after saying what would be written."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lib.cli.compared import WrongSelection
from lib.core.config.naming import labels_of
from lib.core.facts.foreign import isolated
from lib.core.facts.query import RunQuery, RunSort
from lib.core.facts.runs import RunSummary
from lib.data.folder.source import FolderSource
from lib.importer.importing import Importer, Item, State
from lib.importer.settings import import_settings_from
from lib.importer.target import Shape, Target

DONE, NOT_ALL = 0, 3
"""Exit codes: every run is there, or would be; or some are not."""
_ALL = 10**6
"""More runs than a folder holds."""
_NAMED = 10


def add_to(commands: Any) -> None:
    """Add the command.

    Args:
        commands: What ``argparse.ArgumentParser.add_subparsers`` gave; its type has no public name.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="write the runs of a folder into a Supabase project",
        description="Say which runs of a folder, and which rows, a Supabase project does not have yet; with --write, "
        "write them. Nothing is deleted, and what is there is not written again. The project and its key are read "
        "from the environment: RUNOFF_IMPORT_URL, RUNOFF_IMPORT_KEY, and RUNOFF_IMPORT_USER or RUNOFF_IMPORT_EMAIL "
        "and RUNOFF_IMPORT_PASSWORD.",
        epilog=f"Exit code {DONE}: all runs are there, or would be. {NOT_ALL}: some are not. 2: the call was wrong, "
        "or folder or project cannot be read.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="of training outputs")
    parser.add_argument("--write", action="store_true", help="do it; without this nothing is written")
    parser.add_argument(
        "--run", action="append", default=[], dest="names", metavar="NAME", help="one of the runs; may be repeated"
    )
    parser.add_argument(
        "--as",
        dest="called",
        metavar="NAME",
        help="what the folder is called: its runs are the same rows as long as this is the same, wherever it lies "
        "(default: its path)",
    )
    parser.set_defaults(command=run)


def run(called: argparse.Namespace) -> int:
    """Say what would be written, or write it, and return the exit code."""
    settings = import_settings_from(os.environ)
    source = FolderSource(called.folder)
    source.settle()
    page = source.list_runs(RunQuery(sort=RunSort.OLDEST, limit=_ALL))
    labels = labels_of(page.runs)
    runs = _chosen(page.runs, labels, called.names)
    for each in page.unreadable:
        sys.stderr.write(f"Not read: {isolated(each.path)}: {each.reason}\n")
    folder = called.called or str(Path(os.path.realpath(os.path.expanduser(called.folder))))
    with closing(Target(settings)) as target:
        importer = Importer(source, folder, target)
        shape = importer.look(runs)
        sys.stdout.write("\n".join((*_head(target, shape, write=called.write), "")))

        def say(item: Item) -> None:
            sys.stdout.write(f"{_line(item, labels[item.run.run_id], write=called.write)}\n")
            sys.stdout.flush()

        items = importer.write(runs, say) if called.write else importer.plan(runs, say)
    sys.stdout.write("\n".join((*_tail(items, write=called.write), "")))
    return NOT_ALL if any(item.state in (State.OTHER, State.FAILED) for item in items) else DONE


def _chosen(listed: Sequence[RunSummary], labels: dict[str, str], names: Sequence[str]) -> list[RunSummary]:
    if not listed:
        raise WrongSelection("Expected at least one run, found none.", hint="Name a folder of training outputs.")
    chosen: dict[str, RunSummary] = {}
    for name in names:
        found = [each for each in listed if name in (labels[each.run_id], each.run_id)]
        found = found or [each for each in listed if each.name == name]
        if len(found) != 1:
            known = ", ".join(labels[each.run_id] for each in listed[:20]) + (", ..." if len(listed) > 20 else "")
            raise WrongSelection(
                f"Expected one run called {isolated(name)}, found {len(found) or 'none'}.",
                hint=f"The runs are: {known}",
            )
        chosen[found[0].run_id] = found[0]
    return list(chosen.values()) if names else list(listed)


def _head(target: Target, shape: Shape, *, write: bool) -> Iterator[str]:
    doing = "Writing" if write else "What would be written"
    whose = f", for user {target.user_id}" if target.user_id and "user_id" in shape.jobs else ""
    yield f"{doing} into {target.host}, tables {target.jobs_table} and {target.metrics_table}{whose}:"
    if shape.lacking:
        yield f"{target.jobs_table} lacks columns, which are left out: {', '.join(shape.lacking)}."


def _line(item: Item, label: str, *, write: bool) -> str:
    name = isolated(label)
    match item.state:
        case State.NEW | State.GROWN:
            what = "new run" if item.state is State.NEW else "grown run"
            said = f"{name}: {what}, {item.rows:,} rows with {item.values:,} values{' written' if write else ''}"
            return said + (f", of which {item.changed:,} replace earlier ones" if item.changed else "")
        case State.SAME:
            return f"{name}: all of it is there"
        case State.COPY:
            return f"{name}: the same training as another run, left out"
        case State.OTHER:
            return (
                f"{name}: not written, as the project has other values at {item.changed:,} of its steps: "
                "it may have been started anew. Import the folder under another name with --as."
            )
        case State.FAILED:
            return f"{name}: not all written. {item.why}"


def _tail(items: Sequence[Item], *, write: bool) -> Iterator[str]:
    unplaced = sorted({metric for item in items for metric in item.unplaced})
    if unplaced:
        more = f" and {len(unplaced) - _NAMED:,} more" if len(unplaced) > _NAMED else ""
        named = ", ".join(isolated(metric) for metric in unplaced[:_NAMED])
        yield f"Metrics without a column in the project, left out: {named}{more}."
    todo = [item for item in items if item.state in (State.NEW, State.GROWN)]
    total = f"{len(todo):,} {'run' if len(todo) == 1 else 'runs'}, {sum(item.rows for item in todo):,} rows"
    yield f"Written: {total}." if write else f"To write: {total}. Nothing was written; --write does it."
