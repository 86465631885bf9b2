"""The verdict panel: its height, its sizes, its colours, and that nothing of it is cut."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from lib.charts.palette import RUN_COLORS
from lib.charts.theme import SIZES
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.names import run_id_of
from lib.data.folder.source import FolderSource
from tests.app.harness import write_run
from tests.browser.actions import FIVE, query
from tests.browser.harness import Server, open_app, wait_idle

RANKED = [
    run.run_id
    for run in EmbeddedSource().list_runs(RunQuery(status=RunStatus.COMPLETED, limit=100)).runs
    if run.name == "support-llama-8b"
][:5]
"""Five runs of the demo that compare."""

DESKTOP = {"width": 1280, "height": 800}
MOST_HIGH = 210
"""Pixels: what it leaves to the curves is most of the first screen."""

CUT = """
() => [...document.querySelectorAll('.st-key-verdict :is(h2, b, span, dd, dt, p, button)')]
  .filter(e => e.className !== 'runoff-unseen')
  .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible')
  .map(e => `${e.className} ${e.textContent}: ${e.scrollWidth} > ${e.clientWidth}`)
"""
"""The texts that have more room to fill than they got."""

TEXT_SIZES = """
root => {
  const sizes = new Set();
  const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const inside = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || inside.closest('style, [data-testid=stIconMaterial]')) continue;
    if (inside.getClientRects().length) sizes.add(parseFloat(getComputedStyle(inside).fontSize));
  }
  return [...sizes];
}
"""


@pytest.fixture(scope="module")
def tied(serve, tmp_path_factory) -> Server:
    """The app on five runs, of which some are level."""
    folder = tmp_path_factory.mktemp("outputs")
    for place, level in enumerate((0.5, 0.501, 0.502, 0.8, 0.9)):
        falling = [level * (1 + 0.8**at) + 0.02 * ((at * (place + 3)) % 5) for at in range(30)]
        write_run(folder / f"run-{place}", [2.0 / step for step in range(1, 31)], falling, args={"seed": 1})
    return serve(RUNOFF_RUNS=str(folder))


LONG = ("customer-support-assistant-of-the-second-generation-" * 5)[:224]
NAMES = {
    "wrapping": [f"mistral-7b-instruct-lora-r{16 * rank}-warmup-cosine" for rank in range(1, 6)],
    "endless": [f"{LONG}-seed-{seed}" for seed in range(5)],
}


@pytest.fixture(scope="module")
def named(serve, tmp_path_factory) -> Server:
    """The app on runs with long names, five of each kind: three are level, and as many checkpoints are gone."""
    folder = tmp_path_factory.mktemp("named")
    for names in NAMES.values():
        for place, (name, level) in enumerate(zip(names, (0.5, 0.501, 0.502, 0.8, 0.9), strict=True)):
            falling = [level * (1 + 0.8**at) + 0.02 * ((at * (place + 3)) % 5) for at in range(30)]
            args = {"learning_rate": 1e-4 * (place + 1), "save_strategy": "no"}
            write_run(folder / name, [2.0 / step for step in range(1, 31)], falling, args=args)
    return serve(RUNOFF_RUNS=str(folder))


def panel(page: Page):
    return page.locator(".st-key-verdict")


def height(page: Page) -> float:
    box = panel(page).bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_five_runs_have_a_panel_that_leaves_the_screen_to_the_curves(new_page, app, scheme):
    page = new_page(app, viewport=DESKTOP, color_scheme=scheme)
    open_app(page, run=RANKED)
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert height(page) <= MOST_HIGH
    assert page.evaluate(CUT) == []
    assert page.locator(".verdict [role=row][data-run]").count() == len(RANKED)


def test_runs_that_failed_or_wait_make_it_no_higher(new_page, app):
    page = new_page(app, viewport=DESKTOP)
    open_app(page, run=list(FIVE))
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert height(page) <= MOST_HIGH


def test_a_tie_has_no_higher_panel(new_page, tied):
    page = new_page(tied, viewport=DESKTOP)
    open_app(page, run=[f"run-{place}" for place in range(5)])
    expect(panel(page).get_by_role("heading", name=re.compile("Ship any of"))).to_be_visible()
    assert height(page) <= MOST_HIGH
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("by", ["", "eval_loss"])
@pytest.mark.parametrize("kind", NAMES)
def test_long_names_make_it_no_higher_and_are_there_in_full(new_page, named, kind, by):
    page = new_page(named, viewport=DESKTOP)
    open_app(page, run=[run_id_of([name]) for name in NAMES[kind]], **({"by": by} if by else {}))
    headline = panel(page).get_by_role("heading")
    expect(headline).to_contain_text("Ship")
    assert height(page) <= MOST_HIGH
    titles = headline.locator("span[title]").evaluate_all("all => all.map(each => each.title)")
    assert titles
    assert set(titles) <= set(NAMES[kind])
    shown = headline.locator("b").all_inner_texts()
    assert len(set(shown)) == len(titles)


def test_on_a_phone_the_ranking_stands_below_the_curves(new_page, tied):
    page = new_page(tied, viewport={"width": 390, "height": 844})
    open_app(page, run=[f"run-{place}" for place in range(5)])
    places = [
        page.locator(each).first.bounding_box()["y"]
        for each in (".verdict .says", ".verdict-more", ".st-key-curves canvas", ".verdict .ranking", ".table-cards")
    ]
    assert places == sorted(places)


def test_the_headline_is_the_largest_text_and_all_sizes_are_among_the_five(new_page, app):
    page = new_page(app, viewport=DESKTOP)
    open_app(page, run=RANKED)
    sizes = page.evaluate(TEXT_SIZES, ".st-key-verdict")
    assert set(sizes) <= set(SIZES.values())
    headline = panel(page).get_by_role("heading").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert headline == SIZES["headline"] == max(sizes)


def test_each_run_has_its_colour_in_headline_mark_and_bar(new_page, app):
    page = new_page(app, viewport=DESKTOP)
    open_app(page, run=RANKED)
    colors = [f"rgb({int(each[1:3], 16)}, {int(each[3:5], 16)}, {int(each[5:], 16)})" for each in RUN_COLORS]
    for slot, color in enumerate(colors):
        row = page.locator(f".verdict [role=row][data-run='{slot}']")
        assert row.locator(".name .run-mark").evaluate("e => getComputedStyle(e).backgroundColor") == color
        assert row.locator(".stem").evaluate("e => getComputedStyle(e).backgroundColor") == color
    named = panel(page).locator("h2 [data-run]").first
    slot = int(named.get_attribute("data-run") or -1)
    assert named.locator("b").evaluate("e => getComputedStyle(e).color") == colors[slot]


def test_while_a_run_is_brought_out_the_rows_of_the_others_are_pale(new_page, app):
    page = new_page(app, viewport=DESKTOP)
    open_app(page, run=RANKED)
    page.evaluate("document.documentElement.dataset.runShown = 1")
    opacities = {
        slot: float(
            page.locator(f".verdict [role=row][data-run='{slot}']").evaluate("e => getComputedStyle(e).opacity")
        )
        for slot in range(len(RANKED))
    }
    assert opacities[1] == 1.0
    assert all(each < 0.5 for slot, each in opacities.items() if slot != 1)


def test_what_stands_behind_it_opens_by_keyboard_and_closes_by_escape(new_page, app):
    page = new_page(app, viewport=DESKTOP)
    open_app(page, run=RANKED)
    for name in ("Objections", "What would flip it", "Checkpoints", "Noise", "Comparability"):
        button = panel(page).get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Enter")
        part = page.locator(".verdict-part:popover-open")
        expect(part).to_be_visible()
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= DESKTOP["width"]
        page.keyboard.press("Escape")
        expect(part).to_have_count(0)


def test_a_better_run_that_is_not_selected_is_a_click_away(new_page, tied):
    page = new_page(tied, viewport=DESKTOP)
    open_app(page, run=["run-3", "run-4"])
    page.get_by_role("button", name=re.compile("Not selected, but")).first.click()
    wait_idle(page)
    assert len(query(page)["run"]) == 3


@pytest.mark.parametrize("width", [390, 768])
def test_on_a_narrow_window_the_ranking_goes_below_the_text(new_page, app, width):
    page = new_page(app, viewport={"width": width, "height": 900})
    open_app(page, run=RANKED)
    says, ranking = page.locator(".verdict .says").bounding_box(), page.locator(".verdict .ranking").bounding_box()
    assert ranking["y"] >= says["y"] + says["height"] - 1
    assert page.locator(".verdict .bar").first.is_visible() == (width > 600)
    assert page.evaluate(CUT) == []


OVERLAPPING = """
() => {
  const shown = [...document.querySelectorAll('.verdict-more > button, .st-key-verdict_foot button')]
    .filter(e => e.offsetWidth).map(e => [e.innerText, e.getBoundingClientRect()]);
  return shown.flatMap(([one, a], at) => shown.slice(at + 1)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
    .map(([other]) => `${one} / ${other}`));
}
"""
"""The pairs of the panel's buttons of which one covers the other."""


