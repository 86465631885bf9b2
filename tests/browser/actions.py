"""What a person does on the pages of the app, and reads from them. Every wait is for a condition."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.harness import TIMEOUT_S, wait_idle
from tests.demo.specs import demo_id

expect.set_options(timeout=1000 * TIMEOUT_S)

CHARTS = {
    "loss": "Loss",
    "learning rate": "Learning rate",
    "gradient norm": "Gradient norm",
    "throughput": "Throughput (tokens/s)",
    "GPU memory": "GPU memory (GB)",
}
"""The charts of the demo runs, and their accessible names."""

TWO = [demo_id("support-gemma-markup"), demo_id("legal-gemma-linear")]
"""Two runs of the demo that log everything."""

TOOLTIP = ".runoff-tooltip"
"""The tooltip of a chart; there is at most one."""

PAGES = {
    "": "Compare runs",
    "hyperparameters": "Hyperparameter diff",
    "run_health": "Run health",
    "ranking": "How runs are ranked",
}
"""Path and title of every page."""

FIVE = tuple(
    map(
        demo_id,
        (
            *("support-llama-a", "support-llama-e", "support-gemma-markup"),
            *("reviews-qwen-queued", "support-qwen-diverges"),
        ),
    )
)
"""Two namesakes, a name with markup, a run without any metrics, and a failed one with NaN."""
MARKUP_NAME = "support-bot <b>v2</b> | rank 64"

CLICK_AS_IT_SETTLES = """name => {
  let at;
  addEventListener('pointermove', ({ clientX, clientY }) => { at = [clientX, clientY]; }, true);
  const watcher = new MutationObserver(() => {
    if (document.querySelector('.runs-selected li input')?.ariaLabel !== name) return;
    watcher.disconnect();
    const run = document.elementFromPoint(...at).closest('li');
    const click = new MouseEvent('click', { bubbles: true, cancelable: true, composed: true, detail: 1 });
    run.querySelector('label').dispatchEvent(click);
    window.clicked = { isRefused: click.defaultPrevented, label: run.querySelector('input').ariaLabel };
  });
  watcher.observe(document.querySelector('.runs-selected'), { childList: true });
}"""
"""Clicks what lies below the pointer as soon as a run of that name stands among the selected ones."""


def eventually(page: Page, read: Callable[[], object], wanted: Callable[[object], bool] | object) -> object:
    """Wait until ``read()`` is ``wanted``, or ``wanted`` says yes to it; return what was read."""
    accept = wanted if callable(wanted) else lambda value: value == wanted
    deadline = time.monotonic() + TIMEOUT_S
    while not accept(value := read()):
        assert time.monotonic() < deadline, f"still {value!r}" + ("" if callable(wanted) else f", not {wanted!r}")
        page.wait_for_timeout(50)
    return value


def query(page: Page) -> dict[str, list[str]]:
    """The parameters of the address."""
    return parse_qs(urlsplit(page.url).query)


def expect_query(page: Page, name: str, *values: str) -> None:
    """Wait until the address has just these values of a parameter, and the page shows what they mean."""
    eventually(page, lambda: query(page).get(name, []), list(values))
    wait_idle(page)


def line(page: Page, label: str) -> Locator:
    """The line of the run that the list calls so."""
    return page.locator(".runs li").filter(
        has=page.locator(f"input[aria-label={json.dumps(label, ensure_ascii=False)}]")
    )


def tick(page: Page, label: str) -> None:
    """Click a run's check box."""
    line(page, label).locator("input").click()


def listed(page: Page) -> list[str]:
    """The labels of the runs in the list: the selected ones, then the others."""
    return page.locator(".runs li input").evaluate_all("boxes => boxes.map(box => box.ariaLabel)")


def checked(page: Page) -> list[str]:
    """The labels of the runs that are ticked, as listed."""
    return page.locator(".runs li input:checked").evaluate_all("boxes => boxes.map(box => box.ariaLabel)")


def expect_selected(page: Page, count: int) -> None:
    """Wait until the list says that so many runs are selected."""
    expect(page.locator(".runs-many")).to_have_text(f"{count} of 5")


def go(page: Page, title: str) -> None:
    """Go to another page by the menu."""
    page.get_by_test_id("stPageLink").get_by_role("link", name=title).first.click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    wait_idle(page)


def chart(page: Page, name: str) -> Locator:
    """The canvas of a chart, scrolled into view."""
    canvas = page.locator(f'figure[aria-label="{CHARTS.get(name, name)}"] canvas')
    canvas.scroll_into_view_if_needed()
    return canvas


