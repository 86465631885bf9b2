"""The app on real training logs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.actions import PAGES, chart, checked, eventually, go, grid_column, hover, table
from tests.browser.harness import PROJECT_ROOT, open_app, wait_idle

REAL_RUNS = PROJECT_ROOT.parent / "shared" / "real_runs" / "hf_trainer_state"


@pytest.mark.skipif(not REAL_RUNS.is_dir(), reason="the real training logs are not here")
def test_real_logs_are_listed_compared_and_explained(new_page, serve):
    page = new_page(serve(RUNOFF_RUNS=str(REAL_RUNS)))
    open_app(page)
    expect(page.get_by_text("synthetic demo runs")).to_have_count(0)
    page.get_by_role("button", name="Compare the").click()
    expect(page.get_by_text("5/5 selected", exact=True)).to_be_visible()
    wait_idle(page)
    names = checked(page)
    assert len(names) == len(set(names)) == 5
    eventually(page, lambda: {cell.removeprefix("★ ") for cell in grid_column(page, "run")}, set(names))
    expect(chart(page, "learning rate")).to_be_visible()
    assert {name.rpartition(" (")[0].removeprefix("● ") for name in hover(page, "loss", 0.4)} - {""} <= set(names)
    go(page, PAGES["hyperparameters"])
    assert table(page, page.get_by_test_id("stDataFrame").first)[0][:2] == ["Group", "Parameter"]
    go(page, PAGES["ranking"])
    assert checked(page) == names
