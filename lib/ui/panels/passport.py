"""The data passport of a run: every check of its rows and stored values, and what they leave of the confidence."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.checks.noticed import PASSPORT_TITLES, SIGNS
from lib.core.checks.passport import Confidence, Passport
from lib.core.checks.passport_check import Check, Outcome
from lib.core.facts.findings import Severity
from lib.core.text import formatting
from lib.ui.frame.escape import md

COLORS = {Confidence.UNDIMINISHED: "green", Confidence.LOWERED: "orange", Confidence.LOW: "red"}
ORDER = {Outcome.FOUND: 0, Outcome.CANNOT_TELL: 1, Outcome.FINE: 2}
OUTCOMES = {Outcome.FINE: "✓ fine", Outcome.CANNOT_TELL: "? cannot tell"}
ROW_HEIGHT = 66
"""Pixels of a row whose sentence may take two lines."""


def confidence_badge(passport: Passport) -> str:
    """How far the data bear a verdict, as a badge."""
    return f":{COLORS[passport.confidence]}-badge[data: confidence {passport.confidence.value}]"


def passport_of_run(passport: Passport) -> None:
    """Draw every check, what was found first."""
    st.markdown("##### Data passport")
    doubts = passport.doubts
    if doubts:
        reasons = " ".join(finding.sentence for finding in doubts)
        st.markdown(f"The confidence in a verdict about this run is **{passport.confidence.value}**: {md(reasons)}")
    else:
        st.markdown("Nothing was found in the data that lowers the confidence in a verdict about this run.")
    odd = [check for check in passport.checks if check.outcome is not Outcome.FINE]
    fine = [check for check in passport.checks if check.outcome is Outcome.FINE]
    if odd:
        _table(odd, "passport", ROW_HEIGHT)
    with st.expander(f"Checked and fine ({len(fine)} of {len(passport.checks)})", icon=":material/check:"):
        _table(fine, "passport_fine", None)


def checks_columns(first: str, second: str) -> dict[str, object]:
    """How a table of checks or findings shows its columns, the first two of which have these names."""
    return {
        first: st.column_config.TextColumn(width=92),
        second: st.column_config.TextColumn(width=158),
        "First step": st.column_config.NumberColumn(format="localized", width=76),
        "Last step": st.column_config.NumberColumn(format="localized", width=76),
        "Sentence": st.column_config.TextColumn("What was seen", width=480),
    }


def _table(checks: Sequence[Check], key: str, row_height: int | None) -> None:
    st.dataframe(
        passport_table(checks),
        hide_index=True,
        height="content",
        row_height=row_height,
        placeholder=formatting.NOT_RECORDED,
        key=key,
        column_config=checks_columns("Outcome", "Check"),
    )


def passport_table(checks: Sequence[Check]) -> pd.DataFrame:
    """Checks of one run: the findings first, the most severe of them ahead, then what cannot be told."""
    severities = [*SIGNS, None]
    ordered = sorted(checks, key=lambda check: (ORDER[check.outcome], severities.index(_severity(check))))
    rows = [
        (
            _outcome(check),
            PASSPORT_TITLES[check.code],
            check.sentence,
            check.finding.step if check.finding else None,
            check.finding.extent if check.finding else None,
        )
        for check in ordered
    ]
    table = pd.DataFrame(rows, columns=["Outcome", "Check", "Sentence", "First step", "Last step"])
    return table.astype({"First step": "Int64", "Last step": "Int64"})


def _severity(check: Check) -> Severity | None:
    return None if check.finding is None else check.finding.severity


def _outcome(check: Check) -> str:
    severity = _severity(check)
    return OUTCOMES[check.outcome] if severity is None else f"{SIGNS[severity]} {severity.value}"
