"""Waiting until the browser has drawn the charts, so that what is heavy and less urgent comes after them.

The summary table's grid is some 4.7 MB of JavaScript in the page's own thread: drawn at once, it doubles
the time to the charts.
"""

from __future__ import annotations

from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

CHARTS = "charts on the page"
LONGEST_WAIT_MS = 4000
"""A chart that is not drawn by then will not be: the rest of the page does not wait for it."""

_JS = """
export default function ({ data, setStateValue }) {
  if (data.drawn) return;
  const start = performance.now();
  const idle = window.requestIdleCallback ?? (then => setTimeout(then, 100));
  const charts = () => document.querySelectorAll('.runoff-plot canvas').length;
  const look = () => idle(() => {
    if (charts() >= data.charts || performance.now() - start > data.wait) setStateValue('drawn', true);
    else setTimeout(look, 50);
  });
  const timer = setTimeout(look, 20);
  return () => clearTimeout(timer);
}
"""


def note_charts(count: int) -> None:
    """Say how many charts this run of the page draws."""
    st.session_state[CHARTS] = count


def charts_are_drawn() -> bool:
    """Whether the browser has drawn charts since it opened the page; when it has, the fragment runs again."""
    if st.context.url is None:
        # No browser shows this run of the page, so none will ever have drawn it.
        return True
    key = "after_charts"
    drawn = bool((st.session_state.get(key) or {}).get("drawn"))
    _mounted()(
        key=key,
        data={"drawn": drawn, "charts": st.session_state.get(CHARTS, 0), "wait": LONGEST_WAIT_MS},
        default={"drawn": False},
        on_drawn_change=lambda: None,
        height=1,
    )
    return drawn


@cache
def _mounted() -> ComponentRenderer:
    return st.components.v2.component("runoff_after_charts", js=_JS)
