"""All charts of the page as one component: drawn by ``static/charts.js``; what is chosen there is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.charts.lane import SIGNS
from lib.charts.packed import packed
from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.ui.charts.chart import Chart
from lib.ui.charts.downloads import ask_for_file
from lib.ui.charts.options import take
from lib.ui.frame import static

CHARTS = "charts"
"""The element's key."""

MODULES = ("charts.js", "chart.js", "plot.js", "controls.js", "toolbar.js", "highlight.js")
"""What draws the charts: loaded while they are computed."""


_SMOOTHED_LINES = "charts:smoothed lines"
_CHECKED = "charts:checked"


PLACE = "runoff-below"
"""The class of the element that the health charts stand in, wherever the page has put it."""


def place() -> None:
    """Say where on the page the health charts and the further metrics stand: ``draw`` puts them there."""
    st.html(f'<div class="{PLACE}"></div>')


def draw(
    main: Sequence[Chart], health: Sequence[Chart], shared: Mapping[str, Any], smoothed: Sequence[bytes] = ()
) -> None:
    """Draw all charts of the page: as one element, so that they change at one moment.

    Args:
        main: In the large part, beside each other.
        health: The small ones.
        shared: What else is shown: toolbar, names, the pinned step, the choice of further metrics.
        smoothed: The lines of each chart for every weight of smoothing, where they are sent too.
    """
    charts = [*main, *health]
    head = {
        **shared,
        "colors": RUN_COLORS,
        "shapes": RUN_SHAPES,
        "signs": SIGNS,
        "main": [chart.key for chart in main],
        "health": [chart.key for chart in health],
    }
    parts = [packed(head), *(chart.sent for chart in charts), *smoothed]
    static.component("runoff_charts", "charts.js", "charts.css")(
        key=CHARTS,
        data=b"".join(parts),
        on_put_change=lambda: take(st.session_state[CHARTS].put),
        on_file_change=lambda: ask_for_file(st.session_state[CHARTS].file),
        on_checked_change=lambda: st.session_state.update({_CHECKED: True}),
        on_smoothed_lines_change=lambda: st.session_state.update({_SMOOTHED_LINES: True}),
    )


def smoothing_is_wanted() -> bool:
    """Whether the browser asks for the lines of every weight, as somebody is about to move the slider."""
    wanted: bool = st.session_state.pop(_SMOOTHED_LINES, False)
    return wanted


def checks_are_wanted() -> bool:
    """Whether the browser has drawn the charts without what the checks find, and asks for that."""
    wanted: bool = st.session_state.pop(_CHECKED, False)
    return wanted
