"""The charts under a real pointer and keyboard: hover, pin, bringing a run out."""

from __future__ import annotations

import pandas as pd
from playwright.sync_api import Locator, Page, expect

from lib.core.curves.metric_curves import frame_of
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting
from lib.data.demo.source import EmbeddedSource
from tests.browser.actions import (
    CHARTS,
    FIVE,
    MARKUP_NAME,
    PAGES,
    TOOLTIP,
    TWO,
    chart,
    click_at,
    eventually,
    expect_query,
    go,
    grid_column,
    hover,
    in_tooltip,
    picture,
    pinned_at,
    query,
)
from tests.browser.harness import open_app, wait_idle
from tests.demo.specs import demo_id

NAMES = {
    demo_id("support-llama-a"): "support-llama-8b · lr 5e-5",
    demo_id("support-llama-e"): "support-llama-8b · lr 5e-4",
    demo_id("support-gemma-markup"): MARKUP_NAME,
    demo_id("support-qwen-diverges"): "support-qwen-7b",
}
"""What those of the five runs are called that logged metrics."""


def nearest(rows: pd.DataFrame, run_id: str, metric: str, step: float) -> str:
    """The value that a run logged nearest to a step, as the app writes it, with its place where that is another one."""
    found = rows[(rows["run_id"] == run_id) & (rows["metric"] == metric)]
    if found.empty:
        return formatting.NOT_RECORDED
    closest = found.iloc[(found["step"] - step).abs().argmin()]
    text = formatting.shower(metric_of(metric).spec)(closest["value"])
    return text if closest["step"] == step else f"{text} (at {closest['step']:,})"


def at_the_rule(rows: pd.DataFrame, run_id: str, metric: str, step: float) -> str:
    """The same; a curve that ends well before the step has no value there."""
    steps = rows.loc[(rows["run_id"] == run_id) & (rows["metric"] == metric), "step"]
    apart = (steps.max() - steps.min()) / max(len(steps) - 1, 1)
    is_there = steps.min() - apart <= step <= steps.max() + apart
    return nearest(rows, run_id, metric, step) if is_there else formatting.NOT_RECORDED


def test_hovering_shows_every_run_and_clicking_pins_the_step_in_all_rows(page, rows):
    open_app(page, run=list(FIVE))
    shown = hover(page, "loss", 0.4)
    step, *columns = shown.pop("Step")
    assert columns == ["Eval", "Train"]
    assert shown == {
        name: [at_the_rule(rows, run_id, metric, int(step)) for metric in ("eval_loss", "train_loss")]
        for run_id, name in NAMES.items()
    }
    shown_values = [float(evaluated.split()[0]) for evaluated, _ in shown.values() if evaluated[0].isdigit()]
    assert shown_values == sorted(shown_values), "the lowest first"
    shown = hover(page, "gradient norm", 0.5)
    step, _ = shown.pop("Step")
    assert shown == {name: [at_the_rule(rows, run_id, "grad_norm", int(step))] for run_id, name in NAMES.items()}

    click_at(page, "throughput", 0.5)
    (pin,) = eventually(page, lambda: query(page).get("pin", []), bool)
    wait_idle(page)
    heading = panel(page).get_by_text(f"Step {int(pin):,}", exact=True)
    expect(heading).to_be_visible()
    # The rule stands in every chart.
    for name in CHARTS:
        assert 0.3 < eventually(page, lambda name=name: pinned_at(page, name), lambda at: at is not None) < 0.6, name
    assert_pinned(page, rows, int(pin))

    go(page, PAGES["ranking"])
    assert query(page)["pin"] == [pin]
    page.go_back()
    expect(heading).to_be_visible()
    wait_idle(page)
    assert_pinned(page, rows, int(pin))
    page.get_by_role("button", name="Unpin").click()
    expect_query(page, "pin")
    expect(panel(page)).to_be_hidden()
    assert [pinned_at(page, name) for name in CHARTS] == [None] * len(CHARTS)


def panel(page: Page) -> Locator:
    """What stands beside the charts while a step is pinned."""
    return page.get_by_role("complementary", name="The pinned step")


def assert_pinned(page: Page, rows: pd.DataFrame, pin: int) -> None:
    """The panel has every metric of every run, as the source has it."""
    panel(page).get_by_text("All metrics here").click()
    read = """tables => Object.fromEntries(tables.map(table => [table.caption.textContent,
        Object.fromEntries([...table.rows].map(row => [row.cells[0].title, row.cells[1].textContent]))]))"""
    shown = panel(page).locator("details table").evaluate_all(read)
    wanted = {
        metric_of(metric).axis_title: {
            name: value
            for run_id, name in NAMES.items()
            if (value := nearest(rows, run_id, metric, pin)) != formatting.NOT_RECORDED
        }
        for metric in rows["metric"].unique()
    }
    assert shown == wanted


