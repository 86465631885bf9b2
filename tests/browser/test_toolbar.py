"""What the toolbar above the charts changes, by pointer and by keyboard."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from playwright.sync_api import expect

from tests.browser.actions import CHARTS, FIVE, TWO, chart, eventually, expect_query, hover, keep, picture, query
from tests.browser.harness import open_app, wait_idle


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


FOCUSED = """() => {
    const now = document.activeElement;
    return now.ariaLabel ?? now.value ?? now.textContent;
}"""


def test_the_toolbar_is_one_tab_stop_in_which_arrows_move(page):
    open_app(page, run=TWO, zoom="500~1500")
    toolbar = page.get_by_role("toolbar", name="How the charts are looked at")
    assert toolbar.locator("[tabindex='0']").count() == 1
    page.get_by_role("radio", name="Eval + train").focus()
    seen = [page.evaluate(FOCUSED)]
    page.keyboard.press("ArrowRight")
    while page.evaluate(FOCUSED) != seen[0] and len(seen) < 20:
        seen.append(page.evaluate(FOCUSED))
        page.keyboard.press("ArrowRight")
    assert len(seen) == 13, "round, through all controls"
    assert seen.index("x axis") < seen.index("Step from") < seen.index("Step to") < seen.index("Download")
    # Where it was left, Tab comes back to.
    page.get_by_role("button", name="Download", exact=True).focus()
    page.keyboard.press("Tab")
    assert not toolbar.evaluate("bar => bar.contains(document.activeElement)")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED) == "Download"
    # What needs the arrows itself has those up and down.
    slider = page.get_by_role("slider", name="Smoothing")
    slider.focus()
    page.keyboard.press("ArrowUp")
    expect_query(page, "smooth", "0.1")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(FOCUSED) == "x axis"


def test_outliers_stay_as_they_were_set_when_the_range_changes(page):
    open_app(page, run=list(FIVE[:2]))
    box = page.get_by_label("Ignore outliers")
    expect(box).to_be_checked()
    # A part of which the start dwarfs nothing.
    page.get_by_label("Step from").fill("1000")
    page.keyboard.press("Enter")
    wait_idle(page)
    assert query(page)["zoom"]
    expect(box).to_be_checked()
    box.uncheck()
    expect_query(page, "outliers", "shown")
    page.get_by_role("button", name="Reset the range").click()
    expect_query(page, "zoom")
    expect(box).not_to_be_checked()


def test_runs_that_do_not_compare_are_offered_as_a_share_of_their_own_start(page):
    open_app(page, run=TWO)
    both = page.locator('figure[aria-label="Loss"], figure[aria-label="Eval loss"]').locator("figcaption")
    expect(both).to_contain_text("compare")
    page.get_by_role("radio", name="% of first").check(force=True)
    expect_query(page, "loss", "relative")
    expect(both).to_contain_text("own first evaluation")
    shown = hover(page, "Eval loss", 0.2)
    assert shown.pop("Step")[1:] == ["Of its first"]
    values = [value.split(" ")[0] for (value,) in shown.values()]
    assert all(value.endswith("%") for value in values), values
    assert chart(page, "Eval loss").get_attribute("aria-label").count("%") >= 4
    drawing = ElementTree.fromstring(keep(page, "Eval loss as SVG").decode())
    texts = [text.text or "" for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"60%", "80%"} & set(texts), "the same in a picture"


def test_comparable_runs_are_not_offered_it(page):
    open_app(page, run=list(FIVE[:2]))
    expect(page.get_by_role("radio", name="Train", exact=True)).to_have_count(1)
    expect(page.get_by_role("radio", name="% of first")).to_have_count(0)
