"""The sessions of a sign-in, all of which end with it: each is one tab of a browser."""

from __future__ import annotations

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lib.gate.sessions import SESSIONS, browser_of


def note(ticket: str) -> None:
    """Say whose this session is, so that nobody else is given it.

    Args:
        ticket: Of the sign-in that it reads under; "" for none.
    """
    context = get_script_run_ctx()
    if context is not None:
        SESSIONS.note(context.session_id, browser_of(st.context.cookies), ticket)


def end(ticket: str) -> None:
    """End the sessions of a sign-in that is over.

    Those on a screen are drawn anew, which asks for a sign-in; those that Streamlit keeps for a browser to come back
    are forgotten. What either offers to download is gone at once.

    Args:
        ticket: Of that sign-in.
    """
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return
    running = runtime.get_instance()
    sessions = SESSIONS.under(ticket)
    for session in sessions:
        running.media_file_mgr.clear_session_refs(session)
        SESSIONS.note(session, "")
        tab = running.get_app_session(session)
        if tab is None:
            running.clear_user_info_for_session(session)
        elif session != context.session_id:
            # As Streamlit itself does when a file of the app has changed.
            tab.request_rerun(tab._client_state)
    if sessions:
        # The first time Streamlit only marks a download that nobody offers any more.
        running.media_file_mgr.remove_orphaned_files()
        running.media_file_mgr.remove_orphaned_files()
