"""What the runs come to at equal budgets: the same steps, samples, tokens and hours."""

from __future__ import annotations

from html import escape

import streamlit as st

from lib.core.budget.equal import equal_budgets
from lib.core.budget.words import budget_lines
from lib.core.text.labels import brief_labels
from lib.ui.panels.page_style import page_style
from lib.ui.session.comparison import Comparison


def budgets(comparison: Comparison) -> None:
    """Draw a card that opens on a click; nothing where fewer than two runs are ranked together."""
    lines = comparison.computed("budgets", comparison.how, lambda: _lines(comparison))
    if not lines:
        return
    page_style()
    said = "".join(f"<dt>{escape(title)}</dt><dd>{escape(sentences)}</dd>" for title, sentences in lines)
    st.html(
        '<section class="card" aria-label="Equal budgets"><details><summary><h2>At equal budgets</h2>'
        '<span class="beside">the same steps, samples, tokens and hours</span></summary>'
        f'<div class="in"><dl class="lines">{said}</dl></div></details></section>'
    )


def _lines(comparison: Comparison) -> list[tuple[str, str]]:
    curves = {each.run.run_id: each.data.curves for each in comparison.runs if each.data is not None}
    decision = comparison.decision
    found = equal_budgets([each.run for each in comparison.runs], curves, decision)
    return budget_lines(found, decision.deciding, brief_labels(comparison.labels), in_epochs=comparison.in_epochs)
