"""The summary table, drawn by AgGrid.

The grid's options hold constants only: AgGrid evaluates the expressions among them, so nothing that a
user wrote may stand there. Names and notes travel as data, which the grid shows as text. The one exception is a
metric's name in a header, of which nothing is left but letters, digits and a few marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.palette import RUN_COLORS
from lib.core.ranking.comparability import Comparability, classed
from lib.core.text.formatting import shorten
from lib.table.columns import COLUMNS, NOTE, TEXT, Column
from lib.table.marks import Alike, Mark, mark_notes, marks
from lib.ui.frame.after_charts import charts_are_drawn
from lib.ui.session.comparison import Comparison

ROW_HEIGHT, HEADER_HEIGHT, SCROLL_BAR = 36, 46, 18
HEADER_LIMIT = 48
"""Characters of a header."""
MIN_SHARE = 0.84
"""A column may shrink to this share of its width before the grid scrolls sideways."""
TWO_LINES = {"whiteSpace": "normal", "lineHeight": "1.15", "display": "flex", "alignItems": "center"}
ICONS = {
    Mark.BEST: "✔ ",
    Mark.TIE_BEST: "✔= ",
    Mark.WORST: "▽ ",
    Mark.HIGH: "⚠ ",
    Mark.NEGATIVE: "⚑ ",
}
RECOMMENDED, SLOT, TEXTS, MARKS = "_recommended", "_slot", "_texts", "_marks"
SEPARATOR = "\x1f"
"""Between the texts, and the marks, of a row's cells: each of these is one column of the grid's data, as AgGrid's work
grows with the columns."""


def grid_frame(
    frame: pd.DataFrame, columns: Sequence[Column], comparison: Comparison, every: Sequence[Column] = COLUMNS
) -> pd.DataFrame:
    """The table's data: raw values to sort by, text to show, a note for the tooltip, a mark for the colour.

    Args:
        frame: Of ``summary_frame``.
        columns: Those to show.
        comparison: Whose table it is.
        every: All columns of the frame.
    """
    alike = _alike(comparison)
    found, notes = marks(frame, alike, every), mark_notes(frame, alike, every)
    grid = pd.DataFrame(
        {
            RECOMMENDED: frame["run_id"] == comparison.recommendation.run_id,
            SLOT: [each.slot for each in comparison.runs],
        }
    )
    texts = {}
    for column in columns:
        mark = found[column.key]
        texts[column.key] = mark.map(lambda each: ICONS.get(each, "")) + frame[column.key + TEXT]
        grid[column.key] = frame[column.key]
        grid[column.key + NOTE] = (frame[column.key + NOTE] + " " + notes[column.key]).str.strip()
    why = f". Recommended. {comparison.grounds.why_first}"
    grid["run" + NOTE] = grid["run" + NOTE].where(~grid[RECOMMENDED], grid["run" + NOTE] + why)
    texts["run"] = grid[RECOMMENDED].map({True: "★ ", False: ""}) + texts["run"]
    if "eval_loss" in texts:
        holds = frame["run_id"].isin(comparison.grounds.lowest)
        if alike is not None and len(alike.losses) > 1:
            # A run that compares with no other is not the lowest of anything.
            holds &= found["eval_loss"].isin((Mark.BEST, Mark.TIE_BEST))
        texts["eval_loss"] = texts["eval_loss"].where(~holds, "🏆 " + frame["eval_loss" + TEXT])
    grid[TEXTS] = _joined(texts.values())
    grid[MARKS] = _joined(found[column.key] for column in columns)
    return grid


def _alike(comparison: Comparison) -> Alike | None:
    """The classes of runs that compare; ``None`` where nothing is ranked, so that nothing is known to part them.

    Runs that are left out stand with the ranked ones where they compare.
    """
    decision = comparison.decision
    if not decision.scores:
        return None
    scored = sorted(decision.scores)
    found = classed(scored, comparison.pairs.among(scored))

    def classes(of: Comparability) -> list[set[str]]:
        first = set(decision.ranked[:1])
        return [{*each.run_ids, *(decision.alongside if first & set(each.run_ids) else ())} for each in of.classes]

    return Alike(classes(found), classes(found.but_for_loss))


def _joined(cells: Iterable[pd.Series]) -> list[str]:
    """What a row's cells hold, as one text a row."""
    rows = zip(*cells, strict=True)
    return [SEPARATOR.join(str(each).replace(SEPARATOR, " ") for each in row) for row in rows]


@st.fragment
def grid_after_charts(grid: pd.DataFrame, columns: Sequence[Column]) -> None:
    """Draw the grid when there are charts: to open it takes the browser long, to change it does not."""
    if charts_are_drawn():
        # The grid may change the frame that it is given.
        _grid(grid.copy(), columns)
    else:
        st.skeleton(height=_height(grid))


def _height(grid: pd.DataFrame) -> int:
    return HEADER_HEIGHT + ROW_HEIGHT * len(grid) + SCROLL_BAR


