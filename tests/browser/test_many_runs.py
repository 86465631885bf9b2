"""A folder of thousands of runs: listed while it is read, found, compared, for more than one who looks."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.app.harness import write_run
from tests.browser.actions import chart, eventually, expect_selected, grid_column, hover, line, listed, tick
from tests.browser.harness import open_app, wait_idle

MANY = 3000
GROUPS = 30
STEPS = 60


def level(number: int) -> float:
    """The eval loss that a run ends near: of two the one of the higher number is better."""
    return 2.0 - number / MANY


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Folders of a search, one for each run: ``group_07/run_0123``."""
    root = tmp_path_factory.mktemp("search")
    for number in range(MANY):
        losses = [level(number) + 2.0 / step for step in range(1, STEPS + 1)]
        args = {"learning_rate": 1e-5 * (1 + number % 7), "seed": number}
        write_run(root / f"group_{number % GROUPS:02}" / f"run_{number:04}", losses, losses[:], args=args)
    return root


def test_thousands_of_runs_are_listed_as_they_are_read_and_any_two_are_compared(new_page, serve, outputs, tmp_path):
    # Nothing is remembered of the folder, so that all of it is read now.
    server = serve(RUNOFF_RUNS=str(outputs), RUNOFF_CACHE="")
    first = new_page(server)
    first.goto("/")
    # A count that grows, or already the whole: how much is read before a browser is there depends on the machine.
    counts: list[int] = []

    def count() -> int:
        found = re.search(r"([\d,]+)(?: of [\d,]+)? runs", first.locator("body").inner_text())
        counts.append(int(found[1].replace(",", "")) if found else 0)
        return counts[-1]

    eventually(first, count, bool)
    second = new_page(server, viewport={"width": 390, "height": 844})
    open_app(second)
    expect(second.get_by_role("heading", level=1)).to_be_visible()
    eventually(first, lambda: first.locator(".page-source").inner_text(), lambda text: f"{MANY:,} runs" in text)
    count()
    assert counts == sorted(counts), "the list never shrinks while it is read"
    names = ["run_0042", "run_2811"]
    search = first.get_by_placeholder("Find a run")
    for name in names:
        search.fill(name)
        expect(line(first, name)).to_be_visible()
        eventually(first, lambda wanted=name: wanted in listed(first), True)
        tick(first, name)
        wait_idle(first)
    expect_selected(first, 2)
    eventually(first, lambda: {cell.removesuffix(" ★") for cell in grid_column(first, "run")}, set(names))
    expect(first.locator(".verdict h2")).to_contain_text("run_2811")
    logs = {
        name: json.loads(next(outputs.glob(f"*/{name}/trainer_state.json")).read_text())["log_history"]
        for name in names
    }
    shown = hover(first, "loss", 0.5)
    step = int(shown.pop("Step")[0])
    for name in names:
        logged = next(row["eval_loss"] for row in logs[name] if row["step"] == step and "eval_loss" in row)
        assert any(value and abs(float(value) - logged) < 0.01 for value in shown[name]), (step, shown)
    expect(chart(first, "loss")).to_be_visible()
    # Who came meanwhile was served all the same, and sees the whole list.
    expect(second.locator(".page-source")).to_contain_text(f"{MANY:,} runs")
