"""Run health: what was noticed about the selected runs, and what their data can bear."""

from __future__ import annotations

from lib.ui.frame import shell
from lib.ui.frame.empty import failed_runs, nothing_selected
from lib.ui.panels.run_health import one_run, overview

with shell.page("Run health") as page:
    runs = page.comparison.runs
    if runs:
        failed_runs(runs)
        overview(runs)
        one_run(page.comparison)
    else:
        nothing_selected(page.source)
