"""The button that opens the dialog."""

from __future__ import annotations

import streamlit as st

from lib.data.source import RunSource
from lib.ui.session import url
from lib.ui.session.comparison import Comparison

_OPEN_AT = "share:open at"
"""The view whose dialog is open. It stays where the page is drawn anew, as when a project answers again."""


def share(source: RunSource, comparison: Comparison) -> None:
    """Draw the button: hidden, as one in the page's title line presses it; and the dialog while it is open."""
    view = (st.context.url or "").partition("?")[0], url.state()
    if st.button("Share", key="share_open"):
        st.session_state[_OPEN_AT] = view
    if st.session_state.get(_OPEN_AT) == view:
        # Imported where it is used: most visits take nothing away, and it needs Altair.
        from lib.ui.share.dialog import dialog

        st.dialog("Share this comparison", width="medium", on_dismiss=_closed)(dialog)(source, comparison)
    else:
        _closed()


def _closed() -> None:
    st.session_state.pop(_OPEN_AT, None)
