"""Runs at equal budgets in a real browser: opened, typed, priced, kept in the link, pointed at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import FIVE, expect_query
from tests.browser.harness import open_app, wait_idle

CARD = ".st-key-budget_card"
PLOT = f"{CARD} .stVegaLiteChart svg, {CARD} .stVegaLiteChart canvas"


def table(page: Page):
    return page.locator(f"{CARD} table")


def test_an_amount_is_typed_and_kept_in_the_link(page):
    open_app(page, run=list(FIVE))
    card = page.locator(CARD)
    card.locator("summary").click()
    expect(table(page).get_by_text("Best eval loss at 112,000 samples")).to_be_visible()
    amount = card.get_by_label("Samples", exact=True)
    amount.fill("40000")
    amount.press("Enter")
    expect(table(page).get_by_text("at 40,000 samples")).to_be_visible()
    expect_query(page, "budget", "samples~40000")
    page.reload()
    wait_idle(page)
    expect(table(page).get_by_text("at 40,000 samples")).to_be_visible()
    price = card.get_by_role("spinbutton", name="Price of a GPU hour")
    price.fill("2.5")
    price.press("Enter")
    expect_query(page, "price", "2.5~$")
    card.get_by_role("radio", name="cost").click()
    expect(table(page).get_by_text("Best eval loss at $")).to_be_visible()
    card.get_by_role("button", name="What all reached").click()
    expect(card.get_by_role("button", name="What all reached")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_is_drawn_in_both_themes_and_fits(new_page, app, scheme, width):
    page = new_page(app, color_scheme=scheme, viewport={"width": width, "height": 900})
    open_app(page, run=list(FIVE), budget="samples~40000")
    plot = page.locator(PLOT).first
    plot.scroll_into_view_if_needed()
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box["width"] <= width
    assert box["width"] > 0.7 * min(width, 900) - 60
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_mark_tells_its_run_and_what_it_took(page):
    open_app(page, run=list(FIVE), budget="samples~40000")
    plot = page.locator(PLOT).first
    plot.scroll_into_view_if_needed()
    wait_idle(page)
    box = plot.bounding_box()
    shown = "() => document.querySelector('#vg-tooltip-element.visible')?.innerText ?? ''"
    # Where marks are follows from the data: the plot is looked over.
    for down in range(40, int(box["height"]) - 60, 8):
        for across in range(70, int(box["width"]) - 4, 12):
            page.mouse.move(box["x"] + across, box["y"] + down)
            if told := page.evaluate(shown):
                assert all(word in told for word in ("Run", "Samples", "Best eval loss so far", "Here"))
                return
    raise AssertionError("no mark of the picture tells anything")
