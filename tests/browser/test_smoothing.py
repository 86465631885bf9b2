"""Smoothing: at once where the lines are here; else the slider moves first, and they come when they are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import CHARTS, FIVE, TWO, eventually, expect_query, picture
from tests.browser.harness import PROJECT_ROOT, Server, open_app, wait_idle
from tests.demo.specs import demo_id

HERE = ".runoff-component[data-smoothing=here]"


@pytest.fixture
def slow(serve, tmp_path: Path) -> tuple[Server, Path]:
    """The app, which makes no lines until a file is there; and this file."""
    made = tmp_path / "made"
    for name in ("lib", "pages", "static", ".streamlit"):
        (tmp_path / name).symlink_to(PROJECT_ROOT / name)
    main = (PROJECT_ROOT / "streamlit_app.py").read_text().partition("from __future__ import annotations")[2]
    (tmp_path / "streamlit_app.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "from lib.charts.smoothed import SmoothedLines\n"
        "if not hasattr(SmoothedLines, 'at_once'):\n"
        "    SmoothedLines.at_once = SmoothedLines.make\n"
        "    def make(self):\n"
        f"        while not Path({str(made)!r}).exists():\n"
        "            time.sleep(0.05)\n"
        "        self.at_once()\n"
        "    SmoothedLines.make = make\n" + main
    )
    return serve(tmp_path / "streamlit_app.py"), made


def test_the_slider_moves_before_the_lines_are_made_and_gets_them_afterwards(new_page, slow):
    server, made = slow
    page: Page = new_page(server)
    open_app(page, run=[demo_id("support-gemma-markup"), demo_id("legal-gemma-linear")])
    raw = picture(page, "gradient norm")
    page.get_by_role("slider", name="Smoothing").focus()
    page.keyboard.press("ArrowUp")
    expect_query(page, "smooth", "0.1")
    eventually(page, lambda: picture(page, "gradient norm") != raw, True)
    assert page.locator(HERE).count() == 0
    made.touch()
    page.wait_for_selector(HERE, state="attached")
    wait_idle(page)
    by_server = picture(page, "gradient norm")
    with server.paused():
        page.keyboard.press("ArrowUp")
        eventually(page, lambda: picture(page, "gradient norm") not in (raw, by_server), True)
        page.keyboard.press("ArrowDown")
        eventually(page, lambda: picture(page, "gradient norm"), by_server)


def smoothing(page: Page) -> Locator:
    return page.get_by_role("slider", name="Smoothing")


def test_smoothing_is_at_once_and_what_the_server_would_have_drawn(page, app):
    open_app(page, run=list(FIVE))
    slider = smoothing(page)
    raw = {name: picture(page, name) for name in CHARTS}
    # Whoever goes near the slider gets the lines of every weight.
    slider.focus()
    page.wait_for_selector(".runoff-component[data-smoothing=here]", state="attached")
    wait_idle(page)

    def pictures() -> dict[str, str]:
        return {name: picture(page, name) for name in CHARTS}

    with app.paused():
        for _ in range(9):
            page.keyboard.press("ArrowUp")
        expect(slider).to_have_attribute("aria-valuetext", "0.9")
        smooth = eventually(page, pictures, lambda now: all(now[name] != raw[name] for name in CHARTS))
        page.keyboard.press("Home")
        eventually(page, pictures, raw)
        page.keyboard.press("End")
    expect_query(page, "smooth", "0.99")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect_query(page, "smooth", "0.9")
    eventually(page, pictures, smooth)
    page.reload()
    wait_idle(page)
    eventually(page, pictures, smooth)


def test_who_leaves_the_slider_alone_asks_the_server_for_nothing_more(page):
    asked = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    open_app(page, run=TWO)
    eventually(page, lambda: page.frame_locator("iframe").locator(".ag-row").count(), bool)
    wait_idle(page)
    asked.clear()
    page.get_by_label("Log", exact=True).click()
    expect_query(page, "log", "1")
    assert len(asked) == 1
    smoothing(page).focus()
    eventually(page, lambda: len(asked), lambda now: now > 1)


def test_a_link_may_ask_for_any_smoothing(page):
    open_app(page, run=TWO)
    raw = picture(page, "gradient norm")
    open_app(page, run=TWO, smooth="0.37")
    slider = smoothing(page)
    expect(slider).to_have_attribute("aria-valuetext", "0.37")
    eventually(page, lambda: picture(page, "gradient norm"), lambda now: now != raw)
    slider.focus()
    wait_idle(page)
    page.keyboard.press("ArrowUp")
    expect_query(page, "smooth", "0.4")
    smooth = picture(page, "gradient norm")
    page.go_back()
    expect_query(page, "smooth", "0.37")
    eventually(page, lambda: picture(page, "gradient norm"), lambda now: now not in (smooth, raw))
