"""A report as one file: opened in a browser that has no network, in both themes and on paper."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import COLORS
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.report.compared import judge
from lib.report.page import page as report_page
from tests.report.judged import judged, run

HOSTILE = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>\"'&\u202e`${1}"


def hostile():
    """A comparison whose names, settings, metrics and notes are all hostile, with values that are no numbers."""
    plain = judged(run("a", 0.5, note=HOSTILE), run("b", 0.6, note="x"))
    curve = plain.curves["a"].curves["eval_loss"]
    values = np.where(np.arange(len(curve)) > 25, np.nan, curve.value)
    bad = complete_curve(curve.step, values, curve.epoch, curve.elapsed_s)
    curves = {**plain.curves, "a": RunCurves("a", {**plain.curves["a"].curves, "eval_loss": bad, HOSTILE: curve})}
    return judge(plain.stored, curves, {"a": HOSTILE, "b": "b"}, None)


A4 = (0, 0, 595, 842)
"""In points."""
PAPER_PX = (297 - 2 * 14) / 25.4 * 96
"""How high a page is within its margins."""


def budgeted():
    """A comparison of runs whose samples are known."""
    return judged(run("a", 0.5, batch_size=4, learning_rate=1e-4), run("b", 0.6, batch_size=4, learning_rate=2e-4))


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report from its file without a network; gives the page and what was said in its console."""
    contexts = []

    def open_report(text, **how):
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(offline=True, **how)
        contexts.append(context)
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(path.as_uri())
        page.locator(".chart svg").first.wait_for()
        return page, said

    yield open_report
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_without_a_network_and_shows_its_charts(opened, scheme):
    text = report_page(judged(run("a", 0.5, learning_rate=1e-4), run("b", 0.6, learning_rate=2e-4)), made="Made now")
    assert len(text.encode()) < 3 * 2**20
    page, said = opened(text, color_scheme=scheme)
    assert said == []
    assert page.get_by_role("heading", level=1).inner_text() == "Ship a"
    assert page.locator(".chart svg").count() >= 1
    assert page.locator(".chart svg path").count() > 10
    assert "The difference in eval loss can be credited with learning rate." in page.inner_text("main")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(23, 22, 20)")


def test_nothing_foreign_in_it_runs(opened):
    page, said = opened(report_page(hostile(), "javascript:alert(1)"))
    assert page.evaluate("window.hit") is None
    assert page.locator("main img, main script").count() == 0
    assert page.locator("a").count() == 0
    assert said == []
    assert "<script>window.hit=1" in page.inner_text("main")


def test_a_foreign_metric_that_decides_is_text_too(opened):
    name = "eval_<img src=x onerror='window.hit=1'>_accuracy"
    plain = judged(run("a", 0.5), run("b", 0.6))
    curves = {
        run_id: RunCurves(run_id, {**each.curves, name: each.curves["eval_loss"]})
        for run_id, each in plain.curves.items()
    }
    text = report_page(judge(plain.stored, curves, {"a": "a", "b": "b"}, None, by=name, baseline="a"))
    page, said = opened(text, viewport={"width": 390, "height": 800})
    assert "img src=x" in page.inner_text("main")
    assert page.evaluate("window.hit") is None
    assert page.locator("main img").count() == 0
    assert said == []


@pytest.mark.parametrize("width", [390, 1000])
def test_charts_fill_their_card_and_begin_at_one_line(opened, width):
    plain = judged(run("a", 0.5), run("b", 0.6))
    curve = plain.curves["a"].curves["eval_loss"]
    large = complete_curve(curve.step, curve.value * 54_321, curve.epoch, curve.elapsed_s)
    curves = {**plain.curves, "a": RunCurves("a", {**plain.curves["a"].curves, "grad_norm": large})}
    text = report_page(judge(plain.stored, curves, {"a": "a", "b": "b"}, None))
    page, _ = opened(text, viewport={"width": width, "height": 900})
    # The picture of quality against cost, whose axes have titles of their own, stands in another card.
    curves_card = page.locator("section").filter(has=page.get_by_role("heading", name="Curves", exact=True))
    places = curves_card.locator(".chart svg").evaluate_all("""drawn => drawn.map(svg => {
        const card = svg.closest('.chart').getBoundingClientRect();
        const grid = svg.querySelector('.mark-rule.role-axis-grid').getBoundingClientRect();
        return [svg.getBoundingClientRect().width / card.width, grid.left - card.left];
    })""")
    assert len(places) > 1
    assert all(share > 0.97 for share, _ in places)
    assert max(left for _, left in places) - min(left for _, left in places) < 2


def test_on_a_phone_nothing_of_the_ranking_lies_beside_the_page(opened):
    compared = judged(*(run(f"a-rather-long-name-of-a-run-{at}", 0.5 + at / 10) for at in range(5)))
    page, _ = opened(report_page(compared), viewport={"width": 390, "height": 844})
    ranking = page.locator(".stacks")
    assert ranking.evaluate("each => each.scrollWidth <= each.clientWidth")
    assert "behind the best" in ranking.inner_text()
    # What scrolls shows by its ground that there is more, and can be scrolled by keys.
    scrolls = page.locator(".scrolls").first
    assert scrolls.get_attribute("tabindex") == "0"
    assert "radial-gradient" in scrolls.evaluate("each => getComputedStyle(each).backgroundImage")


def test_on_paper_no_chart_is_wider_than_the_page(opened):
    page, _ = opened(report_page(judged(run("a", 0.5), run("b", 0.6))), viewport={"width": 690, "height": 980})
    page.emulate_media(media="print")
    page.locator(".chart svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pdf = page.pdf(prefer_css_page_size=True)
    assert {tuple(map(round, map(float, box.split()))) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", pdf)} == {A4}


def test_on_paper_no_chart_is_cut_and_all_are_light(opened):
    page, _ = opened(report_page(budgeted()), viewport={"width": 690, "height": 980}, color_scheme="dark")
    assert page.locator("figure").count() == 2
    page.emulate_media(media="print")
    expect(page.locator("figure .chart svg").last).to_be_visible()
    for figure in page.locator("figure").all():
        assert figure.evaluate("e => getComputedStyle(e).breakInside") == "avoid"
        assert figure.bounding_box()["height"] < PAPER_PX
        chart, whole = figure.locator(".chart").bounding_box(), figure.locator("svg").bounding_box()
        assert whole["width"] <= chart["width"] + 1
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    labels = page.locator("figure svg text").evaluate_all("all => [...new Set(all.map(e => e.getAttribute('fill')))]")
    assert set(labels) <= {COLORS["muted"][0], COLORS["text"][0]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_quality_against_cost_is_drawn_in_the_colours_of_the_page(opened, scheme):
    page, said = opened(report_page(budgeted()), color_scheme=scheme)
    assert said == []
    figure = page.locator("figure").filter(has_text="Quality against samples")
    expect(figure.locator("svg")).to_be_visible()
    strokes = figure.locator("svg path").evaluate_all("all => all.map(e => e.getAttribute('stroke'))")
    assert COLORS["text"][scheme == "dark"] in strokes, "the front"
    assert set(RUN_COLORS[:2]) <= {
        *strokes,
        *figure.locator("svg path").evaluate_all("all => all.map(e => e.getAttribute('fill'))"),
    }
