"""Waiting until the browser has drawn the charts, so that what is heavy and less urgent comes after them.

The summary table's grid is some 4.7 MB of JavaScript in the page's own thread: drawn at once, it doubles
the time to the charts. A narrow window has no room for a grid: it gets cards, and never loads it.
"""

from __future__ import annotations

from enum import StrEnum

import streamlit as st

from lib.ui.frame import static

CHARTS = "charts on the page"
LONGEST_WAIT_MS = 4000
"""A chart that is not drawn by then will not be: the rest of the page does not wait for it."""
CANVASES = ".runoff-plot canvas"
"""What there is one of for each chart that is drawn."""


class Kind(StrEnum):
    """How the table is shown; nothing of it before the charts are drawn."""

    NOT_YET = ""
    GRID = "grid"
    CARDS = "cards"


def note_charts(count: int) -> None:
    """Say how many charts this run of the page draws."""
    st.session_state[CHARTS] = count


def after_charts() -> Kind:
    """How the table is shown; when the browser has drawn the charts, or has another width, the fragment runs again."""
    if st.context.url is None:
        # No browser shows this run of the page, so none will ever have drawn it.
        return Kind.GRID
    key = "after_charts"
    said = (st.session_state.get(key) or {}).get("drawn")
    kind = Kind.CARDS if said == Kind.CARDS else Kind.GRID if said else Kind.NOT_YET
    static.component("runoff_after_charts", "after_charts.js", "table.css")(
        key=key,
        data={
            "drawn": kind.value,
            "charts": st.session_state.get(CHARTS, 0),
            "canvases": CANVASES,
            "wait": LONGEST_WAIT_MS,
        },
        default={"drawn": ""},
        on_drawn_change=lambda: None,
        height=1,
    )
    return kind
