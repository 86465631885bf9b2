"""The link's parameters in the session, and in step with the URL.

The values (``lib.ui.session.link``) last as long as the session. A widget that edits one has a key of its
own, which Streamlit drops when the page changes, and a callback that writes the value back. The URL follows
the session and is written only when it differs, since each write is a step in the browser's history. A URL
that is not the one we wrote came from the user (a link, Back, a reload): then the session follows the URL.
Two exceptions: a run that a widget of ours started may arrive with a URL that is one step behind, and a link
of the menu may carry options that a fragment has changed since; in both the session leads.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypedDict, TypeVar
from urllib.parse import urlencode

import streamlit as st

from lib.core.facts.query import RunQuery
from lib.core.facts.selection import is_uploaded
from lib.gate.links import FIELDS, said
from lib.ui.session import link
from lib.ui.session.link import LinkState, Param

T = TypeVar("T", bound=Hashable)
W = TypeVar("W")

_STATE, _WRITTEN, _PAGE, _IGNORED = "url:state", "url:written", "url:page", "url:ignored"
_TOUCHED, _MENU, _TOO_MANY = "url:touched", "url:menu", "url:too many"


class WidgetArguments(TypedDict):
    """What ties a widget to a parameter."""

    key: str
    on_change: Callable[[], None]


def state() -> LinkState:
    """The values that hold in this session."""
    held: LinkState = st.session_state.get(_STATE, LinkState())
    return held


def value(param: Param[T]) -> T:
    """The value of one parameter that holds in this session."""
    return state()[param]


def put(param: Param[T], value: T) -> None:
    """Make ``value`` hold in this session; the URL follows at the end of the run."""
    _hold(state().having(param, value))


def widget_key(param: Param[T]) -> str:
    """The key of the widget that edits a parameter."""
    return f"widget:{param.name}"


def widget(param: Param[T], shown: W | None = None, *, adopt: Callable[[W], T] | None = None) -> WidgetArguments:
    """Key and callback of the widget that edits a parameter, set to it.

    Args:
        param: Which one.
        shown: The widget's value where it is not the parameter's own.
        adopt: Makes the parameter's value of the widget's.
    """
    key = widget_key(param)
    st.session_state[key] = value(param) if shown is None else shown

    def take() -> None:
        edited = st.session_state[key]
        put(param, adopt(edited) if adopt else edited)

    return {"key": key, "on_change": take}


def read(page: str) -> None:
    """Let the session follow the URL where the user changed it. Call once, first, on every page."""
    current = {name: st.query_params.get_all(name) for name in st.query_params}
    arrived = st.session_state.get(_PAGE) != page
    st.session_state[_PAGE] = page
    links = st.session_state.pop(_MENU, [])
    if current == st.session_state.get(_WRITTEN) or st.session_state.get(_TOUCHED):
        return
    if arrived and _WRITTEN in st.session_state and (not current.keys() & link.PARAMS.keys() or current in links):
        return
    found, st.session_state[_IGNORED] = link.parse(current)
    st.session_state[_TOO_MANY] = said(current.get(FIELDS, [""])[-1])
    _hold(found)
    st.session_state[_WRITTEN] = current


def query() -> RunQuery:
    """What the sidebar lists."""
    held = state()
    return RunQuery(held[link.SEARCH], held[link.STATUS], held[link.SORT], held[link.LIMIT])


def write() -> None:
    """Let the URL follow the session."""
    wanted = state().texts
    st.session_state[_WRITTEN] = wanted
    st.session_state[_TOUCHED] = False
    if wanted != {name: st.query_params.get_all(name) for name in st.query_params}:
        st.query_params.from_dict(wanted)


def address() -> str:
    """The link to what is shown, without runs that only this session has; "" where nobody knows the app's address."""
    base = (st.context.url or "").partition("?")[0]
    # An address of nothing but a host ends with the path of its root.
    base += "/" if base.count("/") == 2 else ""
    held = state()
    held = held.having(link.RUNS, tuple(run for run in held[link.RUNS] if not is_uploaded(run)))
    held = held.having(link.BASE, "") if is_uploaded(held[link.BASE]) else held
    return f"{base}?{urlencode(held.texts, doseq=True)}" if base else ""


def menu_texts() -> dict[str, list[str]]:
    """The query string for links to the app's other pages."""
    texts = state().texts
    st.session_state.setdefault(_MENU, []).append(texts)
    return texts


def ignored() -> tuple[str, ...]:
    """Parts of the link that made no sense, as "name=value"."""
    found: tuple[str, ...] = st.session_state.get(_IGNORED, ())
    return found


def too_many() -> str | None:
    """What to say of a link that had too many fields to be read."""
    found: str | None = st.session_state.get(_TOO_MANY)
    return found


def _hold(held: LinkState) -> None:
    st.session_state[_STATE] = held
    st.session_state[_TOUCHED] = True
