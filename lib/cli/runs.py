"""``runs``: what was found in a folder: the runs, what could not be read, and what is no run."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lib.cli import read_as
from lib.cli.columns import table
from lib.core.config.naming import labels_of
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.foreign import isolated
from lib.core.facts.query import RunPage, RunQuery, RunSort
from lib.core.facts.runs import RunSummary, eval_loss_of
from lib.data.folder.source import FolderSource

FOUND = 0
"""Exit code: the folder was read, whatever is in it."""
_ALL = 10**6
"""More runs than a folder holds."""


def add_to(commands: Any) -> None:
    """Add the command.

    Args:
        commands: What ``argparse.ArgumentParser.add_subparsers`` gave; its type has no public name.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "runs",
        help="which runs are found in a folder, and what of it is not read",
        description="Print the runs of a folder, the files that could not be read, and what lies there and is no run.",
        epilog=f"Exit code {FOUND}: the folder was read. 2: the call was wrong, or the folder cannot be read.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="of training outputs")
    read_as.add_to(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(called: argparse.Namespace) -> int:
    """Print what was found and return the exit code."""
    readings = read_as.asked(called.read_as)
    source = FolderSource(called.folder)
    source.settle()
    page = source.list_runs(RunQuery(sort=RunSort.MODEL, limit=_ALL))
    points = {each.run_id: source.points(each.run_id) for each in page.runs}
    if readings.names:
        page, points = _read_otherwise(source, page, points, readings)
    said = as_data(page, points)
    if called.json:
        sys.stdout.write(json.dumps(said, indent=2, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines(said, page)) + "\n")
    return FOUND


def _read_otherwise(
    source: FolderSource, page: RunPage, points: Mapping[str, dict[str, int]], readings: read_as.Readings
) -> tuple[RunPage, dict[str, dict[str, int]]]:
    """The runs and how many points their metrics have, read as somebody says."""
    logged = source.load_curves([each.run_id for each in page.runs])
    curves = {each.run_id: logged.get(each.run_id, RunCurves(each.run_id)) for each in page.runs}
    readings.check(page.runs, curves)
    found = [readings.of(each, curves[each.run_id]) for each in page.runs]
    read = {
        run.run_id: points[run.run_id]
        if own is curves[run.run_id]
        else {metric: len(curve) for metric, curve in own.curves.items()}
        for run, own in found
    }
    return replace(page, runs=tuple(run for run, _ in found)), read


def as_data(page: RunPage, points: Mapping[str, dict[str, int]]) -> dict[str, Any]:
    """What was found as JSON has it; what is not known is null, and so is what is not finite."""
    labels = labels_of(page.runs)
    return {
        "runs": [_run(each, labels[each.run_id], points[each.run_id]) for each in page.runs],
        "unreadable": [{"path": each.path, "reason": each.reason} for each in page.unreadable],
        "unused": [{"path": each.path, "why": each.why} for each in page.unused],
    }


def lines(said: dict[str, Any], page: RunPage) -> Iterator[str]:
    """The same for people, in lines."""
    rows = [
        (
            isolated(each["name"]),
            each["format"] or "–",
            each["status"],
            _shown(each["best_eval_loss"]),
            "–" if each["best_eval_step"] is None else f"{each['best_eval_step']:,}",
            "–" if each["last_step"] is None else f"{each['last_step']:,}",
            f"{sum(each['metrics'].values()):,}",
        )
        for each in said["runs"]
    ]
    if rows:
        heads = "Run", "Format", "Status", "Best eval loss", "At step", "Last step", "Points"
        yield from table(heads, rows, [False] * 3 + [True] * 4)
    else:
        yield f"No run was found. Looked for: {', '.join(page.looked_for)}."
    for each in said["runs"]:
        yield from (f"Note on {isolated(each['name'])}: {note}" for note in each["notes"])
    yield from (f"Not read: {isolated(each['path'])}: {each['reason']}" for each in said["unreadable"])
    yield from (f"No run: {isolated(each['path'])}: {each['why']}" for each in said["unused"])


def _run(run: RunSummary, label: str, points: dict[str, int]) -> dict[str, Any]:
    return {
        "name": label,
        "format": run.formats[0] if run.formats else None,
        "status": run.status_text,
        "files": list(run.files),
        "metrics": dict(sorted(points.items())),
        "best_eval_loss": _number(eval_loss_of(run)),
        "best_eval_step": run.best_step,
        "last_step": run.current_step,
        "total_steps": run.total_steps,
        "notes": list(run.notes),
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
