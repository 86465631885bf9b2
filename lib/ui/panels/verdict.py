"""The verdict panel: which run to ship, how sure, why, what speaks against it, and all runs ranked in miniature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.core.baseline.ranking import beside
from lib.core.facts.foreign import legible
from lib.core.facts.runs import RunStatus
from lib.core.glance.glance import Glance, better_words, glance_of
from lib.core.glance.lines import by_score
from lib.core.ranking.deciding import Candidate, best_of
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.text.formatting import shorten, shorten_middle
from lib.core.text.labels import SENTENCE_LIMIT, brief_labels, short_labels
from lib.core.text.phrases import counted
from lib.core.text.precision import together
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.metric_words import BASES, metric_name
from lib.core.verdict.overview import overview_of
from lib.data.source import RunSource
from lib.ui.frame.escape import md
from lib.ui.panels.read_as import has_readings, read_as_panel
from lib.ui.panels.verdict_details import details
from lib.ui.panels.verdict_html import panel
from lib.ui.panels.verdict_look import STYLE
from lib.ui.session import link, reads, url
from lib.ui.session.assessments import shipped_assessments
from lib.ui.session.comparison import Comparison
from lib.ui.session.offers import better, has_alike, select_alike, select_also

BEST_LIMIT = 15
"""Characters of a run's name above its column in the table of best values."""
NAME_LIMIT = 26
"""Characters of a run's name on a button."""
BASELINE_LIMIT = 18
"""Characters of the baseline's name there."""
METRIC_LIMIT = 28
"""Characters of a metric's name on a button."""


def verdict(source: RunSource, comparison: Comparison) -> None:
    """Draw the panel."""
    offers = not comparison.decision.has_main_class and has_alike(source, comparison)
    key = comparison.how, comparison.base, offers
    glance, body = comparison.computed("verdict", key, lambda: _made(comparison, offers=offers))
    with st.container(key="verdict"):
        st.html(STYLE + body)
        _better(source, comparison, glance)
        with st.container(key="verdict_foot", horizontal=True, gap="small"):
            _next(source, comparison, offers=offers)
            with st.container(key="verdict_by", horizontal=True, width="content"):
                if url.value(link.ENDED):
                    st.button(
                        "Take back that training ended",
                        key="not_ended",
                        type="tertiary",
                        on_click=url.put,
                        args=(link.ENDED, False),
                    )
                if has_readings(comparison):
                    read_as_panel(comparison)
                _baseline(comparison)
                _decided_by(comparison)


def _baseline(comparison: Comparison) -> None:
    """Where one of the runs is pinned, so that the others are told by how far they are from it."""
    labels, base = comparison.labels, comparison.base
    if len(labels) < 2 and not base:
        return
    name = brief_labels(labels, BASELINE_LIMIT).get(base, "none")
    with st.popover(f"Baseline: {md(name)}", type="tertiary", key="baseline_choice"):
        st.radio(
            "Compare all runs with",
            ["", *labels],
            format_func=lambda run_id: md(labels[run_id]) if run_id else "none",
            help="Ranking, table and charts then show the differences to it. The verdict stays as it is.",
            **url.widget(link.BASE, base if base in labels else ""),
        )


def _next(source: RunSource, comparison: Comparison, *, offers: bool) -> None:
    """Where nothing can be recommended, what leads to a recommendation."""
    if offers:
        with st.container(key="verdict_alike", width="content"):
            st.button(
                "Select runs that compare",
                key="select_alike",
                type="primary",
                on_click=select_alike,
                args=(source, comparison),
            )
    elif _may_have_ended(comparison):
        with st.container(key="verdict_alike", width="content"):
            st.button(
                "Their training ended: rank them",
                key="ended",
                type="primary",
                help="Their logs do not say whether it did. The link carries that you say so.",
                on_click=url.put,
                args=(link.ENDED, True),
            )


def _may_have_ended(comparison: Comparison) -> bool:
    """Whether nothing can be recommended, and runs whose logs do not say how they ended are among the reasons."""
    unsure = [each.run for each in comparison.runs if each.run.status is RunStatus.UNKNOWN]
    values = comparison.decision.alongside
    return not comparison.decision.ranked and any(run.run_id in values for run in unsure)


