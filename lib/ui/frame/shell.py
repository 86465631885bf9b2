"""The frame around every page: page set-up, menu, sidebar, errors.

A page is one ``with shell.page(title) as page:`` and needs nothing from the entry point, so a deep
link to any page works on a server that has just started.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.facts.errors import AppError, SignInExpired
from lib.data.settings import Settings
from lib.data.source import RunSource
from lib.ui.frame import live, look, messages, page_head, refreshing, sidebar, sign_in, static
from lib.ui.frame.escape import md
from lib.ui.frame.upload import upload_panel
from lib.ui.session import comparison, deployment, first_look, open_dialog, reads, url
from lib.ui.session.comparison import Comparison
from lib.ui.uploads import uploads

APP = "Runoff"
PAGES = (
    ("streamlit_app.py", "Compare runs", ":material/query_stats:"),
    ("pages/hyperparameters.py", "Hyperparameter diff", ":material/difference:"),
    ("pages/run_health.py", "Run health", ":material/monitor_heart:"),
    ("pages/ranking.py", "How runs are ranked", ":material/trophy:"),
)

LIST_FILES = ("runs.js", "highlight.js")
SIDEBAR_WIDTH = 272
"""In pixels. Below 1100 pixels of the window it is a drawer (``static/frame.css``)."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page may use; ``menu`` has the places of the menu's links."""

    source: RunSource
    comparison: Comparison
    menu: Sequence[DeltaGenerator]


@contextmanager
def page(title: str, preloaded: Sequence[str] = ()) -> Iterator[Page]:
    """Draw everything around a page's own content.

    An ``AppError`` that the content does not handle itself is shown in its place.

    Args:
        title: Of the page.
        preloaded: Files of ``static`` that the content needs.
    """
    st.set_page_config(
        page_title=f"{title} · {APP}", page_icon="🏁", layout="wide", initial_sidebar_state=SIDEBAR_WIDTH
    )
    url.read(title)
    st.html(f"<style>{look.TOKENS}{static.text('frame.css')}</style>")
    box = st.sidebar.container(gap=None, key="menu")
    with box:
        menu = [st.empty() for _ in PAGES]
    draw_menu(menu)
    settings = Settings()
    said, has_runs = "", True
    refreshing.begin()
    first_look.begins(title)
    open_dialog.stays()
    try:
        try:
            settings = deployment.settings()
            base = sign_in.source(settings)
            refreshing.reads_from(base)
            said = page_head.origin(base, url.query())
            uploads.take(box)
            source = uploads.joined(base)
            refreshing.reads_from(source)
        except SignInExpired:
            has_runs = False
            raise
        finally:
            page_head.draw(title, said, (*preloaded, *LIST_FILES), has_runs=has_runs)
            # No element of its own: what it holds stays while the page is drawn again, and nothing below it moves.
            above = st.container(key="notes")
        with above:
            compared = comparison.load(source)
        _warnings(compared)
        failed = None
        try:
            yield Page(source, compared, menu)
        except SignInExpired:
            raise
        except AppError as error:
            failed = error
            messages.error_panel(error, retry="page")
        # After the content, which a reader waits for: the list of runs is there already, save for the first time.
        try:
            with st.sidebar:
                sign_in.account(settings)
                sidebar.run_picker(source, compared)
                upload_panel()
                live.follow(source, compared)
        except AppError:
            # Said once is enough: what cannot be reached fails here too.
            if failed is None:
                raise
        with above:
            refreshing.said(source, compared)
        first_look.shown()
    except SignInExpired as expired:
        if has_runs:
            # Found over in the middle of the page, of which a part is sent.
            sign_in.ask_anew(expired)
        sign_in.form(settings, expired)
        st.stop()
    except AppError as error:
        messages.error_panel(error, retry="page")
        refreshing.wait()
        # Where the error came before the content, there is none to go on with.
        st.stop()
    finally:
        url.write()
    reads.settle()


def draw_menu(places: Sequence[DeltaGenerator]) -> None:
    """Draw the links to the app's pages; they carry the options, so a fragment that changed some draws them anew.

    Each link has a place of its own. A container drawn twice in one run would be emptied by the second
    drawing at a moment that nobody controls.
    """
    query = url.menu_texts()
    for place, (path, name, icon) in zip(places, PAGES, strict=True):
        place.page_link(path, label=name, icon=icon, query_params=query)


def _warnings(compared: Comparison) -> None:
    """Say what of the link could not be taken."""
    for sentence in compared.left_out:
        st.warning(md(sentence), icon=":material/link_off:")
    if too_many := url.too_many():
        st.warning(too_many, icon=":material/link_off:")
    if url.ignored():
        st.warning(
            f"Parts of this link were not understood and are ignored: {md(', '.join(url.ignored()))}.",
            icon=":material/link_off:",
        )
