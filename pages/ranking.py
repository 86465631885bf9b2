"""How runs are ranked: the rules, printed from the constants that the code uses."""

from __future__ import annotations

from lib.ui.frame import shell
from lib.ui.panels.ranking import rules, selected_scores
from lib.ui.panels.trust_rules import trust_rules

with shell.page("How runs are ranked") as page:
    selected_scores(page.comparison)
    rules(page.comparison.policy)
    trust_rules()
