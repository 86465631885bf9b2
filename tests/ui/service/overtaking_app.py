"""A page whose fragment is asked for when its script has ended, and the server has not taken yet what it said last.

That takes a server that is busy, so the page keeps its loop busy until its own thread has ended.
"""

from __future__ import annotations

import threading

import streamlit as st
from streamlit import runtime
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.scriptrunner import get_script_run_ctx

LAST, AGAIN = "what the page says last", "what the fragment says when it is asked for"


def page() -> None:
    """Draw a fragment, and then the end of the page."""
    context = get_script_run_ctx()
    session = runtime.get_instance().get_app_session(context.session_id)
    asked = ClientState()

    def ask() -> None:
        script.join()
        session.request_rerun(asked)

    @st.fragment(key="part")
    def fragment() -> None:
        if asked.fragment_id:
            st.write(AGAIN)

    fragment()
    (asked.fragment_id,) = context.fragment_storage.resolve_target("part")
    script = threading.current_thread()
    session._event_loop.call_soon_threadsafe(ask)
    st.write(LAST)


if __name__ == "__main__":
    page()
else:
    from lib.ui.service import starting

    app = st.App(__file__, lifespan=starting.lifespan)
