"""The worst findings about the selected runs in short, as other parts of the pages show them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.core.checks.results import SERIOUS, SIGNS, counted
from lib.ui.frame.escape import md
from lib.ui.session import url
from lib.ui.session.assessments import checks_of_run, common_spikes_of
from lib.ui.session.comparison import ComparedRun

PAGE = "pages/run_health.py"
SENTENCES = 1
"""So many of a run's findings are told below the charts; the page has them all."""


def worst_findings(runs: Sequence[ComparedRun]) -> None:
    """Name what somebody should look at, a line for each run, with the way to all of it; nothing if there is none.

    What all of them share is said once, in a line of its own.
    """
    lines = [line for each in runs if (line := _line(each, runs))]
    lines += [f"{SIGNS[each.severity]} {md(each.sentence)}" for each in common_spikes_of(runs)]
    if not lines:
        return
    with st.container(key="worst_findings", gap="xxsmall"):
        st.caption("  \n".join(lines))
        st.page_link(PAGE, label="Run health", icon=":material/monitor_heart:", query_params=url.menu_texts())


def _line(each: ComparedRun, runs: Sequence[ComparedRun]) -> str:
    found = checks_of_run(each, runs)
    if found is None or not found.serious:
        return ""
    counts = counted({severity: count for severity, count in found.counts.items() if severity in SERIOUS})
    told = " ".join(finding.sentence for finding in found.serious[:SENTENCES])
    left = len(found.serious) - SENTENCES
    more = f" And {left} more." if left > 0 else ""
    return f"**{md(each.label)}** {counts} · {md(told + more)}"
