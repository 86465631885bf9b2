"""The charts under a real pointer and keyboard: zoom, hover, pin, options, downloads."""

from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree

import pandas as pd
import pytest
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
    chart,
    click_at,
    drag,
    eventually,
    expect_query,
    go,
    grid_column,
    hover,
    in_tooltip,
    keep,
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
TWO = [demo_id("support-gemma-markup"), demo_id("legal-gemma-linear")]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return frame_of(EmbeddedSource().load_curves(FIVE).values())


def last_before(rows: pd.DataFrame, run_id: str, metric: str, step: float) -> str:
    """The value that a run had at a step, as the app writes it, with its place where that is earlier."""
    found = rows[(rows["run_id"] == run_id) & (rows["metric"] == metric)]
    before = found[found["step"] <= step]
    if before.empty:
        return formatting.NOT_RECORDED
    last = before.iloc[-1]
    text = formatting.shower(metric_of(metric).spec)(last["value"])
    return text if last["step"] == step else f"{text} (at {last['step']:,})"


def at_the_rule(rows: pd.DataFrame, run_id: str, metric: str, step: float) -> str:
    """The same; a curve that ends before the step has no value there."""
    end = rows.loc[(rows["run_id"] == run_id) & (rows["metric"] == metric), "step"].max()
    return last_before(rows, run_id, metric, step) if step <= end else formatting.NOT_RECORDED


def zoom_of(page: Page) -> tuple[float, float]:
    """The range in the address, once there is one."""
    (text,) = eventually(page, lambda: query(page).get("zoom", []), bool)
    start, end = map(float, text.split("~"))
    return start, end


def assert_shown(page: Page, start: float, end: float, *charts: str) -> None:
    """The tooltips near both ends of these charts are of steps near both ends of the range."""
    near = 0.2 * (end - start)
    for name in charts:
        # The names of the runs stand at the right of the loss.
        shares = (0.12, 0.78) if name == "loss" else (0.2, 0.94)
        left, right = (float(hover(page, name, share)["Step"][0]) for share in shares)
        assert start <= left <= start + near, name
        assert end - near <= right <= end, name


def test_dragging_zooms_every_chart_again_and_again_until_reset(page, rows):
    open_app(page, run=TWO)
    drag(page, "loss", 0.25, 0.5)
    start, end = zoom_of(page)
    wait_idle(page)
    assert 500 < start < end < 2500
    expect(page.get_by_label("Step from")).to_have_value(f"{start:,.0f}")
    expect(page.get_by_label("Step to")).to_have_value(f"{end:,.0f}")
    assert_shown(page, start, end, *CHARTS)
    drag(page, "gradient norm", 0.7, 0.4)
    closer_start, closer_end = eventually(page, lambda: zoom_of(page), lambda zoom: zoom != (start, end))
    wait_idle(page)
    assert start < closer_start < closer_end < end
    assert_shown(page, closer_start, closer_end, "loss", "gradient norm")
    reset = page.get_by_role("button", name="Reset the range")
    reset.click()
    expect_query(page, "zoom")
    expect(reset).to_be_disabled()
    assert_shown(page, 0, rows.loc[rows["run_id"] == TWO[0], "step"].max(), "gradient norm", "GPU memory")


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
    shown = hover(page, "gradient norm", 0.9)
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
            if (value := last_before(rows, run_id, metric, pin)) != formatting.NOT_RECORDED
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


def test_the_options_change_the_charts_and_the_link(page):
    open_app(page, run=TWO)
    main = page.get_by_test_id("stMain")

    def changes(names: tuple[str, ...], act) -> None:
        before = {name: picture(page, name) for name in names}
        act()
        for name, pixels in before.items():
            eventually(page, lambda name=name: picture(page, name), lambda now, then=pixels: now != then)

    def log() -> None:
        main.get_by_label("Log", exact=True).click()
        expect_query(page, "log", "1")

    changes(tuple(CHARTS), log)
    assert hover(page, "loss", 0.5)["Step"][1:] == ["Eval", "Train"]
    for mode, columns in (("eval", ["Eval"]), ("train", ["Train"])):
        changes(("loss",), lambda name=columns[0]: main.get_by_role("radio", name=name, exact=True).check(force=True))
        expect_query(page, "loss", mode)
        assert hover(page, "loss", 0.5)["Step"][1:] == columns

    main.get_by_role("combobox", name="x axis").select_option("Epoch")
    expect_query(page, "x", "epoch")
    assert 0 < float(hover(page, "GPU memory", 0.5)["Epoch"][0]) < 3

    main.get_by_role("button", name="+ Perplexity", exact=True).click()
    expect_query(page, "metric", "perplexity")
    shown = hover(page, "Perplexity", 0.9)
    assert all(float(value.split()[0]) > 1 for name, (value, *_) in shown.items() if name != "Epoch")
    main.get_by_role("button", name="✓ Perplexity", exact=True).click()
    expect_query(page, "metric")
    expect(page.locator('figure[aria-label="Perplexity"]')).to_have_count(0)


