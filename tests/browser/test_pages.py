"""Links, the menu, Back, Forward and reload: each shows the comparison that its address names."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import (
    CHARTS,
    FIVE,
    MARKUP_NAME,
    PAGES,
    chart,
    checked,
    eventually,
    expect_query,
    expect_selected,
    go,
    grid_column,
    line,
    query,
    tick,
)
from tests.browser.harness import open_app, wait_idle
from tests.demo.specs import demo_id

TWO = (demo_id("support-gemma-markup"), demo_id("legal-gemma-linear"))
TWO_NAMES = {MARKUP_NAME, "legal-qa-gemma-9b"}


def path_of(page: Page) -> str:
    return urlsplit(page.url).path.strip("/")


def assert_shows(page: Page, path: str, runs: tuple[str, ...]) -> None:
    """The page of this path is there, whole, for these runs."""
    expect(page.get_by_role("heading", name=PAGES[path], level=1)).to_be_visible()
    expect_selected(page, len(runs))
    assert path_of(page) == path
    assert query(page)["run"] == list(runs)
    assert len(checked(page)) == len(runs)
    if path == "":
        for name in CHARTS:
            expect(chart(page, name)).to_be_visible()
        # The table follows the charts.
        eventually(page, lambda: len(grid_column(page, "run")), len(runs))
    elif path in ("hyperparameters", "run_health"):
        # What all names begin with is said once; the rest of each is there.
        shown = page.locator(".card").first.inner_text()
        assert MARKUP_NAME.removeprefix("support-") in shown
    else:
        # Runs whose losses do not mean the same have a table for each class: all names together are those in the list.
        heads = page.locator(".card").first.locator("thead th").all_inner_texts()
        names = {re.sub(r"^\d+\.\s*|\s*★$", "", head.strip()) for head in heads} - {"Line"}
        assert all(any(full.endswith(name) for full in checked(page)) for name in names)
        assert names


@pytest.mark.parametrize("path", PAGES)
def test_a_link_to_any_page_shows_the_comparison_in_a_new_browser(page, path):
    for runs in (TWO, FIVE):
        open_app(page, path, run=list(runs))
        assert_shows(page, path, runs)


def test_back_undoes_one_choice_at_a_time_and_reload_keeps_what_is_chosen(page):
    open_app(page)
    first, second = demo_id("reviews-qwen-queued"), demo_id("reviews-gemma-running")
    tick(page, "code-review-qwen-7b")
    expect_query(page, "run", first)
    tick(page, "code-review-gemma-9b")
    expect_query(page, "run", first, second)
    go(page, PAGES["hyperparameters"])
    page.go_back()
    expect(page.get_by_role("heading", name=PAGES[""], level=1)).to_be_visible()
    expect_query(page, "run", first, second)
    page.go_back()
    expect_query(page, "run", first)
    expect(line(page, "code-review-gemma-9b").locator("input")).not_to_be_checked()
    expect(line(page, "code-review-qwen-7b").locator("input")).to_be_checked()
    page.go_back()
    expect_query(page, "run")
    expect(line(page, "code-review-qwen-7b").locator("input")).not_to_be_checked()
    page.go_forward()
    expect_query(page, "run", first)
    expect(line(page, "code-review-qwen-7b").locator("input")).to_be_checked()
    page.reload()
    wait_idle(page)
    expect_query(page, "run", first)
    assert checked(page) == ["code-review-qwen-7b"]


def test_the_menu_takes_the_comparison_along_and_back_leads_through_all_that_was_seen(page):
    open_app(page, run=list(TWO), x="epoch")
    go(page, PAGES["hyperparameters"])
    assert_shows(page, "hyperparameters", TWO)
    tick(page, "code-review-qwen-7b")
    three = (*TWO, demo_id("reviews-qwen-queued"))
    expect_query(page, "run", *three)
    go(page, PAGES["ranking"])
    assert_shows(page, "ranking", three)
    for step, path, runs in (
        (page.go_back, "hyperparameters", three),
        (page.go_back, "hyperparameters", TWO),
        (page.go_back, "", TWO),
        (page.go_forward, "hyperparameters", TWO),
    ):
        step()
        expect(page.get_by_role("heading", name=PAGES[path], level=1)).to_be_visible()
        expect_query(page, "run", *runs)
        assert_shows(page, path, runs)
        assert query(page)["x"] == ["epoch"]
    assert set(checked(page)) == TWO_NAMES
