"""The diff: what is shown, and that the files hold the same."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import expect

from tests.browser.actions import MARKUP_NAME, download, eventually, expect_query, table
from tests.browser.harness import open_app
from tests.demo.specs import demo_id

FLAG = " ⚠"
THREE = [demo_id("support-gemma-markup"), demo_id("support-llama-a"), demo_id("legal-gemma-linear")]
LABELS = [MARKUP_NAME, "support-llama-8b", "legal-qa-gemma-9b"]


def test_the_files_hold_the_rows_that_the_page_shows(new_page, app):
    page = new_page(app, viewport={"width": 1700, "height": 1000})
    open_app(page, "hyperparameters", run=THREE)
    shown = table(page, page.get_by_test_id("stDataFrame").first)
    assert shown[0] == ["Group", "Parameter", *LABELS]
    count = len(shown) - 1
    expect(page.get_by_role("heading", name=f"Different values ({count})")).to_be_visible()
    # A value that its own config contradicts is marked; the file has the value and the note.
    rows = [[cell.removesuffix(FLAG) for cell in row] for row in shown[1:]]
    assert any(cell.endswith(FLAG) for row in shown for cell in row)

    saved = list(csv.DictReader(io.StringIO(download(page, "diff_csv").decode(), newline="")))
    different = [row for row in saved if row["Differs"] == "yes"]
    found = [[row[name] for name in ("Group", "Parameter", *LABELS)] for row in different]
    assert [row for row in rows if row not in found] == []
    assert any("stated with different values" in row["Notes"] for row in saved)

    markdown = download(page, "diff_markdown").decode().splitlines()
    assert len(markdown) == 2 + len(saved)
    assert "support-bot &lt;b&gt;v2&lt;/b&gt; \\| rank 64" in markdown[0]

    search = page.get_by_placeholder("Search parameters and values")
    search.click()
    page.keyboard.type("learning rate", delay=20)
    expect_query(page, "find", "learning rate")
    fewer = eventually(page, lambda: table(page, page.get_by_test_id("stDataFrame").first), lambda now: now != shown)
    assert {row[1] for row in fewer[1:]} <= {"Learning rate", "Max learning rate", "Min learning rate"}
    saved = list(csv.DictReader(io.StringIO(download(page, "diff_csv").decode(), newline="")))
    assert {row["Parameter"] for row in saved} >= {row[1] for row in fewer[1:]}
    assert len(saved) < 10
