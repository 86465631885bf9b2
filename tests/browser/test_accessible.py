"""axe-core finds nothing in what the app puts on its pages, in either theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.actions import FIVE, PAGES
from tests.browser.harness import Server, wait_idle
from tests.demo.specs import demo_id

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]

STREAMLITS_OWN = (
    '[data-testid="stHeader"]',
    '[data-testid="stToolbar"]',
    '[data-testid="stStatusWidget"]',
    '[data-testid="stSidebarCollapseButton"]',
)
"""What Streamlit draws around every app, whatever the app does."""

DROPZONE = 'data-testid="stFileUploaderDropzone"'
"""Streamlit gives the place that files are dropped on a name, and no role; the button in it has both."""

RANKED = tuple(map(demo_id, ("support-llama-a", "support-llama-b", "support-llama-e")))


def found_by_axe(page: Page) -> list[str]:
    """Rule, impact and place of everything that axe-core objects to in the app's own content."""
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    answer = Axe().run(page, context={"exclude": [[one] for one in STREAMLITS_OWN]}, options=options)
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]}"
        for rule in answer.response["violations"]
        for node in rule["nodes"]
        if not (rule["id"] == "presentation-role-conflict" and DROPZONE in node["html"])
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("runs", [(), RANKED, FIVE], ids=["none", "ranked", "odd"])
def test_axe_finds_nothing(
    new_page: Callable[..., Page], app: Server, runs: tuple[str, ...], path: str, theme: str
) -> None:
    page = new_page(app, color_scheme=theme)
    page.goto(f"/{path}?" + "&".join(f"run={run}" for run in runs))
    wait_idle(page)
    assert found_by_axe(page) == []


def test_axe_sees_what_is_wrong(page: Page) -> None:
    page.goto("/")
    wait_idle(page)
    page.evaluate("document.querySelector('h1').insertAdjacentHTML('afterend', '<img src=\"data:,\"><p>x</p>')")
    assert [each for each in found_by_axe(page) if each.startswith("image-alt")]
