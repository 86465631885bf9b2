"""The summary table's grid, drawn by AgGrid.

The grid's options hold constants only: AgGrid evaluates the expressions among them, so nothing that a
user wrote may stand there. Names and notes travel as data, which the grid shows as text. The one exception is a
metric's name in a header, of which nothing is left but letters, digits and a few marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS, MARK_SHAPES, SIZES
from lib.core.text.formatting import shorten
from lib.table.inputs import Summary
from lib.table.layout import Layout, Shown
from lib.table.marks import Mark, Marked

ROW_HEIGHT, TALL_ROW_HEIGHT, HEADER_HEIGHT, SCROLL_BAR = 29, 42, 44, 8
HEADER_LIMIT = 48
"""Characters of a header."""
SIGNS: Mapping[Mark, tuple[str, str]] = {
    Mark.BEST: ("", "best: "),
    Mark.TIE_BEST: ("= ", "best, tied: "),
    Mark.WORST: ("▽ ", "worst: "),
    Mark.HIGH: ("", "high: "),
    Mark.NEGATIVE: ("⚑ ", "negative: "),
}
"""What stands before a cell, and what a screen reader says there."""
RECOMMENDED, SLOT, VALUES, TEXTS, MARKS, NOTE = "_recommended", "_slot", "_values", "_texts", "_marks", "_note"
SEPARATOR = "\x1f"
"""Between the values, texts and marks of a row's cells: each of these is one column of the grid's data, as AgGrid's
work grows with the columns."""


def grid_frame(
    summary: Summary,
    layout: Layout,
    found: Mapping[str, Sequence[Marked]],
    slots: Mapping[str, int],
    recommended: str | None,
    why: str,
    signs: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    """The grid's data: raw values to sort by, text to show, a note for the tooltip, a mark for the look.

    Args:
        summary: The table.
        layout: What of it is shown.
        found: What stands out (``lib.table.marks``).
        slots: Which colour and mark each run has.
        recommended: The recommended run.
        why: Why it is.
        signs: What stands before cells besides, by column: a text for each run.
    """
    keys = [each.column.key for each in layout.columns]
    ids = summary.run_ids
    texts = {key: [each.text for each in summary.cells[key]] for key in keys}
    for key in signs.keys() & texts.keys():
        texts[key] = [sign + text for sign, text in zip(signs[key], texts[key], strict=True)]
    texts["run"] = [layout.names[run_id] + (" ★" if run_id == recommended else "") for run_id in ids]
    notes = {
        key: [f"{cell.note} {mark.note}".strip() for cell, mark in zip(summary.cells[key], found[key], strict=True)]
        for key in keys
    }
    notes["run"] = [
        f"{note}. Recommended. {why}" if run_id == recommended else note
        for run_id, note in zip(ids, notes["run"], strict=True)
    ]
    data: dict[str, Sequence[object]] = {
        RECOMMENDED: [run_id == recommended for run_id in ids],
        SLOT: [slots[run_id] for run_id in ids],
        VALUES: _joined([["" if each.value is None else each.value for each in summary.cells[key]] for key in keys]),
        TEXTS: _joined([texts[key] for key in keys]),
        MARKS: _joined([[each.mark or "" for each in found[key]] for key in keys]),
    }
    # A column that has nothing to tell sends nothing.
    data |= {key + NOTE: notes[key] for key in keys if any(notes[key])}
    return pd.DataFrame(data)


def _joined(columns: Iterable[Iterable[object]]) -> list[str]:
    """What a row's cells hold, as one text a row."""
    rows = zip(*columns, strict=True)
    return [SEPARATOR.join(str(each).replace(SEPARATOR, " ") for each in row) for row in rows]


def height_px(rows: int, *, is_tall: bool) -> int:
    """How high the grid is."""
    return HEADER_HEIGHT + (TALL_ROW_HEIGHT if is_tall else ROW_HEIGHT) * rows + SCROLL_BAR


def options_of(layout: Layout, noted: Iterable[str]) -> dict[str, Any]:
    """The grid's options.

    Args:
        layout: What is shown.
        noted: The columns of the grid's data.
    """
    has_notes = frozenset(noted)
    return {
        "columnDefs": [_definition(each, position, has_notes) for position, each in enumerate(layout.columns)],
        "defaultColDef": {
            "resizable": True,
            "sortable": True,
            "suppressHeaderMenuButton": True,
            "wrapHeaderText": True,
            "suppressMovable": False,
        },
        "rowClassRules": {
            "recommended": f"data.{RECOMMENDED} === true",
            **{f"slot-{slot}": f"data.{SLOT} === {slot}" for slot in range(len(RUN_COLORS))},
        },
        "rowHeight": TALL_ROW_HEIGHT if layout.is_tall else ROW_HEIGHT,
        "headerHeight": HEADER_HEIGHT,
        "scrollbarWidth": SCROLL_BAR,
        "tooltipShowDelay": 200,
        "ensureDomOrder": True,
        "enableCellTextSelection": True,
        "suppressFieldDotNotation": True,
    }


