"""Names are foreign text: whatever they hold, the page shows these characters and does nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from lib.data.folder.names import run_id_of
from tests.app.harness import write_run
from tests.browser.actions import (
    PAGES,
    cells,
    checked,
    eventually,
    go,
    grid_column,
    hover,
    listed,
    query,
)
from tests.browser.harness import Server, open_app, wait_idle

IMAGE = "<img src=x onerror=alert(1)>"
MARKDOWN = "![p](x) **b** :red[r] $a$ [l](x)"
QUOTES = "\"'><svg onload=alert(2)>"
NAMES = (IMAGE, MARKDOWN, QUOTES)
IDS = [run_id_of([name]) for name in NAMES]


@pytest.fixture(scope="module")
def hostile(serve, tmp_path_factory) -> Server:
    """The app on a folder of training outputs whose names are markup."""
    folder: Path = tmp_path_factory.mktemp("outputs")
    for number, name in enumerate(NAMES, 1):
        rows = [
            {"step": step, "loss": 2.0 / step, "learning_rate": 1e-4 * number, "grad_norm": 1.0, "epoch": step / 10}
            for step in range(1, 21)
        ] + [{"step": step, "eval_loss": 0.1 * number + 1 / step, "epoch": step / 10} for step in (10, 20)]
        state = {"global_step": 20, "max_steps": 20, "epoch": 2.0, "num_train_epochs": 2, "log_history": rows}
        (folder / name).mkdir()
        (folder / name / "trainer_state.json").write_text(json.dumps(state))
        (folder / name / "adapter_config.json").write_text(json.dumps({"r": 8 * number, "lora_alpha": 16}))
    return serve(RUNOFF_RUNS=str(folder))


def grid_has(page: Page, names: tuple[str, ...]) -> None:
    eventually(page, lambda: {cell.removesuffix(" ★") for cell in grid_column(page, "run")}, set(names))


def test_names_are_shown_as_they_are_everywhere_and_a_first_visit_may_be_deep(new_page, hostile):
    page = new_page(hostile)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))

    # The first visit that this server gets is not to its main page.
    open_app(page, "hyperparameters", run=IDS)
    assert set(listed(page)) == set(checked(page)) == set(NAMES)
    heads = cells(page.locator(".st-key-settings_card table"))[0]
    assert {head.removesuffix(" ★") for head in heads} == {"Setting", *NAMES}

    go(page, PAGES["ranking"])
    heads = cells(page.locator(".card table"))[0]
    assert {re.sub(r"^\d\.\s*|\s*★$", "", head) for head in heads} == {"Line", *NAMES}

    go(page, PAGES[""])
    assert query(page)["run"] == IDS
    expect(page.get_by_role("heading", name=IMAGE)).to_be_visible()
    grid_has(page, NAMES)
    assert set(hover(page, "gradient norm", 0.5)) == {"Step", *NAMES}
    main = page.get_by_test_id("stMain")
    for name in NAMES[1:]:
        expect(page.locator(".st-key-verdict").get_by_text(name).first).to_be_visible()

    open_app(page, run=IDS, pin="15")
    runs = main.get_by_role("complementary", name="The pinned step").locator("tbody th")
    eventually(page, lambda: set(runs.evaluate_all("cells => cells.map(cell => cell.title)")), set(NAMES))
    wait_idle(page)
    page.locator(".runs li").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(f"Name {listed(page)[0]}")

    assert not [path for path in asked if path.endswith("/x")]
    assert page.locator('img[src="x"], a[href="x"], a[href$="/x"]').count() == 0


LONG = "n" * 240


def test_long_names_leave_room_for_others_and_stay_inside(new_page, serve, tmp_path):
    names = [LONG, "m" * 120, "🏁" * 40]
    for number, name in enumerate(names, 1):
        settings = {"learning_rate": 1e-4 * number, name[:200]: name}
        write_run(tmp_path / name, [2.0, 1.5, 1.0 + number], [2.1, 1.7, 1.3 + number], args=settings)
    page = new_page(serve(RUNOFF_RUNS=str(tmp_path)))
    open_app(page, "hyperparameters", run=[run_id_of([name]) for name in names])
    lines = {*page.locator(".runs-name").all_inner_texts()}
    assert lines == {f"{'n' * 80}…{'n' * 39}", *names[1:]}
    page.locator(".runs li", has_text="nnn").hover()
    expect(page.get_by_role("tooltip")).to_contain_text(f"Name {LONG}")
    page.set_viewport_size({"width": 390, "height": 844})
    headline = page.locator(".page-tools h2")
    expect(headline).to_contain_text("nnn")
    assert headline.evaluate("each => each.scrollWidth <= each.clientWidth")


HEBREW, TURNED, PILED, FLAG = (
    "\u05e0\u05d9\u05e1\u05d5\u05d9 5 (base)",
    "model\u202egnp.exe",
    "z" + "\u0301\u0338" * 40,
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f team",
)
ALIKE = ("run-1", "run-1\u200b")
METRICS = (
    "eval_\u202escore",
    "__proto__",
    "eval_" + "m" * 150,
    "eval_acc",
    "eval_a\u200bcc",
    "eval_\u05d3\u05e7\u05d4",
)
STEERING = """
() => {
  const hidden = '\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2067'
    + '\\ufeff\\ufffe\\uffff';
  const steers = new RegExp(`[${hidden}]|[\\u0300-\\u036f]{5}`);
  const keys = new Set(['href', 'value', 'd', 'content']), found = [];
  const look = (text, where) => {
    let depth = 0, isClosed = true;
    for (const each of text) { depth += (each === '\\u2068') - (each === '\\u2069'); isClosed &&= depth >= 0; }
    if (steers.test(text) || depth || !isClosed) found.push(`${where}: ${JSON.stringify(text.slice(0, 200))}`);
  };
  const walk = root => {
    const nodes = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = nodes.currentNode; node; node = nodes.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!['SCRIPT', 'STYLE'].includes(node.parentNode.tagName)) look(node.data, node.parentNode.tagName);
        continue;
      }
      for (const { name, value } of node.attributes)
        if (!keys.has(name) && !name.startsWith('data-')) look(value, `${node.tagName} ${name}`);
      if (node.tagName === 'IFRAME' && node.contentDocument) walk(node.contentDocument.documentElement);
    }
  };
  walk(document.documentElement);
  look(document.title, 'title');
  return found;
}
"""
"""What of all texts of a page, its frames' too, steers or is cut out of an isolate."""


