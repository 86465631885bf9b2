"""How the curves were read from a source far away: every row, or reduced by the database."""

from __future__ import annotations

import streamlit as st

from lib.core.text import formatting
from lib.data.source import LiveSource, RunSource
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison


def read_mode(source: RunSource, comparison: Comparison) -> None:
    """Say which way curves are read, and offer every row where some were left out."""
    read = [each.data.curves for each in comparison.runs if each.data is not None]
    if not isinstance(source, LiveSource) or not read:
        return
    reduced = [curves for curves in read if not curves.is_complete]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="read_mode"):
        if not reduced:
            st.markdown(f":small[:material/database: {source.way()} Every logged value is here.]", width="content")
        else:
            points, logged = sum(curves.points for curves in reduced), sum(curves.logged for curves in reduced)
            runs = "1 run" if len(reduced) == 1 else f"{len(reduced)} runs"
            st.markdown(
                f":small[:material/database: {source.way()} Of {runs}, {formatting.count(points)} of"
                f" {formatting.count(logged)} values are here, every extreme and every evaluation among them.]",
                width="content",
            )
        if reduced or url.value(link.EVERY_ROW):
            st.toggle(
                "Read every row",
                help="Takes longer. Stability and what else rests on every value can be judged then.",
                **url.widget(link.EVERY_ROW),
            )
