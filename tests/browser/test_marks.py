"""What was noticed of a run, under a real pointer: its mark on the chart, the tooltip, the way to all of it."""

from __future__ import annotations

from playwright.sync_api import Page

from lib.charts.layout import SMALL_HEIGHT
from lib.core.checks.registry import checks_of
from lib.data.demo.source import EmbeddedSource
from tests.browser.actions import MARKUP_NAME, TOOLTIP, chart, eventually, hover
from tests.browser.harness import open_app
from tests.demo.specs import demo_id

RUN = demo_id("support-gemma-markup")
FROM_TOP = 12 + SMALL_HEIGHT + 22 + 10
"""Pixels from the top of a small chart to its first row of findings: room above, plot, numbers of the axis."""


def spike() -> tuple[int, str]:
    """Step and sentence of the run's only gradient-norm spike."""
    source = EmbeddedSource()
    (run,) = source.load_runs([RUN])
    (finding,) = checks_of(run, source.load_curves([RUN])[RUN]).of("gradient_spike").findings
    return finding.step, finding.sentence


def find_mark(page: Page, name: str) -> None:
    """Move the pointer to the first mark from the left: where the tooltip says what was noticed."""
    box = chart(page, name).bounding_box()
    noticed = page.locator(TOOLTIP).locator("p")
    y = box["y"] + FROM_TOP

    def found() -> bool:
        for x in range(int(0.3 * box["width"]), int(0.7 * box["width"]), 4):
            page.mouse.move(box["x"] + x, y)
            if noticed.count():
                return True
        return False

    eventually(page, found, True)


def test_a_sign_below_the_axis_says_what_was_noticed(page):
    step, sentence = spike()
    open_app(page, run=RUN, zoom=f"{step - 40}~{step + 60}")
    find_mark(page, "gradient norm")
    assert page.locator(TOOLTIP).locator("p").all_inner_texts() == [MARKUP_NAME, f"⚠ Warning: {sentence}"]
    # Beside the sign the pointer belongs to the values again.
    assert set(hover(page, "gradient norm", 0.5)) == {"Step", MARKUP_NAME}


def test_the_lane_has_a_row_of_its_own_for_each_run_with_findings(page):
    heights = []
    for runs in ([RUN], [RUN, demo_id("support-llama-a")]):
        open_app(page, run=runs)
        heights.append(chart(page, "gradient norm").bounding_box()["height"])
    assert heights[1] - heights[0] == 15
