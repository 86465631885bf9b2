"""Charts on the page: drawn in the browser by ``static/charts.js``, and what is dragged or clicked there taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

import streamlit as st

from lib.charts.packed import packed
from lib.core.axes import Axis
from lib.ui import url
from lib.ui.chart import Chart, levels_sent

LONGEST_SMOOTHING = 500_000
"""Points of a group of charts: more than so many take more than 0.3 s to smooth with every weight. The server then
smooths with the one weight that was chosen, each time."""

_STATIC = Path(__file__).parents[2] / "static"
_SCRIPT = "charts.js"
_LEVELS = "charts:levels"

_JS = """
// Streamlit's own script lies beside the app's static files, whatever path the app is served under.
const streamlit = document.querySelector('script[type=module][src]').src;
const charts = import(new URL('../../app/static/%s?v=%s', streamlit).href);
export default async component => (await charts).draw(component);
"""


def draw(key: str, charts: Sequence[Chart], *, wide: bool = False, smoothing: bool = False) -> None:
    """Draw some charts below each other, or two beside each other where they are not ``wide``.

    Args:
        key: Tells the page's groups of charts apart.
        charts: In the order shown.
        wide: One below the other.
        smoothing: Send the lines for every weight of smoothing too, where that does not take long.
    """
    mounted = f"charts:{key}"
    shared = {"wide": wide, "pin": url.PIN.value, "charts": len(charts), "slider": url.SMOOTHING.key}
    parts = [packed(shared), *(chart.sent for chart in charts)]
    if smoothing and sum(chart.to_smooth for chart in charts) <= LONGEST_SMOOTHING:
        parts += [levels_sent(chart) for chart in charts]
    js, css = _sources()
    st.components.v2.component("runoff_charts", js=js, css=css, isolate_styles=False)(
        key=mounted,
        data=b"".join(parts),
        on_zoom_change=lambda: _zoom(st.session_state[mounted].zoom),
        on_pin_change=lambda: url.PIN.set(st.session_state[mounted].pin),
        on_levels_change=lambda: st.session_state.update({_LEVELS: True}),
    )


def smoothing_is_wanted() -> bool:
    """Whether the browser asks for the lines of every weight, as somebody is about to move the slider."""
    return st.session_state.pop(_LEVELS, False)


def _zoom(dragged: Sequence[float]) -> None:
    """Show a dragged range in all charts."""
    start, end = dragged
    if url.AXIS.value is Axis.STEP:
        start, end = math.floor(start), math.ceil(end)
    url.ZOOM.set((start, end))


@cache
def _sources() -> tuple[str, str]:
    """The component's script and style; the files that they load are told apart by what is in them."""
    content = blake2b(b"".join(path.read_bytes() for path in sorted(_STATIC.iterdir())), digest_size=8)
    return _JS % (_SCRIPT, content.hexdigest()), (_STATIC / "charts.css").read_text()