def draw_grid(grid: pd.DataFrame, options: Mapping[str, Any], height: int) -> None:
    """Draw it."""
    # Imported where it is drawn: the other pages, and the page without a selection, need no grid.
    from st_aggrid import AgGrid

    AgGrid(
        # It adds to the frame and to the options that it is given.
        grid.copy(),
        gridOptions=dict(options),
        key="summary",
        height=height,
        update_on=[],
        theme="streamlit",
        custom_css=CSS,
        show_toolbar=False,
        allow_unsafe_jscode=False,
    )


def _definition(shown: Shown, position: int, has_notes: frozenset[str]) -> dict[str, Any]:
    column, key = shown.column, shown.column.key
    value, text, mark = (f"data['{joined}'].split('{SEPARATOR}')[{position}]" for joined in (VALUES, TEXTS, MARKS))
    # An empty line keeps its height.
    name, below = (line or "\u00a0" for line in shown.lines)
    # Only a metric without an entry has a name that somebody else wrote.
    header = "\n".join((_harmless(name) if column.link_name else name, below))
    definition: dict[str, Any] = {
        "colId": key,
        "headerName": header,
        "headerTooltip": column.tooltip,
        "valueGetter": value,
        "valueFormatter": text,
        "minWidth": shown.width,
        "flex": shown.width,
        "cellClassRules": {each.value: f"{mark} === '{each.value}'" for each in Mark},
    }
    if key + NOTE in has_notes:
        definition["tooltipField"] = key + NOTE
    if column.show:
        # What is missing comes last in both directions; the grid itself puts it first going up.
        definition |= {
            "type": "rightAligned",
            "cellDataType": "number",
            "valueGetter": f"{value} === '' || isNaN({value})"
            f" ? (column.getSort() === 'desc' ? -1e308 : 1e308) : Number({value})",
            "sortingOrder": ["desc", "asc", None] if column.better == "higher" else ["asc", "desc", None],
        }
    else:
        definition["cellDataType"] = "text"
    if key == "run":
        # A pinned column takes its own width and no share of what is left.
        definition |= {"pinned": "left", "lockPinned": True, "lockPosition": "left", "width": shown.width}
        definition |= {"wrapText": True, "cellClass": "name"}
    return definition


def _harmless(header: str) -> str:
    """A header that may be what somebody else called a metric: only letters, digits and what stands in names."""
    return shorten(re.sub(r"[^\w ./()%+-]", "·", header), HEADER_LIMIT)


