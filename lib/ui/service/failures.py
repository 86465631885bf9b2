"""What a page shows that failed: a sentence and the id of the log's entry, in the place of a traceback."""

from __future__ import annotations

from lib.ui.frame import messages


def show(error: Exception) -> bool:
    """Say that the app failed; Streamlit, which has logged the error, shows nothing of its own."""
    messages.failure(error)
    return True
