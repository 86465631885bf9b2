"""How runs are ranked: the rule applied to the selected runs, and the rules, printed from the constants of the code."""

from __future__ import annotations

from lib.ui.frame import shell
from lib.ui.panels.page_style import page_style
from lib.ui.panels.ranking import ranking
from lib.ui.share.button import share

with shell.page("How runs are ranked") as page:
    share(page.source, page.comparison)
    page_style()
    ranking(page.comparison)
