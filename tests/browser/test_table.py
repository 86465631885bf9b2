"""The summary table: sorting, the run column, tooltips, column choice, export."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import Page, expect

from lib.core.text.formatting import NOT_RECORDED
from tests.browser.actions import (
    FIVE,
    MARKUP_NAME,
    download,
    eventually,
    expect_query,
    grid,
    grid_column,
    sort_by,
)
from tests.browser.harness import open_app

QUEUED, FAILED = "code-review-qwen-7b", "support-qwen-7b"
HEADERS = [
    "Run",
    "Dataset",
    "Status",
    "Best eval loss",
    "Train loss",
    "Gap",
    "Learning rate",
    "Duration",
    "Findings",
    "Score",
]


def number(cell: str) -> float:
    """The number in a cell, without the marks before it and the step after it."""
    return float(cell.split(" @ ")[0].split()[-1])


def sorting(page: Page, header: str) -> str | None:
    return grid(page).get_by_role("columnheader", name=header, exact=True).get_attribute("aria-sort")


def centre(page: Page) -> dict[str, float]:
    """How wide the part of the grid is that scrolls, and what it holds."""
    viewport = grid(page).locator(".ag-center-cols-viewport")
    return viewport.evaluate("e => ({ seen: e.clientWidth, held: e.scrollWidth })")


def assert_sorted(page: Page, header: str, key: str, direction: str, missing: list[str]) -> None:
    """One click more on the header sorts this way; what has no value comes last."""
    sort_by(page, header)
    eventually(page, lambda: sorting(page, header), direction)
    shown = len(FIVE) - len(missing)

    def is_sorted(cells: list[str]) -> bool:
        if NOT_RECORDED in cells[:shown] or set(cells[shown:]) != {NOT_RECORDED}:
            return False
        numbers = [number(cell) for cell in cells[:shown]]
        return numbers == sorted(numbers, reverse=direction == "descending")

    eventually(page, lambda: grid_column(page, key), is_sorted)
    assert set(grid_column(page, "run")[shown:]) == set(missing)
    mark = {"ascending": "asc", "descending": "desc"}[direction]
    column = grid(page).get_by_role("columnheader", name=header, exact=True)
    expect(column.locator(f".ag-sort-{direction}-icon .ag-icon-{mark}")).to_be_visible()


def assert_export_holds_what_is_shown(page: Page) -> None:
    saved = list(csv.DictReader(io.StringIO(download(page, "summary_csv").decode("utf-8-sig"))))
    assert [row["Run"] for row in saved] == [name.removeprefix("★ ") for name in grid_column(page, "run")]
    for key, header in (("eval_loss", "Eval loss"), ("train_loss", "Train loss"), ("score", "Score")):
        for row, cell in zip(saved, grid_column(page, key), strict=True):
            if cell in (NOT_RECORDED, "NaN"):
                assert row[header] == ("" if cell == NOT_RECORDED else cell)
            else:
                assert abs(float(row[header]) - number(cell)) < 0.005
    assert [row["Status"] for row in saved] == grid_column(page, "status")


def test_the_export_holds_the_table_and_a_click_on_a_header_sorts_with_missing_values_last_both_ways(page):
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    assert_export_holds_what_is_shown(page)
    unsorted = grid_column(page, "run")
    assert grid(page).get_by_role("columnheader").all_inner_texts() == HEADERS
    for direction in ("ascending", "descending"):
        assert_sorted(page, "Eval loss", "eval_loss", direction, [QUEUED])
    # The table stays as it was sorted when something else on the page changes.
    order = grid_column(page, "run")
    page.get_by_test_id("stMain").get_by_text("Log y", exact=True).click()
    expect_query(page, "log", "1")
    eventually(page, lambda: grid_column(page, "run"), order)
    sort_by(page, "Best eval loss")
    eventually(page, lambda: grid_column(page, "run"), unsorted)
    for direction in ("descending", "ascending"):
        assert_sorted(page, "Score", "score", direction, [QUEUED, FAILED])


def test_the_default_columns_fit_and_the_run_stays_in_view_beside_more(page):
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    sizes = centre(page)
    assert sizes["held"] <= sizes["seen"]
    run = grid(page).locator('[role=row][row-index="2"] [col-id="run"]')
    assert MARKUP_NAME in run.inner_text()

    tooltip = grid(page).locator(".ag-tooltip:not(.ag-tooltip-hiding)")
    for key, said in (("score", "gap 80.15 points"), ("gap", "Good."), ("run", MARKUP_NAME)):
        grid(page).locator(f'[role=row][row-index="2"] [col-id="{key}"]').hover()
        expect(tooltip.filter(has_text=said)).to_be_visible()
    grid(page).get_by_role("columnheader", name="Duration").hover()
    expect(tooltip.filter(has_text="From start to end")).to_be_visible()

    page.get_by_role("button", name="Columns").click()
    for title in ("Model", "Perplexity", "Batch", "Steps to best", "Epochs"):
        page.get_by_test_id("stPopoverBody").get_by_role("button", name=title, exact=True).click()
    eventually(page, lambda: centre(page), lambda sizes: sizes["held"] > sizes["seen"] + 100)
    place = run.bounding_box()
    grid(page).locator(".ag-center-cols-viewport").evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    expect(grid(page).locator('[role=row][row-index="2"] [col-id="epochs"]')).to_be_visible()
    assert run.bounding_box() == place
