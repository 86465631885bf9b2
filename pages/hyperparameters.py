"""Hyperparameter diff: what differs between the selected runs."""

from __future__ import annotations

from lib.ui.frame import shell
from lib.ui.frame.empty import nothing_selected
from lib.ui.panels.differences import differences
from lib.ui.panels.page_style import page_style
from lib.ui.share.button import share

with shell.page("Hyperparameter diff") as page:
    share(page.source, page.comparison)
    if page.comparison.runs:
        page_style()
        differences(page.comparison)
    else:
        nothing_selected(page.source)
