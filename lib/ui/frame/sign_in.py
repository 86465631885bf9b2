"""Who reads: the sign-in form, staying signed in across a reload of the browser, and signing out.

The project's tokens stay in this process. The browser keeps a cookie with a random number, the ticket, that stands
for them, for ``KEPT_S`` at most; a restart of the app forgets them all. The cookie is for this site and
this app only, no script can read it, and it is never part of a link.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn, TypeVar

import streamlit as st

from lib.core.facts.errors import AppError, SignInExpired
from lib.data.settings import Settings, open_source
from lib.data.source import RunSource
from lib.data.supabase.settings import SignIn
from lib.gate.keeping import CODES, COOKIE, KEPT_S, PATH, cookie
from lib.gate.sessions import browser_of
from lib.gate.visitors import VISITORS
from lib.ui.frame import messages, static
from lib.ui.frame.escape import md
from lib.ui.session import open_tabs, reads
from lib.ui.uploads import uploads

if TYPE_CHECKING:
    from lib.data.supabase.auth import SignedIn
    from lib.data.supabase.client import Project

T = TypeVar("T")

_TICKET, _WRITE, _EMAIL = "sign-in:ticket", "sign-in:cookie", "sign-in:email"
_READER, _SOURCE, _EXPIRED = "sign-in:reader", "sign-in:source", "sign-in:expired"


def source(settings: Settings) -> RunSource:
    """The source, as the visitor of this session may read it.

    Raises:
        SignInExpired: If they must sign in first.
        AppError: If the source cannot be opened.
    """
    VISITORS.needed = needed(settings)
    ticket = st.session_state.get(_TICKET, st.context.cookies.get(COOKIE)) if VISITORS.needed else ""
    # First, so that whoever signs out at this moment ends this tab too, or is seen to have.
    open_tabs.note(ticket or "")
    signed_in: SignedIn | None = VISITORS.get(ticket, _agent()) if ticket else None
    if ticket and signed_in is None:
        open_tabs.note("")
    if not VISITORS.needed:
        return reads.source(settings)
    _write_cookie()
    expired: SignInExpired | None = st.session_state.pop(_EXPIRED, None)
    if expired is not None:
        raise expired
    if signed_in is None:
        if ticket:
            open_tabs.end(ticket)
        raise SignInExpired("Please sign in to see your runs.")
    st.session_state[_TICKET] = ticket
    # One source for each reader and session: it reads with this reader's token.
    if st.session_state.get(_READER) is not signed_in:
        st.session_state[_READER], st.session_state[_SOURCE] = signed_in, open_source(settings, signed_in)
    opened: RunSource = st.session_state[_SOURCE]
    return opened


@contextmanager
def asked_for() -> Iterator[None]:
    """For a fragment, whose errors its page never sees: where a sign-in is over, the page runs again and asks for one.

    The page may have nothing to read by itself that would tell it.
    """
    try:
        yield
    except SignInExpired as expired:
        ask_anew(expired)


def ask_anew(expired: SignInExpired) -> NoReturn:
    """Run the page again, which then asks for a sign-in before it draws anything else."""
    st.session_state[_EXPIRED] = expired
    st.rerun()


def needed(settings: Settings) -> bool:
    """Whether the source shows its runs only to people who have signed in."""
    return settings.supabase is not None and settings.supabase.sign_in is SignIn.REQUIRED


def form(settings: Settings, why: SignInExpired) -> None:
    """Ask somebody to sign in. The link stays as it is, so that the same comparison comes afterwards."""
    forget()
    host = settings.supabase.host if settings.supabase is not None else ""
    with st.container(border=True, width=480, key="sign_in"):
        st.markdown(f"#### Sign in\n{md(str(why))}  \n:small[:gray[{md(host)}]]")
        way = st.segmented_control(
            "How", ["Password", "Code by e-mail"], default="Password", required=True, label_visibility="collapsed"
        )
        if way == "Password":
            _password(settings)
        else:
            _code(settings)


def account(settings: Settings) -> None:
    """Say who is signed in, and offer to sign out."""
    if not needed(settings):
        return
    signed_in: SignedIn = st.session_state[_READER]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f":small[:material/account_circle: {md(signed_in.email)}]")
        st.button("Sign out", key="sign_out", type="tertiary", on_click=_sign_out)


def forget() -> None:
    """Drop what this browser session holds of a sign-in, and what was uploaded: another person may come next."""
    uploads.clear()
    ticket = st.session_state.get(_TICKET)
    st.session_state[_TICKET] = ""
    signed_in: SignedIn | None = st.session_state.pop(_READER, None)
    opened: RunSource | None = st.session_state.pop(_SOURCE, None)
    if ticket:
        VISITORS.drop(ticket)
    # Nothing of theirs is kept for the next read that fails, unless they are signed in elsewhere as well.
    user_id = None if signed_in is None else signed_in.user_id
    if opened is not None and not VISITORS.any(lambda other: other.user_id == user_id):
        reads.forget_reader(opened.cache_key)
    if ticket:
        open_tabs.end(ticket)


def _password(settings: Settings) -> None:
    with st.form("sign_in_password", border=False):
        email = st.text_input("E-mail", key=_EMAIL, type="email", autocomplete="username")
        password = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Sign in", type="primary"):
            _enter(lambda auth, project: auth.sign_in(project, email, password), settings)


def _code(settings: Settings) -> None:
    with st.form("sign_in_send", border=False):
        email = st.text_input("E-mail", key=_EMAIL, type="email", autocomplete="username")
        if st.form_submit_button("Send me a code"):
            _ask(lambda auth, project: auth.send_code(project, email), settings, "A code is on its way by e-mail.")
    with st.form("sign_in_code", border=False):
        code = st.text_input("Code from the e-mail", autocomplete="one-time-code")
        if st.form_submit_button("Sign in", type="primary"):
            _enter(lambda auth, project: auth.sign_in_with_code(project, email, code), settings)


def _ask(step: Callable[[ModuleType, Project], T], settings: Settings, done: str = "") -> T | None:
    """Take a step of signing in; say what came of it."""
    # Imported where somebody signs in: nobody else waits for these libraries.
    from lib.data.supabase import auth as supabase_auth
    from lib.data.supabase.client import project_of

    try:
        answer = step(supabase_auth, project_of(settings.supabase))
    except AppError as error:
        messages.error_panel(error)
        return None
    if done:
        st.success(done)
    return answer


def _enter(step: Callable[[ModuleType, Project], SignedIn], settings: Settings) -> None:
    signed_in = _ask(step, settings)
    if signed_in is None:
        return
    ticket = secrets.token_urlsafe(32)
    VISITORS.put(ticket, signed_in, KEPT_S, _agent())
    st.session_state[_TICKET] = st.session_state[_WRITE] = ticket
    st.rerun()


def _sign_out() -> None:
    signed_in: SignedIn = st.session_state[_READER]
    forget()
    st.session_state[_WRITE] = ""
    signed_in.sign_out()


def _write_cookie() -> None:
    """Let the browser set or remove the cookie; once, after signing in or out."""
    # A place that is always there: one more element now and one less at the next run would have all that is below
    # drawn anew by the browser.
    place = st.container(key="entered")
    ticket = st.session_state.pop(_WRITE, None)
    if ticket is None:
        return
    if CODES.is_asked:
        told = f'data-code="{CODES.put(ticket, browser_of(st.context.cookies))}" data-path="{PATH}"'
    else:
        told = f'data-cookie="{escape(cookie(ticket, "/", secure=False, http_only=False))}"'
    place.html(f'<script src="{static.address("sign_in.js")}" {told}></script>', unsafe_allow_javascript=True)


def _agent() -> str:
    """What the browser calls itself."""
    return st.context.headers.get("User-Agent", "")
