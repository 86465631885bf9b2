"""``report``: a comparison as a page, as Markdown, as a comment, or as a record that can be checked later."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lib.cli.compared import add_choice, chosen
from lib.cli.sources import ENVIRONMENT
from lib.core.budget.spent import SIGNS, Budget, Kind, amount_of, price_of
from lib.core.facts.errors import AppError
from lib.core.facts.foreign import isolated
from lib.report import markdown, record
from lib.report.compared import Compared
from lib.report.page import made_now, page

T = TypeVar("T")

WRITERS: Mapping[str, Callable[[Compared, str], str]] = {
    ".html": lambda compared, link: page(compared, link, made_now()),
    ".md": markdown.report,
    ".json": lambda compared, _: record.to_json(record.record_of(compared)),
}
"""What a report is, by the ending of its file."""


class WrongTarget(AppError):
    """A report cannot be written there."""


def add_to(commands: Any) -> None:
    """Add the command.

    Args:
        commands: What ``argparse.ArgumentParser.add_subparsers`` gave; its type has no public name.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        "report",
        help="a comparison to keep or to send",
        description="Write the comparison of a folder's or a project's runs: "
        + ", ".join(WRITERS)
        + f", by the ending of the file. {ENVIRONMENT}",
        epilog="Exit code 0: written. 2: the call was wrong, or the runs cannot be read.",
    )
    add_choice(parser)
    parser.add_argument("--out", metavar="FILE", help="where to; Markdown on standard output without it")
    parser.add_argument("--comment", action="store_true", help="Markdown that is short enough for a pull request")
    parser.add_argument("--link", default="", metavar="URL", help="opens the comparison; stands at the end")
    parser.add_argument(
        "--baseline", default="", metavar="NAME", help="one of the runs, which the others are held against"
    )
    parser.add_argument(
        "--budget",
        type=_said(amount_of, f"KIND~AMOUNT with a kind of {', '.join(Kind)} and an amount above 0"),
        metavar="KIND~AMOUNT",
        help="at which the reports compare the runs, such as samples~40000; the most that all reached without it",
    )
    parser.add_argument(
        "--price",
        type=_said(price_of, f"AMOUNT~SIGN with an amount above 0 and one of {' '.join(SIGNS)}"),
        metavar="AMOUNT~SIGN",
        help="of a GPU hour, such as '2.5~$': the reports compare the runs at equal cost too",
    )
    parser.set_defaults(command=run)


def _said(parse: Callable[[str], T], expected: str) -> Callable[[str], T]:
    """The same parser, which says what was expected."""

    def parsed(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"Expected {expected}, got {isolated(text)}.") from error

    return parsed


def run(called: argparse.Namespace) -> int:
    """Write the report and return the exit code.

    Raises:
        WrongTarget: If the file cannot be written, or is of a kind that a report is not.
    """
    ending = Path(called.out).suffix.lower() if called.out else ".md"
    endings = [".md"] if called.comment else [*WRITERS]
    if ending not in endings:
        raise WrongTarget(
            f"Expected a file that ends with {' or '.join(endings)}, got {called.out}.",
            hint="A comment is Markdown." if called.comment else "The ending says what the report is.",
        )
    compared = chosen(called, called.baseline, Budget(called.budget, called.price))
    text = markdown.comment(compared, called.link) if called.comment else WRITERS[ending](compared, called.link)
    if not called.out:
        sys.stdout.write(text)
        return 0
    try:
        Path(called.out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongTarget(f"The report could not be written: {error.strerror}.", hint="Name another file.") from error
    return 0
