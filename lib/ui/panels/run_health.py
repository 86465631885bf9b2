"""Run health: an overview of all checks of all runs, and all that is known of one of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lib.core.checks.check import Group, Outcome, Result, most_severe
from lib.core.checks.results import SIGNS, Results, counted
from lib.core.checks.stability import Stability, Steadiness
from lib.core.facts.findings import Severity
from lib.core.gap.overfitting import Overfitting
from lib.core.text import formatting
from lib.core.text.labels import short_labels
from lib.core.verdict.assessment import Assessment
from lib.ui.frame.escape import md
from lib.ui.panels.passport import ROW_HEIGHT, checks_columns, confidence_badge, passport_of_run
from lib.ui.session.assessments import assessment_of, common_spikes_of, shipped_assessments
from lib.ui.session.comparison import ComparedRun, Comparison

FINE, CANNOT_TELL, NOT_READ = "✓ fine", "? cannot tell", "? not read"
SHADES = {
    Severity.CRITICAL: "background-color: rgba(239, 68, 68, .26); font-weight: 600",
    Severity.WARNING: "background-color: rgba(245, 158, 11, .24)",
    Severity.INFO: "background-color: rgba(59, 130, 246, .14)",
}
"""Translucent, so that they read on light and dark alike."""
STABILITY_COLORS = {
    Steadiness.STEADY: "green",
    Steadiness.UNSTEADY: "orange",
    Steadiness.UNSTABLE: "red",
    Steadiness.CANNOT_TELL: "gray",
}
FAINT = "color: gray"
CHECK_WIDTH, MIN_RUN_WIDTH, MATRIX_WIDTH = 160, 110, 730
"""Pixels of the overview's columns: five runs beside their checks fill a window of 1280 px."""
AREAS = {Group.HEALTH: "Health", Group.STABILITY: "Health", Group.DATA: "Data"}

LABEL_LIMIT = 15
"""Characters of a run's label that such a column has room for; the whole one is its tooltip."""

Cell = tuple[str, str]
"""What a cell of the overview shows, and its style."""


def overview(runs: Sequence[ComparedRun]) -> None:
    """Draw every check of every run: a row each check, a column each run."""
    columns = [_cells(each, runs) for each in runs]
    titles = list(next((column for column in columns if column), {}))
    st.subheader("All checks", anchor=False)
    if not titles:
        st.info("None of the selected runs could be read, so nothing could be checked.", icon=":material/inbox:")
        return
    for each in common_spikes_of(runs):
        st.markdown(f"{SIGNS[each.severity]} {md(each.sentence)}")
    rows = {title: [column.get(title, (NOT_READ, FAINT)) for column in columns] for title in titles}
    # A run that logged nothing cannot be told anything about, which needs no row for each check.
    logged = [bool(each.data and each.data.curves.curves) for each in runs]
    notable = {
        title: cells
        for title, cells in rows.items()
        if any(
            style in SHADES.values() or (told and text == CANNOT_TELL)
            for told, (text, style) in zip(logged, cells, strict=True)
        )
    }
    # What was found comes first; it is what the page is opened for.
    notable = dict(sorted(notable.items(), key=lambda row: not any(style in SHADES.values() for _, style in row[1])))
    rest = [title for title in titles if title not in notable]
    if notable:
        _matrix(notable, runs)
    if rest:
        with st.expander(f"Nothing found in any run ({len(rest)} of {len(titles)} checks)", icon=":material/check:"):
            st.markdown("\n".join(f"- {area}: {title}" for area, title in rest))
    signs = " · ".join(f"{sign} {severity.value}" for severity, sign in SIGNS.items())
    st.caption(f":small[{signs} · ✓ looked for and not found · ? cannot be told; why stands below with each run]")


def _cells(each: ComparedRun, runs: Sequence[ComparedRun]) -> dict[tuple[str, str], Cell]:
    """What every check of a run came to, by what was checked and the check's title."""
    assessment = assessment_of(each, runs)
    if assessment is None:
        return {}
    results = sorted(assessment.checks.results, key=lambda result: list(AREAS).index(result.check.group))
    return {(AREAS[result.check.group], result.check.title): _cell(result) for result in results}


def _cell(result: Result) -> Cell:
    if not result.findings:
        return (CANNOT_TELL, FAINT) if result.outcome is Outcome.CANNOT_TELL else (FINE, "")
    worst = most_severe(result.findings).severity
    many = f" × {result.events:,}" if result.events > 1 else ""
    return f"{SIGNS[worst]} {worst.value}{many}", SHADES[worst]


