"""Errors and empty states, each in a sentence of its own."""

from __future__ import annotations

import streamlit as st

from lib.core.facts.errors import AppError
from lib.ui.frame import error_ids, refreshing
from lib.ui.frame.escape import md


def error_panel(error: AppError, *, retry: str | None = None) -> None:
    """Show what was expected, what came, what to do, and the id of the log's entry; with a button that tries again."""
    hint = f"\n\n{md(error.hint)}" if error.hint else ""
    st.error(f"{md(str(error))}{hint}\n\n{error_ids.shown(error)}", icon=":material/error:")
    if retry is not None:
        st.button("Try again", key=f"retry:{retry}", icon=":material/refresh:", on_click=refreshing.refresh)


FAILED = "The app failed here, which is not your doing."


def failure(error: Exception) -> None:
    """Say that the app itself is wrong; whoever runs it finds the reason in the log."""
    todo = (
        "Reload the page. If it fails again, tell whoever runs the app the id below: the log says there what happened."
    )
    st.error(f"{FAILED}\n\n{todo}\n\n{error_ids.shown(error)}", icon=":material/error:")


def incomplete(label: str, error: AppError) -> None:
    """Say that what is shown of a run is not all of it.

    Args:
        label: The run.
        error: Why.
    """
    said = f"{md(label)} is not complete in the table. {md(str(error))}\n\n{error_ids.shown(error)}"
    st.warning(said, icon=":material/cloud_off:")
