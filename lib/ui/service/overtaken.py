"""A page whose end was overtaken: what it said last is sent before a fragment of it runs.

A page is drawn in a thread, and the server's loop sends what it draws. Where a fragment is asked for when the thread
has ended and the loop has not yet come to all of that, Streamlit begins anew and drops the rest: the list of runs, the
timers of the page, and that it has ended. Such a page would never try again what could not be read.
"""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING

from streamlit.runtime.app_session import AppSession, AppSessionState

if TYPE_CHECKING:
    from streamlit.runtime.scriptrunner import RerunData, ScriptRunner

LOOK_EVERY_S = 0.005
"""The thread has all but ended, and the loop comes to what it said in turn: soon, but not at once."""
LONGEST_S = 10.0
"""A thread that was told to stop may still wait for a disk or a network; its page waits for that no longer."""


def wait() -> None:
    """Let all sessions of this process wait for what a page said last; asked twice is as well as once."""
    if hasattr(AppSession._create_scriptrunner, "__wrapped__"):
        return
    create = AppSession._create_scriptrunner

    @wraps(create)
    def create_in_turn(session: AppSession, initial_rerun_data: RerunData) -> None:
        before = session._scriptrunner
        if before is None:
            # Nothing has been drawn yet, all was taken, or it is all to be drawn anew.
            create(session, initial_rerun_data)
        else:
            until = time.monotonic() + LONGEST_S
            session._event_loop.call_later(LOOK_EVERY_S, _ask_again, session, initial_rerun_data, before, until)

    AppSession._create_scriptrunner = create_in_turn  # type: ignore[method-assign,assignment]  # it offers no other place


def _ask_again(session: AppSession, asked: RerunData, before: ScriptRunner, until: float) -> None:
    """Ask for a run once more, as ``AppSession.request_rerun`` does, when all is sent that was drawn before."""
    if session._scriptrunner is before:
        if time.monotonic() < until:
            session._event_loop.call_later(LOOK_EVERY_S, _ask_again, session, asked, before, until)
            return
        session._scriptrunner = None
    if session._state == AppSessionState.SHUTDOWN_REQUESTED:
        return
    if asked.fragment_id and not session.has_fragment(asked.fragment_id):
        # The whole page was drawn meanwhile, without it.
        return
    if session._scriptrunner is None or not session._scriptrunner.request_rerun(asked):
        session._create_scriptrunner(asked)