def at(canvas: Locator, share: float) -> tuple[float, float]:
    """The place on a chart this share of its width from the left, in the middle of its height."""
    box = canvas.bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def hover(page: Page, name: str, share: float) -> dict[str, list[str]]:
    """Hold the pointer over a chart and read its tooltip, once it has come up anew."""
    canvas = chart(page, name)
    tooltip = page.locator(TOOLTIP)
    page.mouse.move(1, 1)
    expect(tooltip).to_have_count(0)
    # What is said of a run beside the list stays while the pointer is on it, and may lie over the chart.
    expect(page.locator(".runs-tip")).to_be_hidden()

    def shows() -> bool:
        # A hand is never still; a chart that is just being drawn misses the first move, and one may still be moved.
        x, y = at(canvas, share)
        page.mouse.move(x - 2, y)
        page.mouse.move(x, y)
        return tooltip.count() == 1

    eventually(page, shows, True)
    return in_tooltip(page)


def in_tooltip(page: Page) -> dict[str, list[str]]:
    """The lines of the tooltip that is shown: the position under the name of the axis, and the values of each run."""
    read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    (head, *columns), *others = page.locator(TOOLTIP).locator("tr").evaluate_all(read)
    axis, _, place = head.rpartition(" ")
    return {axis: [place.replace(",", ""), *columns], **{name: values for name, *values in others}}


def click_at(page: Page, name: str, share: float) -> None:
    """Click a chart this share of its width from the left."""
    x, y = at(chart(page, name), share)
    page.mouse.move(x - 2, y)
    page.mouse.click(x, y)


def drag(page: Page, name: str, start: float, end: float) -> None:
    """Drag across a chart from one share of its width to another."""
    canvas = chart(page, name)
    page.mouse.move(*at(canvas, start))
    page.mouse.down()
    page.mouse.move(*at(canvas, (start + end) / 2), steps=4)
    page.mouse.move(*at(canvas, end), steps=4)
    page.mouse.up()


def pinned_at(page: Page, name: str) -> float | None:
    """Where the pin stands on a chart, as a share of its width; ``None`` where it is out of view."""
    box = chart(page, name).bounding_box()
    pin = chart(page, name).locator("xpath=ancestor::figure").locator(".runoff-pin")
    return (pin.bounding_box()["x"] - box["x"]) / box["width"] if pin.is_visible() else None


def picture(page: Page, name: str) -> str:
    """The pixels of a chart, as a digest."""
    return sha256(chart(page, name).evaluate("canvas => canvas.toDataURL()").encode()).hexdigest()


def table(page: Page, frame: Locator) -> list[list[str]]:
    """Header and rows of an ``st.dataframe`` that are in view, as screen readers get them."""
    # It is drawn late, and only where it can be seen.
    frame.scroll_into_view_if_needed()
    read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return eventually(page, lambda: frame.locator("table tr").evaluate_all(read), bool)


def cells(table: Locator) -> list[list[str]]:
    """Header and rows of the first table of a card, as a wide window shows them."""
    read = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    return table.first.locator("tr").evaluate_all(read)


def grid(page: Page) -> FrameLocator:
    """The summary table, which lives in a frame."""
    return page.frame_locator(".st-key-summary_card iframe")


def grid_column(page: Page, key: str) -> list[str]:
    """The cells of a column of the summary table, from top to bottom."""
    cells = grid(page).locator(f'[role=gridcell][col-id="{key}"]')
    return cells.evaluate_all(
        """cells => cells
            .map(cell => [Number(cell.closest('[row-index]').getAttribute('row-index')), cell.innerText.trim()])
            .sort((one, other) => one[0] - other[0])
            .map(([, text]) => text)"""
    )


def sort_by(page: Page, header: str) -> None:
    """Click a header of the summary table."""
    grid(page).get_by_role("columnheader", name=header, exact=True).locator(".ag-header-cell-text").click()


def export(page: Page, key: str) -> bytes:
    """Choose the file of this key in the menu of its table, and read it."""
    table = key.rpartition("_")[0]
    page.locator(f".st-key-{table}_files button").click()
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key} button").click()
    page.keyboard.press("Escape")
    return waiting.value.path().read_bytes()


def keep(page: Page, what: str) -> bytes:
    """Choose what the charts' menu calls so, and read the file."""
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name=what, exact=True).click()
    return waiting.value.path().read_bytes()
