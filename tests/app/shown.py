"""What every page shows, whatever its subject."""

from __future__ import annotations

import re

from tests.app.harness import HEALTH, MAIN, RANKING, App

LEFT_OUT = "1 run was left out: deleted, or not visible to this reader"


def assert_shows(app: App, count: int) -> None:
    """The page says how many runs are compared, and has what belongs to so many."""
    app.assert_sound()
    assert len(app.checked) == count
    if app.page == RANKING:
        assert app.headings[1:3] == ["The rules", "The composite score"]
        assert ("No run is selected" in app.headings) == (count == 0)
        assert "Composite = 0.70 × eval-loss points + 0.30 × gap points" in app.text
    elif count == 0:
        assert app.is_empty
        assert app.headings == []
    elif app.page == MAIN:
        assert app.headings == []
        assert any(">Table</h2>" in body for body in app.html_bodies)
        assert len(app.grid.rows) == count
    elif app.page == HEALTH:
        assert len(app.cards.table("Run", "Found")) == count
    elif count == 1:
        assert re.fullmatch(r"\d+ settings? (is|are) recorded|No settings are recorded", app.headings[0])
    else:
        assert "differ" in app.headings[0]
        assert len(app.cards.tables[0][0]) == 1 + count


def errors_of(app: App) -> list[str]:
    """What the errors on the page say before the id of their entry in the log."""
    found = [re.fullmatch(r"(.*)\n\n:small\[Error id [0-9a-f]{8}\]", panel.value, re.DOTALL) for panel in app.at.error]
    return [said[1] for said in found if said]