@pytest.fixture(scope="module")
def odd(serve, tmp_path_factory) -> tuple[Server, list[str]]:
    """The app on runs whose names hold what cannot be seen, turns around or piles up, and their ids."""
    folder: Path = tmp_path_factory.mktemp("odd")
    names = (HEBREW, TURNED, PILED, FLAG, *ALIKE)
    for number, name in enumerate(names, 1):
        rows = [{"step": step, **dict.fromkeys(METRICS, number / 10 + step / 100)} for step in (1, 2, 3)]
        args = {"learning_rate": 1e-4 * number, name: name, "\u05de\u05e4\u05ea\u05d7": number}
        write_run(folder / name, [2.0, 1.5, 1.0 + number], [2.1, 1.7, 1.3 + number], rows=rows, args=args)
    return serve(RUNOFF_RUNS=str(folder)), [run_id_of([name]) for name in names]


def sideways(page: Page) -> list[str]:
    """What makes the page wider than its window."""
    return page.evaluate(
        """() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
            .filter(each => each.scrollWidth > each.clientWidth).map(each => each.tagName)"""
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_odd_characters_steer_nothing_and_make_nothing_wider(new_page, odd, width):
    server, ids = odd
    page = new_page(server, viewport={"width": width, "height": 900})
    for path in PAGES:
        more = {} if path else {"metric": list(METRICS), "pin": "2"}
        open_app(page, path, run=[*ids[:3], *ids[4:]], **more)
        if not path:
            expect(page.locator(".runoff-health figure").last).to_be_visible()
            titles = page.locator(".runoff-health figure").evaluate_all("all => all.map(each => each.ariaLabel)")
            assert len({*titles}) == len(titles) >= len(METRICS)
        assert page.evaluate(STEERING) == []
        assert sideways(page) == []


def test_names_of_every_script_are_whole_and_those_that_look_the_same_are_told_apart(new_page, odd):
    server, ids = odd
    page = new_page(server)
    open_app(page, run=ids[:1] + ids[3:])
    names = listed(page)
    assert {FLAG, f"\u2068{HEBREW}\u2069"} <= {*names}
    assert {name for name in names if name.startswith("run-1")} == {"run-1 · lr 5e-4", "run-1 · lr 6e-4"}
    # What stands behind a name from right to left stays behind it.
    line = page.locator(".runs li", has_text=HEBREW)
    name, value = line.locator(".runs-name").bounding_box(), line.locator(".runs-value").bounding_box()
    assert name["x"] + name["width"] <= value["x"]


def test_a_file_is_called_by_what_is_seen_of_a_metric(new_page, odd):
    server, ids = odd
    page = new_page(server)
    open_app(page, run=ids[:2], metric=[METRICS[0], METRICS[2]])
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="\\u202escore as CSV, as drawn", exact=True).click()
    assert waiting.value.suggested_filename == "runoff-more_eval_score-drawn.csv"
