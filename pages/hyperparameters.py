"""Hyperparameter diff: what differs between the selected runs."""

from __future__ import annotations

from lib.ui import shell
from lib.ui.differences import differences
from lib.ui.empty import nothing_selected

with shell.page("Hyperparameter diff") as page:
    if page.comparison.runs:
        differences(page.comparison)
    else:
        nothing_selected(page.source)
