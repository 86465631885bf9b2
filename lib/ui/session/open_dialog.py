"""The dialog that is open over a page, while the page is drawn anew: it stays, with what is unfolded in it.

Streamlit takes a dialog away when its page runs again, until the run comes to where it opens the dialog, and a page may
wait for a read before that. It opens one in two steps, shut and then open, which the browser may see one by one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lib.ui.session import url

_AT, _MESSAGE = "open dialog:at", "open dialog:message"


def opens() -> None:
    """Somebody opens it over what they look at."""
    st.session_state[_AT] = _view()


def is_open() -> bool:
    """Whether it is open over what is looked at now; where that is something else, it is not open any more."""
    if st.session_state.get(_AT) == _view():
        return True
    closes()
    return False


def closes() -> None:
    """It is not open any more."""
    st.session_state.pop(_AT, None)
    st.session_state.pop(_MESSAGE, None)


def stays() -> None:
    """The page begins to run: it stays as it is until it is ``drawn``. Where it is not, it goes with the run."""
    context, message = get_script_run_ctx(), st.session_state.get(_MESSAGE)
    if context is not None and message is not None and is_open():
        context.enqueue(ForwardMsg.FromString(message))


@contextmanager
def drawn() -> Iterator[None]:
    """It is drawn here: sent as one that is open, and never as one that is shut."""
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    send = context._enqueue

    def sent(message: ForwardMsg) -> None:
        if message.delta.add_block.HasField("dialog"):
            message.delta.add_block.dialog.is_open = True
            st.session_state[_MESSAGE] = message.SerializeToString()
        send(message)

    context._enqueue = sent
    try:
        yield
    finally:
        context._enqueue = send


def _view() -> Hashable:
    return (st.context.url or "").partition("?")[0], url.state()
