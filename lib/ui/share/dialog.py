"""The dialog in which a comparison is taken away, or one on record is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape

import streamlit as st

from lib.core.facts.errors import AppError
from lib.data.source import RunSource
from lib.report import markdown, record
from lib.report.compared import Compared
from lib.report.page import made_now, page
from lib.ui.frame import messages, page_head
from lib.ui.frame.escape import md
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison
from lib.ui.share.taken import changed, compared_of
from lib.ui.tables.files import offer, settings_files, summary_files, taken
from lib.ui.tables.summary import table_of

COPIED = "comment"
EVERY_SETTING = "share_every_setting"
MOST_CHANGES = 20


def dialog(source: RunSource, comparison: Comparison) -> None:
    """What can be taken away, and the check of what was."""
    if comparison.runs:
        _take(source, comparison)
    _check(source)


def _take(source: RunSource, comparison: Comparison) -> None:
    try:
        with st.spinner("Judging the runs", show_time=True):
            told = url.value(link.ENDED), url.value(link.READ_AS)
            compared = comparison.computed("shared", (comparison.how, told), lambda: compared_of(comparison))
            compared = replace(compared, baseline=comparison.base)
    except AppError as error:
        messages.error_panel(error)
        return
    address = url.address()
    text = markdown.comment(compared, address)
    st.html(
        f'<div class="share-line"><span><b>Link</b> opens exactly this view</span>{page_head.copies_link()}</div>'
        '<div class="share-line"><span><b>For a pull request</b> the verdict, the ranking and what differs, in Markdown'
        f'</span><button type="button" class="page-button" data-copies="{COPIED}"><span aria-live="polite">Copy</span>'
        f'</button></div><pre hidden data-copied="{COPIED}">{escape(text)}</pre>'
    )
    with st.expander("What is copied"):
        st.code(text, language="markdown", wrap_lines=True)
    files: tuple[tuple[str, str, str, str, Callable[[], str]], ...] = (
        ("Report", "html", "text/html", "one file with charts; prints", lambda: page(compared, address, made_now())),
        ("Report", "md", "text/markdown", "the same without charts", lambda: markdown.report(compared, address)),
        ("Record", "json", "application/json", "to check the decision later", lambda: _record(compared)),
    )
    for name, ending, mime, why, make in files:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.download_button(
                f"{name} (.{ending})",
                make,
                f"runoff-{name.lower()}.{ending}",
                mime,
                key=f"share_{ending}",
                on_click="ignore",
            )
            st.caption(why)
    _tables(source, comparison, compared)


def _tables(source: RunSource, comparison: Comparison, compared: Compared) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Table**")
        offer(
            summary_files(table_of(source, comparison), comparison.decision.recommended), key="share_table", told=False
        )
    rows, labels = markdown.settings_rows(compared), [compared.labels[run.run_id] for run in compared.runs]
    if not rows:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Settings**")
        several = len(labels) > 1
        whole = not several or st.session_state.get(EVERY_SETTING, url.value(link.DIFF_ALL))
        offer(settings_files(taken(rows, whole=whole), labels), key="share_settings", told=False)
        if several:
            st.checkbox("With equal settings", value=url.value(link.DIFF_ALL), key=EVERY_SETTING)


def _check(source: RunSource) -> None:
    st.markdown("**Check a decision** that was put on record")
    brought = st.file_uploader("A decision record", type="json", key="share_record", label_visibility="collapsed")
    if brought is None:
        return
    try:
        found = record.parse(brought.getvalue().decode("utf-8", "replace"))
        with st.spinner("Deciding again", show_time=True):
            said = changed(found, source)
    except AppError as error:
        messages.error_panel(error)
        return
    if not said:
        st.success("The same: the decision would be made again.", icon=":material/check_circle:")
        return
    st.warning("Not the same as on record.", icon=":material/difference:")
    st.markdown("\n".join(f"- {md(each.sentence)}" for each in said[:MOST_CHANGES]))
    if len(said) > MOST_CHANGES:
        st.caption(f"and {len(said) - MOST_CHANGES} more")


def _record(compared: Compared) -> str:
    return record.to_json(record.record_of(compared))
