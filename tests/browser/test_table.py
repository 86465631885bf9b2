"""The summary table: sorting, the run column, tooltips, column choice, export."""

from __future__ import annotations

import csv
import io
import re

from playwright.sync_api import Locator, Page, expect

from lib.core.text.formatting import NOT_RECORDED
from tests.app.harness import write_run
from tests.browser.actions import (
    FIVE,
    MARKUP_NAME,
    eventually,
    expect_query,
    export,
    grid,
    grid_column,
    sort_by,
)
from tests.browser.harness import open_app, wait_idle

QUEUED, FAILED = "code-review-qwen-7b", "support-qwen-7b"
HEADERS = [
    "Run",
    "Score of 100",
    "Eval loss best",
    "at step",
    "Train loss there",
    "Gap there",
    "Learning rate",
    "Batch size",
    "Status",
    "Health",
]


def header(page: Page, name: str) -> Locator:
    """The header that is called so, its two lines in a row."""
    return grid(page).get_by_role("columnheader", name=name, exact=True)


def number(cell: str) -> float:
    """The number in a cell, without the marks before it."""
    return float(cell.split()[-1].replace(",", ""))


def headers(page: Page) -> list[str]:
    return grid(page).get_by_role("columnheader").all_inner_texts()


def sorting(page: Page, name: str) -> str | None:
    return header(page, name).get_attribute("aria-sort")


def centre(page: Page) -> dict[str, float]:
    """How wide the part of the grid is that scrolls, and what it holds."""
    viewport = grid(page).locator(".ag-center-cols-viewport")
    return viewport.evaluate("e => ({ seen: e.clientWidth, held: e.scrollWidth })")


def assert_sorted(page: Page, name: str, key: str, direction: str, missing: list[str]) -> None:
    """One click more on the header sorts this way; what has no value comes last."""
    sort_by(page, name)
    eventually(page, lambda: sorting(page, name), direction)
    shown = len(FIVE) - len(missing)

    def is_sorted(cells: list[str]) -> bool:
        if NOT_RECORDED in cells[:shown] or set(cells[shown:]) != {NOT_RECORDED}:
            return False
        numbers = [number(cell) for cell in cells[:shown]]
        return numbers == sorted(numbers, reverse=direction == "descending")

    eventually(page, lambda: grid_column(page, key), is_sorted)
    assert set(grid_column(page, "run")[shown:]) == set(missing)
    mark = {"ascending": "asc", "descending": "desc"}[direction]
    column = header(page, name)
    expect(column.locator(f".ag-sort-{direction}-icon .ag-icon-{mark}")).to_be_visible()


def assert_export_holds_what_is_shown(page: Page) -> None:
    saved = list(csv.DictReader(io.StringIO(export(page, "summary_csv").decode("utf-8-sig"))))
    assert [row["Run"] for row in saved] == [name.removesuffix(" ★") for name in grid_column(page, "run")]
    for key, title in (("eval_loss", "Eval loss"), ("train_loss", "Train loss"), ("score", "Score")):
        for row, cell in zip(saved, grid_column(page, key), strict=True):
            if cell in (NOT_RECORDED, "NaN"):
                assert row[title] == ("" if cell == NOT_RECORDED else cell)
            else:
                decimals = len(cell.partition(".")[2])
                assert abs(float(row[title]) - number(cell)) <= 0.500001 * 10.0**-decimals
    assert [row["Status"] for row in saved] == grid_column(page, "status")


def test_the_export_holds_the_table_and_a_click_on_a_header_sorts_with_missing_values_last_both_ways(page):
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    assert_export_holds_what_is_shown(page)
    unsorted = grid_column(page, "run")
    assert [text.split() for text in headers(page)] == [each.split() for each in HEADERS]
    for direction in ("ascending", "descending"):
        assert_sorted(page, "Eval loss best", "eval_loss", direction, [QUEUED])
    # The table stays as it was sorted when something else on the page changes.
    order = grid_column(page, "run")
    page.get_by_test_id("stMain").get_by_label("Log", exact=True).click()
    expect_query(page, "log", "1")
    eventually(page, lambda: grid_column(page, "run"), order)
    sort_by(page, "Eval loss best")
    eventually(page, lambda: grid_column(page, "run"), unsorted)
    for direction in ("descending", "ascending"):
        assert_sorted(page, "Score of 100", "score", direction, [QUEUED, FAILED, MARKUP_NAME])


CUT = """body => {
  const cells = [...body.querySelectorAll('.ag-cell, .ag-cell-value')]
    .filter(each => each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
    .filter(each => getComputedStyle(each).display !== 'inline');
  const headers = [...body.querySelectorAll('.ag-header-cell-text')].filter(each => {
    const range = document.createRange();
    range.selectNodeContents(each);
    const [text, cell] = [range, each.closest('.ag-header-cell')].map(one => one.getBoundingClientRect());
    return text.left < cell.left || text.right > cell.right || text.top < cell.top || text.bottom > cell.bottom;
  });
  return [...cells, ...headers].map(each => [each.className, each.innerText, each.scrollWidth, each.clientWidth]);
}"""
"""Cells and headers whose text does not fit."""
LONG_NAMES = tuple(
    f"{number}-customer-support-qwen2.5-7b-instruct-qlora-nf4-cosine-warmup-{number}00-rank-{number}"
    for number in range(5)
)


