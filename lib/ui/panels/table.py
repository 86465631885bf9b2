"""The summary table: what stands in it, its choice of columns, its export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from lib.core.facts.foreign import searchable
from lib.core.facts.selection import MOST_NAMED, is_uploaded
from lib.core.ranking.comparability import Comparability, classed
from lib.core.text.phrases import counted, first_of
from lib.data.source import RunSource
from lib.table.columns import COLUMNS, Column, Group
from lib.table.inputs import Summary
from lib.table.layout import Layout
from lib.table.marks import Alike, Mark, Marked, marks
from lib.ui.frame.after_charts import Kind, after_charts
from lib.ui.frame.escape import md
from lib.ui.panels.grid import draw_grid, grid_frame, height_px, options_of
from lib.ui.panels.table_html import TITLE, cards, legend
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison
from lib.ui.tables.files import offer, summary_files
from lib.ui.tables.summary import Table, offered, table_of

TROPHY = "🏆 "


@dataclass(frozen=True)
class View:
    """The table as it is drawn; made once for a comparison and a choice of columns, and then never changed.

    Attributes:
        grid: The grid's data, with its options and its height in pixels.
        cards: The same as HTML for narrow windows.
        legend: The line below it, HTML.
    """

    grid: pd.DataFrame
    options: Mapping[str, Any]
    height: int
    cards: str
    legend: str


def summary_table(source: RunSource, comparison: Comparison) -> None:
    """Draw the table with its column choice and its export."""
    columns = [column for some in offered(comparison) for column in some]
    _drop_unknown(comparison, columns)
    table = table_of(source, comparison)
    view = comparison.computed("table", table.key, lambda: _view(comparison, table))
    with st.container(key="summary_card"):
        with st.container(key="summary_head", horizontal=True, vertical_alignment="center"):
            st.html(TITLE)
            choose = st.popover("Columns", icon=":material/view_column:", key="columns", on_change="rerun")
            if choose.open:
                with choose:
                    _choose_columns(columns, table.layout)
            with st.popover("Export", icon=":material/download:", key="summary_files"):
                offer(summary_files(table, comparison.decision.recommended), key="summary")
        _rows_after_charts(view)
        if view.legend:
            st.html(view.legend)


@st.fragment
def _rows_after_charts(view: View) -> None:
    """Draw the rows when there are charts: to open a grid takes the browser long, to change it does not."""
    match after_charts():
        case Kind.GRID:
            draw_grid(view.grid, view.options, view.height)
        case Kind.CARDS:
            st.html(view.cards)
        case Kind.NOT_YET:
            st.skeleton(height=view.height)


def _view(comparison: Comparison, table: Table) -> View:
    decision, summary, layout = comparison.decision, table.summary, table.layout
    runs, recommended = comparison.in_order, comparison.decision.recommended
    alike = _alike(comparison)
    found = marks(summary, alike)
    signs = _trophies(comparison, summary, found, alike)
    slots = {each.run.run_id: each.slot for each in runs}
    grid = grid_frame(summary, layout, found, slots, recommended, comparison.grounds.why_first, signs)
    shown = [each.column.key for each in layout.columns]
    line = legend(
        layout.alike,
        len(runs),
        {each.mark for key in shown for each in found[key] if each.mark},
        is_recommended=recommended is not None,
        has_trophy=any(any(signs[key]) for key in signs if key in shown),
        has_uploaded=any(is_uploaded(each.run.run_id) for each in runs),
        counts_epochs=summary.in_epochs,
        baseline=comparison.labels.get(comparison.base, ""),
        has_mean="train_loss" in shown
        and any(one is not None and one.is_matched for run_id in slots for _, one in (decision.shipped(run_id),)),
    )
    return View(
        grid,
        options_of(layout, grid.columns),
        height_px(len(runs), is_tall=layout.is_tall),
        cards(summary, layout, found, slots, recommended, signs),
        line,
    )


def _trophies(
    comparison: Comparison, summary: Summary, found: Mapping[str, Sequence[Marked]], alike: Alike
) -> dict[str, list[str]]:
    """What stands before the eval losses: a trophy where it is the lowest."""
    lowest = comparison.grounds.lowest
    # A run that compares with no other is not the lowest of anything.
    several = len(alike.losses) > 1
    return {
        "eval_loss": [
            TROPHY
            if len(summary.run_ids) > 1
            and run_id in lowest
            and (not several or each.mark in (Mark.BEST, Mark.TIE_BEST))
            else ""
            for run_id, each in zip(summary.run_ids, found["eval_loss"], strict=True)
        ]
    }


def _alike(comparison: Comparison) -> Alike:
    """The classes of runs that compare: of the ranked ones, and of all where none is.

    Runs that are left out stand with the ranked ones where they compare.
    """
    decision = comparison.decision
    scored = sorted(decision.scores or (each.run.run_id for each in comparison.runs))
    found = classed(scored, comparison.pairs.among(scored))

    def classes(of: Comparability) -> list[set[str]]:
        first = set(decision.ranked[:1])
        return [{*each.run_ids, *(decision.alongside if first & set(each.run_ids) else ())} for each in of.classes]

    of_reward = classed(scored, [pair.counting(loss=False, reward=True) for pair in found.pairs])
    return Alike(classes(found), classes(found.but_for_loss), classes(of_reward))


def _drop_unknown(comparison: Comparison, known: Sequence[Column]) -> None:
    """Take what is no column out of the link, and say so; not where a run that was not read may have logged it."""
    names = {"run", *(column.in_link for column in (*COLUMNS, *known))}
    unknown = [name for name in url.value(link.COLUMNS) if name not in names]
    is_told = all(
        each.data is not None and each.error is None and not each.data.curves.may_have_more for each in comparison.runs
    )
    if unknown and is_told:
        url.put(link.COLUMNS, tuple(name for name in url.value(link.COLUMNS) if name in names))
        what = counted(len(unknown), "column of the link", "columns of the link")
        st.warning(
            f"{what} left out: {md(first_of(unknown, MOST_NAMED))}. No selected run logged it.",
            icon=":material/link_off:",
        )


def _choose_columns(offered: Sequence[Column], layout: Layout) -> None:
    """Let columns be chosen, in groups; what is typed leaves those that it names."""
    typed = st.text_input(
        "Find a column",
        key="column_search",
        type="search",
        live="200ms",
        placeholder="Find a column",
        label_visibility="collapsed",
    )
    wanted = searchable(typed).split()
    shown = {each.column.key for each in layout.columns}
    found = [each for each in offered if all(word in searchable(f"{each.group} {each.header}") for word in wanted)]
    for group in Group:
        named = {column.in_link: column for column in found if column.group is group}
        key = f"widget:{link.COLUMNS.name}:{group.name.lower()}"
        if named:
            st.session_state[key] = [name for name, column in named.items() if column.key in shown]
            st.pills(
                group.value,
                list(named),
                selection_mode="multi",
                format_func=lambda name, of=named: md(of[name].header),
                key=key,
                on_change=_take_columns,
                args=(key, tuple(named), tuple(offered), layout),
            )
    if not found:
        st.caption("No column is called so.")


def _take_columns(key: str, named: Sequence[str], offered: Sequence[Column], layout: Layout) -> None:
    """Show the columns that are chosen in one group beside those of the others; the default ones are no choice."""
    edited, shown = set(st.session_state[key]), {each.column.key for each in layout.columns}
    chosen = [each for each in offered if (each.in_link in edited if each.in_link in named else each.key in shown)]
    is_default = {each.key for each in chosen} == set(layout.default)
    url.put(link.COLUMNS, () if is_default else tuple(each.in_link for each in chosen))
