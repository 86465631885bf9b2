"""What the runs come to at equal budgets: the same steps, samples, tokens, hours or money, as much as somebody says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from lib.charts.pareto import HOW_DRAWN, pareto
from lib.charts.theme import themed
from lib.core.budget.equal import EqualBudget, equal_budgets
from lib.core.budget.spent import MOST, SIGNS, Budget, Kind, Price
from lib.core.budget.words import amount_said, axis_of, budget_lines, noun_of, why_not
from lib.core.text.labels import brief_labels
from lib.core.text.precision import together
from lib.core.verdict.metric_words import metric_name
from lib.ui.panels.page_style import page_style
from lib.ui.session import link, url
from lib.ui.session.comparison import Comparison

TITLE = "At equal budgets"
_SLIDER, _KIND, _SIGN = "budget_slider", "budget_kind", "budget_sign"


def budgets(comparison: Comparison) -> None:
    """Draw a card that opens on a click; nothing where fewer than two runs are ranked together."""
    decision = comparison.decision
    if not decision.has_main_class or len(decision.ranked) < 2 or decision.deciding.better is None:
        return
    is_asked = url.value(link.BUDGET) is not None or url.value(link.PRICE) is not None
    with st.container(key="budget_card"):
        card = st.expander(f"**{TITLE}**", expanded=is_asked, key="budgets", on_change="rerun")
        # Most visits do not open it.
        if card.open:
            with card:
                page_style()
                _opened(comparison)


def _opened(comparison: Comparison) -> None:
    price = url.value(link.PRICE)
    reached = _found(comparison, Budget(None, price))
    if not reached:
        st.caption("Fewer than two of the ranked runs were evaluated.")
        return
    kinds = {each.kind: each for each in reached}
    at = url.value(link.BUDGET)
    kind = at[0] if at is not None and at[0] in kinds else Kind.SAMPLES if Kind.SAMPLES in kinds else Kind.STEPS
    if at is not None and at[0] is not kind:
        st.caption(f":material/info: {why_not(at[0])}")
        at = None
    elif price is not None and Kind.MONEY not in kinds:
        st.caption(f":material/info: {why_not(Kind.MONEY)}")
    _controls(kinds, kind, at, in_epochs=comparison.in_epochs)
    budget = Budget(at, price)
    found = reached if at is None else _found(comparison, budget)
    one = next(each for each in found if each.kind is kind)
    lines = budget_lines(
        found,
        comparison.decision.deciding,
        brief_labels(comparison.labels),
        in_epochs=comparison.in_epochs,
        budget=budget,
    )
    at_kind = [each.kind for each in found].index(kind)
    st.html(_table(one, comparison, price, lines[at_kind][1]))
    # The chart is drawn anew where the theme is another.
    is_dark = st.context.theme.type == "dark"
    st.vega_lite_chart(
        spec=_picture(comparison, one, price, is_dark=is_dark),
        theme=None,
        width="stretch",
        key="budget_chart",
        alt=f"Best {metric_name(comparison.decision.deciding.metric)} of each run against what it spent",
    )
    st.caption(HOW_DRAWN)
    others = [line for each, line in zip(found, lines, strict=True) if each is not one]
    said = "".join(f"<dt>{escape(title)}</dt><dd>{escape(sentences)}</dd>" for title, sentences in others)
    if said:
        st.html(f'<section class="card" aria-label="Equal budgets"><dl class="lines">{said}</dl></section>')


def _found(comparison: Comparison, budget: Budget) -> tuple[EqualBudget, ...]:
    curves = {each.run.run_id: each.data.curves for each in comparison.runs if each.data is not None}
    return comparison.computed(
        "budgets",
        (comparison.how, budget),
        lambda: equal_budgets([each.run for each in comparison.runs], curves, comparison.decision, budget),
    )


def _picture(comparison: Comparison, one: EqualBudget, price: Price | None, *, is_dark: bool) -> dict[str, Any]:
    found = pareto(
        one,
        comparison.labels,
        {each.run.run_id: each.slot for each in comparison.runs},
        x_title=axis_of(one.kind, price, in_epochs=comparison.in_epochs),
        y_title=f"Best {metric_name(comparison.decision.deciding.metric)} so far",
        width="container",
    )
    theme = themed(is_dark=is_dark)
    return found | {"config": theme | found["config"] | {"axis": theme["axis"] | found["config"]["axis"]}}


def _controls(kinds: Mapping[Kind, EqualBudget], kind: Kind, at: tuple[Kind, float] | None, *, in_epochs: bool) -> None:
    price = url.value(link.PRICE)
    reached = kinds[kind]
    least, most = reached.ends
    amount = reached.amount if at is None else at[1]
    st.session_state[_KIND] = kind
    st.session_state[_SLIDER] = min(max(amount, least), most)
    with st.container(horizontal=True, vertical_alignment="bottom", key="budget_controls"):
        st.segmented_control(
            "At equal",
            list(kinds),
            format_func=lambda each: noun_of(each, in_epochs=in_epochs),
            required=True,
            key=_KIND,
            on_change=lambda: url.put(link.BUDGET, (other := Kind(st.session_state[_KIND]), kinds[other].amount)),
        )
        st.number_input(
            axis_of(kind, price, in_epochs=in_epochs),
            min_value=0.0,
            max_value=MOST,
            step=None if most <= least else (most - least) / 20,
            format="%.2f" if kind in (Kind.HOURS, Kind.MONEY) else "%.0f",
            width=150,
            **url.widget(link.BUDGET, amount, adopt=lambda typed: (kind, float(typed)) if typed else None),
        )
        if least < most:
            st.slider(
                "Amount",
                least,
                most,
                key=_SLIDER,
                label_visibility="collapsed",
                format="%.2f" if kind in (Kind.HOURS, Kind.MONEY) else "%.0f",
                width=170,
                on_change=lambda: url.put(link.BUDGET, (kind, float(st.session_state[_SLIDER]))),
            )
        _price(price)
        if at is not None:
            st.button("What all reached", on_click=lambda: url.put(link.BUDGET, None), key="budget_reset")


def _price(price: Price | None) -> None:
    st.session_state[_SIGN] = SIGNS[0] if price is None else price.sign

    def priced(amount: float | None) -> Price | None:
        return Price(float(amount), st.session_state[_SIGN]) if amount else None

    st.number_input(
        "Price of a GPU hour",
        min_value=0.0,
        max_value=MOST,
        step=0.1,
        format="%.2f",
        placeholder="not set",
        width=150,
        help="Nothing is known of prices but what is said here; it stands in the link.",
        **url.widget(link.PRICE, None if price is None else price.amount, adopt=priced),
    )
    if price is not None:
        st.selectbox(
            "Currency",
            SIGNS,
            key=_SIGN,
            width=80,
            on_change=lambda: url.put(link.PRICE, replace(price, sign=st.session_state[_SIGN])),
        )


def _table(one: EqualBudget, comparison: Comparison, price: Price | None, said: str) -> str:
    values = dict(zip(one.values, together(list(one.values.values())), strict=True))
    best = together([one.sign * each.end[1] for each in one.courses])
    slots = {each.run.run_id: each.slot for each in comparison.runs}
    names = brief_labels(comparison.labels)
    by_id = {each.run_id: (each, text) for each, text in zip(one.courses, best, strict=True)}
    rows, first = "", one.values.get(one.leader or "")
    for run_id in (*one.values, *one.later):
        course, text = by_id[run_id]
        took = amount_said(one.kind, course.end[0], price, in_epochs=comparison.in_epochs)
        leads = " class='best'" if run_id in one.values and one.values[run_id] == first else ""
        rows += (
            f'<tr><th scope="row"><i class="run-mark slot-{slots[run_id]}"></i>{escape(names[run_id])}</th>'
            f"<td{leads}>{values.get(run_id, 'not evaluated yet')}</td><td>{text}</td><td>{escape(took)}</td></tr>"
        )
    at = amount_said(one.kind, one.amount, price, in_epochs=comparison.in_epochs)
    name = escape(metric_name(comparison.decision.deciding.metric))
    heads = "Run", f"Best {name} at {escape(at)}", "Best of all", "It took"
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    return (
        '<section class="card" aria-label="At this budget"><div class="scrolls"><table>'
        f'<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div><p class="foot">{escape(said)}</p></section>'
    )
