"""The tables as files to keep: the kinds of each, and the buttons that give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from lib.core.config import report as settings_report
from lib.core.config.diff import DiffRow
from lib.table.csv_file import to_csv
from lib.table.text_files import to_latex, to_markdown
from lib.ui.tables.summary import Table

MIME = {"csv": "text/csv", "md": "text/markdown", "tex": "application/x-tex"}
_KINDS = {"csv": "CSV", "md": "Markdown", "tex": "LaTeX"}


@dataclass(frozen=True)
class File:
    """A file that is made when somebody takes it.

    Attributes:
        name: Without its ending.
        ending: One of ``MIME``.
        what: What is in it, in a few words.
        make: Its text.
    """

    name: str
    ending: str
    what: str
    make: Callable[[], str]


def summary_files(table: Table, recommended: str | None) -> tuple[File, ...]:
    """The summary table: whole and in full precision for programs, as it is shown for texts."""
    summary, layout, name = table.summary, table.layout, "runoff-summary"
    return (
        File(name, "csv", "every column, raw values", lambda: to_csv(summary)),
        File(name, "md", "as shown", lambda: to_markdown(summary, layout, recommended)),
        File(name, "tex", "as shown", lambda: to_latex(summary, layout, recommended)),
    )


def settings_files(rows: Sequence[DiffRow], labels: Sequence[str]) -> tuple[File, ...]:
    """The comparison of settings: these rows of it."""
    name = "runoff-diff"
    return (
        File(name, "csv", "whole values", lambda: settings_report.to_csv(rows, labels)),
        File(name, "md", "as shown", lambda: settings_report.to_markdown(rows, labels)),
    )


def taken(rows: Sequence[DiffRow], *, whole: bool) -> Sequence[DiffRow]:
    """The rows that go into a file: those that differ, but for what tells runs apart by design; or all of them."""
    return rows if whole else [row for row in rows if row.differs and not row.is_identity]


def offer(files: Sequence[File], *, key: str, told: bool = True) -> None:
    """Draw a button for each file.

    Args:
        files: Which.
        key: Tells these buttons from others of the page.
        told: What is in each stands there too, where that has room.
    """
    for each in files:
        st.download_button(
            f"{_KINDS[each.ending]}, {each.what}" if told else _KINDS[each.ending],
            each.make,
            f"{each.name}.{each.ending}",
            MIME[each.ending],
            key=f"{key}_{each.ending}",
            on_click="ignore",
            width="stretch" if told else "content",
        )
