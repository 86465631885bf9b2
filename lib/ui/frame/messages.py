"""Errors and empty states, each in a sentence of its own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.core.facts.errors import AppError
from lib.core.text.phrases import listed
from lib.ui.frame import error_ids, refreshing
from lib.ui.frame.escape import md
from lib.ui.session.comparison import Comparison


def error_panel(error: AppError, *, retry: str | None = None) -> None:
    """Show what was expected, what came, what to do, and the id of the log's entry; with a button that tries again.

    Args:
        error: The error.
        retry: Names the button among those of the page; ``None`` for none.
    """
    to_do = f"\n\n{md(hint)}" if (hint := refreshing.to_do(error)) else ""
    st.error(f"{md(str(error))}{to_do}\n\n{error_ids.shown(error)}", icon=":material/error:")
    if retry is not None:
        label = refreshing.TRY_NOW if refreshing.is_tried_again(error) else "Try again"
        st.button(label, key=f"retry:{retry}", icon=":material/refresh:", on_click=refreshing.refresh)


FAILED = "The app failed here, which is not your doing."


def failure(error: Exception) -> None:
    """Say that the app itself is wrong; whoever runs it finds the reason in the log."""
    todo = (
        "Reload the page. If it fails again, tell whoever runs the app the id below: the log says there what happened."
    )
    st.error(f"{FAILED}\n\n{todo}\n\n{error_ids.shown(error)}", icon=":material/error:")


def incomplete(failed: Sequence[tuple[str, AppError]], what: str, comparison: Comparison) -> None:
    """Say that what is shown of some runs is not all of it; each reason once.

    Args:
        failed: The runs, and why.
        what: What they are not.
        comparison: What is compared.
    """
    for error, labels in refreshing.by_reason(failed):
        said = f"{listed([md(label) for label in labels])} {'is' if len(labels) == 1 else 'are'} not {what}"
        if refreshing.is_said(error, comparison):
            st.warning(f"{said}, {ABOVE}.", icon=":material/cloud_off:")
        else:
            reason = f"{md(str(error))} {md(refreshing.to_do(error))}".rstrip()
            st.warning(f"{said}. {reason}\n\n{error_ids.shown(error)}", icon=":material/cloud_off:")


ABOVE = "for the reason above"
"""Where the page says above its content why nothing can be read (``refreshing.said``)."""
