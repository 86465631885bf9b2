"""The recommendation: which run, why, what speaks against it, which checkpoint, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.core import formatting
from lib.core.scoring import DEFAULT_POLICY, Recommendation
from lib.core.stability import Level
from lib.core.summary import SummaryInput
from lib.core.verdict import comparability_cautions, leader_so_far, trophy_sentence, why_not_others
from lib.ui import url
from lib.ui.comparison import ComparedRun, Comparison
from lib.ui.escape import md
from lib.ui.judgements import judgements

STABILITY_COLORS = {
    Level.STEADY: "green",
    Level.UNSTEADY: "orange",
    Level.UNSTABLE: "red",
    Level.CANNOT_TELL: "gray",
}


def verdict(comparison: Comparison, rows: Sequence[SummaryInput]) -> None:
    """Draw the callout."""
    recommendation = comparison.recommendation
    winner = next((each for each in comparison.runs if each.run.run_id == recommendation.run_id), None)
    with st.container(border=True, key="verdict"):
        head, policy = st.columns([4, 1.5], vertical_alignment="center")
        with policy:
            _policy(recommendation)
        with head:
            if winner is None:
                _nothing_to_recommend(recommendation, rows, comparison)
            else:
                st.markdown(
                    f"#### :material/star: {md(winner.label)}  \n"
                    f":orange-badge[Recommended] :gray-badge[score {formatting.points(recommendation.winner.total)}"
                    f" of 100] {_stability_badge(winner)}"
                )
        if winner is not None:
            _reasons(winner, recommendation, rows, comparison)
        for caution in comparability_cautions(rows):
            st.markdown(f":orange[:material/warning:] {md(caution)}")
        _others(recommendation, comparison)


def _reasons(
    winner: ComparedRun, recommendation: Recommendation, rows: Sequence[SummaryInput], comparison: Comparison
) -> None:
    reasons = [md(reason) for reason in recommendation.reasons]
    if trophy := trophy_sentence(recommendation, rows, comparison.labels):
        reasons.append(f":material/trophy: {md(trophy)}")
    if winner.data:
        advice = judgements(winner).checkpoint
        reasons.append(f":material/deployed_code: {md(advice.sentence)}")
    st.markdown("\n".join(f"- {reason}" for reason in reasons))


def _nothing_to_recommend(recommendation: Recommendation, rows: Sequence[SummaryInput], comparison: Comparison) -> None:
    st.markdown("#### :material/hourglass_empty: No recommendation yet")
    st.markdown(md(recommendation.reasons[0]))
    if leader := leader_so_far(rows, recommendation, comparison.labels):
        st.markdown(md(leader))


def _others(recommendation: Recommendation, comparison: Comparison) -> None:
    """Why not the others, and how stable each run was."""
    others = why_not_others(recommendation, comparison.labels)
    if others:
        with st.expander("Why not the others" if recommendation.run_id else "Why none of them"):
            st.markdown("\n".join(f"- {md(line)}" for line in others))
    with st.expander("Stability of the selected runs"):
        for each in comparison.runs:
            st.markdown(_stability(each))


def _stability_badge(each: ComparedRun) -> str:
    if each.data is None:
        return ""
    level = judgements(each).stability.level
    return f":{STABILITY_COLORS[level]}-badge[stability: {level.value}]"


def _stability(each: ComparedRun) -> str:
    if each.data is None:
        return f"**{md(each.label)}**: its metrics could not be read."
    stability = judgements(each).stability
    said = [md(finding.sentence) for finding in stability.findings] or [md(stability.sentence)]
    return f"**{md(each.label)}** {_stability_badge(each)}  \n" + "  \n".join(said)


def _policy(recommendation: Recommendation) -> None:
    policy = recommendation.policy
    label = f"Weights {policy.eval_weight * 100:.0f} : {policy.gap_weight * 100:.0f}"
    with st.popover(label, icon=":material/tune:", width="stretch"):
        st.slider(
            "Weight of the eval loss",
            0.0,
            1.0,
            step=0.05,
            help="The rest of the weight is the gap's. The link carries the choice.",
            **url.EVAL_WEIGHT.widget(),
        )
        st.button(
            f"Back to {DEFAULT_POLICY.eval_weight:.0%}",
            key="default_weight",
            on_click=url.EVAL_WEIGHT.set,
            args=(DEFAULT_POLICY.eval_weight,),
            disabled=policy == DEFAULT_POLICY,
        )
        st.page_link("pages/ranking.py", label="How runs are ranked", query_params=url.menu_texts())
