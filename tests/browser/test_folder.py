"""The app on a folder of training outputs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.app.harness import write_run
from tests.browser.actions import PAGES, cells, chart, checked, eventually, expect_selected, go, grid_column, hover
from tests.browser.harness import open_app, wait_idle
from tests.sweep import RATES, write_sweep


@pytest.fixture(scope="module")
def sweep(serve, tmp_path_factory):
    return serve(RUNOFF_RUNS=str(write_sweep(tmp_path_factory.mktemp("sweep"))))


def compare_all(page: Page) -> list[str]:
    """Compare the newest five runs of a source, look at every page, and give their names."""
    open_app(page)
    expect(page.locator(".page-source")).to_have_text(re.compile(r"^\d+ runs in "))
    page.get_by_role("button", name="Compare the").click()
    expect_selected(page, 5)
    wait_idle(page)
    names = checked(page)
    assert len(names) == len(set(names)) == 5
    eventually(page, lambda: {cell.removesuffix(" ★") for cell in grid_column(page, "run")}, set(names))
    expect(chart(page, "learning rate")).to_be_visible()
    assert set(hover(page, "loss", 0.4)) - {"Step"} <= set(names)
    go(page, PAGES["hyperparameters"])
    assert cells(page.locator(".st-key-settings_card table"))[0][0] == "Setting"
    go(page, PAGES["ranking"])
    assert checked(page) == names
    return names


def test_a_sweep_is_listed_compared_and_explained(new_page, sweep):
    assert set(compare_all(new_page(sweep))) == {f"8 {rate}" for rate in RATES}


def test_a_run_that_grows_is_followed_without_a_reload(new_page, serve, tmp_path_factory):
    outputs = tmp_path_factory.mktemp("growing")
    write_run(outputs / "a", [2.0, 1.5], [1.8, 1.25], total=9)
    page = new_page(serve(RUNOFF_RUNS=str(outputs)))
    open_app(page, run="a")
    wait_idle(page)
    value = page.locator(".runs-selected .runs-value")
    expect(value).to_have_text("1.25")
    page.evaluate("window.isSamePage = true")
    write_run(outputs / "a", [2.0, 1.5, 1.0], [1.8, 1.25, 0.75], total=9)
    expect(value).to_have_text("0.75", timeout=60_000)
    assert page.evaluate("window.isSamePage")
