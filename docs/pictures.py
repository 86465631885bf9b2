"""Take the README's pictures anew: ``make pictures``, from the app with its demo runs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from bench.page import five_runs
from tests.browser.chromium import find_chromium
from tests.browser.harness import CHROMIUM_ARGS, Server, wait_idle

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 2400
QUERY = "&".join(f"run={run_id}" for run_id in five_runs())
PICTURES = {
    "compare-light.png": ("", "light", 0, 1190),
    "compare-dark.png": ("", "dark", 0, 1190),
    "summary.png": ("", "light", "Table", 330),
    "diff.png": ("hyperparameters", "light", 0, 560),
    "health.png": ("run_health", "light", 0, 760),
}
"""File name: path, theme, top (in pixels, or the heading that stands there), height in pixels."""
SHARE, REPORT = "share.png", "report.png"
PAPER = {"width": 900, "height": 1180}


def main() -> None:
    """Start the app, open each page, and write its picture."""
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        for name, (path, theme, top, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme)
            page.goto(f"{server.url}/{path}?{QUERY}")
            wait_idle(page)
            if not path:
                page.frame_locator("iframe").locator(".ag-row").first.wait_for()
            page.wait_for_timeout(1500)  # fonts, and the charts' last resize
            clip = {"x": 0, "y": top, "width": WIDTH, "height": height}
            page.screenshot(path=HERE / name, clip=_below(page, top, height) if isinstance(top, str) else clip)
            page.close()
        _share(browser, server.url)
        browser.close()


def _share(browser: Browser, url: str) -> None:
    """The dialog, and the report that is taken from it."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.goto(f"{url}/?{QUERY}")
    wait_idle(page)
    page.locator(".page-head").get_by_role("button", name="Share").click()
    dialog = page.get_by_test_id("stDialog").get_by_role("dialog")
    dialog.get_by_text("Check a decision").wait_for()
    wait_idle(page)
    page.wait_for_timeout(500)
    page.screenshot(path=HERE / SHARE, clip=dialog.bounding_box())
    with page.expect_download() as waiting:
        dialog.get_by_role("button", name="Report (.html)").click()
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        waiting.value.save_as(report)
        page.close()
        page = browser.new_page(viewport=PAPER)
        page.goto(report.as_uri())
        page.locator("figure svg").first.wait_for()
        page.screenshot(path=HERE / REPORT)
    page.close()


def _below(page: Page, heading: str, height: int) -> dict[str, float]:
    box = page.get_by_role("heading", name=heading).bounding_box()
    main = page.get_by_test_id("stMainBlockContainer").bounding_box()
    return {"x": main["x"], "y": box["y"] - 12, "width": main["width"], "height": height}


if __name__ == "__main__":
    main()
