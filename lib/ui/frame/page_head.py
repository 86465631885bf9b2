"""The title line of a page: what it is, whose runs it shows, and the link to what is shown; on a phone, its bar."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lib.core.facts.query import RunQuery
from lib.core.facts.selection import is_uploaded
from lib.core.text.phrases import counted
from lib.data.source import LiveSource, RunSource
from lib.ui.frame import static
from lib.ui.session import link, reads, url

_DEMO = (
    "<details><summary>Demo runs, made by a script</summary>"
    "<p>To see your own runs, upload their logs: they are compared here, beside these, and stay in this browser"
    ' session. <button type="button" class="page-button" data-opens="upload">Upload runs</button></p></details>'
)


def origin(source: RunSource, query: RunQuery) -> str:
    """Whose runs are shown, as HTML.

    Raises:
        RunSourceError: If they cannot be listed.
    """
    if source.synthetic:
        return _DEMO
    name = f"<b>{escape(source.title)}</b>"
    # To count what is far away would keep the page waiting.
    said = f"{source.kind} {name}" if isinstance(source, LiveSource) else _in_folder(source, query, name)
    return f"<span>{said}</span>"


def draw(title: str, said: str, preloaded: Sequence[str], *, has_runs: bool) -> None:
    """Draw the line, and let the browser load what draws the rest.

    Args:
        title: Of the page.
        said: Whose runs are shown, as HTML.
        preloaded: Files of ``static`` that the page will need.
        has_runs: Whether there may be runs to choose from and to share: not before somebody has signed in.
    """
    runs = '<button type="button" class="page-button main" data-opens="runs"><span>Runs</span></button>' * has_runs
    share = _share() * has_runs
    st.html(
        static.script("frame.js", preloaded)
        + f'<div class="page-head">{_opens("menu", "Runs and pages", "page-button page-menu")}'
        f'<h1>{escape(title)}</h1><div class="page-source">{said}</div>{share}{copies_link()}</div>'
        f'<div class="phone-bar" role="group" aria-label="Runs, link and pages">'
        f"{runs}{share}{_opens('menu', '', 'page-button', 'Pages')}</div>",
        unsafe_allow_javascript=True,
    )


def _in_folder(source: RunSource, query: RunQuery, name: str) -> str:
    page = reads.list_runs(source, query)
    # While the folder is looked at, the list says how far that is; this line would not follow it.
    return f"Folder {name}" if page.looked_at is not None else f"{counted(page.source_total, 'run')} in {name}"


def _opens(what: str, name: str, looks: str, text: str = "") -> str:
    named = f' aria-label="{name}"' if name else ""
    shown = f"<span>{text}</span>" if text else ""
    return f'<button type="button" class="{looks}" data-opens="{what}"{named}>{shown}</button>'


def _share() -> str:
    """The button that opens the dialog of what can be taken away; the page has a hidden one that it presses."""
    return (
        '<button type="button" class="page-button" data-presses="share_open" title="Take this comparison away">'
        "<span>Share</span></button>"
    )


def copies_link() -> str:
    """The button that copies the link; it says what of the view the link cannot open elsewhere."""
    stay = sum(map(is_uploaded, url.value(link.RUNS)))
    title, without = "Copy a link to exactly this view", ""
    if stay:
        what = f"the {counted(stay, 'uploaded run')}"
        title = f"Copy a link to this view without {what}: uploads stay in this browser session"
        without = f' data-without="without {what}"'
    return (
        f'<button type="button" class="page-button" data-copies-link title="{title}"{without}>'
        '<span aria-live="polite">Link</span></button>'
    )
