"""``verdict``: which run of a folder to ship, and which checkpoint of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from lib.cli.columns import table
from lib.cli.compared import add_choice, chosen
from lib.cli.sources import ENVIRONMENT
from lib.core.facts.foreign import isolated
from lib.core.ranking.scoring import LeftOut
from lib.core.text.sentences import plain
from lib.core.verdict.overview import HeadlineKind
from lib.report.compared import Compared
from lib.report.verdict import as_data

RECOMMENDED, NOT_RECOMMENDED = 0, 3
"""Exit codes: there is one run to ship, or a tie, no common ranking, or none."""


def add_to(commands: Any) -> None:
    """Add the command.

    Args:
        commands: What ``argparse.ArgumentParser.add_subparsers`` gave; its type has no public name.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "verdict",
        help="which run of a folder to ship, and which checkpoint of it",
        description="Print the verdict on the runs of a folder or a project: all, where there are at most five. "
        + ENVIRONMENT,
        epilog=f"Exit code {RECOMMENDED}: one run is recommended. {NOT_RECOMMENDED}: a tie, not comparable, or none. "
        "2: the call was wrong, or the runs cannot be read.",
    )
    add_choice(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(called: argparse.Namespace) -> int:
    """Print the verdict and return the exit code."""
    compared = chosen(called)
    said = as_data(compared)
    if called.json:
        sys.stdout.write(json.dumps(said, indent=2, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines(compared)) + "\n")
    for each in compared.unreadable:
        sys.stderr.write(f"Not read: {isolated(each.path)}: {each.reason}\n")
    return NOT_RECOMMENDED if said["recommended"] is None else RECOMMENDED


def lines(compared: Compared) -> Iterator[str]:
    """The verdict for people, in lines: what the page says at a glance."""
    glance, labels = compared.glance, compared.labels
    yield glance.headline(labels)
    yield ": ".join(filter(None, (glance.badge.text, glance.badge.because)))
    if glance.checkpoint:
        yield f"Checkpoint: {glance.checkpoint}" if glance.kind is HeadlineKind.WINNER else glance.checkpoint
    for line in glance.lines:
        yield f"{line.title}: {plain(line.said)}"
    yield from _how(compared)
    ranking = glance.ranking
    rows = [(labels[row.run_id], row.value, row.gap, row.mark or row.metric) for row in ranking.rows]
    heads = "Run", ranking.title or "Best", "Gap at best", ""
    yield from table(heads, rows, (False, True, True, False))
    if ranking.note_apart:
        yield ranking.note_apart
    yield from (f"{labels[row.run_id]}: {row.why}" for row in ranking.rows if row.behind is None and row.why)
    if compared.overview.rests_on:
        yield compared.overview.rests_on
    if compared.overview.decided_by:
        yield compared.overview.decided_by
    for run in compared.runs:
        yield from (f"Note on {labels[run.run_id]}: {note}" for note in run.notes)


_HOW = {
    LeftOut.UNKNOWN: "If these trainings ended, say so with --ended.",
    LeftOut.NO_METRIC: "Name the metric that decides with --by.",
    LeftOut.NO_DIRECTION: "Say which is better with --direction lower or --direction higher.",
}
"""What to call where no run is recommended, by why runs are left out."""


def _how(compared: Compared) -> Iterator[str]:
    """What somebody who knows more than the logs can say to get a verdict."""
    if compared.glance.kind is HeadlineKind.NONE:
        codes = {each.code for each in compared.decision.recommendation.unscorable}
        yield from (said for code, said in _HOW.items() if code in codes)
