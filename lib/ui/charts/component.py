"""All charts of the page as one component: drawn by ``static/charts.js``; what is dragged or clicked there is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import streamlit as st

from lib.charts.packed import packed
from lib.core.curves.axes import Axis
from lib.ui.charts.chart import Chart, smoothed_lines_sent
from lib.ui.session import link, url

CHARTS = "charts"
"""The element's key."""

LONGEST_SMOOTHING = 1_000_000
"""Points of all charts: more than so many take more than half a second to smooth with every weight. The server then
smooths with the one weight that was chosen, each time."""

_STATIC = Path(__file__).parents[3] / "static"
_MODULES = ("charts.js", "vega.min.js")
_SMOOTHED_LINES = "charts:smoothed lines"

_JS = """
// Streamlit's own script lies beside the app's static files, whatever path the app is served under.
const streamlit = document.querySelector('script[type=module][src]').src;
const loading = import(new URL('../../app/static/%s?v=%s', streamlit).href);
export default async component => {
  let charts;
  try {
    charts = await loading;
  } catch (error) {
    component.parentElement.textContent = 'The charts are drawn by the files in static/, which could not be used: '
      + error.message + '. Reload the page; if that does not help, see that server.enableStaticServing is on.';
    return;
  }
  return charts.draw(component);
};
"""


@dataclass(frozen=True, slots=True)
class Section:
    """Charts below each other, or two beside each other where they are not ``wide``, and their legend."""

    charts: Sequence[Chart]
    legend: Mapping[str, Any]
    wide: bool = False


def prepare() -> None:
    """Let the browser load what draws the charts while they are computed, and not just when they come."""
    version, _, _ = _sources()
    links = "".join(f'<link rel="modulepreload" href="./app/static/{name}?v={version}">' for name in _MODULES)
    with st.container(key="prepared"):
        st.markdown(links, unsafe_allow_html=True)


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
    _, js, css = _sources()
    st.components.v2.component("runoff_charts", js=js, css=css, isolate_styles=False)(
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


@cache
def _sources() -> tuple[str, str, str]:
    """What tells the files in ``static`` from those of another version, the component's script, and its style."""
    content = blake2b(b"".join(path.read_bytes() for path in sorted(_STATIC.iterdir())), digest_size=8).hexdigest()
    return content, _JS % (_MODULES[0], content), (_STATIC / "charts.css").read_text()
