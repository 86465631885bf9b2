"""The page of the hyperparameters: how many settings differ and which, what is the same, and where values are from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lib.core.answers.compared import compared
from lib.core.answers.settings import SettingsAnswer, settings_answer
from lib.core.config.diff import DiffRow, search
from lib.core.config.report import to_markdown
from lib.core.credit.credit import credits_of
from lib.core.credit.words import CreditAnswer, credit_answer
from lib.ui.frame.run_names import Named, named_runs
from lib.ui.panels.settings_html import credit_card, settings_page
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison
from lib.ui.tables.files import offer, settings_files, taken

COPIED = "settings"
"""Names the text that the button copies."""


def differences(comparison: Comparison) -> None:
    """Draw the sentence, the search and the exports, and all cards below it."""
    named, start = comparison.computed("names", comparison.how, lambda: named_runs(comparison))
    order = tuple(each.run_id for each in named)
    every = comparison.computed("settings", order, lambda: _compared(named))
    if not every:
        st.html('<section class="card"><header><h2>No settings are recorded</h2></header></section>')
        return
    answer = settings_answer(every, len(named))
    with st.container(key="settings_card"):
        found, exported = _tools(every, answer, named)
        wanted, everything = url.value(link.DIFF_SEARCH), url.value(link.DIFF_ALL)
        table, rest = comparison.computed(
            "settings page",
            (comparison.how, wanted, everything),
            lambda: settings_page(
                answer.narrowed(found), comparison, named, start, everything=everything or bool(wanted)
            ),
        )
        markdown = to_markdown(exported, [each.each.label for each in named])
        st.html(f'{table}<pre hidden data-copied="{COPIED}">{escape(markdown)}</pre>')
    credit = comparison.computed("credit", (order, comparison.how), lambda: _credit(every, comparison, named))
    st.html((credit_card(credit) if credit is not None else "") + rest)


def _credit(every: Sequence[DiffRow], comparison: Comparison, named: Sequence[Named]) -> CreditAnswer | None:
    order = [each.run_id for each in named]
    found = credits_of(every, order, comparison.decision)
    return credit_answer(found, comparison.decision.deciding, {each.run_id: each.brief for each in named}, order)


def _compared(named: Sequence[Named]) -> tuple[DiffRow, ...]:
    runs = [each.each for each in named]
    rates = {each.run.run_id: each.data.curves.get("learning_rate") for each in runs if each.data is not None}
    return compared([each.run for each in runs], rates)


def _tools(
    every: Sequence[DiffRow], answer: SettingsAnswer, named: Sequence[Named]
) -> tuple[Sequence[DiffRow], Sequence[DiffRow]]:
    """The line above the cards; gives the rows that the search found, and those of them that are exported."""
    labels = [each.each.label for each in named]
    found = search(every, url.value(link.DIFF_SEARCH))
    with st.container(key="settings_tools", horizontal=True, vertical_alignment="center"):
        st.html(_sentence(answer, every, found), width="stretch")
        st.text_input(
            "Search settings",
            type="search",
            live="300ms",
            placeholder="Search settings and values",
            label_visibility="collapsed",
            width=190,
            **url.widget(link.DIFF_SEARCH),
        )
        if len(named) > 1:
            st.checkbox("With equal settings", **url.widget(link.DIFF_ALL))
        # What one searches for, and what a single run was trained with, is wanted whole.
        searched = bool(url.value(link.DIFF_SEARCH))
        exported = taken(found, whole=len(named) == 1 or url.value(link.DIFF_ALL) or searched or not answer.different)
        with st.popover("Export", icon=":material/download:", key="diff_files"):
            st.html(
                f'<button type="button" class="page-button" data-copies="{COPIED}">'
                '<span aria-live="polite">Copy as Markdown</span></button>'
            )
            offer(settings_files(exported, labels), key="diff")
            if len(exported) < len(found):
                st.caption("What differs; all settings where “With equal settings” is ticked.")
    return found, exported


def _sentence(answer: SettingsAnswer, every: Sequence[DiffRow], found: Sequence[DiffRow]) -> str:
    beside = f'<span class="beside">{escape(answer.beside)}</span>' if answer.beside else ""
    shown = ""
    if len(found) < len(every):
        said = f"Shown: {len(found)} that match the search." if found else "No setting and no value matches the search."
        shown = f'<span class="shown">{said}</span>'
    return f'<div class="page-tools"><h2>{escape(answer.headline)}</h2>{beside}{shown}</div>'
