"""Run health: what was noticed about the selected runs, and what their data can bear."""

from __future__ import annotations

from lib.ui.frame import shell
from lib.ui.frame.empty import failed_runs, nothing_selected
from lib.ui.panels.page_style import page_style
from lib.ui.panels.run_health import run_health
from lib.ui.share.button import share

with shell.page("Run health") as page:
    share(page.source, page.comparison)
    if page.comparison.runs:
        failed_runs(page.comparison)
        page_style()
        run_health(page.comparison)
    else:
        nothing_selected(page.source)
