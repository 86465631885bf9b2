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
