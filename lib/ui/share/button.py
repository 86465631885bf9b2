"""The button that opens the dialog."""

from __future__ import annotations

import streamlit as st

from lib.data.source import RunSource
from lib.ui.session.comparison import Comparison


def share(source: RunSource, comparison: Comparison) -> None:
    """Draw the button: hidden, as one in the page's title line presses it."""
    if st.button("Share", key="share_open"):
        # Imported where it is used: most visits take nothing away, and it needs Altair.
        from lib.ui.share.dialog import dialog

        dialog(source, comparison)
