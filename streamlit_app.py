"""Compare runs: the recommendation, the curves, the table."""

from __future__ import annotations

import streamlit as st

from lib.ui import shell
from lib.ui.curves import curves
from lib.ui.empty import failed_runs, nothing_selected
from lib.ui.live import live
from lib.ui.reading import reading
from lib.ui.surface import prepare
from lib.ui.table import inputs, summary_table
from lib.ui.verdict import verdict

with shell.page("Compare runs", first=prepare) as page:
    runs = page.comparison.runs
    if not runs:
        nothing_selected(page.source)
    else:
        above = st.container()
        # The browser takes longest to draw the charts, so it gets them first.
        st.subheader("Curves", anchor=False)
        live(page.source, page.comparison)
        reading(page.source, page.comparison)
        curves(page.source, page.comparison, page.menu)
        rows = inputs(page.comparison)
        with above:
            verdict(page.comparison, rows)
            failed_runs(runs)
        summary_table(page.comparison, rows)
