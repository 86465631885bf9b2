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
from lib.core.text.formatting import shorten
from lib.table.inputs import Summary
from lib.table.layout import Layout, Shown
from lib.table.marks import Mark, Marked
from lib.ui.panels.grid_look import CSS, HEADER_HEIGHT, ROW_HEIGHT, SCROLL_BAR, SENSES, TALL_ROW_HEIGHT

HEADER_LIMIT = 48
"""Characters of a header."""
RECOMMENDED, SLOT, VALUES, TEXTS, MARKS, NOTE = "_recommended", "_slot", "_values", "_texts", "_marks", "_note"
SENSED = "_senses"
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
    beside = {key: [each.against for each in summary.cells[key]] for key in keys}
    texts = {
        key: [text if one is None else f"{text}\n{one.text}" for text, one in zip(texts[key], beside[key], strict=True)]
        for key in keys
    }
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
        SENSED: _joined([["" if each is None else each.sense for each in beside[key]] for key in keys]),
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
    value, text, mark, sense = (
        f"data['{joined}'].split('{SEPARATOR}')[{position}]" for joined in (VALUES, TEXTS, MARKS, SENSED)
    )
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
        "cellClassRules": {
            **{each.value: f"{mark} === '{each.value}'" for each in Mark},
            **{each.value: f"{sense} === '{each.value}'" for each in SENSES},
            "against": f"{sense} !== ''",
        },
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
