"""The pages beside the main one, measured: what fits on them, at which sizes, and that nothing is cut."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lib.charts.theme import SIZES
from lib.data.folder.names import run_id_of
from tests.browser.actions import PAGES
from tests.browser.harness import Server, open_app
from tests.demo.specs import demo_id

HEALTH_HEIGHT = 1200
OTHERS = [path for path in PAGES if path]
LONG = "customer-support-assistant-of-the-second-generation-with-tools-and-retrieval-" * 4
NAMES = [f"{LONG[:220]}-seed-{seed}" for seed in range(5)]

CUT = """
() => [...document.querySelectorAll('.card, .card :is(th, td, dd, dt, p, li, h2, h3, summary), .page-tools *')]
  .filter(e => e.getClientRects().length && getComputedStyle(e).display !== 'inline')
  .filter(e => e.scrollWidth > e.clientWidth + 1)
  .filter(e => !e.closest('thead') || getComputedStyle(e.closest('thead')).position !== 'absolute')
  .map(e => e.className + ' ' + e.textContent.slice(0, 60) + ` ${e.scrollWidth} > ${e.clientWidth}`)
"""
"""What does not fit into its box."""

TEXT_SIZES = """
() => {
  const sizes = new Set();
  const walker = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const is_seen = walker.currentNode.textContent.trim() && e.getClientRects().length;
    if (is_seen && !e.closest('style, script, pre[hidden]')) sizes.add(parseFloat(getComputedStyle(e).fontSize));
  }
  return [...sizes];
}
"""

LEVELS = (
    "() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h2, h3, h4)')].map(e => Number(e.tagName[1]))"
)


def write(folder: Path, name: str, seed: int) -> None:
    """A run of which no check has anything to say that would worry somebody."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "step": step,
            "epoch": step / 100,
            "loss": float(1.0 + np.exp(-step / 60) + 0.01 * random.normal()),
            "grad_norm": float(np.exp(0.1 * random.normal())) / 2,
            "learning_rate": 1e-4 * (seed + 1) * (1 - step / 300),
        }
        for step in range(1, 301)
    ]
    rows += [
        {"step": step, "epoch": step / 100, "eval_loss": float(1.05 + np.exp(-step / 60) + seed / 50)}
        for step in range(20, 301, 20)
    ]
    state = {"global_step": 300, "max_steps": 300, "num_train_epochs": 3, "log_history": rows}
    path = folder / name
    path.mkdir()
    (path / "trainer_state.json").write_text(json.dumps(state))
    (path / "training_args.json").write_text(
        json.dumps({"learning_rate": 1e-4 * (seed + 1), "seed": seed, "lora_r": 8, "weight_decay": 0.01})
    )


@pytest.fixture(scope="module")
def healthy(serve, tmp_path_factory) -> Server:
    """The app on five runs of which nothing serious is to be said."""
    folder: Path = tmp_path_factory.mktemp("healthy")
    for seed, name in enumerate(NAMES):
        write(folder, name, seed)
    return serve(RUNOFF_RUNS=str(folder))


FIVE_ALIKE = [demo_id(f"support-llama-{letter}") for letter in "abcde"]
IDS = [run_id_of([name]) for name in NAMES]


def bottom(page: Page) -> float:
    return page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('.card')].map(e => e.getBoundingClientRect().bottom))"
    )


def test_the_health_of_five_healthy_runs_is_at_most_1200_pixels_high(new_page, healthy):
    page = new_page(healthy, viewport={"width": 1280, "height": 800})
    open_app(page, "run_health", run=IDS)
    name = "Nothing serious was found in any of the five runs"
    expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()
    assert bottom(page) <= HEALTH_HEIGHT
    page.locator("summary").filter(has_text="Gap, rebound").click()
    assert bottom(page) > 300


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
@pytest.mark.parametrize("path", OTHERS)
def test_nothing_is_cut_and_sizes_and_headings_are_those_of_the_app(new_page, app, width, path):
    page = new_page(app, viewport={"width": width, "height": 900})
    open_app(page, path, run=FIVE_ALIKE)
    page.evaluate("() => document.querySelectorAll('.card details').forEach(each => { each.open = true; })")
    assert page.evaluate(CUT) == []
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert set(page.evaluate(TEXT_SIZES)) <= set(SIZES.values())
    levels = page.evaluate(LEVELS)
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_differs_is_whole_in_the_first_screen(new_page, app):
    page = new_page(app, viewport={"width": 1280, "height": 800})
    open_app(page, "hyperparameters", run=FIVE_ALIKE)
    box = page.locator(".st-key-settings_card").bounding_box()
    assert box["y"] + box["height"] <= 800
    heads = page.locator(".st-key-settings_card thead th .name").all_inner_texts()
    assert len(set(heads)) == 5


def test_a_run_is_brought_out_by_its_row(new_page, app):
    page = new_page(app)
    open_app(page, "run_health", run=FIVE_ALIKE)
    rows = page.locator(".health tbody tr")
    rows.nth(1).hover()
    opacity = "e => Number(getComputedStyle(e).opacity)"
    assert rows.nth(1).evaluate(opacity) == 1
    assert rows.nth(0).evaluate(opacity) < 0.5


@pytest.mark.parametrize("path", OTHERS)
def test_a_page_is_printed_whole(new_page, app, path):
    page = new_page(app, viewport={"width": 1280, "height": 800})
    open_app(page, path, run=FIVE_ALIKE)
    page.emulate_media(media="print")
    last = page.locator(".card").last
    # What scrolls on the screen is as high as its content on paper.
    held = """e => {
      let n = e;
      while ((n = n.parentElement)) if (getComputedStyle(n).overflowY === 'auto') return n.className;
    }"""
    assert last.evaluate(held) is None
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
