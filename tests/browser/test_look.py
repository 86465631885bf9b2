"""Both themes, a desktop's and a telephone's width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from lib.ui.frame import look
from tests.browser.actions import FIVE, PAGES, TOOLTIP, chart, eventually, expect_selected, grid, grid_column, hover
from tests.browser.harness import open_app, wait_idle

PHONE = {"width": 390, "height": 844}


def luminance(color: str) -> float:
    """How light a CSS colour is, from 0 to 255."""
    full = 255 if color.startswith("color(srgb") else 1
    red, green, blue = (full * float(part) for part in re.findall(r"[\d.]+", color)[:3])
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
    const unseen = 'style, canvas, .stElementToolbar, details:not([open]) > p';
    if (!walker.currentNode.textContent.trim() || inside.closest(unseen)) continue;
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
            if width < 640:
                expect(page.locator(".table-cards > div")).to_have_count(len(FIVE))
            else:
                eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
        eventually(page, lambda: page.evaluate(WIDER), [])
        eventually(page, lambda: page.evaluate(CUT_OFF), [])


def test_on_a_telephone_the_list_opens_takes_a_choice_and_closes(new_page, app):
    page = new_page(app, viewport=PHONE, has_touch=True, is_mobile=True)
    open_app(page)
    first = page.locator(".runs li input").first
    expect(first).to_be_hidden()
    bar = page.locator(".phone-bar")
    for button in bar.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["y"] > PHONE["height"] - 80
    bar.get_by_role("button", name="Runs (0)").tap()
    expect(first).to_be_in_viewport()
    first.tap()
    expect_selected(page, 1)
    wait_idle(page)
    drawer = page.get_by_test_id("stSidebar").bounding_box()
    assert drawer["x"] == 0
    assert drawer["width"] <= PHONE["width"]
    page.get_by_role("button", name="Done").tap()
    expect(first).to_be_hidden()
    expect(bar.get_by_role("button", name="Runs (1)")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("No recommendation yet"))).to_be_in_viewport()
    bar.get_by_role("button", name="Pages").tap()
    page.locator(".st-key-menu").get_by_role("link", name="Run health").tap()
    expect(page.get_by_role("heading", name="Run health", level=1)).to_be_visible()
    expect(first).to_be_hidden()
    page.keyboard.press("Escape")


def test_below_1100_pixels_the_sidebar_is_a_drawer_that_the_keyboard_opens_and_closes(new_page, app):
    page = new_page(app, viewport={"width": 1000, "height": 800})
    open_app(page, run=list(FIVE))
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_be_hidden()
    assert page.get_by_test_id("stMain").bounding_box()["x"] == 0
    opens = page.locator(".page-head").get_by_role("button", name="Runs and pages")
    opens.focus()
    page.keyboard.press("Enter")
    expect(sidebar).to_be_visible()
    assert page.evaluate("() => !!document.activeElement.closest('[data-testid=stSidebar]')")
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
    expect(opens).to_be_focused()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(sidebar).to_be_visible()


def test_the_link_of_the_view_is_copied(new_page, app):
    page = new_page(app, permissions=["clipboard-read", "clipboard-write"])
    open_app(page, run=list(FIVE), x="epoch")
    page.locator(".page-head").get_by_role("button", name="Link").click()
    expect(page.locator(".page-head").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == page.url
    assert "x=epoch" in page.url


@pytest.mark.parametrize("path", PAGES)
def test_the_title_line_is_flat_and_at_the_top(new_page, app, path):
    page = new_page(app, viewport={"width": 1280, "height": 800})
    open_app(page, path, run=list(FIVE))
    head = page.locator(".page-head")
    box = head.bounding_box()
    assert (box["y"], box["height"]) == (8, 36)
    link = head.get_by_role("button", name="Link").bounding_box()
    menu = page.get_by_test_id("stMainMenu").bounding_box()
    assert link["x"] + link["width"] <= menu["x"], "the place of Streamlit's menu is free"
    assert head.get_by_role("heading", level=1).evaluate("e => getComputedStyle(e).fontSize") == "16px"
    summary = head.locator("summary")
    summary.press("Enter")
    expect(head.get_by_role("button", name="Upload runs")).to_be_visible()


def test_on_paper_there_is_no_sidebar_and_nothing_is_cut(new_page, app):
    page = new_page(app, viewport={"width": 1000, "height": 800})
    open_app(page, "ranking", run=list(FIVE))
    whole = page.get_by_test_id("stMain").evaluate("e => e.scrollHeight")
    assert whole > 800
    page.emulate_media(media="print")
    for hidden in ("stSidebar", "stHeader"):
        expect(page.get_by_test_id(hidden)).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollHeight") > 0.8 * whole
    cut = """() => [...document.querySelectorAll('.stApp, [data-testid=stAppViewContainer], [data-testid=stMain]')]
      .filter(e => e.scrollHeight > e.clientHeight + 1).length"""
    assert page.evaluate(cut) == 0


SIZES = """
() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const inside = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || inside.closest('style, script, noscript, %s')) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    if (range.getBoundingClientRect().width) found.add(parseFloat(getComputedStyle(inside).fontSize));
  }
  return [...found];
}
"""
"""The sizes of all texts but those inside of some elements."""


@pytest.mark.parametrize("path", PAGES)
def test_no_text_is_small_and_there_are_five_sizes(page, path):
    open_app(page, path, run=list(FIVE))
    # Icons are letters of a font; the verdict and the charts are looked at in tests of their own.
    found = page.evaluate(SIZES % "[data-testid=stIconMaterial], .st-key-verdict, .runoff-component")
    assert set(found) <= set(look.SIZES.values())


def box(page: Page, selector: str) -> dict[str, float]:
    return page.locator(selector).first.bounding_box()


def test_the_controls_of_the_charts_are_one_calm_line_and_the_plot_is_large(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    open_app(page, run=list(FIVE))
    expect(chart(page, "loss")).to_be_visible()
    assert box(page, ".runoff-toolbar")["height"] == 38
    controls = page.locator(".runoff-toolbar").locator("button, select, input:not([type=radio]), .runoff-modes")
    sizes = controls.evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => [e.offsetHeight, getComputedStyle(e).fontSize])"
    )
    assert len(sizes) >= 10
    assert max(height for height, _ in sizes) == 28
    assert {size for _, size in sizes} == {"13px"}
    assert box(page, '[aria-label="Loss"] canvas')["height"] > 300
    smallest = (
        page.locator(".runoff-component, .runoff-lower")
        .locator("*:visible")
        .evaluate_all(
            """all => Math.min(...all.filter(each => each.innerText?.trim())
                .map(each => parseFloat(getComputedStyle(each).fontSize)))"""
        )
    )
    assert smallest == 12


@pytest.mark.parametrize(("width", "beside"), [(1280, False), (1920, True)])
def test_the_health_charts_stand_below_the_table_or_beside_where_there_is_room(page, width, beside):
    page.set_viewport_size({"width": width, "height": 1000})
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    curves, table, health = (
        box(page, each) for each in (".runoff-component", ".st-key-table iframe", ".runoff-health")
    )
    assert curves["y"] + curves["height"] <= table["y"]
    if beside:
        assert health["x"] >= curves["x"] + curves["width"]
        assert health["x"] >= table["x"] + table["width"]
        assert abs(health["y"] - curves["y"]) < 2
    else:
        assert health["y"] >= table["y"] + table["height"]
        assert abs(health["x"] - curves["x"]) < 2


def test_on_a_telephone_a_tap_shows_the_values_and_pins_and_names_stand_above(new_page, app):
    page = new_page(app, viewport=PHONE, has_touch=True, is_mobile=True)
    open_app(page, run=list(FIVE[:2]))
    canvas = chart(page, "loss")
    canvas.tap(position={"x": 150, "y": 150})
    eventually(page, lambda: page.locator(TOOLTIP).count(), 1)
    panel = page.get_by_role("complementary", name="The pinned step")
    expect(panel).to_be_visible()
    wait_idle(page)
    plot, pinned = canvas.bounding_box(), panel.bounding_box()
    assert pinned["y"] >= plot["y"] + plot["height"] - 1
    assert pinned["width"] > 300
