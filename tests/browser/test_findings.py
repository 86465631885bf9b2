"""From a finding to its place in the charts, by pointer and by keyboard; and charts that come before their checks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import FIVE, TOOLTIP, chart, eventually, expect_query, pinned_at, query
from tests.browser.harness import PROJECT_ROOT, Server, open_app, wait_idle

CHECKING = "Checking the runs"


def focus(page: Page, name: str) -> None:
    chart(page, name).locator("xpath=ancestor::*[@tabindex][1]").focus()


def test_the_keyboard_goes_through_the_findings_and_pins_one(page):
    open_app(page, run=list(FIVE))
    focus(page, "loss")
    texts = []
    for _ in range(2):
        page.keyboard.press("f")
        texts.append(page.locator(TOOLTIP).inner_text())
    assert texts[0] != texts[1]
    page.keyboard.press("Shift+F")
    assert page.locator(TOOLTIP).inner_text() == texts[0]
    page.keyboard.press("Enter")
    (pin,) = eventually(page, lambda: query(page).get("pin", []), bool)
    wait_idle(page)
    assert f"{float(pin):,.0f}" in texts[0]
    assert pinned_at(page, "loss") is not None


def test_a_click_on_a_sign_pins_its_step(page):
    open_app(page, run=list(FIVE))
    box = chart(page, "loss").bounding_box()

    def on_a_sign() -> bool:
        for y in range(int(box["y"] + box["height"]) - 6, int(box["y"] + box["height"]) - 70, -8):
            for x in range(int(box["x"] + 40), int(box["x"] + box["width"] - 160), 5):
                page.mouse.move(x, y)
                if page.locator(TOOLTIP).count() and "step" in page.locator(TOOLTIP).inner_text():
                    return True
        return False

    assert on_a_sign()
    page.mouse.down()
    page.mouse.up()
    eventually(page, lambda: query(page).get("pin", []), bool)


def test_a_finding_of_the_health_page_leads_to_the_chart_of_its_metric(page):
    open_app(page, "run_health", run=list(FIVE), zoom="10~20")
    link = page.locator("a.to-chart[data-metric=train_loss], a.to-chart[data-metric=grad_norm]").first
    metric, step = link.get_attribute("data-metric"), link.get_attribute("data-step")
    # It can be opened in a tab of its own too.
    assert f"pin={step}" in link.get_attribute("href")
    assert "zoom" not in link.get_attribute("href")
    if not link.is_visible():
        link.locator("xpath=ancestor::details").locator("summary").first.click()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Compare runs", level=1)).to_be_visible()
    expect_query(page, "pin", step)
    name = "gradient norm" if metric == "grad_norm" else "loss"
    expect(chart(page, name).locator("xpath=ancestor::*[@tabindex][1]")).to_be_focused()
    assert eventually(page, lambda: pinned_at(page, name), lambda at: at is not None) > 0, "in view"
    page.go_back()
    expect(page.get_by_role("heading", name="Run health", level=1)).to_be_visible()


@pytest.fixture
def slow(serve, tmp_path: Path) -> tuple[Server, Path]:
    """The app, which checks no run until a file is there; and this file."""
    made = tmp_path / "made"
    for name in ("lib", "pages", "static", ".streamlit"):
        (tmp_path / name).symlink_to(PROJECT_ROOT / name)
    main = (PROJECT_ROOT / "streamlit_app.py").read_text().partition("from __future__ import annotations")[2]
    (tmp_path / "streamlit_app.py").write_text(
        "import time\n"
        "from pathlib import Path\n"
        "from lib.ui.session import assessments\n"
        "if not hasattr(assessments, 'at_once'):\n"
        "    assessments.at_once = assessments.assess\n"
        "    assessments.CHECKED_AT_ONCE = 0\n"
        "    def assess(*of):\n"
        f"        while not Path({str(made)!r}).exists():\n"
        "            time.sleep(0.05)\n"
        "        return assessments.at_once(*of)\n"
        "    assessments.assess = assess\n" + main
    )
    return serve(tmp_path / "streamlit_app.py"), made


def test_charts_come_before_the_checks_and_then_show_what_these_found(new_page, slow):
    server, made = slow
    page: Page = new_page(server)
    page.goto("/?" + "&".join(f"run={run}" for run in FIVE))
    status = page.get_by_text(CHECKING)
    expect(status).to_be_visible()
    height = chart(page, "loss").bounding_box()["height"]
    expect(page.get_by_role("region", name="Verdict")).to_have_count(0)
    made.touch()
    expect(status).to_have_count(0)
    wait_idle(page)
    expect(page.get_by_role("region", name="Verdict")).to_be_visible()
    assert chart(page, "loss").bounding_box()["height"] > height, "the lane of findings"
    # What is known is shown at once the next time.
    page.reload()
    wait_idle(page)
    expect(status).to_have_count(0)