def _grid(grid: pd.DataFrame, columns: Sequence[Column]) -> None:
    # Imported where it is drawn: the other pages, and the page without a selection, need no grid.
    from st_aggrid import AgGrid

    AgGrid(
        grid,
        gridOptions={
            "columnDefs": [_definition(column, position) for position, column in enumerate(columns)],
            "defaultColDef": {
                "resizable": True,
                "sortable": True,
                "suppressHeaderMenuButton": True,
                "wrapHeaderText": True,
                "suppressMovable": False,
            },
            "rowClassRules": {"recommended": f"data.{RECOMMENDED} === true"},
            "rowHeight": ROW_HEIGHT,
            "headerHeight": HEADER_HEIGHT,
            "tooltipShowDelay": 200,
            "ensureDomOrder": True,
            "enableCellTextSelection": True,
            "suppressFieldDotNotation": True,
        },
        key="summary",
        height=_height(grid),
        update_on=[],
        theme="streamlit",
        custom_css=_css(),
        show_toolbar=False,
        allow_unsafe_jscode=False,
    )


def _definition(column: Column, position: int) -> dict[str, Any]:
    key = column.key
    text, mark = (f"data['{joined}'].split('{SEPARATOR}')[{position}]" for joined in (TEXTS, MARKS))
    definition: dict[str, Any] = {
        "colId": key,
        "field": key,
        # Only a metric without an entry has a name that somebody else wrote.
        "headerName": _harmless(column.header) if column.link_name else column.header,
        "headerTooltip": column.tooltip,
        "tooltipField": key + NOTE,
        "valueFormatter": text,
        "minWidth": round(column.width * MIN_SHARE),
        "flex": column.width,
        "cellClassRules": {each.value: f"{mark} === '{each.value}'" for each in Mark if each},
    }
    if column.show:
        # What is missing comes last in both directions; the grid itself puts it first going up.
        definition |= {
            "type": "rightAligned",
            "cellDataType": "number",
            "valueGetter": f"data['{key}'] == null || isNaN(data['{key}'])"
            f" ? (column.getSort() === 'desc' ? -1e308 : 1e308) : data['{key}']",
            "sortingOrder": ["desc", "asc", None] if column.better == "higher" else ["asc", "desc", None],
        }
    if key == "run":
        # A pinned column takes its own width and no share of what is left.
        definition |= {"pinned": "left", "lockPinned": True, "lockPosition": "left", "width": column.width}
        # Labels that begin alike differ at their end: they take a second line.
        definition |= {"wrapText": True, "cellStyle": TWO_LINES}
        definition["cellClassRules"] |= {f"slot{slot}": f"data['{SLOT}'] === {slot}" for slot in range(len(RUN_COLORS))}
    return definition


def _harmless(header: str) -> str:
    """A header that may be what somebody else called a metric: only letters, digits and what stands in names."""
    return shorten(re.sub(r"[^\w ./()%+-]", "·", header), HEADER_LIMIT)


def _css() -> dict[str, dict[str, str]]:
    """Colours for the grid, which lives in a frame of its own.

    The grid loses its own theme when the user switches between light and dark; these variables are
    kept up to date in its frame, so that it follows. Highlights are translucent to read on both.
    """
    faint = "color-mix(in srgb, var(--text-color) 18%, transparent) !important"
    colors = {
        "--ag-background-color": "var(--background-color) !important",
        "--ag-data-background-color": "var(--background-color) !important",
        "--ag-foreground-color": "var(--text-color) !important",
        "--ag-text-color": "var(--text-color) !important",
        "--ag-cell-text-color": "var(--text-color) !important",
        "--ag-header-text-color": "var(--text-color) !important",
        "--ag-header-background-color": "var(--secondary-background-color) !important",
        "--ag-odd-row-background-color": "transparent !important",
        "--ag-accent-color": "var(--primary-color) !important",
        "--ag-border-color": faint,
        "--ag-row-hover-color": "color-mix(in srgb, var(--text-color) 6%, transparent) !important",
        "--ag-tooltip-background-color": "var(--background-color) !important",
        "--ag-tooltip-text-color": "var(--text-color) !important",
        "--ag-row-height": f"{ROW_HEIGHT}px !important",
        "--ag-header-height": f"{HEADER_HEIGHT}px !important",
        "--ag-cell-horizontal-padding": "8px !important",
        "--ag-spacing": "5px !important",
    }
    green, red, gold, orange = "rgba(34,197,94,.24)", "rgba(239,68,68,.15)", "rgba(234,179,8,.16)", "#c2620a"
    return {
        "body": {"background-color": "transparent !important"},
        ".ag-root-wrapper, .ag-root-wrapper *, .ag-popup, .ag-tooltip": colors,
        ".ag-root-wrapper, .ag-root-wrapper :not(.ag-icon), .ag-tooltip": {
            "font-family": "'Source Sans Pro', sans-serif !important",
            "font-size": "14px !important",
        },
        ".ag-root-wrapper": {"border": f"1px solid {faint}", "border-radius": "6px !important"},
        ".ag-tooltip": {"max-width": "420px", "white-space": "normal"},
        ".ag-row.recommended": {"background-color": f"{gold} !important"},
        ".ag-cell.best, .ag-cell.tie-best": {"background-color": f"{green} !important", "font-weight": "600"},
        ".ag-cell.worst": {"background-color": f"{red} !important"},
        ".ag-cell.high": {"color": f"{orange} !important", "font-weight": "600"},
        ".ag-cell.negative": {"font-style": "italic", "font-weight": "600"},
    } | {
        f".ag-cell.slot{slot}": {"border-left": f"6px solid {color} !important"}
        for slot, color in enumerate(RUN_COLORS)
    }
