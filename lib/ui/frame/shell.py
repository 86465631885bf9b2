"""The frame around every page: page set-up, menu, sidebar, errors.

A page is one ``with shell.page(title) as page:`` and needs nothing from the entry point, so a deep
link to any page works on a server that has just started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.facts.errors import AppError, SignInExpired
from lib.data.settings import Settings
from lib.data.source import RunSource
from lib.ui.frame import look, messages, sidebar, sign_in
from lib.ui.frame.escape import md
from lib.ui.session import comparison, deployment, reads, url
from lib.ui.session.comparison import Comparison

APP = "Runoff"
PAGES = (
    ("streamlit_app.py", "Compare runs", ":material/query_stats:"),
    ("pages/hyperparameters.py", "Hyperparameter diff", ":material/difference:"),
    ("pages/run_health.py", "Run health", ":material/monitor_heart:"),
    ("pages/ranking.py", "How runs are ranked", ":material/trophy:"),
)


STYLE = f"""<style>
{look.TOKENS}
[data-testid="stMainBlockContainer"] {{ padding-inline: clamp(12px, 2vw, 24px); }}
[data-testid="stMainBlockContainer"] {{ padding-top: 3.6rem; }}
[data-testid="stMainBlockContainer"] h1 {{ font-size: 1.7rem; padding: 0; }}
[data-testid="stSidebarHeader"] {{ height: 2.5rem; margin-bottom: 0; }}
.st-key-prepared {{ display: none; }}
[class*="st-key-card_"] {{ padding: .4rem .6rem .5rem; }}
[class*="st-key-card_"] p {{ line-height: 1.4; }}
:has(> .st-key-run_cards), .st-key-run_cards {{ height: max(20rem, calc(100vh - 24rem)) !important; }}
</style>"""
"""Room for five charts and ten columns: the default margins are made for reading text."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page may use; ``menu`` has the places of the menu's links."""

    source: RunSource
    comparison: Comparison
    menu: Sequence[DeltaGenerator]


@contextmanager
def page(title: str, first: Callable[[], None] = lambda: None) -> Iterator[Page]:
    """Draw everything around a page's own content, after ``first``.

    An ``AppError`` that the content does not handle itself is shown in its place.
    """
    st.set_page_config(page_title=f"{title} · {APP}", page_icon="🏁", layout="wide")
    first()
    url.read(title)
    st.html(STYLE)
    with st.sidebar.container(gap="xxsmall"):
        menu = [st.empty() for _ in PAGES]
    draw_menu(menu)
    st.title(title, anchor=False)
    settings = Settings()
    try:
        settings = deployment.settings()
        source = sign_in.source(settings)
        compared = comparison.load(source)
        _banner(source, compared)
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
        except AppError:
            # Said once is enough: what cannot be reached fails here too.
            if failed is None:
                raise
    except SignInExpired as expired:
        sign_in.form(settings, expired)
        st.stop()
    except AppError as error:
        messages.error_panel(error, retry="page")
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


def _banner(source: RunSource, compared: Comparison) -> None:
    if source.synthetic:
        st.caption(
            ":material/science: The runs shown are **synthetic demo runs**, made by a seeded script."
            " To see your own, start the app with `make run RUNS=path/to/outputs`."
        )
    for sentence in compared.left_out:
        st.warning(md(sentence), icon=":material/link_off:")
    if url.ignored():
        st.warning(
            f"Parts of this link were not understood and are ignored: {md(', '.join(url.ignored()))}.",
            icon=":material/link_off:",
        )
