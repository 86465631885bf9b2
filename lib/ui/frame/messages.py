"""Errors and empty states, each in a sentence of its own."""

from __future__ import annotations

import streamlit as st

from lib.core.facts.errors import AppError
from lib.ui.frame import refreshing
from lib.ui.frame.escape import md


def error_panel(error: AppError, *, retry: str | None = None) -> None:
    """Show what was expected, what came, and what to do; with a button that tries again."""
    hint = f"\n\n{md(error.hint)}" if error.hint else ""
    st.error(md(str(error)) + hint, icon=":material/error:")
    if retry is not None:
        st.button("Try again", key=f"retry:{retry}", icon=":material/refresh:", on_click=refreshing.refresh)
