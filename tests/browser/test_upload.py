"""Uploading runs in a real browser: dropped on the demo, compared, removed; by keyboard, and on a narrow window."""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.actions import eventually, expect_selected, grid_column, query
from tests.browser.harness import open_app, wait_idle
from tests.browser.test_accessible import found_by_axe
from tests.data.upload.archives import state, zipped

DROP = """
([zone, files]) => {
  const transfer = new DataTransfer();
  for (const [name, text] of files) transfer.items.add(new File([text], name, { type: 'application/json' }));
  for (const kind of ['dragenter', 'dragover', 'drop'])
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}
"""
NAMES = ["lr1", "lr2", "lr3"]


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Let files fall on the place for them."""
    zone = page.locator('[data-testid="stFileUploaderDropzone"]').element_handle()
    page.evaluate(DROP, [zone, [[name, content.decode()] for name, content in files]])


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files in the window of the browser, which the button opens."""
    with page.expect_file_chooser() as chooser:
        page.locator(".st-key-upload").get_by_role("button", name="Upload", exact=True).press("Enter")
    payloads = [FilePayload(name=name, mimeType="application/octet-stream", buffer=content) for name, content in files]
    chooser.value.set_files(payloads)


THREE = [(f"{name} trainer_state.json", state(float(level), 30)) for level, name in enumerate(NAMES, 1)]


def test_three_files_dropped_on_the_demo_are_compared(new_page, app):
    page = new_page(app, color_scheme="light")
    open_app(page)
    page.locator(".page-upload").get_by_role("button", name="Upload runs").click()
    expect(page.locator(".st-key-upload").get_by_role("button", name="Upload", exact=True)).to_be_focused()
    drop(page, *THREE)
    expect_selected(page, 3)
    wait_idle(page)
    expect(page.locator(".verdict h2")).to_have_text(re.compile(r"Ship\s+lr1\s+uploaded"))
    expect(page.locator(".runs-selected .run-uploaded")).to_have_text(["uploaded"] * 3)
    eventually(page, lambda: set(grid_column(page, "run")), {"lr1 ↑ ★", "lr2 ↑", "lr3 ↑"})
    expect(page.locator(".upload-said > p")).to_have_text(["3 runs found."])
    expect(page.locator(".upload-reading")).to_have_count(0)
    page.mouse.move(0, 0)
    assert found_by_axe(page) == []
    # The files are with the app now: the widget is empty, and takes others.
    choose(page, ("more.zip", zipped({"a/trainer_state.json": state(4.0, 30), "b.zip": b"x"})), ("x.rar", b"x"))
    expect_selected(page, 4)
    wait_idle(page)
    expect(page.locator(".upload-item")).to_have_text([re.compile("^3 files"), re.compile("^more.zip.*b.zip")])
    expect(page.locator(".upload-said .refused")).to_contain_text("found x.rar")
    page.locator(".st-key-upload_item_1").get_by_role("button", name="Remove").press("Enter")
    expect_selected(page, 1)
    wait_idle(page)
    expect(page.locator(".upload-item")).to_have_count(1)
    expect(page.locator('[data-testid="stAlert"]')).to_have_count(0)


def test_a_link_to_uploaded_runs_says_that_they_are_not_in_it(new_page, app):
    page = new_page(app)
    open_app(page)
    drop(page, *THREE[:2])
    expect_selected(page, 2)
    wait_idle(page)
    link = page.locator(".page-head [data-copies-link]")
    expect(link).to_have_attribute("title", re.compile("without the 2 uploaded runs"))
    link.click()
    expect(link).to_have_text("Copied without the 2 uploaded runs")
    assert all(run_id.startswith("upload~") for run_id in query(page)["run"])
    page.reload()
    wait_idle(page)
    said = "2 uploaded runs are not in this link: uploads stay in the browser session that made them."
    expect(page.locator('[data-testid="stAlert"]')).to_contain_text(said)


def test_on_a_narrow_window_the_way_in_opens_the_drawer(new_page, app):
    page = new_page(app, viewport={"width": 390, "height": 800})
    open_app(page)
    page.locator(".page-source summary").click()
    page.locator(".page-source").get_by_role("button", name="Upload runs").click()
    button = page.locator(".st-key-upload").get_by_role("button", name="Upload", exact=True)
    expect(button).to_be_focused()
    expect(button).to_be_in_viewport()
    choose(page, *THREE)
    page.keyboard.press("Escape")
    expect(page.locator(".verdict h2")).to_have_text(re.compile("lr1"))
    wait_idle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
