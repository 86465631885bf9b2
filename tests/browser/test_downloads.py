"""What is kept of the charts: pictures and values."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from playwright.sync_api import expect

from tests.browser.actions import MARKUP_NAME, chart, eventually, keep
from tests.browser.harness import open_app
from tests.demo.specs import demo_id


def test_charts_can_be_kept_as_data_and_as_pictures(page, rows):
    run_id = demo_id("support-gemma-markup")
    open_app(page, run=[run_id], zoom="1000~2000")
    saved = list(csv.DictReader(io.StringIO(keep(page, "All values in view as CSV").decode())))
    inside = rows[(rows["run_id"] == run_id) & rows["step"].between(1000, 2000)]
    losses = ["train_loss", "eval_loss"]
    assert [
        (row["run"], row["metric"], int(row["step"]), float(row["value"])) for row in saved if row["metric"] in losses
    ] == [(MARKUP_NAME, row.metric, row.step, row.value) for row in inside[inside["metric"].isin(losses)].itertuples()]
    assert {row["metric"] for row in saved} > {*losses, "grad_norm"}
    assert keep(page, "Loss as PNG").startswith(b"\x89PNG\r\n\x1a\n")
    svg = keep(page, "Loss as SVG").decode()
    drawing = ElementTree.fromstring(svg)
    texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "Loss" in texts
    assert [text for text in texts if text.startswith(MARKUP_NAME)], "in full, and as text"
    expect(chart(page, "loss")).to_be_visible()


def test_a_picture_is_made_by_keyboard_alone_and_the_page_says_so(page):
    open_app(page, run=[demo_id("support-gemma-markup")])
    button = page.get_by_role("button", name="Download", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.get_by_role("menu", name="Download")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    page.evaluate("""() => {
        window.said = [];
        const made = document.querySelector('.runoff-making');
        new MutationObserver(() => window.said.push(made.textContent)).observe(made, { childList: true });
    }""")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".png")
    eventually(page, lambda: page.evaluate("() => window.said"), ["Making the picture…", ""])