def test_nothing_is_cut_and_the_run_stays_in_view_beside_more(page):
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    sizes = centre(page)
    assert sizes["held"] <= sizes["seen"]
    assert grid(page).locator("body").evaluate(CUT) == []
    run = grid(page).locator('[role=row][row-index="2"] [col-id="run"]')
    marked = grid(page).locator("[role=row]").filter(has_text=MARKUP_NAME)
    expect(marked.first).to_be_visible()

    tooltip = grid(page).locator(".ag-tooltip:not(.ag-tooltip-hiding)")
    place = marked.first.get_attribute("row-index")
    for key, said in (("score", "Left out: "), ("gap", "Good."), ("run", MARKUP_NAME)):
        grid(page).locator(f'[role=row][row-index="{place}"] [col-id="{key}"]').hover()
        expect(tooltip.filter(has_text=said)).to_be_visible()
    header(page, "Status").hover()
    expect(tooltip.filter(has_text="Only completed runs")).to_be_visible()

    page.get_by_role("button", name="Columns").click()
    offered = page.get_by_test_id("stPopoverBody")
    for title in ("Model", "Perplexity", "Duration", "Speed (tokens/s)", "Epochs"):
        offered.get_by_role("button", name=title, exact=True).click()
        wait_idle(page)
    offered.get_by_placeholder("Find a column").press_sequentially("samples")
    expect(offered.get_by_role("button", name="Model", exact=True)).to_have_count(0)
    offered.get_by_role("button", name="Speed (samples/s)", exact=True).click()
    eventually(page, lambda: centre(page), lambda sizes: sizes["held"] > sizes["seen"] + 100)
    box = run.bounding_box()
    grid(page).locator(".ag-center-cols-viewport").evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    expect(grid(page).locator('[role=row][row-index="2"] [col-id="findings"]')).to_be_visible()
    assert run.bounding_box() == box


def test_long_names_are_whole(serve, new_page, tmp_path):
    for number, name in enumerate(LONG_NAMES):
        write_run(tmp_path / name, [0.9, 0.8], [0.9, 0.7 + number / 100])
    page = new_page(serve(RUNOFF_RUNS=str(tmp_path)))
    open_app(page)
    page.get_by_role("button", name="Compare the").click()
    eventually(page, lambda: {each.removesuffix(" ★") for each in grid_column(page, "run")}, set(LONG_NAMES))
    assert grid(page).locator("body").evaluate(CUT) == []
    sizes = centre(page)
    assert sizes["held"] <= sizes["seen"]


def brought_out(page: Page) -> tuple[str | None, str | None]:
    """Which run is brought out on the page, and in the grid."""
    read = "html => html.dataset.runShown ?? null"
    return page.locator("html").evaluate(read), grid(page).locator("html").evaluate(read)


def test_a_row_brings_its_run_out_everywhere_and_is_brought_out_itself(page):
    open_app(page, run=list(FIVE))
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    row = grid(page).locator('.ag-center-cols-container [row-index="1"]')
    other = grid(page).locator('.ag-center-cols-container [row-index="0"]')
    slot = re.search(r"slot-(\d)", row.get_attribute("class"))[1]

    def come() -> tuple[str | None, str | None]:
        row.locator('[col-id="gap"]').hover()
        return brought_out(page)

    eventually(page, come, (slot, slot))
    assert other.evaluate("row => getComputedStyle(row).opacity") == "0.28"
    assert row.evaluate("row => getComputedStyle(row).opacity") == "1"
    page.mouse.move(1, 1)
    eventually(page, lambda: brought_out(page), (None, None))

    row.locator('[col-id="gap"]').click()
    page.mouse.move(1, 1)
    eventually(page, lambda: brought_out(page), (slot, slot))
    page.keyboard.press("Escape")
    eventually(page, lambda: brought_out(page), (None, None))
    # By keyboard a row is brought out as one reaches it.
    page.keyboard.press("ArrowUp")
    eventually(page, lambda: brought_out(page)[0], re.search(r"slot-(\d)", other.get_attribute("class"))[1])


def test_narrow_windows_have_cards_and_load_no_grid(app, new_page):
    page = new_page(app, viewport={"width": 390, "height": 844})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    open_app(page, run=list(FIVE))
    cards = page.locator(".table-cards > div")
    expect(cards).to_have_count(len(FIVE))
    assert not [each for each in asked if "st_aggrid" in each]
    wide = "cards => cards.filter(each => each.scrollWidth > each.clientWidth).length"
    assert cards.evaluate_all(wide) == 0
    assert page.locator(".table-cards dd, .table-cards dt").evaluate_all(wide) == 0
    page.set_viewport_size({"width": 1000, "height": 844})
    eventually(page, lambda: len(grid_column(page, "run")), len(FIVE))
    expect(cards).to_have_count(0)


def test_sizes_are_those_of_the_design(page):
    open_app(page, run=list(FIVE[:2]))
    eventually(page, lambda: len(grid_column(page, "run")), 2)
    sizes = "e => [getComputedStyle(e).fontSize, e.offsetHeight]"
    assert grid(page).locator('.ag-center-cols-container [row-index="0"]').evaluate(sizes)[1] == 29
    assert grid(page).locator('[row-index="0"] [col-id="gap"]').evaluate(sizes)[0] == "13px"
    card = page.locator(".st-key-summary_card")
    assert card.get_by_role("heading", name="Table").evaluate(sizes)[0] == "16px"
    for name in ("Columns", "Export"):
        assert card.get_by_role("button", name=name).evaluate(sizes)[1] == 28


def test_the_grid_is_one_stop_and_arrows_go_through_its_cells(page):
    open_app(page, run=list(FIVE))
    expect(header(page, "Run")).to_be_visible()
    page.locator(".st-key-summary_files button").focus()
    inside = "document.activeElement.tagName"
    page.keyboard.press("Tab")
    eventually(page, lambda: page.evaluate(inside), "IFRAME")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(grid(page).locator(".ag-cell:focus")).to_have_attribute("col-id", "score")
    page.keyboard.press("Tab")
    eventually(page, lambda: page.evaluate(inside), lambda tag: tag != "IFRAME")
