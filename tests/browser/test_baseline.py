"""A baseline: pinned by keyboard and on a phone, carried by address, reload and Back, and seen in charts and table."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from lib.core.text.precision import MINUS
from tests.browser.actions import chart, eventually, expect_query, go, grid, hover, picture, query
from tests.browser.harness import open_app, wait_idle
from tests.browser.test_accessible import found_by_axe
from tests.color import contrast
from tests.demo.specs import demo_id

RUNS = [demo_id("support-llama-a"), demo_id("support-llama-d"), demo_id("support-llama-e")]
AGAINST = ".verdict .row:not(.head) .against"


def told(page) -> list[str]:
    """What the ranking says of each run beside the baseline."""
    return [" ".join(text.split()) for text in page.locator(f"{AGAINST} [aria-hidden]").all_inner_texts()]


def test_it_is_pinned_by_keyboard_and_lives_in_the_address(page):
    open_app(page, run=RUNS)
    verdict = page.locator(".verdict .says").inner_text()
    button = page.get_by_role("button", name="Baseline: none")
    button.focus()
    page.keyboard.press("Enter")
    first = page.get_by_role("radio", name="none")
    expect(first).to_be_visible()
    first.focus()
    page.keyboard.press("ArrowDown")
    expect_query(page, "base", RUNS[0])
    assert "baseline" in told(page)
    assert all(text == "baseline" or text[0] in f"+{MINUS}" for text in told(page))
    assert any(text.endswith(("better", "worse")) for text in told(page))
    assert page.locator(".verdict .says").inner_text() == verdict
    before = told(page)
    page.reload()
    wait_idle(page)
    assert told(page) == before
    go(page, "Run health")
    assert query(page)["base"] == [RUNS[0]]
    page.go_back()
    wait_idle(page)
    eventually(page, lambda: told(page), before)
    page.go_back()
    expect_query(page, "base")
    eventually(page, lambda: told(page), [])


def test_curves_tooltips_and_table_show_the_differences(page):
    open_app(page, run=RUNS, base=RUNS[0])
    plain = picture(page, "loss")
    texts = hover(page, "loss", 0.5)
    label = page.locator(".runs-selected li", has_text="baseline").locator("input").get_attribute("aria-label")
    others = {name: values for name, values in texts.items() if name not in (label, "Step")}
    assert len(others) == 2
    assert all(("+" in value or MINUS in value) and "%" in value for values in others.values() for value in values)
    switch = page.get_by_role("checkbox", name="Difference to the baseline")
    switch.check()
    expect_query(page, "minus", "1")
    name = f"Loss - difference to {label}"
    expect(page.locator("figure", has_text=name).first).to_be_visible()
    assert picture(page, name) != plain
    assert "difference to" in chart(page, name).get_attribute("aria-label")
    cell = grid(page).locator('.ag-cell[col-id="eval_loss"].against').first
    cell.scroll_into_view_if_needed()
    value, beside = cell.inner_text().split("\n")[:2]
    assert value[-1].isdigit()
    assert beside[0] in f"+{MINUS}"
    switch.uncheck()
    expect_query(page, "minus")
    eventually(page, lambda: picture(page, "loss"), plain)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_on_a_phone_in_both_themes(new_page, app, theme):
    page = new_page(app, viewport={"width": 390, "height": 844}, color_scheme=theme)
    open_app(page, run=RUNS, base=RUNS[0], minus="1")
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    for sense in ("better", "worse"):
        for place in (page.locator(f"{AGAINST}.{sense}"), page.locator(f".table-cards small.{sense}")):
            if place.count():
                color = place.first.evaluate("each => getComputedStyle(each).color")
                assert contrast(_hex(color), _hex(ground)) >= 4.5
                assert sense in place.first.inner_text(), "not by colour alone"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = page.locator(AGAINST).evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
    assert max(found) <= 390
    button = page.get_by_role("button", name="Baseline: ")
    button.tap() if page.evaluate("navigator.maxTouchPoints") else button.click()
    page.get_by_role("radio", name="none").locator("xpath=ancestor::label").click()
    expect_query(page, "base")
    expect(page.locator(AGAINST)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_beside_a_baseline(new_page, app, theme):
    page = new_page(app, color_scheme=theme)
    open_app(page, run=RUNS, base=RUNS[0], minus="1")
    assert found_by_axe(page) == []


def _hex(color: str) -> str:
    channels = color.partition("(")[2].rstrip(")").replace(",", " ").split()[:3]
    return "#" + "".join(f"{round(float(each)):02x}" for each in channels)
