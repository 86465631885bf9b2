"""Choosing runs in the list with mouse and keyboard."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from lib.core.config.naming import labels_of
from lib.core.facts.query import PAGE_SIZE, RunQuery
from lib.core.facts.selection import LIMIT_REACHED, MAX_SELECTED
from lib.core.facts.sizes import LONGEST_LIST
from lib.data.demo.source import JOBS_FILE, METRICS_FILE, EmbeddedSource
from tests.browser.actions import (
    CLICK_AS_IT_SETTLES,
    FIVE,
    checked,
    eventually,
    expect_query,
    expect_selected,
    line,
    listed,
    query,
    tick,
)
from tests.browser.harness import PROJECT_ROOT, Server, open_app, wait_idle

BOXES = ".runs li input"
ALIKE = [run.run_id for run in EmbeddedSource().list_runs(RunQuery(search="support-llama-8b")).runs]


def demo_runs() -> dict[str, str]:
    """Id and label of the runs, as the list shows them."""
    runs = EmbeddedSource().list_runs(RunQuery()).runs
    labels = labels_of(runs)
    return {run.run_id: labels[run.run_id] for run in runs}


def focused(page: Page) -> str | None:
    """The label of the check box that has the focus."""
    return page.evaluate(
        "() => document.activeElement.matches('.runs li input') ? document.activeElement.ariaLabel : null"
    )


def tab_to_a_check_box(page: Page) -> str:
    for _ in range(12):
        page.keyboard.press("Tab")
        if label := focused(page):
            return label
    raise AssertionError("Tab reaches no check box")


def away(page: Page) -> None:
    """Take the pointer out of the list, which then puts every run where it belongs."""
    page.mouse.move(900, 60)


def test_fast_clicks_lose_no_run_and_the_sixth_is_refused_with_a_reason(page):
    open_app(page)
    runs = demo_runs()
    assert listed(page) == list(runs.values())
    boxes = page.locator(BOXES)
    # All at once, before anything of it can have been answered: the sixth finds its box shut.
    clicked = list(runs)[:MAX_SELECTED]
    boxes.evaluate_all("(boxes, count) => boxes.slice(0, count + 1).forEach(box => box.click())", MAX_SELECTED)
    expect_selected(page, MAX_SELECTED)
    assert boxes.evaluate_all("boxes => boxes.map(box => box.checked !== box.disabled)") == [True] * len(runs)
    expect(page.get_by_text(LIMIT_REACHED)).to_be_visible()
    expect_query(page, "run", *clicked)
    assert len(checked(page)) == MAX_SELECTED
    assert boxes.evaluate_all("boxes => boxes.map(box => box.checked !== box.disabled)") == [True] * len(runs)

    page.get_by_role("button", name="Clear", exact=True).click()
    expect_query(page, "run")
    expect(page.locator(".runs-many")).to_be_hidden()
    expect(page.get_by_text(LIMIT_REACHED)).to_be_hidden()
    assert checked(page) == []
    assert not any(boxes.evaluate_all("boxes => boxes.map(box => box.disabled)"))

    # As fast as a mouse: each click meets the page while it is busy with the one before.
    for number in range(4):
        boxes.nth(number).click()
    expect_query(page, "run", *list(runs)[:4])
    assert boxes.evaluate_all("boxes => boxes.map(box => box.checked)") == [number < 4 for number in range(len(runs))]


def test_a_box_is_ticked_and_counted_before_the_server_answers(page, app):
    open_app(page)
    with app.paused():
        tick(page, "code-review-qwen-7b")
        tick(page, "support-mistral-7b")
        tick(page, "code-review-qwen-7b")
        assert checked(page) == ["support-mistral-7b"]
        expect_selected(page, 1)
    eventually(page, lambda: len(query(page).get("run", [])), 1)
    wait_idle(page)
    assert checked(page) == ["support-mistral-7b"]


def test_a_run_can_be_taken_out_again_and_the_others_keep_their_marks(page):
    open_app(page, "ranking")
    runs = demo_runs()
    (one, first), (two, second), (three, third) = list(runs.items())[:3]
    for label, ids in ((first, [one]), (second, [one, two]), (third, [one, two, three])):
        tick(page, label)
        expect_query(page, "run", *ids)

    def colors() -> dict[str, str]:
        marks = page.locator(".runs li[data-run] .run-mark")
        return dict(
            marks.evaluate_all(
                """marks => marks.map(mark => [
                  mark.closest('li').querySelector('input').ariaLabel, getComputedStyle(mark).backgroundColor])"""
            )
        )

    before = colors()
    assert list(before) == [first, second, third]
    assert len(set(before.values())) == 3
    tick(page, first)
    expect_query(page, "run", two, three)
    assert colors() == {label: before[label] for label in (second, third)}


def test_nothing_moves_below_a_pointer_that_moves_and_then_the_selected_runs_stand_first(page):
    open_app(page)
    order = listed(page)
    third, ninth = order[2], order[8]
    # A pointer that goes on moving in the list is about to choose. The page moves it: on a busy machine, what moves it
    # from outside comes too late.
    restless = page.locator(".runs").evaluate(
        """list => setInterval(move => list.dispatchEvent(new PointerEvent('pointermove', move())), 50, () =>
          ({ pointerType: 'mouse', clientX: 100 + Date.now() % 9, clientY: 200 }))"""
    )
    tick(page, third)
    expect(line(page, third)).to_have_attribute("data-run", "0")
    page.wait_for_timeout(2000)
    assert listed(page) == order
    tick(page, ninth)
    expect(line(page, ninth)).to_have_attribute("data-run", "1")
    assert listed(page) == order
    page.evaluate("clearInterval", restless)
    away(page)
    eventually(page, lambda: set(listed(page)[:2]), {third, ninth})
    assert listed(page)[2:] == [label for label in order if label not in (third, ninth)]
    # Back from the answer of the server, too.
    page.get_by_role("button", name="Clear", exact=True).click()
    eventually(page, lambda: listed(page), order)


def test_runs_are_chosen_by_keyboard_alone(page):
    open_app(page, "ranking")
    (one, first), (two, second) = list(demo_runs().items())[:2]
    page.get_by_placeholder("Find a run").click()
    assert tab_to_a_check_box(page) == first
    page.keyboard.press("Space")
    expect_query(page, "run", one)
    # The list is new, the focus is where it was.
    assert focused(page) == first
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text(f"Run id {one}")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Tab")
    assert focused(page) == second
    page.keyboard.press("Space")
    expect_query(page, "run", one, two)
    page.keyboard.press("Space")
    expect_query(page, "run", one)
    assert focused(page) == second


def test_the_focus_stays_on_a_run_that_the_list_moves(page):
    open_app(page, "ranking", run=ALIKE[:2])
    label = "code-review-qwen-7b"
    box = line(page, label).locator("input")
    box.evaluate("box => { box.focus(); box.click(); }")
    eventually(page, lambda: len(query(page)["run"]), 3)
    wait_idle(page)
    assert label in listed(page)[:3]
    assert focused(page) == label


def test_the_list_follows_the_search_while_it_is_typed(page):
    open_app(page, "ranking")
    runs = demo_runs()
    search = page.get_by_placeholder("Find a run")
    search.click()
    page.keyboard.type("LEGAL qwen", delay=20)
    eventually(page, lambda: listed(page), ["legal-qa-qwen-7b-full"])
    expect_query(page, "q", "LEGAL qwen")
    expect(page.get_by_text(f"1 of {len(runs)} runs", exact=True)).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("LEGAL qwen")
    page.keyboard.type(" nothing", delay=20)
    expect(page.get_by_text("No run matches the search and the filter.")).to_be_visible()
    wait_idle(page)
    search.fill("")
    eventually(page, lambda: listed(page), list(runs.values()))
    expect_query(page, "q")


def test_status_and_order_are_chosen_and_kept_by_the_link(page):
    open_app(page)
    page.get_by_label("Status", exact=True).select_option(label="failed (2)")
    eventually(page, lambda: set(listed(page)), {"support-qwen-7b", "legal-qa-llama-8b"})
    page.get_by_label("Order", exact=True).select_option(label="lowest eval loss first")
    expect_query(page, "sort", "best loss")
    assert listed(page) == ["legal-qa-llama-8b", "support-qwen-7b"]
    page.reload()
    wait_idle(page)
    assert listed(page) == ["legal-qa-llama-8b", "support-qwen-7b"]
    expect(page.get_by_label("Status", exact=True)).to_have_value("failed")


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_a_link_shows_the_selected_runs_without_scrolling(new_page, app, size):
    page = new_page(app, viewport=dict(zip(("width", "height"), size, strict=True)))
    open_app(page, run=list(FIVE))
    selected = page.locator(".runs-selected li")
    expect(selected).to_have_count(len(FIVE))
    for number in range(len(FIVE)):
        expect(selected.nth(number)).to_be_in_viewport(ratio=1)
    assert page.get_by_test_id("stSidebar").bounding_box()["width"] == pytest.approx(272, abs=1)
    assert max(selected.evaluate_all("lines => lines.map(line => line.offsetHeight)")) <= 60


def test_below_a_pointer_that_rests_the_list_settles_and_a_click_at_that_moment_chooses_no_other_run(page):
    open_app(page)
    order = listed(page)
    third = order[2]
    page.evaluate(CLICK_AS_IT_SETTLES, third)
    box = line(page, third).bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*at)
    # The pointer stays where it is.
    eventually(page, lambda: listed(page)[0], third)
    expect_selected(page, 1)
    assert page.locator(".runs-selected li").count() == 1
    assert f"{len(order) - 1} more" in page.locator(".runs").inner_text()
    # Where the pointer lay another run is now: what was meant is not known, so nothing is chosen.
    eventually(page, lambda: page.evaluate("() => window.clicked?.isRefused"), True)
    below = page.evaluate("() => window.clicked.label")
    assert below in order
    assert below != third
    wait_idle(page)
    assert checked(page) == [third]
    # Once somebody can have seen it, a click means what lies there.
    page.wait_for_timeout(1000)
    page.mouse.down()
    page.mouse.up()
    expect_selected(page, 2)
    assert set(checked(page)) == {third, below}


def test_a_toggle_that_changes_the_verdict_says_so(page):
    open_app(page, run=ALIKE[:3])
    said = page.locator(".runs [aria-live]")
    expect(said).to_have_text("")
    first = page.locator(".runs-selected li input").first
    first.uncheck()
    expect(said).to_contain_text("Verdict changed: ")


def test_a_run_in_the_list_is_brought_out_and_freed_when_it_is_taken_out(page):
    open_app(page, run=ALIKE[:3])
    selected = page.locator(".runs-selected li")
    selected.nth(1).hover()
    slot = selected.nth(1).get_attribute("data-run")
    shown = "() => document.documentElement.dataset.runShown"
    assert page.evaluate(shown) == slot
    assert float(selected.nth(0).evaluate("e => getComputedStyle(e).opacity")) < 1
    selected.nth(1).locator("input").uncheck()
    eventually(page, lambda: page.evaluate(shown), None)


@pytest.fixture(scope="module")
def many(serve, tmp_path_factory) -> Server:
    """The app on 10,000 runs."""
    folder: Path = tmp_path_factory.mktemp("many")
    count = 10_000
    jobs = pq.read_table(JOBS_FILE)
    jobs = jobs.take(pa.array([number % jobs.num_rows for number in range(count)]))
    for column, text in (("id", "00000000-0000-4000-8000-{:012}"), ("model_name", "run {:05}")):
        values = pa.array([text.format(number) for number in range(count)])
        jobs = jobs.set_column(jobs.schema.get_field_index(column), column, values)
    pq.write_table(jobs, folder / "jobs.parquet")
    for name in ("lib", "pages", "static", ".streamlit"):
        (folder / name).symlink_to(PROJECT_ROOT / name)
    main = (PROJECT_ROOT / "streamlit_app.py").read_text().partition("from __future__ import annotations")[2]
    (folder / "streamlit_app.py").write_text(
        "from pathlib import Path\n"
        "from lib.data.demo.source import EmbeddedSource\n"
        f"EmbeddedSource.__init__.__defaults__ = Path({str(folder / 'jobs.parquet')!r}), Path({str(METRICS_FILE)!r})\n"
        + main
    )
    return serve(folder / "streamlit_app.py")


def test_a_long_list_is_shown_by_pages_and_all_of_it_can_be_used(new_page, many):
    page = new_page(many)
    open_app(page, sort="model")
    assert listed(page) == [f"run {number:05}" for number in range(PAGE_SIZE)]
    page.get_by_role("button", name=f"Show {PAGE_SIZE} more").click()
    eventually(page, lambda: len(listed(page)), 2 * PAGE_SIZE)
    expect(page.get_by_text("First 50 of 10,000 runs, by name")).to_be_visible()
    open_app(page, sort="model", list=str(LONGEST_LIST))
    assert len(listed(page)) == LONGEST_LIST
    tick(page, "run 00999")
    expect_selected(page, 1)
    eventually(page, lambda: len(query(page).get("run", [])), 1)
    wait_idle(page)
    away(page)
    eventually(page, lambda: listed(page)[0], "run 00999")
    expect(line(page, "run 00999")).to_be_visible()