def _matrix(rows: dict[tuple[str, str], list[Cell]], runs: Sequence[ComparedRun]) -> None:
    called = short_labels({each.run.run_id: each.label for each in runs}, LABEL_LIMIT)
    # Numbers, not labels, name the columns: a run may be called "Check".
    names = ["area", "check", *(f"run {number}" for number in range(len(runs)))]
    table = pd.DataFrame([[*title, *(text for text, _ in cells)] for title, cells in rows.items()], columns=names)
    styles = pd.DataFrame([["", "", *(style for _, style in cells)] for cells in rows.values()], columns=names)
    width = max(MIN_RUN_WIDTH, MATRIX_WIDTH // len(runs))
    st.dataframe(
        table.style.apply(lambda _: styles, axis=None),
        hide_index=True,
        height="content",
        key="health_matrix",
        column_order=names[1:],
        column_config={
            "check": st.column_config.TextColumn("Check", pinned=True, width=CHECK_WIDTH),
            **{
                name: st.column_config.TextColumn(called[each.run.run_id], help=md(each.label), width=width)
                for name, each in zip(names[2:], runs, strict=True)
            },
        },
    )


def one_run(comparison: Comparison) -> None:
    """Draw all that was found out about one of the runs, which the reader chooses."""
    runs = comparison.runs
    by_id = {each.run.run_id: each for each in runs}
    st.subheader("Run by run", anchor=False)
    chosen = next(iter(by_id))
    if len(runs) > 1:
        chosen = st.segmented_control(
            "Run",
            list(by_id),
            default=chosen,
            required=True,
            format_func=lambda run_id: md(by_id[run_id].label),
            label_visibility="collapsed",
            key="health_run",
        )
    each = by_id.get(chosen, runs[0])
    assessment = shipped_assessments(comparison)[each.run.run_id]
    if assessment is None:
        st.markdown(f"**{md(each.label)}**")
        st.info(
            "Its metrics could not be read, so neither its health nor its data could be judged.",
            icon=":material/cloud_off:",
        )
        return
    checks = assessment.checks
    badges = _counts_badge(checks), _stability_badge(assessment.stability), confidence_badge(checks)
    st.markdown(f"**{md(each.label)}** {' '.join(badges)}")
    _findings(checks)
    _untold(assessment)
    _stability(assessment.stability)
    _overfitting(assessment.overfitting)
    passport_of_run(checks)


def _counts_badge(found: Results) -> str:
    return f":gray-badge[{counted(found.counts)}]" if found.findings else ":green-badge[nothing noticed]"


def _findings(found: Results) -> None:
    st.markdown(f"##### Findings ({len(found.findings):,})")
    if not found.findings:
        st.caption("None of the checks found anything.")
        return
    st.dataframe(
        findings_table(found),
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder=formatting.NOT_RECORDED,
        key="findings",
        column_config=checks_columns("Severity", "What"),
    )
    if found.unlisted:
        st.caption(f":small[And {found.unlisted:,} smaller ones of the same kinds, which are counted and not listed.]")


def findings_table(found: Results) -> pd.DataFrame:
    """The findings of one run: severity, what, sentence, first and last step."""
    titles = {result.check.code: result.check.title for result in found.results}
    rows = [
        (
            f"{SIGNS[finding.severity]} {finding.severity.value}",
            titles[finding.code],
            finding.sentence,
            finding.step,
            finding.extent,
        )
        for finding in found.findings
    ]
    table = pd.DataFrame(rows, columns=["Severity", "What", "Sentence", "First step", "Last step"])
    return table.astype({"First step": "Int64", "Last step": "Int64"})


def _untold(assessment: Assessment) -> None:
    """What the curves could not tell, and why; the passport says it of the data with its checks."""
    lines = [
        f"- **{md(result.check.title)}**: {md(result.because)}"
        for result in assessment.checks.having(Outcome.CANNOT_TELL, Group.HEALTH)
    ]
    lines += [
        f"- **Overfitting, {md(name.replace('_', ' '))}**: {md(why)}."
        for name, why in assessment.overfitting.cannot_tell
    ]
    if assessment.stability.steadiness is Steadiness.CANNOT_TELL:
        lines.append(f"- **Stability**: {md(assessment.stability.sentence)}")
    st.markdown(f"##### Could not be told ({len(lines)})")
    st.markdown("\n".join(lines) if lines else ":small[Every check of the curves could be made.]")


def _stability_badge(stability: Stability) -> str:
    steadiness = stability.steadiness
    return f":{STABILITY_COLORS[steadiness]}-badge[stability: {steadiness.value}]"


def _stability(stability: Stability) -> None:
    st.markdown("##### Stability")
    variation, spikes = stability.variation, stability.spikes
    known = [
        "loss variation at the end " + ("cannot be told" if variation is None else f"{variation:.1%} of its mean"),
        "gradient-norm spikes " + ("cannot be told" if spikes is None else f"{spikes:,}"),
    ]
    st.markdown(f"{md(stability.sentence)}  \n:small[{md(' · '.join(known))}]")


def _overfitting(overfitting: Overfitting) -> None:
    st.markdown("##### Overfitting at matched steps")
    slope = overfitting.slope_per_1000_steps
    shown = (
        (
            "Gap",
            formatting.signed(overfitting.gap),
            "Eval loss less train loss, both at the checkpoint that would be shipped.",
        ),
        ("Rebound", formatting.signed(overfitting.rebound), "Last eval loss less that of that checkpoint."),
        (
            "Slope at the end",
            formatting.NOT_RECORDED if slope is None else f"{slope:+.4g}",
            "Of the eval loss, per 1,000 steps, over the last evaluations.",
        ),
    )
    with st.container(horizontal=True):
        for title, value, meaning in shown:
            st.metric(title, value, help=meaning, width="content")
    st.markdown("\n".join(f"- {md(sentence)}" for sentence in overfitting.sentences))
