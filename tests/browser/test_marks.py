"""What was noticed of a run, under a real pointer: its mark on the chart, the tooltip, the way to all of it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from lib.charts.datasets import LANE_TOP
from lib.charts.layout import AXES
from lib.core.checks.registry import checks_of
from lib.data.demo.source import EmbeddedSource
from tests.browser.actions import MARKUP_NAME, PAGES, TOOLTIP, chart, eventually, hover, in_tooltip, query
from tests.browser.harness import open_app, wait_idle
from tests.demo.specs import demo_id

RUN = demo_id("support-gemma-markup")
FROM_TOP = AXES["top"] + LANE_TOP
"""Pixels from the top of a chart to the first row of marks."""


def spike() -> tuple[int, str]:
    """Step and sentence of the run's only gradient-norm spike."""
    source = EmbeddedSource()
    (run,) = source.load_runs([RUN])
    (finding,) = checks_of(run, source.load_curves([RUN])[RUN]).of("gradient_spike").findings
    return finding.step, finding.sentence


def find_mark(page: Page, name: str) -> None:
    """Move the pointer to the first mark from the left: where the tooltip says what was noticed."""
    box = chart(page, name).bounding_box()
    noticed = page.locator(TOOLTIP).get_by_text("Noticed")
    y = box["y"] + FROM_TOP

    def found() -> bool:
        for x in range(int(0.3 * box["width"]), int(0.7 * box["width"]), 4):
            page.mouse.move(box["x"] + x, y)
            if noticed.count():
                return True
        return False

    eventually(page, found, True)


def test_a_mark_says_what_was_noticed_and_the_list_below_leads_to_all_of_it(page):
    step, sentence = spike()
    open_app(page, run=RUN, zoom=f"{step - 40}~{step + 60}")
    find_mark(page, "gradient norm")
    assert in_tooltip(page) == {"Run": MARKUP_NAME, "Noticed": f"⚠ Warning: {sentence}"}
    # Beside the mark the pointer belongs to the values again.
    assert set(hover(page, "gradient norm", 0.5)) == {"Step", f"● {MARKUP_NAME}"}

    page.locator(".st-key-worst_findings").get_by_role("link").click()
    expect(page.get_by_role("heading", name=PAGES["run_health"], level=1)).to_be_visible()
    wait_idle(page)
    assert query(page)["run"] == [RUN]
    expect(page.get_by_text(MARKUP_NAME, exact=True).first).to_be_visible()
