"""The comparison of hyperparameters for people: as CSV, as a Markdown table, and told of each run on its own."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib.core.config.diff import DiffRow
from lib.core.config.setting import Oddity
from lib.core.config.values import MISSING, show
from lib.core.facts.runs import RunSummary
from lib.core.text.spreadsheet import inert

LOGGED_RATES: Mapping[str, str] = {"max_learning_rate": "highest logged", "min_learning_rate": "lowest logged"}
"""What a log shows of the schedule, by the key of its column, and what it is called as a place of the learning rate."""

_MARKUP = re.compile(r"[\\`*_\[\]|~#$]|(?<=\w):(?=//)|(?<=www)\.")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINE_BREAK = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class OddSetting:
    """One thing that is odd about the configuration of one run.

    Attributes:
        run: The position of the run among those compared.
        titles: The parameters that it is about.
        sentence: For people, whole. Plain text: whoever renders it escapes it.
    """

    run: int
    kind: Oddity
    titles: tuple[str, ...]
    sentence: str


def odd_settings(rows: Iterable[DiffRow]) -> tuple[OddSetting, ...]:
    """Return what is odd in each run's own configuration, by run, then in the order of the rows.

    What concerns several parameters is said once.
    """
    found: dict[tuple[int, str], OddSetting] = {}
    for row in rows:
        for run, remarks in enumerate(row.remarks):
            for remark in remarks:
                known = found.get((run, remark.sentence))
                titles = (*known.titles, row.title) if known else (row.title,)
                found[run, remark.sentence] = OddSetting(run, remark.kind, titles, remark.sentence)
    return tuple(sorted(found.values(), key=lambda one: one.run))


def effective_table(rows: Iterable[DiffRow], run: int) -> list[tuple[str, str, str, str, str]]:
    """Return the effective configuration of one run, a tuple for each parameter that it states.

    Args:
        rows: The rows of a comparison.
        run: The position of the run in them.

    Returns:
        Title, value, the place it is from, the other places that state it, and the group. What is overridden
        comes with its value.
    """
    return [
        (row.title, row.shown[run], row.sources[run], _other_places(row, run), row.group.value)
        for row in rows
        if row.values[run] is not MISSING or row.sources[run]
    ]


def _other_places(row: DiffRow, run: int) -> str:
    """The places that the effective value overrides, with their values, then those that agree with it."""
    differing = {
        source: shown
        for remark in row.remarks[run]
        for source, shown in remark.places
        if source != row.sources[run] and any(source == place for place, _ in row.places[run])
    }
    logged = {source: value for source, value in row.places[run] if source in LOGGED_RATES.values()}
    agreeing = [
        source
        for source, value in row.places[run][1:]
        if source not in differing and source not in logged and value is not None
    ]
    overridden = ", ".join(f"{source} = {shown}" for source, shown in differing.items())
    parts = (
        f"overrides {overridden}" if overridden else "",
        f"same in {', '.join(agreeing)}" if agreeing else "",
        *(f"{source} {show(value, scientific=True)}" for source, value in logged.items()),
    )
    return "; ".join(part for part in parts if part)


def tokens_per_step(run: RunSummary) -> float | None:
    """Return how many tokens an optimizer step processed on average, as the job counted them.

    ``None`` where the counts are not recorded, and for a resumed run, whose tokens may be counted anew
    while its steps go on.
    """
    tokens, steps = run.total_tokens_processed, run.current_step
    if not tokens or not steps or run.resumed_from_run_id or run.resumed_from_checkpoint:
        return None
    return tokens / steps


def to_csv(rows: Sequence[DiffRow], labels: Sequence[str]) -> str:
    """Return the rows as CSV with a header, lines ended by CR LF as RFC 4180 says.

    Columns: group, parameter, key, differs, one per run, notes. Values are whole, secrets masked. Text
    that a spreadsheet would run as a formula starts with an apostrophe.

    Args:
        rows: What to write, in this order.
        labels: What the runs are called, in the order of the values.

    Raises:
        ValueError: If the number of labels is not that of the values.
    """
    _check(rows, labels)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(map(inert, ("Group", "Parameter", "Key", "Differs", *labels, "Notes")))
    for row in rows:
        cells = (row.group, row.title, row.key, "yes" if row.differs else "no", *row.texts(None))
        writer.writerow(map(inert, (*cells, _notes(row, labels))))
    return written.getvalue()


def to_markdown(rows: Sequence[DiffRow], labels: Sequence[str]) -> str:
    """Return the rows as a GitHub table: group, parameter, one column per run, and notes if there are any.

    Names and values are foreign text: what would be markup in them is escaped, and shows as it is. Long
    values are cut, and say so. Arguments and errors are those of ``to_csv``.
    """
    _check(rows, labels)
    with_notes = any(any(row.notes) for row in rows)
    header = ("Group", "Parameter", *labels, *(("Notes",) if with_notes else ()))
    cells = [(row.group, row.title, *row.shown, *((_notes(row, labels),) if with_notes else ())) for row in rows]
    return markdown_table(header, cells) + "\n"


def _check(rows: Sequence[DiffRow], labels: Sequence[str]) -> None:
    for row in rows:
        if len(row.values) != len(labels):
            raise ValueError(
                f"Expected a label for each of the {len(row.values)} runs, got {len(labels)}:"
                " pass the labels of the runs that were compared."
            )


def _notes(row: DiffRow, labels: Sequence[str]) -> str:
    return " ".join(f"{label}: {note}" for label, note in zip(labels, row.notes, strict=True) if note)


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A GitHub table of foreign texts."""
    lines = [_line(map(escaped, heads)), _line(["---"] * len(heads)), *(_line(map(escaped, row)) for row in rows)]
    return "\n".join(lines)


def escaped(cell: str) -> str:
    """Foreign text as Markdown shows it, on one line: what would be markup, a mention or a link in it is none."""
    escaped = _MARKUP.sub(r"\\\g<0>", cell)
    escaped = re.sub(r"[&<>@]", lambda found: _ENTITIES[found.group()], escaped)
    return _LINE_BREAK.sub("<br>", escaped).strip() or " "


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
