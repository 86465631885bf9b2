"""Lines that take the server long: the slider moves before they are there, and they come when they are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.actions import eventually, expect_query, picture
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
    page.keyboard.press("ArrowRight")
    expect_query(page, "smooth", "0.1")
    eventually(page, lambda: picture(page, "gradient norm") != raw, True)
    assert page.locator(HERE).count() == 0
    made.touch()
    page.wait_for_selector(HERE, state="attached")
    wait_idle(page)
    by_server = picture(page, "gradient norm")
    with server.paused():
        page.keyboard.press("ArrowRight")
        eventually(page, lambda: picture(page, "gradient norm") not in (raw, by_server), True)
        page.keyboard.press("ArrowLeft")
        eventually(page, lambda: picture(page, "gradient norm"), by_server)
