"""Choosing runs in the sidebar with mouse and keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from lib.core.config.naming import labels_of
from lib.core.facts.query import RunQuery
from lib.core.facts.selection import LIMIT_REACHED, MAX_SELECTED
from lib.data.demo.source import EmbeddedSource
from tests.browser.actions import checked, click_card, eventually, expect_query, listed, query
from tests.browser.harness import open_app, wait_idle


def demo_runs() -> dict[str, str]:
    """Id and label of the runs, as the list shows them."""
    runs = EmbeddedSource().list_runs(RunQuery()).runs
    labels = labels_of(runs)
    return {run.run_id: labels[run.run_id] for run in runs}


def focused(page: Page) -> str | None:
    """The label of the check box that has the focus."""
    return page.evaluate(
        "() => { const e = document.activeElement;"
        " return e.matches('.st-key-run_cards input') ? e.closest('label').querySelector('p').innerText : null; }"
    )


def tab_to_a_check_box(page: Page) -> str:
    for _ in range(12):
        page.keyboard.press("Tab")
        if label := focused(page):
            return label
    raise AssertionError("Tab reaches no check box")


def test_fast_clicks_lose_no_run_and_the_sixth_is_refused_with_a_reason(page):
    open_app(page)
    runs = demo_runs()
    assert listed(page) == list(runs.values())
    labels = page.locator(".st-key-run_cards").get_by_test_id("stCheckbox").locator("label")
    boxes = labels.locator("input")
    # All at once, before the page can have shut a box: clicks of one moment have no order, but one is too many.
    clicked = list(runs)[: MAX_SELECTED + 1]
    boxes.evaluate_all("(boxes, count) => boxes.slice(0, count).forEach(b => b.click())", len(clicked))
    chosen = eventually(page, lambda: query(page).get("run", []), lambda ids: len(ids) == MAX_SELECTED)
    assert set(chosen) < set(clicked)
    expect(page.get_by_text("5/5 selected", exact=True)).to_be_visible()
    wait_idle(page)
    is_chosen = [run_id in chosen for run_id in runs]
    assert boxes.evaluate_all("boxes => boxes.map(b => b.checked)") == is_chosen
    assert boxes.evaluate_all("boxes => boxes.map(b => !b.disabled)") == is_chosen
    expect(page.get_by_text(LIMIT_REACHED)).to_be_visible()

    page.get_by_role("button", name="Clear", exact=True).click()
    expect_query(page, "run")
    expect(page.get_by_text("0/5 selected", exact=True)).to_be_visible()
    expect(page.get_by_text(LIMIT_REACHED)).to_have_count(0)
    assert checked(page) == []
    assert not any(boxes.evaluate_all("boxes => boxes.map(b => b.disabled)"))

    # As fast as a mouse: each click meets the page while it is busy with the one before.
    for number in range(4):
        labels.nth(number).click(position={"x": 10, "y": 10})
    expect_query(page, "run", *list(runs)[:4])
    assert boxes.evaluate_all("boxes => boxes.map(b => b.checked)") == [number < 4 for number in range(len(runs))]


def test_a_run_can_be_taken_out_again_and_the_others_keep_their_colours(page):
    open_app(page, "ranking")
    runs = demo_runs()
    (one, first), (two, second), (three, third) = list(runs.items())[:3]
    for label, ids in ((first, [one]), (second, [one, two]), (third, [one, two, three])):
        click_card(page, label)
        expect_query(page, "run", *ids)
    cards = page.locator('[class*="st-key-card_"]')

    def colors() -> list[str]:
        return cards.evaluate_all("es => es.map(e => getComputedStyle(e).borderLeftColor)")[:3]

    before = colors()
    assert len(set(before)) == 3
    cards.first.locator("label").click(position={"x": 10, "y": 10})
    expect_query(page, "run", two, three)
    after = colors()
    assert after[1:] == before[1:]
    assert after[0] not in before


def test_runs_are_chosen_by_keyboard_alone(page):
    open_app(page, "ranking")
    (one, first), (two, second) = list(demo_runs().items())[:2]
    page.get_by_placeholder("Search name").click()
    assert tab_to_a_check_box(page) == first
    page.keyboard.press("Space")
    expect_query(page, "run", one)
    # The page is new, the focus is where it was.
    assert focused(page) == first
    assert tab_to_a_check_box(page) == second
    page.keyboard.press("Space")
    expect_query(page, "run", one, two)
    page.keyboard.press("Space")
    expect_query(page, "run", one)


def test_the_list_follows_the_search_while_it_is_typed(page):
    open_app(page, "ranking")
    runs = demo_runs()
    search = page.get_by_placeholder("Search name")
    search.click()
    page.keyboard.type("LEGAL qwen", delay=20)
    eventually(page, lambda: listed(page), ["legal-qa-qwen-7b-full"])
    expect_query(page, "q", "LEGAL qwen")
    expect(page.get_by_text(f"1 run of {len(runs)}", exact=True)).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("LEGAL qwen")
    page.keyboard.type(" nothing", delay=20)
    expect(page.get_by_text("No run matches the search and the filter.")).to_be_visible()
    wait_idle(page)
    search.fill("")
    eventually(page, lambda: listed(page), list(runs.values()))
    expect_query(page, "q")
