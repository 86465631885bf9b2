"""The page that explains the ranking: the rule applied to the selected runs line by line, then the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from lib.core.answers.score_steps import Step, order_words, ranking_headline, steps
from lib.core.ranking.scoring import Recommendation
from lib.core.verdict.metric_words import BASES, best_word, metric_name, others_logged
from lib.ui.frame.run_names import Named, named_runs, shared_words
from lib.ui.panels.ranking_rules import rules
from lib.ui.session.comparison import Comparison

STEP_SHARE = 26
"""Percent of a table's width that the lines of the rule have."""


def ranking(comparison: Comparison) -> None:
    """Draw the page."""
    applied = comparison.computed("ranking page", comparison.how, lambda: _applied(comparison))
    st.html(applied + rules(comparison.policy))


def _applied(comparison: Comparison) -> str:
    if not comparison.runs:
        return (
            '<section class="card"><header><h2>No run is selected</h2><span class="beside">Tick some in the sidebar'
            " to see the rules applied to them.</span></header></section>"
        )
    named, start = named_runs(comparison)
    names = {each.run_id: each.brief for each in named}
    by_id = {each.run_id: each for each in named}
    grounds, decision = comparison.grounds, comparison.decision
    body = ""
    for part in decision.parts:
        if not part.scores:
            continue
        if part is not decision.recommendation:
            why = grounds.other_classes[part.scores[0].run_id]
            body += f'<p class="foot">Not comparable with these: {escape(why)}.</p>'
        # A run that compares with no other has a score that says nothing, and would outscore the others.
        with_points = len(part.scores) > 1 or (part is decision.recommendation and decision.has_main_class)
        body += _table(part, by_id, with_points=with_points)
        body += _below(part, names, grounds.behind if part.settings else {})
    left_out = "".join(
        f'<li data-run="{by_id[run_id].each.slot}">{by_id[run_id].html} is left out: {escape(why)}.</li>'
        for run_id, why in grounds.left_out.items()
    )
    body += f'<div class="foot"><ul>{left_out}</ul></div>' if left_out else ""
    foot = shared_words(start, named)
    body += f'<p class="foot">{foot}</p>' if foot else ""
    headline = escape(ranking_headline(decision, names))
    return f'<section class="card"><header><h2>{headline}</h2>{_decides(comparison)}</header>{body}</section>'


def _decides(comparison: Comparison) -> str:
    deciding = comparison.decision.deciding
    if deciding.metric is None:
        return ""
    said = f"Decided by {metric_name(deciding.metric)}, {best_word(deciding)} first"
    basis = BASES[deciding.basis]
    others = others_logged(deciding)
    return f'<span class="beside">{escape(said + (f": {basis}." if basis else "."))} {escape(others)}</span>'


def _table(part: Recommendation, by_id: Mapping[str, Named], *, with_points: bool) -> str:
    named = [by_id[score.run_id] for score in part.scores]
    share = (100 - STEP_SHARE) / len(named)
    columns = f'<col style="width:{STEP_SHARE}%">' + f'<col style="width:{share:.2f}%">' * len(named)
    heads = "".join(
        f'<th scope="col" class="value" data-run="{each.each.slot}" title="{escape(each.each.label)}">'
        f'<span class="head-of"><span class="place">{place}.</span> {each.html}</span></th>'
        for place, each in enumerate(named, 1)
    )
    rows = "".join(_row(step, named) for step in steps(part, with_points=with_points))
    return (
        f'<table class="stacks"><colgroup>{columns}</colgroup><thead><tr><th scope="col">Line</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(step: Step, named: Sequence[Named]) -> str:
    best = " best" if step.is_result else ""
    cells = "".join(
        f'<td class="value{best}"><span class="who">{each.html}</span><span>{_with(value, numbers)}</span></td>'
        for each, value, numbers in zip(named, step.values, step.put_in, strict=True)
    )
    kind = ' class="recommended"' if step.is_result else ""
    return f'<tr{kind}><th scope="row">{_with(step.title, step.rule)}</th>{cells}</tr>'


def _with(text: str, small: str) -> str:
    """A text with another one in small letters below it."""
    return escape(text) + (f'<br><span class="put-in">{escape(small)}</span>' if small else "")


def _below(part: Recommendation, names: Mapping[str, str], behind: Mapping[str, str]) -> str:
    """Why the others are not first, and which tie-breaks made the order."""
    said = [
        f"<b>{escape(names[score.run_id])}</b>: {escape(behind[score.run_id])}"
        for score in part.scores
        if score.run_id in behind
    ]
    said += [escape(sentence) for sentence in order_words(part, names)]
    return f'<div class="foot"><ul>{"".join(f"<li>{each}</li>" for each in said)}</ul></div>' if said else ""