def test_a_range_can_be_typed_one_end_at_a_time(page):
    open_app(page, run=TWO)
    first, last = page.get_by_label("Step from"), page.get_by_label("Step to")
    end = last.input_value().replace(",", "")
    first.fill("1,000")
    first.press("Enter")
    expect_query(page, "zoom", f"1000~{end}")
    last.fill("1200")
    last.press("Tab")
    expect_query(page, "zoom", "1000~1200")
    # The ends may be typed in any order; what leaves nothing between them is no range.
    last.fill("900")
    last.press("Enter")
    expect_query(page, "zoom", "900~1000")
    expect(first).to_have_value("900")
    last.fill("900")
    last.press("Enter")
    expect_query(page, "zoom")
    expect(last).to_have_value(f"{int(end):,}")


def test_outliers_are_ignored_where_the_start_dwarfs_the_rest_and_shown_when_asked_for(page):
    open_app(page, run=list(FIVE[:2]))
    box, outside = page.get_by_label("Ignore outliers"), page.locator(".runoff-outside").first
    expect(box).to_be_checked()
    expect(outside).to_have_text(re.compile(r"^\d+ of 1,\d+ points lie outside$"))
    before = picture(page, "loss")
    box.uncheck()
    expect_query(page, "outliers", "shown")
    expect(outside).to_have_text("")
    assert picture(page, "loss") != before
    box.check()
    expect_query(page, "outliers", "ignored")
    eventually(page, lambda: picture(page, "loss"), before)


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


def smoothing(page: Page) -> Locator:
    return page.get_by_role("slider", name="Smoothing")


def test_smoothing_is_at_once_and_what_the_server_would_have_drawn(page, app):
    open_app(page, run=list(FIVE))
    slider = smoothing(page)
    raw = {name: picture(page, name) for name in CHARTS}
    # Whoever goes near the slider gets the lines of every weight.
    slider.focus()
    page.wait_for_selector(".runoff-component[data-smoothing=here]", state="attached")
    wait_idle(page)

    def pictures() -> dict[str, str]:
        return {name: picture(page, name) for name in CHARTS}

    with app.paused():
        for _ in range(9):
            page.keyboard.press("ArrowRight")
        expect(slider).to_have_attribute("aria-valuetext", "0.9")
        smooth = eventually(page, pictures, lambda now: all(now[name] != raw[name] for name in CHARTS))
        page.keyboard.press("Home")
        eventually(page, pictures, raw)
        page.keyboard.press("End")
    expect_query(page, "smooth", "0.99")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect_query(page, "smooth", "0.9")
    eventually(page, pictures, smooth)
    page.reload()
    wait_idle(page)
    eventually(page, pictures, smooth)


def test_who_leaves_the_slider_alone_asks_the_server_for_nothing_more(page):
    asked = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(frame)))
    open_app(page, run=TWO)
    eventually(page, lambda: page.frame_locator("iframe").locator(".ag-row").count(), bool)
    wait_idle(page)
    asked.clear()
    page.get_by_label("Log", exact=True).click()
    expect_query(page, "log", "1")
    assert len(asked) == 1
    smoothing(page).focus()
    eventually(page, lambda: len(asked), lambda now: now > 1)


def test_a_link_may_ask_for_any_smoothing(page):
    open_app(page, run=TWO)
    raw = picture(page, "gradient norm")
    open_app(page, run=TWO, smooth="0.37")
    slider = smoothing(page)
    expect(slider).to_have_attribute("aria-valuetext", "0.37")
    eventually(page, lambda: picture(page, "gradient norm"), lambda now: now != raw)
    slider.focus()
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    expect_query(page, "smooth", "0.4")
    smooth = picture(page, "gradient norm")
    page.go_back()
    expect_query(page, "smooth", "0.37")
    eventually(page, lambda: picture(page, "gradient norm"), lambda now: now not in (smooth, raw))


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
