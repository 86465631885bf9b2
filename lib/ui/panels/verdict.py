"""The verdict panel: who wins or that it is a tie, how sure, why, what speaks against it, and why not the others."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.core.facts.runs import RunStatus
from lib.core.ranking.scoring import DEFAULT_POLICY, Recommendation
from lib.core.text import formatting
from lib.core.text.labels import short_labels
from lib.core.verdict.panel import HeadlineKind, Panel, panel_of
from lib.core.verdict.summary import SummaryInput
from lib.core.verdict.sureness import Sureness
from lib.ui.frame.escape import md
from lib.ui.panels.verdict_details import details, stability_badge
from lib.ui.session import cached, link, url
from lib.ui.session.comparison import Comparison
from lib.ui.session.judgements import judgements

SURENESS_COLORS = {
    Sureness.SURE: "green",
    Sureness.FAIRLY_SURE: "blue",
    Sureness.UNSURE: "orange",
    Sureness.TIE: "violet",
    Sureness.CANNOT_TELL: "gray",
}

NAME_LIMIT = 36
"""Characters of a run's name in a line of its own."""
HEADLINE_LIMIT = 64
"""Characters of all names in the headline together."""

MAY_GO_ON = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.QUEUED)

_STYLE = """<style>
.st-key-verdict { gap: .35rem; padding: .6rem .9rem .5rem; }
.st-key-verdict [data-testid="stMarkdownContainer"] { margin-bottom: 0; }
.st-key-verdict h4 { padding: 0 0 .1rem; font-size: 1.3rem; }
.st-key-verdict [data-testid="stMarkdown"] :is(p, li) { font-size: .85rem; line-height: 1.4; }
.st-key-verdict [data-testid="stMarkdown"] p { margin-bottom: .2rem; overflow-wrap: anywhere; }
.st-key-verdict ul { margin-bottom: .2rem; padding-left: 0; }
.st-key-verdict li { margin: 0 0 0 1rem; padding: 0; overflow-wrap: anywhere; }
.st-key-verdict [data-testid="stHorizontalBlock"] { row-gap: .3rem; }
.st-key-verdict_details { gap: 0 1.1rem; }
.st-key-verdict_details button { padding: 0; min-height: 1.6rem; }
.st-key-verdict_details button p { font-size: .85rem; }
</style>"""
"""Small type and little room between lines: the panel is to leave most of the screen to the curves."""


def verdict(comparison: Comparison, rows: Sequence[SummaryInput]) -> None:
    """Draw the panel."""
    decision = comparison.decision
    judged = {each.run.run_id: judgements(each) for each in comparison.runs}
    names = short_labels(comparison.labels, NAME_LIMIT)
    key = (comparison.key, comparison.policy.eval_weight)
    panel = cached.once("panel", key, lambda: panel_of(decision, rows, judged, comparison.labels, names))
    with st.container(border=True, key="verdict"):
        st.markdown("\n\n".join(filter(None, (_headline(panel, comparison), _sure(panel)))))
        # The side with the longest sentence is the wider one.
        left, right = st.columns([1.2, 1] if panel.trophy else [1, 1.15], gap="medium")
        left.markdown(_reasons(panel))
        right.markdown(_against(panel), help=_full_names(panel, comparison))
        with st.container(horizontal=True, key="verdict_details"):
            st.html(_STYLE)
            details(comparison, panel, judged)
            _policy(decision.recommendation)


