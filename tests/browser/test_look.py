"""Both themes, a desktop's and a telephone's width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import FIVE, PAGES, TOOLTIP, chart, eventually, grid, grid_column, hover
from tests.browser.harness import open_app, wait_idle

PHONE = {"width": 390, "height": 844}


def luminance(color: str) -> float:
    """How light a CSS colour is, from 0 to 255."""
    red, green, blue = map(float, re.findall(r"[\d.]+", color)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colors(element) -> dict[str, str]:
    return element.evaluate(
        "e => { const s = getComputedStyle(e); return { text: s.color, background: s.backgroundColor }; }"
    )


def assert_theme(page: Page, scheme: str) -> None:
    """Page, grid and tooltip are all light, or all dark, and their text can be read."""

    def is_so(found: dict[str, str]) -> bool:
        text, background = luminance(found["text"]), luminance(found["background"])
        return background > 200 and text < 110 if scheme == "light" else background < 60 and text > 180

    app = page.get_by_test_id("stApp")
    eventually(page, lambda: colors(app), is_so)
    table = grid(page).locator(".ag-root-wrapper")
    eventually(page, lambda: colors(table), lambda found: found == colors(app))
    cell = grid(page).locator('[row-index="1"] [col-id="run"]')
    eventually(page, lambda: colors(cell)["text"], colors(app)["text"])
    header = grid(page).locator(".ag-header")
    eventually(page, lambda: luminance(colors(header)["background"]) > 128, scheme == "light")
    hover(page, "loss", 0.5)
    assert is_so(colors(page.locator(TOOLTIP)))


def test_charts_and_table_follow_the_theme_each_time_it_changes(new_page, app):
    page = new_page(app, color_scheme="dark")
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    assert_theme(page, "dark")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert_theme(page, scheme)


CUT_OFF = """
() => {
  const cut = [];
  const walker = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    const inside = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || inside.closest('style, canvas, .stElementToolbar')) continue;
    if (box.width && (box.left < -1 || box.right > innerWidth + 1)) cut.push(walker.currentNode.textContent);
  }
  return cut;
}
"""
"""The texts of the page that reach beyond the window; tables scroll by themselves and are canvases."""

WIDER = """
() => [document.documentElement, ...document.querySelectorAll('[data-testid=stMain], .runoff-legend')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => `${e.scrollWidth} > ${e.clientWidth}`)
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways_and_nothing_is_cut(new_page, app, width):
    page = new_page(app, viewport={"width": width, "height": 844})
    for path, title in PAGES.items():
        open_app(page, path, run=list(FIVE))
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        if path == "":
            expect(chart(page, "GPU memory")).to_be_visible()
            eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
        eventually(page, lambda: page.evaluate(WIDER), [])
        eventually(page, lambda: page.evaluate(CUT_OFF), [])


def test_on_a_telephone_the_sidebar_opens_takes_a_choice_and_closes(new_page, app):
    page = new_page(app, viewport=PHONE, has_touch=True, is_mobile=True)
    open_app(page)
    sidebar = page.get_by_test_id("stSidebar")
    first = sidebar.get_by_test_id("stCheckbox").first.locator("label")
    expect(first).not_to_be_in_viewport()
    page.get_by_test_id("stExpandSidebarButton").tap()
    expect(first).to_be_in_viewport()
    first.tap()
    expect(page.get_by_text("1/5 selected", exact=True)).to_be_visible()
    wait_idle(page)
    box = sidebar.bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    sidebar.hover(position={"x": 20, "y": 20})
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").tap()
    expect(first).not_to_be_in_viewport()
    expect(page.get_by_role("heading", name=re.compile("No recommendation yet"))).to_be_in_viewport()
