"""All charts of the page as one component: drawn by ``static/charts.js``; what is dragged or clicked there is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.charts.packed import packed
from lib.core.curves.axes import Axis
from lib.ui.charts.chart import Chart, smoothed_lines_sent
from lib.ui.frame import static
from lib.ui.session import link, url

CHARTS = "charts"
"""The element's key."""

LONGEST_SMOOTHING = 1_000_000
"""Points of all charts: more than so many take more than half a second to smooth with every weight. The server then
smooths with the one weight that was chosen, each time."""

MODULES = ("charts.js", "vega.min.js")
"""What draws the charts: loaded while they are computed."""

_SMOOTHED_LINES = "charts:smoothed lines"


@dataclass(frozen=True, slots=True)
class Section:
    """Charts below each other, or two beside each other where they are not ``wide``, and their legend."""

    charts: Sequence[Chart]
    legend: Mapping[str, Any]
    wide: bool = False


def draw(sections: Sequence[Section], *, smoothing: bool = False) -> None:
    """Draw all charts of the page: as one element, so that they change at one moment.

    Args:
        sections: One below the other.
        smoothing: Send the lines for every weight of smoothing too, where that does not take long.
    """
    charts = [chart for section in sections for chart in section.charts]
    shared = {
        "pin": url.value(link.PIN),
        "slider": url.widget_key(link.SMOOTHING),
        "sections": [
            {"charts": [chart.key for chart in each.charts], "legend": each.legend, "wide": each.wide}
            for each in sections
        ],
    }
    parts = [packed(shared), *(chart.sent for chart in charts)]
    if smoothing and sum(chart.to_smooth for chart in charts) <= LONGEST_SMOOTHING:
        parts += [smoothed_lines_sent(chart) for chart in charts]
    static.component("runoff_charts", "charts.js", "charts.css")(
        key=CHARTS,
        data=b"".join(parts),
        on_zoom_change=lambda: _zoom(st.session_state[CHARTS].zoom),
        on_pin_change=lambda: url.put(link.PIN, st.session_state[CHARTS].pin),
        on_smoothed_lines_change=lambda: st.session_state.update({_SMOOTHED_LINES: True}),
    )


def smoothing_is_wanted() -> bool:
    """Whether the browser asks for the lines of every weight, as somebody is about to move the slider."""
    wanted: bool = st.session_state.pop(_SMOOTHED_LINES, False)
    return wanted


def _zoom(dragged: Sequence[float]) -> None:
    """Show a dragged range in all charts."""
    start, end = dragged
    if url.value(link.AXIS) is Axis.STEP:
        start, end = math.floor(start), math.ceil(end)
    url.put(link.ZOOM, (start, end))