def _css() -> dict[str, dict[str, str]]:
    """The look of the grid, which lives in a frame of its own.

    The grid loses its own theme when the user switches between light and dark; Streamlit's variables are
    kept up to date in its frame, so that it follows: whether the theme is dark is told from the ground.
    """
    colors = {name: _of_theme(*pair) for name, pair in COLORS.items()}
    variables = {
        "--ag-background-color": "var(--background-color) !important",
        "--ag-data-background-color": "var(--background-color) !important",
        "--ag-foreground-color": "var(--text-color) !important",
        "--ag-text-color": "var(--text-color) !important",
        "--ag-cell-text-color": "var(--text-color) !important",
        "--ag-header-text-color": f"{colors['muted']} !important",
        "--ag-header-background-color": f"{colors['side']} !important",
        "--ag-odd-row-background-color": "transparent !important",
        "--ag-accent-color": "var(--primary-color) !important",
        "--ag-border-color": f"{colors['line']} !important",
        "--ag-row-hover-color": f"{colors['hover']} !important",
        "--ag-tooltip-background-color": "var(--background-color) !important",
        "--ag-tooltip-text-color": "var(--text-color) !important",
        "--ag-cell-horizontal-padding": "8px !important",
        "--ag-spacing": "4px !important",
    }
    signs = {
        f".ag-cell.{mark.value} .ag-cell-value::before, .ag-cell.{mark.value}.ag-cell-value::before": {
            "content": f'"{sign or chr(0x200B)}" / "{said}"'
        }
        for mark, (sign, said) in SIGNS.items()
    }
    return {
        "html": {"color-scheme": "inherit"},
        "body": {"background-color": "transparent !important"},
        ".ag-root-wrapper, .ag-root-wrapper *, .ag-popup, .ag-tooltip": variables,
        ".ag-root-wrapper, .ag-root-wrapper :not(.ag-icon), .ag-tooltip": {
            "font-family": "'Source Sans Pro', sans-serif !important",
            "font-size": f"{SIZES['small']}px !important",
        },
        ".ag-root-wrapper": {"border": "0 !important", "border-radius": "0 !important"},
        ".ag-cell": {"font-variant-numeric": "tabular-nums", "line-height": f"{ROW_HEIGHT - 2}px !important"},
        ".ag-cell:not(.name)": {"display": "flex", "align-items": "center"},
        ".ag-cell.ag-right-aligned-cell": {"justify-content": "flex-end"},
        ".ag-row": {
            "cursor": "pointer",
            "transition": "none !important",
            "border-bottom-color": f"{colors['line']} !important",
        },
        # Lines between headers are for whoever drags them.
        ".ag-header-cell:not(:hover):not(:focus-visible)::before": {"display": "none !important"},
        ".ag-header-cell:not(:hover):not(:focus-visible)::after": {"display": "none !important"},
        ".ag-pinned-left-header, .ag-cell.ag-cell-last-left-pinned": {"border-right-color": "transparent !important"},
        ".ag-header-cell-text": {
            "white-space": "pre !important",
            "line-height": "16px !important",
            "font-size": f"{SIZES['caption']}px !important",
            "font-weight": "400 !important",
        },
        ".ag-header-cell-text::first-line": {
            "color": "var(--text-color)",
            "font-size": f"{SIZES['small']}px",
            "font-weight": "600",
        },
        ".ag-header-cell": {"padding-left": "8px !important", "padding-right": "8px !important"},
        # Beside the text it would push the text out.
        ".ag-sort-indicator-container": {"position": "absolute", "left": "0", "top": "4px"},
        ".ag-ltr .ag-header-cell:not(.ag-right-aligned-header) .ag-sort-indicator-container": {
            "left": "auto",
            "right": "2px",
        },
        ".ag-icon": {"font-size": "10px !important", "width": "10px !important", "height": "10px !important"},
        ".ag-tooltip": {"max-width": "420px", "white-space": "normal"},
        ".ag-row.recommended": {"background-color": f"{colors['recommended']} !important"},
        ".ag-cell.best, .ag-cell.tie-best": {
            "background-color": f"{colors['good-ground']} !important",
            "font-weight": "600",
        },
        ".ag-cell.high": {"color": f"{colors['warn']} !important", "font-weight": "600"},
        ".ag-cell.negative": {"font-style": "italic", "font-weight": "600"},
        ".ag-cell.worst .ag-cell-value::before": {"color": colors["muted"]},
        ".ag-cell.name": {
            "display": "flex",
            "align-items": "center",
            "gap": "8px",
            "white-space": "normal",
            "line-height": "16px !important",
            "overflow-wrap": "anywhere",
        },
        ".ag-cell.name *": {"line-height": "16px !important", "height": "auto !important", "align-items": "center"},
        ".ag-cell.name::before": {"content": '""', "width": "10px", "height": "10px", "flex": "none"},
        ".ag-center-cols-viewport::-webkit-scrollbar, .ag-body-horizontal-scroll-viewport::-webkit-scrollbar": {
            "height": f"{SCROLL_BAR}px"
        },
        **signs,
        **{
            f".ag-row.slot-{slot} .ag-cell.name::before": {"background": color, "clip-path": shape}
            for slot, (color, shape) in enumerate(zip(RUN_COLORS, MARK_SHAPES, strict=True))
        },
        **{
            f"html[data-run-shown='{slot}'] .ag-row:not(.slot-{slot})": {"opacity": ".28"}
            for slot in range(len(RUN_COLORS))
        },
    }


def _of_theme(light: str, dark: str) -> str:
    """The colour of the theme that is on: ``light-dark()`` follows a scheme that the grid's frame does not have."""
    pairs = zip(bytes.fromhex(light[1:]), bytes.fromhex(dark[1:]), strict=True)
    # 1 where the ground is light, 0 where it is dark.
    light_share = "clamp(0, r - 127, 1)"
    channels = " ".join(f"calc({of_dark} + {of_light - of_dark} * {light_share})" for of_light, of_dark in pairs)
    return f"rgb(from var(--background-color) {channels})"


CSS = _css()
