"""The comparison of hyperparameters as a file: CSV for spreadsheets, a Markdown table for reports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from lib.core.config.diff import DiffRow
from lib.core.facts.values import finite

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
"""A cell that begins like this is run as a formula by spreadsheet programs."""

_MARKUP = re.compile(r"[\\`*_\[\]|~#$]|(?<=\w):(?=//)|(?<=www)\.")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINE_BREAK = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")


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
    writer.writerow(map(_inert, ("Group", "Parameter", "Key", "Differs", *labels, "Notes")))
    for row in rows:
        cells = (row.group, row.title, row.key, "yes" if row.differs else "no", *row.texts(None))
        writer.writerow(map(_inert, (*cells, _notes(row, labels))))
    return written.getvalue()


def to_markdown(rows: Sequence[DiffRow], labels: Sequence[str]) -> str:
    """Return the rows as a GitHub table: group, parameter, one column per run, and notes if there are any.

    Names and values are foreign text: what would be markup in them is escaped, and shows as it is. Long
    values are cut, and say so.

    Args:
        rows: What to write, in this order.
        labels: What the runs are called, in the order of the values.

    Raises:
        ValueError: If the number of labels is not that of the values.
    """
    _check(rows, labels)
    with_notes = any(any(row.notes) for row in rows)
    header = ("Group", "Parameter", *labels, *(("Notes",) if with_notes else ()))
    lines = [_line(map(_plain, header)), _line(["---"] * len(header))]
    for row in rows:
        notes = (_notes(row, labels),) if with_notes else ()
        lines.append(_line(map(_plain, (row.group, row.title, *row.shown, *notes))))
    return "\n".join(lines) + "\n"


def _check(rows: Sequence[DiffRow], labels: Sequence[str]) -> None:
    for row in rows:
        if len(row.values) != len(labels):
            raise ValueError(
                f"Expected a label for each of the {len(row.values)} runs, got {len(labels)}:"
                " pass the labels of the runs that were compared."
            )


def _notes(row: DiffRow, labels: Sequence[str]) -> str:
    return " ".join(f"{label}: {note}" for label, note in zip(labels, row.notes, strict=True) if note)


def _inert(cell: str) -> str:
    dangerous = cell.startswith(("\t", "\r")) or cell.lstrip().startswith(_FORMULA_STARTS)
    return f"'{cell}" if dangerous and finite(cell) is None else cell


def _plain(cell: str) -> str:
    escaped = _MARKUP.sub(r"\\\g<0>", cell)
    escaped = re.sub(r"[&<>@]", lambda found: _ENTITIES[found.group()], escaped)
    return _LINE_BREAK.sub("<br>", escaped).strip() or " "


def _line(cells: Sequence[str] | map) -> str:
    return f"| {' | '.join(cells)} |"