def _headline(panel: Panel, comparison: Comparison) -> str:
    kind, run_ids = panel.headline.kind, panel.headline.run_ids
    if kind is HeadlineKind.NONE:
        yet = " yet" if any(each.run.status in MAY_GO_ON for each in comparison.runs) else ""
        return f"#### :material/hourglass_empty: No recommendation{yet}"
    short = short_labels(comparison.labels, HEADLINE_LIMIT // len(run_ids))
    names = [md(short[run_id]) for run_id in run_ids]
    match kind:
        case HeadlineKind.TIE:
            said = f"#### :material/balance: Tie: {_listed(names)} may score the same"
            mark = f":orange-badge[★ first by score: {names[0]}]"
        case HeadlineKind.APART:
            said = f"#### :material/call_split: Not comparable: {_listed(names)}"
            mark = f":orange-badge[★ best of its class: {names[0]}]"
        case _:
            said = f"#### ★ {names[0]}"
            mark = ":orange-badge[Recommended]"
    score = f":gray-badge[score {formatting.points(comparison.recommendation.winner.total)} of 100]"
    color, level = SURENESS_COLORS[panel.surety.level], panel.surety.level
    winner = next(each for each in comparison.runs if each.run.run_id == run_ids[0])
    return f"{said}\n\n{mark} {score} :{color}-badge[{_how_sure(level)}] {stability_badge(winner)}"


def _how_sure(level: Sureness) -> str:
    return "cannot tell how sure" if level is Sureness.CANNOT_TELL else level.value


def _sure(panel: Panel) -> str:
    if panel.headline.kind is HeadlineKind.NONE:
        return ""
    return f"{md(panel.surety.sentence)} {md(panel.way_out)}".strip()


def _reasons(panel: Panel) -> str:
    if panel.headline.kind is HeadlineKind.NONE:
        return "\n\n".join(md(said) for said in (*panel.reasons, panel.leader) if said)
    lines = [md(reason) for reason in panel.reasons]
    if panel.trophy:
        lines.append(f":material/trophy: {md(panel.trophy)}")
    if panel.checkpoint:
        lines.append(f":material/deployed_code: **Checkpoint:** {md(panel.checkpoint)}.")
    return "\n".join(f"- {line}" for line in lines)


def _against(panel: Panel) -> str:
    parts = []
    if panel.headline.kind is not HeadlineKind.NONE:
        parts.append(
            f":red[:material/gavel: **Strongest objection:**] {md(panel.strongest.sentence)}"
            if panel.strongest
            else ":material/gavel: **Strongest objection:** none was found."
            if not panel.objections
            else ":material/gavel: **Strongest objection:** none besides what is said above."
        )
    if panel.others:
        title = "Why none of them" if panel.headline.kind is HeadlineKind.NONE else "Why not the others"
        parts.append(f"**{title}**\n{_list(panel.others)}")
    if panel.apart:
        own = "cannot tell" if panel.improvement is None else formatting.percent(panel.improvement)
        parts.append(
            f"**Losses not comparable**; improved on own first evaluation (starred run: {own}):\n{_list(panel.apart)}"
        )
    return "\n\n".join(parts)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {md(line)}" for line in lines)


def _full_names(panel: Panel, comparison: Comparison) -> str | None:
    """The names that the panel cuts, in full, for whoever asks."""
    named = panel.headline.run_ids
    cut = [
        label
        for run_id, label in comparison.labels.items()
        if len(label) > (HEADLINE_LIMIT // len(named) if run_id in named else NAME_LIMIT)
    ]
    return "\n".join(f"- {md(label)}" for label in cut) or None


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _policy(recommendation: Recommendation) -> None:
    policy = recommendation.policy
    label = f"Weights {policy.eval_weight * 100:.0f} : {policy.gap_weight * 100:.0f}"
    with st.popover(label, icon=":material/tune:", type="tertiary"):
        st.slider(
            "Weight of the eval loss",
            0.0,
            1.0,
            step=0.05,
            help="The rest of the weight is the gap's. The link carries the choice.",
            **url.widget(link.EVAL_WEIGHT),
        )
        st.button(
            f"Back to {DEFAULT_POLICY.eval_weight:.0%}",
            key="default_weight",
            on_click=url.put,
            args=(link.EVAL_WEIGHT, DEFAULT_POLICY.eval_weight),
            disabled=policy == DEFAULT_POLICY,
        )
        st.page_link("pages/ranking.py", label="How runs are ranked", query_params=url.menu_texts())
