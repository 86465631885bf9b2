"""The button that opens the dialog."""

from __future__ import annotations

import streamlit as st

from lib.data.source import RunSource
from lib.ui.session import open_dialog
from lib.ui.session.comparison import Comparison


def share(source: RunSource, comparison: Comparison) -> None:
    """Draw the button: hidden, as one in the page's title line presses it; and the dialog while it is open.

    It stays where the page is drawn anew, as when a project answers again.
    """
    if st.button("Share", key="share_open"):
        open_dialog.opens()
    if open_dialog.is_open():
        # Imported where it is used: most visits take nothing away, and it needs Altair.
        from lib.ui.share.dialog import dialog

        with open_dialog.drawn():
            st.dialog("Share this comparison", width="medium", on_dismiss=open_dialog.closes)(dialog)(
                source, comparison
            )
