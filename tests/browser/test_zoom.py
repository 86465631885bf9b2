"""The range of the charts: dragged, typed, reset."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.actions import CHARTS, TWO, drag, eventually, expect_query, hover, query
from tests.browser.harness import open_app, wait_idle


def zoom_of(page: Page) -> tuple[float, float]:
    """The range in the address, once there is one."""
    (text,) = eventually(page, lambda: query(page).get("zoom", []), bool)
    start, end = map(float, text.split("~"))
    return start, end


def assert_shown(page: Page, start: float, end: float, *charts: str) -> None:
    """The tooltips near both ends of these charts are of steps near both ends of the range."""
    near = 0.2 * (end - start)
    for name in charts:
        # The names of the runs stand at the right.
        shares = (0.12, 0.78) if name == "loss" else (0.14, 0.56)
        left, right = (float(hover(page, name, share)["Step"][0]) for share in shares)
        assert start <= left <= start + near, name
        assert end - near <= right <= end, name


def test_dragging_zooms_every_chart_again_and_again_until_reset(page, rows):
    open_app(page, run=TWO)
    drag(page, "loss", 0.25, 0.5)
    start, end = zoom_of(page)
    wait_idle(page)
    assert 500 < start < end < 2500
    expect(page.get_by_label("Step from")).to_have_value(f"{start:,.0f}")
    expect(page.get_by_label("Step to")).to_have_value(f"{end:,.0f}")
    assert_shown(page, start, end, *CHARTS)
    drag(page, "gradient norm", 0.5, 0.25)
    closer_start, closer_end = eventually(page, lambda: zoom_of(page), lambda zoom: zoom != (start, end))
    wait_idle(page)
    assert start < closer_start < closer_end < end
    assert_shown(page, closer_start, closer_end, "loss", "gradient norm")
    reset = page.get_by_role("button", name="Reset the range")
    reset.click()
    expect_query(page, "zoom")
    expect(reset).to_be_disabled()
    assert_shown(page, 0, rows.loc[rows["run_id"] == TWO[0], "step"].max(), "gradient norm", "GPU memory")


def test_a_range_can_be_typed_one_end_at_a_time(page):
    open_app(page, run=TWO)
    first, last = page.get_by_label("Step from"), page.get_by_label("Step to")
    end = last.input_value().replace(",", "")
    first.fill("1,000")
    first.press("Enter")
    expect_query(page, "zoom", f"1000~{end}")
    last.fill("1200")
    last.press("Tab")
    expect_query(page, "zoom", "1000~1200")
    # The ends may be typed in any order; what leaves nothing between them is no range.
    last.fill("900")
    last.press("Enter")
    expect_query(page, "zoom", "900~1000")
    expect(first).to_have_value("900")
    last.fill("900")
    last.press("Enter")
    expect_query(page, "zoom")
    expect(last).to_have_value(f"{int(end):,}")
