"""The effective configuration of a run with the places it is from, and what is odd about single configurations."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.config.diff import DiffRow
from lib.core.config.report import OddSetting, effective_table, odd_settings, tokens_per_step
from lib.core.config.setting import Oddity
from lib.core.facts.runs import RunSummary
from lib.core.text import formatting
from lib.ui.frame.escape import md

_HEADINGS = {
    Oddity.CONTRADICTION: "Contradictions",
    Oddity.TYPO: "Probable typos",
    Oddity.REMARK: "Remarks",
}


def effective_configuration(rows: Sequence[DiffRow], runs: Sequence[RunSummary], labels: Sequence[str]) -> None:
    """Draw the effective configuration of one of the runs, which the reader chooses."""
    st.subheader("Effective configuration", anchor=False)
    place = st.selectbox(
        "Run",
        range(len(labels)),
        format_func=lambda number: labels[number],
        label_visibility="collapsed",
        key="effective_run",
    )
    effective_of(rows, runs[place], place)


def effective_of(rows: Sequence[DiffRow], run: RunSummary, place: int) -> None:
    """Draw what one run was trained with, where each value is from, and what it overrides."""
    table = effective_table(rows, place)
    if not table:
        st.caption("None of the parameters found is stated by this run.")
        return
    st.dataframe(
        pd.DataFrame(table, columns=["Parameter", "Value", "From", "Other places", "Group"]),
        hide_index=True,
        height="content",
        key="effective",
        column_config={
            "Parameter": st.column_config.TextColumn(pinned=True),
            "Value": st.column_config.TextColumn(width="medium"),
            "From": st.column_config.TextColumn(width="medium"),
            "Other places": st.column_config.TextColumn(width="large"),
            "Group": st.column_config.TextColumn(width="small"),
        },
    )
    said = [
        "From: the place that counts. The config comes before the job's columns; for LoRA, lora.* before"
        " training.lora_config.* before training.lora_r and its like."
    ]
    if (tokens := tokens_per_step(run)) is not None:
        said.append(f"Measured: {formatting.count(tokens)} tokens per optimizer step on average.")
    st.caption(f":small[{md(' '.join(said))}]")


def oddities(rows: Sequence[DiffRow], labels: Sequence[str]) -> None:
    """Say where one run's config contradicts itself, looks mistyped, or needs a word."""
    found = odd_settings(rows)
    for kind, heading in _HEADINGS.items():
        of_kind = [one for one in found if one.kind is kind]
        if of_kind or kind is Oddity.CONTRADICTION:
            st.subheader(f"{heading} ({len(of_kind)})", anchor=False)
        if of_kind:
            st.markdown("\n".join(_line(one, labels) for one in of_kind))
        elif kind is Oddity.CONTRADICTION:
            st.caption("No config contradicts itself or its job's columns in the parameters shown.")


def _line(one: OddSetting, labels: Sequence[str]) -> str:
    titles = ", ".join(one.titles)
    about = "" if one.sentence.startswith(titles) else f"{titles}: "
    return f"- **{md(labels[one.run])}** · {md(about + one.sentence)}"
