"""``verdict``: which run of a folder to ship, and which checkpoint of it."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from lib.cli import read_as
from lib.cli.compared import Compared, compare
from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.facts.foreign import isolated
from lib.core.ranking.scoring import LeftOut, RunScore
from lib.core.text.sentences import plain
from lib.core.verdict.overview import HeadlineKind
from lib.data.folder.source import FolderSource

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
        description="Print the verdict on the runs of a folder: all of them, where there are at most five.",
        epilog=f"Exit code {RECOMMENDED}: one run is recommended. {NOT_RECOMMENDED}: a tie, not comparable, or none. "
        "2: the call was wrong, or the folder cannot be read.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="of training outputs")
    parser.add_argument(
        "--run", action="append", default=[], dest="names", metavar="NAME", help="one of the runs; may be repeated"
    )
    parser.add_argument("--by", metavar="METRIC", help="rank by this evaluation metric, such as eval_loss or eval_f1")
    parser.add_argument("--direction", choices=("lower", "higher"), help="which direction of it is better")
    parser.add_argument(
        "--ended", action="store_true", help="runs whose logs do not say whether their training ended are completed"
    )
    read_as.add_to(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(called: argparse.Namespace) -> int:
    """Print the verdict and return the exit code."""
    readings = read_as.asked(called.read_as)
    source = FolderSource(called.folder)
    source.settle()
    compared = compare(source, called.names, called.by, called.direction, ended=called.ended, readings=readings)
    said = as_data(compared)
    if called.json:
        sys.stdout.write(json.dumps(said, indent=2, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(lines(compared)) + "\n")
    for each in compared.unreadable:
        sys.stderr.write(f"Not read: {isolated(each.path)}: {each.reason}\n")
    return NOT_RECOMMENDED if said["recommended"] is None else RECOMMENDED


def headline(compared: Compared) -> str:
    """What the verdict is, in one of five words."""
    decision = compared.decision
    match compared.overview.headline.kind:
        case HeadlineKind.WINNER:
            return "alone" if len(decision.ranked) == 1 else "winner"
        case HeadlineKind.TIE:
            return "tie"
        case HeadlineKind.NOT_COMPARABLE:
            return "not comparable"
        case HeadlineKind.NONE | HeadlineKind.NONE_YET:
            return "none"


def as_data(compared: Compared) -> dict[str, Any]:
    """The verdict as JSON has it; what is not known is null, and so is what is not finite."""
    overview, decision, labels = compared.overview, compared.decision, compared.labels
    said = headline(compared)
    winner = decision.recommendation.winner
    best = winner if said in ("winner", "alone") else None
    return {
        "headline": said,
        "recommended": None if best is None else labels[best.run_id],
        "tied": [labels[run_id] for run_id in decision.tied],
        "decided_by": decision.deciding.metric,
        "sure": overview.surety.level.value,
        "checkpoint": None if best is None else checkpoint(compared.assessed[best.run_id].checkpoint),
        "ranking": ranking(compared, decision.recommendation.scores),
        "left_out": [{"run": labels[run_id], "why": why} for run_id, why in overview.grounds.left_out.items()],
        "objections": [{"code": each.code, "sentence": each.sentence} for each in overview.objections],
        "findings": {
            labels[run_id]: [
                {"code": each.code, "severity": each.severity.value, "step": each.step}
                for each in assessed.checks.findings
            ]
            for run_id, assessed in compared.assessed.items()
        },
        "classes": [
            {
                "decided_by": other.recommendation.deciding.metric,
                "ranking": ranking(compared, other.recommendation.scores),
            }
            for other in decision.other_classes
        ],
    }


def ranking(compared: Compared, scores: Sequence[RunScore]) -> list[dict[str, Any]]:
    """Ranked runs, best first, each with the checkpoint of it that would be shipped."""
    return [
        {
            "run": compared.labels[score.run_id],
            "value": _number(score.value),
            "step": score.values.step,
            "score": _number(score.total),
            "eval_loss": _number(score.eval_loss),
            "train_loss": _number(score.train_loss),
            "gap": _number(score.gap),
            "gap_error": None if score.gap is None else _number(score.values.gap_error),
            "checkpoint": checkpoint(compared.assessed[score.run_id].checkpoint),
        }
        for score in scores
    ]


def checkpoint(advice: CheckpointAdvice) -> dict[str, Any]:
    """The checkpoint to ship, and what became of that of the best evaluation."""
    fate = "unknown" if advice.fate is Fate.CANNOT_TELL else advice.fate.value
    return {
        "step": advice.saved_step if advice.saved_step is not None else advice.step,
        "path": advice.path,
        "fate": fate,
    }


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
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    for name, value, gap, mark in (heads, *rows):
        yield f"{name:<{widths[0]}}  {value:>{widths[1]}}  {gap:>{widths[2]}}  {mark}".rstrip()
    if ranking.note:
        yield ranking.note
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


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
