"""The settings: what is shown, and that what is copied and downloaded holds the same."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import Page, expect

from tests.browser.actions import MARKUP_NAME, cells, eventually, expect_query, export
from tests.browser.harness import open_app, wait_idle
from tests.demo.specs import demo_id

FLAG = " ⚠"
STAR = " ★"
THREE = [demo_id("support-gemma-markup"), demo_id("support-llama-a"), demo_id("legal-gemma-linear")]
LABELS = [MARKUP_NAME, "support-llama-8b", "legal-qa-gemma-9b"]


def settings(page: Page) -> list[list[str]]:
    """Header and rows of what differs, without the results below them."""
    shown = cells(page.locator(".st-key-settings_card table"))
    end = next((at for at, row in enumerate(shown) if len(row) == 1), len(shown))
    return shown[:end]


def copied(page: Page) -> list[str]:
    page.locator(".st-key-diff_files button").click()
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.keyboard.press("Escape")
    return page.evaluate("() => navigator.clipboard.readText()").splitlines()


def test_what_is_copied_and_downloaded_holds_the_rows_that_the_page_shows(new_page, app):
    page = new_page(app, permissions=["clipboard-read", "clipboard-write"])
    open_app(page, "hyperparameters", run=THREE)
    shown = settings(page)
    labels = [name.removesuffix(STAR) for name in shown[0][1:]]
    assert sorted(labels) == sorted(LABELS)
    assert not any(name.endswith(STAR) for name in shown[0]), "of runs that do not compare none is recommended"
    expect(page.get_by_role("heading", name=f"{len(shown) - 1} of ", level=2)).to_be_visible()
    # A value that its own config contradicts is marked; the files have the value and the note.
    assert any(cell.endswith(FLAG) for row in shown for cell in row)
    rows = [[cell.removesuffix(FLAG) for cell in row] for row in shown[1:]]

    saved = list(csv.DictReader(io.StringIO(export(page, "diff_csv").decode(), newline="")))
    assert {row["Differs"] for row in saved} == {"yes"}
    assert [[row["Parameter"], *(row[name] for name in labels)] for row in saved] == rows
    assert any("stated with different values" in row["Notes"] for row in saved)

    markdown = copied(page)
    assert len(markdown) == 2 + len(rows)
    assert "support-bot &lt;b&gt;v2&lt;/b&gt; \\| rank 64" in markdown[0]
    page.locator(".st-key-settings_tools").get_by_text("With equal settings").click()
    expect_query(page, "equal", "1")
    wait_idle(page)
    every = list(csv.DictReader(io.StringIO(export(page, "diff_csv").decode(), newline="")))
    assert len(every) > len(saved)
    eventually(page, lambda: len(copied(page)), 2 + len(every))
    assert export(page, "diff_md").decode().splitlines() == copied(page)

    search = page.get_by_placeholder("Search settings and values")
    search.click()
    page.keyboard.type("learning rate", delay=20)
    expect_query(page, "find", "learning rate")
    fewer = eventually(page, lambda: settings(page), lambda now: now != shown)
    assert {row[0] for row in fewer[1:]} <= {"Learning rate"}
    saved = list(csv.DictReader(io.StringIO(export(page, "diff_csv").decode(), newline="")))
    assert {row["Parameter"] for row in saved} >= {row[0] for row in fewer[1:]}
    assert len(saved) < 10


def test_the_folded_parts_open_by_keyboard(page):
    open_app(page, "hyperparameters", run=THREE)
    summary = page.locator("summary").filter(has_text="Where values come from")
    place = page.get_by_text("config.training.learning_rate", exact=True).first
    expect(place).not_to_be_visible()
    summary.focus()
    page.keyboard.press("Enter")
    expect(place).to_be_visible()
