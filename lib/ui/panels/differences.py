"""The hyperparameter diff: what differs between the selected runs, what is the same, what identifies them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.config import diff as hyperparameters
from lib.core.config.diff import DiffRow
from lib.core.config.report import to_csv, to_markdown
from lib.ui.panels.effective import effective_configuration, effective_of, oddities
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison

ODD = "background-color: rgba(245, 158, 11, .28); font-weight: 600"
"""Translucent, so that it reads on light and dark alike."""
FLAG = " ⚠"


def differences(comparison: Comparison) -> None:
    """Draw both sections, the identity of the runs, what is odd, the effective configuration, and the exports."""
    labels = [each.label for each in comparison.runs]
    runs = [each.run for each in comparison.runs]
    every = comparison.computed("diff", (), lambda: hyperparameters.diff(runs))
    if not every:
        st.info("The selected runs have recorded no hyperparameters.", icon=":material/inbox:")
        return
    rows = _search(every, labels)
    different = hyperparameters.differences(rows)
    same = [row for row in rows if not row.differs and not row.is_identity]
    identity = [row for row in rows if row.is_identity]
    if len(labels) > 1:
        st.subheader(f"Different values ({len(different)})", anchor=False)
        if different:
            _table(different, labels, key="different")
            st.caption(
                ":small[The highlighted cells are the odd ones out of their row."
                f"{FLAG} the run's own config contradicts itself, see below.]"
            )
        else:
            st.success(_nothing_different(every), icon=":material/drag_handle:")
        with st.expander(f"Same values ({len(same)})", key="same_values"):
            _table(same, labels, key="same")
    else:
        st.subheader(f"Hyperparameters ({len(same)})", anchor=False)
        effective_of(same, runs[0], 0)
    if identity:
        with st.expander(f"Names, paths and ids ({len(identity)})", key="identity_values"):
            st.caption("They tell runs apart and say nothing about how they were trained.")
            _table(identity, labels, key="identity")
    oddities(rows, labels)
    if len(labels) > 1:
        effective_configuration([row for row in rows if not row.is_identity], runs, labels)


def _search(rows: Sequence[DiffRow], labels: Sequence[str]) -> Sequence[DiffRow]:
    find, csv, markdown = st.columns([5, 1.3, 1.6], vertical_alignment="bottom")
    find.text_input(
        "Search parameters",
        type="search",
        live="300ms",
        placeholder="Search parameters and values",
        label_visibility="collapsed",
        **url.widget(link.DIFF_SEARCH),
    )
    found = hyperparameters.search(rows, url.value(link.DIFF_SEARCH))
    csv.download_button(
        "CSV", lambda: to_csv(found, labels), "runoff-diff.csv", "text/csv",
        icon=":material/download:", on_click="ignore", width="stretch", key="diff_csv",
    )  # fmt: skip
    markdown.download_button(
        "Markdown", lambda: to_markdown(found, labels), "runoff-diff.md", "text/markdown",
        icon=":material/download:", on_click="ignore", width="stretch", key="diff_markdown",
    )  # fmt: skip
    if not found:
        st.info("No parameter and no value matches the search.", icon=":material/search_off:")
    return found


def _nothing_different(every: Sequence[DiffRow]) -> str:
    if any(row.differs and not row.is_identity for row in every):
        return "None of the parameters found differs."
    return "The selected runs have the same hyperparameters."


def _table(rows: Sequence[DiffRow], labels: Sequence[str], *, key: str) -> None:
    """One row a parameter, one column a run, the odd cells highlighted."""
    if not rows:
        st.caption("None.")
        return
    columns = ["Group", "Parameter", *labels]
    cells = [
        [row.group.value, row.title]
        + [
            shown + (FLAG if contradicted else "")
            for shown, contradicted in zip(row.shown, row.contradicted, strict=True)
        ]
        for row in rows
    ]
    # Numbers, not labels, name the columns: a run may be called "Group".
    names = [f"column {number}" for number in range(len(columns))]
    odd = pd.DataFrame("", index=range(len(rows)), columns=names)
    for number, row in enumerate(rows):
        for run, is_odd in enumerate(row.odd):
            if is_odd and row.differs:
                odd.iat[number, run + 2] = ODD
    table = pd.DataFrame(cells, columns=names)
    st.dataframe(
        table.style.apply(lambda _: odd, axis=None),
        hide_index=True,
        height="content",
        key=key,
        column_config={
            name: st.column_config.TextColumn(title, pinned=number < 2 or None)
            for number, (name, title) in enumerate(zip(names, columns, strict=True))
        },
    )
