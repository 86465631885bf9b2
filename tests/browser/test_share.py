"""What is taken away from the page, in a real browser, and a record that is brought back."""

from __future__ import annotations

import csv
import io
import json

import pytest
from playwright.sync_api import Page, expect

from lib.charts.theme import COLORS
from tests.browser.actions import FIVE, go, query
from tests.browser.harness import open_app, wait_idle

DIALOG = '[data-testid="stDialog"]'


def opens(page: Page) -> None:
    page.locator(".page-head").get_by_role("button", name="Share").click()
    expect(page.locator(DIALOG).get_by_text("Check a decision")).to_be_visible()
    wait_idle(page)


def downloaded(page: Page, name: str, tmp_path):
    with page.expect_download() as waiting:
        page.locator(DIALOG).get_by_role("button", name=name).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_comment_is_copied_with_the_link_of_the_view(new_page, app):
    page = new_page(app, permissions=["clipboard-read", "clipboard-write"])
    open_app(page, run=list(FIVE), x="epoch")
    opens(page)
    page.locator(DIALOG).get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator(DIALOG).get_by_role("button", name="Copied")).to_be_visible()
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text.startswith("<!-- runoff -->\n### ")
    assert len(text.splitlines()) < 60
    assert f"({page.url})" in text


def test_a_record_that_is_brought_back_is_the_same_until_something_is_not(page, tmp_path):
    open_app(page, run=list(FIVE[:3]))
    opens(page)
    path = downloaded(page, "Record (.json)", tmp_path)
    brought = page.locator(f"{DIALOG} input[type=file]")
    brought.set_input_files(path)
    expect(page.locator(DIALOG).get_by_text("The same: the decision would be made again.")).to_be_visible()
    record = json.loads(path.read_text(encoding="utf-8"))
    metric = record["runs"][0]["metrics"]["eval_loss"]
    metric["points"] -= 1
    record["runs"].append(record["runs"][1] | {"run_id": "gone", "label": "a run that is gone"})
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record), encoding="utf-8")
    brought.set_input_files(other)
    expect(page.locator(DIALOG).get_by_text("Not the same as on record.")).to_be_visible()
    expect(page.locator(DIALOG).get_by_text("a run that is gone is gone, or may not be read.")).to_be_visible()
    expect(page.locator(DIALOG).get_by_text("The eval loss of")).to_be_visible()
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]", encoding="utf-8")
    brought.set_input_files(wrong)
    expect(page.locator(DIALOG).get_by_text("Expected a decision record")).to_be_visible()


def test_a_report_is_downloaded_from_every_page_and_the_page_is_as_before(page, tmp_path):
    open_app(page, run=list(FIVE[:2]))
    go(page, "Run health")
    before = query(page)
    opens(page)
    text = downloaded(page, "Report (.html)", tmp_path).read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "Open the comparison" in text
    page.locator(DIALOG).get_by_role("button", name="Close").click()
    expect(page.locator(DIALOG)).to_have_count(0)
    assert query(page) == before


def test_the_dialog_stays_while_its_view_does_and_is_closed_for_good(page):
    open_app(page, run=list(FIVE[:2]))
    opens(page)
    # As the page does by itself when a project answers again.
    page.locator(".runs-again").evaluate("button => button.click()")
    wait_idle(page)
    expect(page.locator(DIALOG).get_by_role("button", name="Record (.json)")).to_be_visible()
    page.locator(DIALOG).get_by_role("button", name="Close").click()
    expect(page.locator(DIALOG)).to_have_count(0)
    wait_idle(page)
    page.locator(".runs-again").click()
    wait_idle(page)
    expect(page.locator(DIALOG)).to_have_count(0)


def test_both_tables_are_taken_away_from_any_page(page, tmp_path):
    open_app(page, "hyperparameters", run=list(FIVE[:3]))
    opens(page)
    table = page.locator(f"{DIALOG} .st-key-share_table_csv button")

    def kept(key):
        with page.expect_download() as waiting:
            page.locator(f"{DIALOG} .st-key-{key} button").click()
        return waiting.value.path().read_text(encoding="utf-8")

    expect(table).to_be_visible()
    rows = list(csv.DictReader(io.StringIO(kept("share_table_csv"))))
    assert {row["Run id"] for row in rows} == set(FIVE[:3])
    assert kept("share_table_md").count("\n| ") == 4
    assert kept("share_table_tex").count(r"\\") == 4
    few = list(csv.DictReader(io.StringIO(kept("share_settings_csv"), newline="")))
    assert {row["Differs"] for row in few} == {"yes"}
    page.locator(DIALOG).get_by_text("With equal settings").click()
    wait_idle(page)
    every = list(csv.DictReader(io.StringIO(kept("share_settings_csv"), newline="")))
    assert len(every) > len(few)
    assert kept("share_settings_md").count("\n| ") == 1 + len(every)
    assert "equal" not in query(page), "the page behind it is as it was"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_has_the_colours_of_the_page(new_page, app, scheme):
    page = new_page(app, color_scheme=scheme)
    open_app(page, run=list(FIVE[:2]))
    opens(page)
    color = page.locator(f"{DIALOG} .page-button").first.evaluate("e => getComputedStyle(e).color")
    wanted = COLORS["text"][scheme == "dark"].removeprefix("#")
    assert color == f"rgb({', '.join(str(int(wanted[at : at + 2], 16)) for at in (0, 2, 4))})"


def test_without_runs_a_record_can_still_be_checked(page):
    open_app(page)
    opens(page)
    expect(page.locator(DIALOG).get_by_role("button", name="Report (.html)")).to_have_count(0)