@pytest.fixture(scope="module")
def unended(serve, tmp_path_factory) -> tuple[Server, list[str]]:
    """The app on tables that do not say whether their training ended, and whose names are read as others."""
    folder = tmp_path_factory.mktemp("unended")
    for place in range(2):
        (folder / f"run{place}").mkdir()
        rows = [f"{at},{2 / at**0.3 + place},{2.02 / at**0.3 + place}" for at in range(1, 201)]
        (folder / f"run{place}" / "log.csv").write_text("\n".join(["step,train_loss,valid_ce", *rows, ""]))
    return serve(RUNOFF_RUNS=str(folder)), [run.run_id for run in FolderSource(folder).list_runs(RunQuery()).runs]


@pytest.mark.parametrize("width", [1400, 1280, 768, 390])
def test_no_button_covers_another_where_training_may_have_ended(new_page, unended, width):
    server, ids = unended
    page = new_page(server, viewport={"width": width, "height": 900}, color_scheme="light")
    open_app(page, run=ids)
    foot = page.locator(".st-key-verdict_foot")
    expect(foot.get_by_role("button", name="Read as")).to_be_visible()
    assert page.evaluate(OVERLAPPING) == []
    foot.get_by_role("button", name="Their training ended").click()
    expect(foot.get_by_role("button", name="Take back")).to_be_visible()
    wait_idle(page)
    assert page.evaluate(OVERLAPPING) == []