def _made(comparison: Comparison, *, offers: bool) -> tuple[Glance, str]:
    """What is said, and how it is drawn."""
    runs = [each.run for each in comparison.runs]
    labels, slots = comparison.labels, {each.run.run_id: each.slot for each in comparison.runs}
    assessed = shipped_assessments(comparison)
    said = overview_of(grounds_of(comparison.decision, runs, _names(labels)), runs, assessed)
    glance = glance_of(said, runs, assessed, has_alike=offers)
    baseline = comparison.baseline
    names = short_labels(labels, SENTENCE_LIMIT)
    against = None if baseline is None else beside(baseline, comparison.decision, labels, names[comparison.base])
    return glance, panel(glance, labels, slots, against) + details(comparison, said, assessed)


def _names(labels: Mapping[str, str]) -> Mapping[str, str]:
    """What runs are called in sentences: by no number alone, such as "1" of "trainer_state 1"."""
    brief = brief_labels(labels)
    return (
        brief if all(any(map(str.isalpha, name)) for name in brief.values()) else short_labels(labels, SENTENCE_LIMIT)
    )


def _better(source: RunSource, comparison: Comparison, glance: Glance) -> None:
    """Name a better run that is not selected, and select it on a click."""
    found = better(source, comparison)
    if found is None:
        return
    name = reads.list_labels(source, url.query())[found.run_id]
    last = glance.ranking.rows[-1].run_id
    with st.container(key="verdict_offer"):
        st.button(
            md(better_words(found, shorten_middle(name, NAME_LIMIT, NAME_LIMIT // 2), comparison.decision)),
            key="select_better",
            type="tertiary",
            help=f"Compare {md(name)} too" + (", instead of the last" if len(comparison.runs) >= 5 else ""),
            on_click=select_also,
            args=(found.run_id, last),
        )


def _decided_by(comparison: Comparison) -> None:
    """Where the metric is chosen that ranks, of those that the runs logged, and the weights of the score."""
    deciding, policy = comparison.decision.deciding, comparison.recommendation.policy
    words = "nothing" if deciding.metric is None else metric_name(deciding.metric)
    label = f"Decided by: {md(shorten(words, METRIC_LIMIT))}"
    if by_score(comparison.recommendation):
        label += f" {policy.eval_weight * 100:.0f}, gap {policy.gap_weight * 100:.0f}"
    with st.popover(label, type="tertiary"):
        basis = BASES[deciding.basis]
        if basis:
            st.caption(md(f"{basis[:1].upper()}{basis[1:]}."))
        _metric(comparison)
        if deciding.is_loss:
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


def _metric(comparison: Comparison) -> None:
    deciding = comparison.decision.deciding
    logged = {each.metric: each for part in comparison.decision.parts for each in part.deciding.candidates}
    if not logged:
        return
    chosen, direction = comparison.by
    options = ["", *logged, *([chosen] if chosen and chosen not in logged else [])]
    st.selectbox(
        "Rank by",
        options,
        format_func=lambda metric: _offered(logged.get(metric), metric),
        help="The link carries the choice. Without one, the runs' own choice decides, or the eval loss.",
        **url.widget(link.BY),
    )
    known = deciding.metric is None or deciding.better is not None
    if direction or not known:
        st.selectbox(
            "Which is better",
            ["", "lower", "higher"],
            format_func=lambda better: better or "as recorded or known",
            **url.widget(link.DIRECTION),
        )
    st.markdown(comparison.computed("bests", comparison.how, lambda: _bests(comparison, list(logged.values()))))


def _bests(comparison: Comparison, candidates: Sequence[Candidate]) -> str:
    """The best value of each run by each metric, as a table."""
    names = brief_labels(comparison.labels, BEST_LIMIT)
    curves = {each.run.run_id: each.data.curves for each in comparison.runs if each.data is not None}
    lines = [["Best", "", *(md(names[each.run.run_id]) for each in comparison.in_order)]]
    lines.append(["---"] * len(lines[0]))
    for each in candidates:
        direction = {"lower": "↓", "higher": "↑"}.get(each.better or "", "?")
        values = [best_of(each, run.run, curves.get(run.run.run_id)) for run in comparison.in_order]
        lines.append([md(metric_name(each.metric)), direction, *together(values)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _offered(candidate: Candidate | None, metric: str) -> str:
    if not metric:
        return "what the runs chose by, else the eval loss"
    if candidate is None:
        return f"{legible(metric)} (not logged)"
    direction = f"{candidate.better} is better" if candidate.better else "direction not known"
    return f"{legible(metric)}: {direction}, {counted(len(candidate.run_ids), 'run', 'runs')}"
