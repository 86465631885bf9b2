"""Compare runs: the recommendation, the curves, the table."""

from __future__ import annotations

import streamlit as st

from lib.ui.charts.component import MODULES
from lib.ui.charts.curves import curves
from lib.ui.frame import shell
from lib.ui.frame.empty import failed_runs, nothing_selected
from lib.ui.frame.live import live
from lib.ui.frame.read_mode import read_mode
from lib.ui.panels.table import summary_table
from lib.ui.panels.verdict import verdict

with shell.page("Compare runs", preloaded=MODULES) as page:
    runs = page.comparison.runs
    if not runs:
        nothing_selected(page.source)
    else:
        above = st.container()
        # The browser takes longest to draw the charts, so it gets them first.
        st.subheader("Curves", anchor=False)
        live(page.source, page.comparison)
        read_mode(page.source, page.comparison)
        curves(page.source, page.comparison, page.menu)
        with above:
            verdict(page.source, page.comparison)
            failed_runs(runs)
        summary_table(page.source, page.comparison)
