"""The page that explains the ranking. Every number on it is read from the code that uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from lib.core.facts.limits import shown
from lib.core.facts.runs import STATUS_SYNONYMS, RunStatus
from lib.core.facts.selection import MAX_SELECTED
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.ranking.scoring import DEFAULT_POLICY, TIE_DECIMALS, GapBand, RunScore, ScoringPolicy
from lib.core.text import formatting
from lib.core.verdict.limits import LIMITS
from lib.core.verdict.reasons import TIE_BREAKS
from lib.ui.frame.escape import md
from lib.ui.panels.passport import ROW_HEIGHT
from lib.ui.session.comparison import Comparison


def selected_scores(comparison: Comparison) -> None:
    """Apply the rules to the selected runs, one row each and one table for each class of comparable runs."""
    st.subheader("The selected runs", anchor=False)
    grounds, labels = comparison.grounds, comparison.labels
    ranked = comparison.recommendation.scores
    if not comparison.runs:
        st.caption("No run is selected; tick some in the sidebar to see the rules applied to them.")
        return
    if ranked:
        st.dataframe(_scores(ranked, labels), hide_index=True, height="content", key="selected_scores")
    for number, other in enumerate(comparison.decision.other_classes):
        scores = other.recommendation.scores
        st.markdown(f"Not comparable with these: {md(grounds.other_classes[scores[0].run_id])}.")
        st.dataframe(_scores(scores, labels), hide_index=True, height="content", key=f"other_scores_{number}")
    for run_id, why in grounds.left_out.items():
        st.markdown(f"- **{md(labels[run_id])}** is left out: {md(why)}.")


def _scores(scores: Sequence[RunScore], labels: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Rank": range(1, len(scores) + 1),
            "Run": [labels[score.run_id] for score in scores],
            "Eval loss E": [formatting.loss(score.eval_loss) for score in scores],
            "Train loss T": [formatting.loss(score.train_loss) for score in scores],
            "Gap E − T": [formatting.signed(score.gap) for score in scores],
            "Band": [score.gap_label for score in scores],
            "Eval-loss points": [formatting.points(score.loss_points) for score in scores],
            "Gap points": [formatting.points(score.gap_points) for score in scores],
            "Composite": [formatting.points(score.total) for score in scores],
        }
    )


def rules(policy: ScoringPolicy) -> None:
    """Print the rules."""
    st.subheader("The composite score", anchor=False)
    st.markdown(
        f"**Composite = {policy.eval_weight:.2f} × eval-loss points + {policy.gap_weight:.2f} × gap points**,"
        " 0 to 100, higher is better."
        + (
            ""
            if policy == DEFAULT_POLICY
            else f" The default weight of the eval loss is {DEFAULT_POLICY.eval_weight:.2f}."
        )
    )
    st.markdown(
        "**Eval loss E** is the lowest finite eval loss of the metric rows; without rows, the first finite value"
        " of the stored best, last and final eval loss. **Train loss T** is the first finite value of the last and"
        " the final train loss. 0 is a value; null, NaN, infinity and text are not.\n\n"
        "**Eval-loss points = 100 × exp(−max(E, 0))**: the geometric-mean probability, in percent, that the model"
        " gives to a token. It falls strictly with E, never saturates, and needs no other run to compare with."
    )
    st.subheader("Gap points", anchor=False)
    st.markdown(
        f"The gap is E − T, rounded to {TIE_DECIMALS} decimals before it is compared with the edges of the bands."
        f" The table marks gaps above {GAP_WARNING:g} and below 0."
    )
    st.dataframe(_bands(policy), hide_index=True, height="content", key="bands")
    st.subheader("Who may be recommended", anchor=False)
    st.markdown(
        "Only completed runs that have an eval loss. Every other selected run is listed with the reason why it was"
        " left out. Statuses are read like this, in any case of letters:"
    )
    st.dataframe(_statuses(), hide_index=True, height="content", key="statuses")
    st.subheader("Order and ties", anchor=False)
    st.markdown(
        f"Highest composite first. Composites that are equal when rounded to {TIE_DECIMALS} decimals are a tie, which"
        f" goes to {', then to '.join(rule.goes_to for rule in TIE_BREAKS.values())}. The order depends neither on the"
        " order in which runs were selected nor on which others are among the selected, of which there are at most"
        f" {MAX_SELECTED}."
    )
    limits()


def _bands(policy: ScoringPolicy) -> pd.DataFrame:
    lows = [-math.inf, *(band.below for band in policy.bands)]
    rows = [
        {"Gap": _edge(low, band), "Points": formatting.points(band.points), "Said": band.label}
        for low, band in zip(lows, policy.bands, strict=False)
    ]
    unknown = policy.unknown_band
    rows.append({"Gap": "unknown", "Points": formatting.points(unknown.points), "Said": unknown.label})
    return pd.DataFrame(rows)


def _edge(low: float, band: GapBand) -> str:
    if low == -math.inf:
        return f"gap < {band.below:g}"
    if band.below == math.inf:
        return f"gap ≥ {low:g}"
    return f"{low:g} ≤ gap < {band.below:g}"


def _statuses() -> pd.DataFrame:
    rows = [{"Status": status.value, "Read from": ", ".join(raw)} for status, raw in STATUS_SYNONYMS.items()]
    rows.append(
        {
            "Status": RunStatus.UNKNOWN.value,
            "Read from": "anything else, null or empty: shown as it is, never recommended",
        }
    )
    return pd.DataFrame(rows)


def limits() -> None:
    """Print every number that decides what is said beside the score, with its reason."""
    st.subheader("Shown beside the score", anchor=False)
    st.markdown(
        "Stability, run health, overfitting at matched steps and the data passport are no part of the score."
        " These limits decide what is said about them:"
    )
    for heading, listed in LIMITS.items():
        with st.expander(f"{heading} ({len(listed)})"):
            table = pd.DataFrame(
                [(limit.title, shown(limit), limit.reason) for limit in listed],
                columns=["Limit", "Value", "Meaning"],
            )
            st.dataframe(
                table,
                hide_index=True,
                height="content",
                row_height=ROW_HEIGHT,
                key=f"limits:{heading}",
                column_config={
                    "Limit": st.column_config.TextColumn(width=170),
                    "Value": st.column_config.TextColumn(width=96),
                    "Meaning": st.column_config.TextColumn(width=580),
                },
            )
