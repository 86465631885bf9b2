"""The charts under a real pointer and keyboard: zoom, hover, pin, options, downloads."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

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
    download,
    drag,
    eventually,
    expect_query,
    go,
    hover,
    in_tooltip,
    picture,
    pinned_at,
    query,
    table,
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
QUEUED = "code-review-qwen-7b"
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
        left, right = (float(hover(page, name, share)["Step"]) for share in (0.2, 0.955))
        assert start <= left <= start + near, name
        assert end - near <= right <= end, name


def test_dragging_zooms_every_chart_again_and_again_until_reset(page, rows):
    open_app(page, run=TWO)
    drag(page, "loss", 0.3, 0.6)
    start, end = zoom_of(page)
    wait_idle(page)
    assert 500 < start < end < 2500
    expect(page.get_by_label("Step from")).to_have_value(f"{start:.0f}")
    expect(page.get_by_label("Step to")).to_have_value(f"{end:.0f}")
    assert_shown(page, start, end, *CHARTS)
    drag(page, "gradient norm", 0.7, 0.4)
    closer_start, closer_end = eventually(page, lambda: zoom_of(page), lambda zoom: zoom != (start, end))
    wait_idle(page)
    assert start < closer_start < closer_end < end
    assert_shown(page, closer_start, closer_end, "loss", "gradient norm")
    page.get_by_role("button", name="Reset zoom").click()
    expect_query(page, "zoom")
    expect(page.get_by_role("button", name="Reset zoom")).to_have_count(0)
    assert_shown(page, 0, rows.loc[rows["run_id"] == TWO[0], "step"].max(), "gradient norm", "GPU memory")


def test_hovering_shows_every_run_and_clicking_pins_the_step_in_all_rows(page, rows):
    open_app(page, run=list(FIVE))
    shown = hover(page, "loss", 0.4)
    step = int(shown.pop("Step"))
    assert shown == {
        f"● {name} ({letter})": at_the_rule(rows, run_id, metric, step)
        for letter, metric in (("T", "train_loss"), ("E", "eval_loss"))
        for run_id, name in NAMES.items()
    }
    shown = hover(page, "gradient norm", 0.9)
    step = int(shown.pop("Step"))
    assert shown == {f"● {name}": at_the_rule(rows, run_id, "grad_norm", step) for run_id, name in NAMES.items()}

    click_at(page, "throughput", 0.5)
    (pin,) = eventually(page, lambda: query(page).get("pin", []), bool)
    wait_idle(page)
    heading = page.get_by_text(f"Pinned at step {int(pin):,}", exact=True)
    expect(heading).to_be_visible()
    # The rule stands in every chart.
    for name in CHARTS:
        assert 0.4 < eventually(page, lambda name=name: pinned_at(page, name), lambda at: at is not None) < 0.6, name
    assert_pinned(page, rows, int(pin))

    go(page, PAGES["ranking"])
    assert query(page)["pin"] == [pin]
    page.go_back()
    expect(heading).to_be_visible()
    wait_idle(page)
    assert_pinned(page, rows, int(pin))
    page.get_by_role("button", name="Unpin").click()
    expect_query(page, "pin")
    expect(heading).to_have_count(0)
    assert [pinned_at(page, name) for name in CHARTS] == [None] * len(CHARTS)


def assert_pinned(page: Page, rows: pd.DataFrame, pin: int) -> None:
    """The table of the pinned step has every metric of every run, as the source has it."""
    header, *lines = table(page, page.get_by_test_id("stMain").get_by_test_id("stDataFrame"))
    assert set(header) == {"Metric", *NAMES.values(), QUEUED}
    wanted = {
        metric_of(metric).axis_title: {run_id: last_before(rows, run_id, metric, pin) for run_id in NAMES}
        for metric in rows["metric"].unique()
    }
    ids = {name: run_id for run_id, name in NAMES.items()}
    shown = {line[0]: dict(zip(header[1:], line[1:], strict=True)) for line in lines}
    assert shown.keys() == wanted.keys()
    for title, cells in shown.items():
        assert cells.pop(QUEUED) == formatting.NOT_RECORDED
        assert cells == {name: wanted[title][run_id] for name, run_id in ids.items()}, title


def test_the_options_change_the_charts_and_the_link(page):
    open_app(page, run=TWO)
    main = page.get_by_test_id("stMain")

    def changes(names: tuple[str, ...], act) -> None:
        before = {name: picture(page, name) for name in names}
        act()
        for name, pixels in before.items():
            eventually(page, lambda name=name: picture(page, name), lambda now, then=pixels: now != then)

    def log() -> None:
        main.get_by_text("Log y", exact=True).click()
        expect_query(page, "log", "1")

    changes(tuple(CHARTS), log)
    assert len(hover(page, "loss", 0.5)) == 5
    main.get_by_role("radio", name="eval", exact=True).click()
    expect_query(page, "loss", "eval")
    assert [name[-3:] for name in hover(page, "loss", 0.5)][1:] == ["(E)", "(E)"]
    main.get_by_role("radio", name="train", exact=True).click()
    expect_query(page, "loss", "train")
    assert [name[-3:] for name in hover(page, "loss", 0.5)][1:] == ["(T)", "(T)"]

    main.get_by_role("combobox", name="x axis").click()
    page.get_by_role("option", name="Epoch").click()
    expect_query(page, "x", "epoch")
    assert 0 < float(hover(page, "GPU memory", 0.5)["Epoch"]) < 3

    main.get_by_role("combobox", name="Further metrics").click()
    page.get_by_role("option", name="Perplexity", exact=True).click()
    expect_query(page, "metric", "perplexity")
    page.keyboard.press("Escape")
    shown = hover(page, "Perplexity of the selected runs", 0.9)
    assert all(float(value.split()[0]) > 1 for name, value in shown.items() if name != "Epoch")


def test_smoothing_is_at_once_and_what_the_server_would_have_drawn(page, app):
    open_app(page, run=list(FIVE))
    slider = page.get_by_test_id("stMain").get_by_role("slider", name="Smoothing")
    raw = {name: picture(page, name) for name in CHARTS}
    # Whoever goes near the slider gets the lines of every weight.
    slider.focus()
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
    page.get_by_test_id("stMain").get_by_text("Log y", exact=True).click()
    expect_query(page, "log", "1")
    assert len(asked) == 1
    page.get_by_test_id("stMain").get_by_role("slider", name="Smoothing").focus()
    wait_idle(page)
    assert len(asked) == 2


def test_a_link_may_ask_for_any_smoothing(page):
    open_app(page, run=TWO)
    raw = picture(page, "gradient norm")
    open_app(page, run=TWO, smooth="0.37")
    slider = page.get_by_test_id("stMain").get_by_role("slider", name="Smoothing")
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
    first = int(in_tooltip(page)["Step"])
    page.keyboard.press("ArrowRight")
    second = int(in_tooltip(page)["Step"])
    assert first < second
    page.keyboard.press("ArrowLeft")
    assert int(in_tooltip(page)["Step"]) == first
    assert [rule.is_visible() for rule in rules.all()] == [True] * len(CHARTS)
    page.keyboard.press("Enter")
    expect_query(page, "pin", str(first))
    page.keyboard.press("Escape")
    expect(page.locator(TOOLTIP)).to_have_count(0)


def test_charts_that_change_before_they_are_drawn_are_drawn_all_the_same(page):
    waiting = []
    page.route("**/app/static/curves.json*", lambda route: waiting.append(route))
    open_app(page, run=TWO)
    eventually(page, lambda: len(waiting), 1)
    page.get_by_test_id("stMain").get_by_text("Log y", exact=True).click()
    expect_query(page, "log", "1")
    waiting[0].continue_()
    assert len(hover(page, "loss", 0.5)) == 1 + 2 * len(TWO)
    assert page.locator(".runoff-plot canvas").count() == len(CHARTS)


def test_without_its_scripts_the_page_says_what_is_missing_and_shows_the_rest(page):
    broken = {"body": "throw new Error('not served')", "content_type": "text/javascript"}
    page.route("**/app/static/charts.js*", lambda route: route.fulfill(**broken))
    open_app(page, run=TWO)
    expect(page.get_by_text("The charts are drawn by the files in static/")).to_contain_text("not served")
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()


def test_a_chart_can_be_kept_as_data_and_as_a_picture(page, rows):
    run_id = demo_id("support-gemma-markup")
    open_app(page, run=[run_id], zoom="1000~2000")
    page.get_by_role("button", name="Download a chart").click()
    saved = list(csv.DictReader(io.StringIO(download(page, "download_CSV").decode())))
    inside = rows[(rows["run_id"] == run_id) & rows["step"].between(1000, 2000)]
    inside = inside[inside["metric"].isin(["train_loss", "eval_loss"])]
    assert [(row["run"], row["metric"], int(row["step"]), float(row["value"])) for row in saved] == [
        (MARKUP_NAME, row.metric, row.step, row.value) for row in inside.itertuples()
    ]
    assert download(page, "download_PNG").startswith(b"\x89PNG\r\n\x1a\n")
    svg = download(page, "download_SVG").decode()
    assert svg.startswith("<svg")
    assert "support-bot &lt;b&gt;v2&lt;/b&gt; | rank 64" in re.sub(r"\s+", " ", svg)
    expect(chart(page, "loss")).to_be_visible()
