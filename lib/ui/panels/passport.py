"""The data passport of a run: every check of its rows and stored values, and what they leave of the confidence."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from lib.core.checks.check import Group, Outcome, Result
from lib.core.checks.results import SIGNS, Confidence, Results
from lib.core.text import formatting
from lib.ui.frame.escape import md

COLORS = {Confidence.UNDIMINISHED: "green", Confidence.LOWERED: "orange", Confidence.LOW: "red"}
ORDER = {Outcome.FOUND: 0, Outcome.CANNOT_TELL: 1, Outcome.NOT_FOUND: 2}
OUTCOMES = {Outcome.NOT_FOUND: "✓ fine", Outcome.CANNOT_TELL: "? cannot tell"}
ROW_HEIGHT = 66
"""Pixels of a row whose sentence may take two lines."""


def confidence_badge(checks: Results) -> str:
    """How far the data bear a verdict, as a badge."""
    return f":{COLORS[checks.confidence]}-badge[data: confidence {checks.confidence.value}]"


def passport_of_run(checks: Results) -> None:
    """Draw every check, what was found first."""
    st.markdown("##### Data passport")
    doubts = checks.doubts
    if doubts:
        reasons = " ".join(finding.sentence for finding in doubts)
        st.markdown(f"The confidence in a verdict about this run is **{checks.confidence.value}**: {md(reasons)}")
    else:
        st.markdown("Nothing was found in the data that lowers the confidence in a verdict about this run.")
    of_data = [result for result in checks.results if result.check.group is Group.DATA]
    odd = [result for result in of_data if result.outcome is not Outcome.NOT_FOUND]
    fine = [result for result in of_data if result.outcome is Outcome.NOT_FOUND]
    if odd:
        _table(odd, "passport", ROW_HEIGHT)
    with st.expander(f"Checked and fine ({len(fine)} of {len(of_data)})", icon=":material/check:"):
        _table(fine, "passport_fine", None)


def checks_columns(first: str, second: str) -> dict[str, ColumnConfig]:
    """How a table of checks or findings shows its columns, the first two of which have these names."""
    return {
        first: st.column_config.TextColumn(width=92),
        second: st.column_config.TextColumn(width=158),
        "First step": st.column_config.NumberColumn(format="localized", width=76),
        "Last step": st.column_config.NumberColumn(format="localized", width=76),
        "Sentence": st.column_config.TextColumn("What was seen", width=480),
    }


def _table(results: Sequence[Result], key: str, row_height: int | None) -> None:
    st.dataframe(
        passport_table(results),
        hide_index=True,
        height="content",
        row_height=row_height,
        placeholder=formatting.NOT_RECORDED,
        key=key,
        column_config=checks_columns("Outcome", "Check"),
    )


def passport_table(results: Sequence[Result]) -> pd.DataFrame:
    """Checks of one run: what was found first, the most severe of it ahead, then what cannot be told."""
    rows = []
    for result in sorted(results, key=_place):
        finding = next(iter(result.findings), None)
        outcome = OUTCOMES[result.outcome] if finding is None else f"{SIGNS[finding.severity]} {finding.severity.value}"
        step, extent = (None, None) if finding is None else (finding.step, finding.extent)
        rows.append((outcome, result.check.title, result.sentence, step, extent))
    table = pd.DataFrame(rows, columns=["Outcome", "Check", "Sentence", "First step", "Last step"])
    return table.astype({"First step": "Int64", "Last step": "Int64"})


def _place(result: Result) -> tuple[int, int]:
    """What was found comes first, the most severe of it ahead."""
    return ORDER[result.outcome], min((list(SIGNS).index(each.severity) for each in result.findings), default=0)
