"""Compare runs: the recommendation, the curves, the table.

``streamlit run`` also finds the server here: Streamlit's own, behind our gate.
"""

from __future__ import annotations

import streamlit as st


def compare_runs() -> None:
    """Draw the page."""
    from lib.ui.charts.budgets import budgets
    from lib.ui.charts.component import MODULES, place
    from lib.ui.charts.curves import curves
    from lib.ui.frame import shell
    from lib.ui.frame.empty import failed_runs, nothing_selected
    from lib.ui.frame.live import live
    from lib.ui.frame.read_mode import read_mode
    from lib.ui.panels.table import summary_table
    from lib.ui.panels.verdict import verdict
    from lib.ui.share.button import share

    with shell.page("Compare runs", preloaded=MODULES) as page:
        runs = page.comparison.runs
        share(page.source, page.comparison)
        if not runs:
            nothing_selected(page.source)
            return
        with st.container(key="compare"):
            above = st.container(key="above")
            with st.container(key="curves"):
                live(page.source, page.comparison)
                read_mode(page.source, page.comparison)
                middle = st.container()
            table = st.container(key="table")
            with st.container(key="health"):
                place()
        with middle:
            # The browser takes longest to draw the charts, so it gets them first.
            curves(page.source, page.comparison, page.menu)
        with above:
            verdict(page.source, page.comparison)
            failed_runs(page.comparison)
        with table:
            summary_table(page.source, page.comparison)
            budgets(page.comparison)


if __name__ == "streamlit_app":
    # The server imports this file; pages are run as scripts. What draws them is loaded when the first is asked for.
    from lib.gate.middleware import MIDDLEWARE
    from lib.ui.service import failures, health, starting
    from lib.ui.session.deployment import set_aside_secrets

    set_aside_secrets()
    app = st.App(
        __file__,
        lifespan=starting.lifespan,
        routes=health.routes(),
        middleware=MIDDLEWARE,
        on_script_error=failures.show,
    )
else:
    compare_runs()