def test_the_pinned_step_stands_beside_the_chart_and_the_keyboard_goes_on_from_it(page, rows):
    open_app(page, run=TWO, pin="500")
    plot, beside = page.locator(".runoff-main").bounding_box(), panel(page).bounding_box()
    assert beside["width"] == 262
    assert plot["x"] + plot["width"] <= beside["x"] + 1
    assert plot["y"] <= beside["y"] <= plot["y"] + plot["height"]
    button = page.get_by_role("button", name="Next evaluation")
    button.focus()
    page.keyboard.press("Enter")
    (step,) = eventually(page, lambda: query(page).get("pin", []), lambda found: found != ["500"])
    source = frame_of(EmbeddedSource().load_curves(TWO).values())
    evaluated = source.loc[source["metric"] == "eval_loss", "step"]
    assert int(step) == evaluated[evaluated > 500].min()
    wait_idle(page)
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect_query(page, "pin")
    # From the chart that was clicked too.
    click_at(page, "loss", 0.5)
    eventually(page, lambda: query(page).get("pin", []), bool)
    wait_idle(page)
    page.keyboard.press("Escape")
    expect_query(page, "pin")


BROUGHT_OUT = "() => document.documentElement.dataset.runShown"


def test_a_run_is_brought_out_by_its_line_its_label_and_the_keyboard_and_a_click_holds_it(page):
    open_app(page, run=list(FIVE[:2]))
    canvas = chart(page, "loss")
    box, before = canvas.bounding_box(), {name: picture(page, name) for name in CHARTS}
    label_x = box["x"] + box["width"] - 60

    def on_a_label() -> bool:
        for y in range(int(box["y"] + 30), int(box["y"] + 330), 4):
            page.mouse.move(label_x, y)
            if page.evaluate(BROUGHT_OUT) is not None:
                return True
        return False

    # The table comes late, and may move the page under the pointer.
    eventually(page, lambda: len(grid_column(page, "run")), 2)
    box = chart(page, "loss").bounding_box()
    eventually(page, on_a_label, True)
    slot = page.evaluate(BROUGHT_OUT)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(1, 1)
    assert page.evaluate(BROUGHT_OUT) == slot
    shown = {name: picture(page, name) for name in CHARTS}
    assert [name for name in CHARTS if shown[name] == before[name]] == [], "in all charts"
    page.keyboard.press("Escape")
    assert page.evaluate(BROUGHT_OUT) is None
    eventually(page, lambda: {name: picture(page, name) for name in CHARTS}, before)
    canvas.locator("xpath=ancestor::*[@tabindex][1]").focus()
    found = set()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
        found.add(page.evaluate(BROUGHT_OUT))
    assert len(found - {None}) == 2


def test_the_loss_chart_says_in_words_what_it_shows(page):
    open_app(page, run=TWO)
    said = chart(page, "loss").get_attribute("aria-label")
    assert said.startswith("Eval loss by step, train loss behind it. ")
    assert said.count("lowest") == 2


def test_the_rule_stands_in_every_chart_and_the_keyboard_moves_and_pins_it(page):
    open_app(page, run=TWO)
    rules = page.locator(".runoff-rule")
    hover(page, "throughput", 0.4)
    assert [rule.is_visible() for rule in rules.all()] == [True] * len(CHARTS)
    page.mouse.move(1, 1)
    assert [rule.is_visible() for rule in rules.all()] == [False] * len(CHARTS)

    chart(page, "gradient norm").locator("xpath=ancestor::*[@tabindex][1]").focus()
    page.keyboard.press("ArrowRight")
    first = int(in_tooltip(page)["Step"][0])
    page.keyboard.press("ArrowRight")
    second = int(in_tooltip(page)["Step"][0])
    assert first < second
    page.keyboard.press("ArrowLeft")
    assert int(in_tooltip(page)["Step"][0]) == first
    assert [rule.is_visible() for rule in rules.all()] == [True] * len(CHARTS)
    page.keyboard.press("Enter")
    expect_query(page, "pin", str(first))
    page.keyboard.press("Escape")
    expect(page.locator(TOOLTIP)).to_have_count(0)


def test_without_its_scripts_the_page_says_what_is_missing_and_shows_the_rest(page):
    broken = {"body": "throw new Error('not served')", "content_type": "text/javascript"}
    page.route("**/app/static/charts.js*", lambda route: route.fulfill(**broken))
    open_app(page, run=TWO)
    expect(page.get_by_text("This is drawn by the files in static/")).to_contain_text("not served")
    expect(page.get_by_role("heading", name="Table")).to_be_visible()
