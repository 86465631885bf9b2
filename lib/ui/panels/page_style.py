"""The style of the pages beside the main one."""

from __future__ import annotations

import streamlit as st

from lib.charts.signs import SIGN_STYLE
from lib.ui.frame import static


def page_style() -> None:
    """Give the page its style, which is constant: the browser gets it once."""
    st.html(f"<style>{static.text('pages.css')}{SIGN_STYLE}</style>")
