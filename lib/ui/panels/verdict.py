"""The verdict panel: who wins or that it is a tie, how sure, why, what speaks against it, and why not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.core.ranking.deciding import Candidate, best_of
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.ranking.scoring import Recommendation
from lib.core.text import formatting
from lib.core.text.formatting import shorten
from lib.core.text.labels import short_labels
from lib.core.text.phrases import counted
from lib.core.verdict.metric_words import metric_words
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import HeadlineKind, Overview, overview_of
from lib.ui.frame.escape import md
from lib.ui.panels.verdict_details import details, stability_badge
from lib.ui.session import link, url
from lib.ui.session.assessments import shipped_assessments
from lib.ui.session.comparison import Comparison

SURENESS_COLORS = {
    Sureness.SURE: "green",
    Sureness.FAIRLY_SURE: "blue",
    Sureness.LIKELY: "blue",
    Sureness.UNSURE: "orange",
    Sureness.TIE: "violet",
    Sureness.CANNOT_TELL: "gray",
}

BEST_LIMIT = 15
"""Characters of a run's name above its column in the table of best values."""
NAME_LIMIT = 36
"""Characters of a run's name in a line of its own."""
HEADLINE_LIMIT = 64
"""Characters of all names in the headline together."""

HEADLINE_ICONS = {
    HeadlineKind.WINNER: "★",
    HeadlineKind.TIE: ":material/balance:",
    HeadlineKind.NOT_COMPARABLE: ":material/call_split:",
    HeadlineKind.NONE: ":material/hourglass_empty:",
    HeadlineKind.NONE_YET: ":material/hourglass_empty:",
}

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


def verdict(comparison: Comparison) -> None:
    """Draw the panel."""
    runs = [each.run for each in comparison.runs]
    assessed = shipped_assessments(comparison)
    said = comparison.computed("overview", comparison.how, lambda: overview_of(comparison.grounds, runs, assessed))
    with st.container(border=True, key="verdict"):
        st.markdown("\n\n".join(filter(None, (_headline(said, comparison), _sure(said)))))
        # The side with the longest sentence is the wider one.
        left, right = st.columns([1.2, 1] if said.lowest_not_first else [1, 1.15], gap="medium")
        left.markdown(_reasons(said))
        right.markdown(_against(said, short_labels(comparison.labels, NAME_LIMIT)), help=_full_names(said, comparison))
        with st.container(horizontal=True, key="verdict_details"):
            st.html(_STYLE)
            details(comparison, said.objections, assessed)
            _deciding(comparison)
            _policy(comparison.recommendation)


def _headline(said: Overview, comparison: Comparison) -> str:
    headline, level = said.headline, said.surety.level
    short = short_labels(comparison.labels, HEADLINE_LIMIT // max(len(headline.run_ids), 1))
    names = [md(short[run_id]) for run_id in headline.run_ids]
    title = f"#### {HEADLINE_ICONS[headline.kind]} {headline.title(names)}"
    if not said.is_recommended:
        return title
    winner = next(each for each in comparison.runs if each.run.run_id == headline.run_ids[0])
    sure = f":{SURENESS_COLORS[level]}-badge[{level.words}]"
    stability = stability_badge(winner, comparison.runs)
    badges = f":orange-badge[{headline.mark(names)}] :gray-badge[{said.score}] {sure} {stability}"
    return f"{title}\n\n{badges}"


def _sure(said: Overview) -> str:
    sentences = said.surety.sentence, said.way_out, said.decided_by
    return " ".join(md(sentence) for sentence in sentences if sentence) if said.is_recommended else ""


def _reasons(said: Overview) -> str:
    lines = [md(reason.sentence) for reason in said.grounds.strongest]
    if not said.is_recommended:
        return "\n\n".join(filter(None, (*lines, md(said.grounds.leader or ""))))
    if said.lowest_not_first:
        lines.append(f":material/trophy: {md(said.lowest_not_first)}")
    if said.checkpoint:
        lines.append(f":material/deployed_code: **Checkpoint:** {md(said.checkpoint)}.")
    return "\n".join(f"- {line}" for line in lines)


def _against(said: Overview, names: Mapping[str, str]) -> str:
    parts: list[str] = []
    others, not_comparable = said.grounds.others(names), said.grounds.not_comparable(names)
    if said.is_recommended:
        title = ":material/gavel: **Strongest objection:**"
        parts.append(f"{f':red[{title}]' if said.strongest else title} {md(said.strongest_sentence)}")
    if others:
        parts.append(f"**{said.others_title}**\n{_list(others)}")
    if not_comparable:
        title, figure = said.not_comparable_title
        parts.append(f"**{title}**; {figure}:\n{_list(not_comparable)}")
    return "\n\n".join(parts)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {md(line)}" for line in lines)


def _full_names(said: Overview, comparison: Comparison) -> str | None:
    """The names that the panel cuts, in full, for whoever asks."""
    named = said.headline.run_ids
    cut = [
        label
        for run_id, label in comparison.labels.items()
        if len(label) > (HEADLINE_LIMIT // len(named) if run_id in named else NAME_LIMIT)
    ]
    return "\n".join(f"- {md(label)}" for label in cut) or None


def _deciding(comparison: Comparison) -> None:
    """Where the metric is chosen that ranks, of those that the runs logged."""
    deciding = comparison.decision.deciding
    logged = {each.metric: each for part in comparison.decision.parts for each in part.deciding.candidates}
    if not logged:
        return
    chosen, direction = comparison.by
    options = ["", *logged, *([chosen] if chosen and chosen not in logged else [])]
    words = metric_words(deciding.metric) if deciding.metric is not None else "nothing"
    with st.popover(f"Decided by {shorten(words, NAME_LIMIT)}", icon=":material/rule:", type="tertiary"):
        st.selectbox(
            "Rank by",
            options,
            format_func=lambda metric: _offered(logged.get(metric), metric),
            help="The link carries the choice. Without one, the runs' own choice decides, or the eval loss.",
            **url.widget(link.BY),
        )
        st.markdown(comparison.computed("bests", comparison.how, lambda: _bests(comparison, list(logged.values()))))
        known = deciding.metric is None or deciding.better is not None
        if direction or not known:
            st.selectbox(
                "Which is better",
                ["", "lower", "higher"],
                format_func=lambda better: better or "as recorded or known",
                **url.widget(link.DIRECTION),
            )


def _bests(comparison: Comparison, candidates: Sequence[Candidate]) -> str:
    """The best value of each run by each metric, as a table."""
    names = short_labels(comparison.labels, BEST_LIMIT)
    curves = {each.run.run_id: each.data.curves for each in comparison.runs if each.data is not None}
    lines = [["Best", "", *(md(names[each.run.run_id]) for each in comparison.runs)]]
    lines.append(["---"] * len(lines[0]))
    for each in candidates:
        direction = {"lower": "↓", "higher": "↑"}.get(each.better or "", "?")
        values = (best_of(each, run.run, curves.get(run.run.run_id)) for run in comparison.runs)
        lines.append([md(metric_words(each.metric)), direction, *map(formatting.loss, values)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _offered(candidate: Candidate | None, metric: str) -> str:
    if not metric:
        return "what the runs chose by, else the eval loss"
    if candidate is None:
        return f"{metric} (not logged)"
    direction = f"{candidate.better} is better" if candidate.better else "direction not known"
    return f"{metric}: {direction}, {counted(len(candidate.run_ids), 'run', 'runs')}"


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
