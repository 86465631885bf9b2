"""What a page says that has nothing to show yet and waits for a read: a line, which goes when the read is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_SHOWN = "first look:shown"
"""The title of the page that this session was shown last."""
_TITLE = "first look:title"


def begins(title: str) -> None:
    """A page begins to read."""
    st.session_state[_TITLE] = title


def shown() -> None:
    """It has shown what it has: while it is read again, that stays, and nothing moves."""
    st.session_state[_SHOWN] = st.session_state[_TITLE]


@contextmanager
def reading() -> Iterator[None]:
    """Say that the runs are read, where that takes longer than half a second and the page is empty."""
    if _is_over():
        yield
        return
    with st.spinner("Reading the runs"):
        yield


def progress() -> DeltaGenerator:
    """A place to say how far a read is: over a page that is shown already, none of which moves for it."""
    return st.container(key="reading_again" if _is_over() else "reading").empty()


def _is_over() -> bool:
    return bool(st.session_state.get(_SHOWN) == st.session_state.get(_TITLE, ""))
