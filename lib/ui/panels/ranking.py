"""The page that explains the ranking. Every number on it is read from the code that uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from lib.core.curves.train_window import WINDOW_SHARE
from lib.core.facts.limits import shown
from lib.core.facts.runs import STATUS_SYNONYMS, RunStatus
from lib.core.facts.selection import MAX_SELECTED
from lib.core.gap.overfitting import GAP_WARNING
from lib.core.gap.plausibility import MULTIPLE_WITHIN
from lib.core.ranking.metric_names import EVAL_LOSS, HIGHER, LOWER
from lib.core.ranking.policy import DEFAULT_POLICY, GapBand, ScoringPolicy
from lib.core.ranking.scoring import TIE_DECIMALS, Recommendation
from lib.core.ranking.values import REWARD_SHARE
from lib.core.text import formatting
from lib.core.verdict.limits import LIMITS
from lib.core.verdict.metric_words import metric_words
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
        st.dataframe(
            _scores(comparison.recommendation, labels), hide_index=True, height="content", key="selected_scores"
        )
    for number, other in enumerate(comparison.decision.other_classes):
        st.markdown(f"Not comparable with these: {md(grounds.other_classes[other.run_ids[0]])}.")
        st.dataframe(
            _scores(other.recommendation, labels), hide_index=True, height="content", key=f"other_scores_{number}"
        )
    for run_id, why in grounds.left_out.items():
        st.markdown(f"- **{md(labels[run_id])}** is left out: {md(why)}.")


def _scores(recommendation: Recommendation, labels: Mapping[str, str]) -> pd.DataFrame:
    scores = recommendation.scores
    words = metric_words(recommendation.deciding.metric)
    columns: dict[str, Sequence[object]] = {
        "Rank": range(1, len(scores) + 1),
        "Run": [labels[score.run_id] for score in scores],
    }
    if recommendation.deciding.metric != EVAL_LOSS:
        columns[words[:1].upper() + words[1:]] = [formatting.loss(score.value) for score in scores]
    columns |= {
        "Best step": [formatting.count(score.values.step) for score in scores],
        "Eval loss E": [formatting.loss(score.eval_loss) for score in scores],
        "Train loss T": [formatting.loss(score.train_loss) for score in scores],
        "Gap E − T": [formatting.signed(score.gap) for score in scores],
        "Error of the gap": [formatting.loss(score.values.gap_error or None) for score in scores],
        "Band": [score.gap_label for score in scores],
    }
    if recommendation.deciding.is_loss:
        columns |= {
            "Eval-loss points": [formatting.points(score.loss_points) for score in scores],
            "Gap points": [formatting.points(score.gap_points) for score in scores],
            "Composite": [formatting.points(score.total) for score in scores],
        }
    return pd.DataFrame(columns)


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
    deciding = [
        "The metric by which the runs chose their own best checkpoint, where all that say so name the same one:"
        " `metric_for_best_model`, else the one logged metric that equals `best_metric` at the best checkpoint.",
        "The eval loss, where the method's loss measures fit to data and never goes below 0.",
        "The loss on a named evaluation set: that which most runs logged, then the first by name.",
        f"The reward of evaluations; else its mean over the last {REWARD_SHARE:.0%} of the steps.",
    ]
    st.markdown(
        "**What decides**, the first that gives one; it can be chosen beside the verdict, too:\n\n"
        + "\n".join(f"1. {rule}" for rule in deciding)
        + "\n\nWhich direction is better is what the trainer recorded, else what its best value shows, else what the"
        f" name tells (lower: {', '.join(LOWER)}; higher: {', '.join(HIGHER)}). With a loss the composite ranks, with"
        " any other metric its best value; runs without it are left out."
    )
    st.markdown(
        "**Everything is of one step**: the earliest one above 0 at which the deciding metric is best, whose checkpoint"
        " would be shipped. **Eval loss E** is the one logged there. **Train loss T** is the mean over the last"
        f" {WINDOW_SHARE:.0%} of the steps up to it. Without series, stored values stand for them. 0 is a value; null,"
        " NaN, infinity and text are not. A train loss does not count where it is exactly 0, not finite, above what"
        f" guessing tokens gives, or within {MULTIPLE_WITHIN:.0%} of as many times the eval loss as batches were"
        " accumulated or processes ran.\n\n"
        f"**Eval-loss points = 100 × ((B + {policy.loss_offset:g}) / (max(E, 0) + {policy.loss_offset:g})) ^"
        f" {policy.loss_power}**, where B is the lowest E of the ranked runs: 100 for the lowest, nine to ten points"
        " less"
        " for each percent above it. So a run's composite depends on which runs it is ranked with, through B alone; its"
        " values never do."
    )
    st.subheader("Gap points", anchor=False)
    st.markdown(
        f"The gap is E − T, rounded to {TIE_DECIMALS} decimals before it is compared with the edges of the bands. Its"
        " points are the expected ones of a gap that is normal around the measured one, with the standard error of both"
        f" losses. A gap below 0 that averaging, noise and dropout explain has {policy.gap_range[1]:g} points, and so"
        " has"
        f" what lies below 0 of a gap that does not. The table marks gaps above {GAP_WARNING:g} and below 0. Where no"
        " gap is known, the eval-loss points alone rank; where some are, an unknown one may be of any band, and a lead"
        " inside that reach is none."
    )
    st.dataframe(_bands(policy), hide_index=True, height="content", key="bands")
    st.subheader("Who may be recommended", anchor=False)
    st.markdown(
        "Only completed runs that have a value of the deciding metric; of runs with one log, or where one is the"
        " beginning of the other, one. Every other selected run is listed with the reason why it was"
        " left out. Statuses are read like this, in any case of letters:"
    )
    st.dataframe(_statuses(), hide_index=True, height="content", key="statuses")
    st.subheader("Order and ties", anchor=False)
    st.markdown(
        f"Best score first. Scores that are equal when rounded to {TIE_DECIMALS} decimals are a tie, which goes to"
        f" {', then to '.join(rule.goes_to for rule in TIE_BREAKS.values())}. The order does not depend on that in"
        " which"
        f" runs were selected, of which there are at most {MAX_SELECTED}."
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
