"""The legend that charts share: it stands outside them, so that no chart depends on the selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from lib.core.labels import short_labels
from lib.ui.comparison import ComparedRun

_STYLE = """<style>
.runoff-legend { display: flex; gap: .3rem 1rem; font-size: .85rem; line-height: 1.3; }
.runoff-legend.vertical { flex-direction: column; font-size: .78rem; }
@media (max-width: 640px) { [data-testid="stColumn"]:has(.runoff-legend.vertical):not(:has(canvas)) { order: -1; } }
.runoff-legend.horizontal { flex-flow: row wrap; }
.runoff-legend i { display: inline-block; width: 1.1rem; height: .28rem; border-radius: 2px;
  margin-right: .45rem; vertical-align: middle; }
.runoff-legend span { white-space: nowrap; }
.runoff-legend small { opacity: .75; white-space: normal; }
</style>"""


def legend(runs: Sequence[ComparedRun], *, limit: int, vertical: bool, keys: Mapping[str, str] | None = None) -> None:
    """Draw the legend.

    Args:
        runs: In the order shown.
        limit: Characters a name is cut to; cut names stay unique, and the full one is its tooltip.
        vertical: One run below the other.
        keys: Marks and what they mean, below the runs.
    """
    names = short_labels({each.run.run_id: each.label for each in runs}, limit)
    lines = [
        f'<span title="{escape(each.label, quote=True)}"><i style="background:{each.color}"></i>'
        f"{escape(names[each.run.run_id])}</span>"
        for each in runs
    ]
    lines += [f"<small>{escape(mark)} {escape(meaning)}</small>" for mark, meaning in (keys or {}).items()]
    st.html(f'{_STYLE}<div class="runoff-legend {"vertical" if vertical else "horizontal"}">{"".join(lines)}</div>')
