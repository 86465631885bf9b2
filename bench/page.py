"""What the main page costs: script time of a rerun, and the time from a click to redrawn charts.

    python -m bench.page [--rounds 8]

Prints a table and writes bench/results/page.json. Compare rows of one run: the machine's load moves
all of them. The two floors, an empty Streamlit page's load and script, are measured in the same run.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit.runtime.scriptrunner.script_runner as script_runner
from playwright.sync_api import Page, sync_playwright
from streamlit.testing.v1 import AppTest

from lib.core.query import RunQuery
from lib.data.embedded import EmbeddedSource
from tests.browser.chromium import find_chromium
from tests.browser.harness import CHROMIUM_ARGS, PROJECT_ROOT, Server, wait_idle

RESULTS = Path(__file__).parent / "results"
CHARTS = 5

# Notes the moment of each drawing on each chart's canvas: looking at the pixels instead would cost more
# than what is measured. Charts draw once more when they are resized, so still means nothing for a while.
WATCH = """
(() => {
  window.drawn = new Map();
  for (const name of ['clearRect', 'stroke', 'fill', 'fillText']) {
    const original = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...args) {
      if (this.canvas.isConnected) window.drawn.set(this.canvas, performance.now());
      return original.apply(this, args);
    };
  }
  window.settled = (want, since, quiet, limit) => new Promise(resolve => {
    const start = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const moments = [...window.drawn].filter(([canvas, at]) =>
        at > since && canvas.closest('[data-testid="stVegaLiteChart"]')).map(([canvas, at]) => at);
      const last = Math.max(0, ...moments), done = moments.length >= want;
      if ((done && now - last > quiet) || now - start > limit) {
        clearInterval(timer);
        resolve({at: last, done});
      }
    }, 20);
  });
})()
"""


def five_runs() -> list[str]:
    """The ids of the five runs of one name in the demo: the page at its fullest."""
    page = EmbeddedSource().list_runs(RunQuery(search="support-llama-8b"))
    return [run.run_id for run in page.runs][:5]


@contextmanager
def script_times() -> Iterator[list[float]]:
    """Collect how long each script run takes, in seconds."""
    times: list[float] = []
    original = script_runner.exec_func_with_error_handling

    def timed(func: Callable, *args: object) -> object:
        start = time.perf_counter()
        try:
            return original(func, *args)
        finally:
            times.append(time.perf_counter() - start)

    script_runner.exec_func_with_error_handling = timed
    try:
        yield times
    finally:
        script_runner.exec_func_with_error_handling = original


def measure_scripts(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of a rerun in which nothing changed, by what is selected; and of the collection after it."""
    measured: dict[str, list[float]] = {}
    cases = {"rerun, nothing selected": [], "rerun, five runs": five_runs()}
    for name, runs in cases.items():
        app = AppTest.from_file(PROJECT_ROOT / "streamlit_app.py", default_timeout=60)
        app.query_params["run"] = runs
        app.run()
        app.run()
        with script_times() as times:
            for _ in range(3 * rounds):
                app.run()
        measured[name] = [1000 * each for each in times]
    collections = []
    for _ in range(rounds):
        start = time.perf_counter()
        gc.collect()
        collections.append(1000 * (time.perf_counter() - start))
    measured["garbage collection after a rerun"] = collections
    return measured


def measure_browser(rounds: int) -> dict[str, list[float]]:
    """Milliseconds in the browser: loads, and toggling a run until its charts stand still."""
    measured: dict[str, list[float]] = {}
    query = "&".join(f"run={run_id}" for run_id in five_runs())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text("import streamlit as st\n\nst.write('empty')\n")
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        with Server() as app, Server(script=empty) as floor:
            for name, url, charts in (
                ("empty Streamlit page", floor.url, 0),
                ("five runs", f"{app.url}/?{query}", CHARTS),
            ):
                _load(chromium.new_page(), url, charts)  # the server's own warm-up
                for _ in range(max(2, rounds // 3)):
                    page = chromium.new_context(viewport={"width": 1440, "height": 1300}).new_page()
                    measured.setdefault(f"cold load, {name}", []).append(_load(page, url, charts))
                    measured.setdefault(f"warm load, {name}", []).append(_load(page, url, charts))
                    if not charts:
                        page.context.close()
            measured["toggle a run"] = [_toggle(page) for _ in range(2 * rounds)]
        chromium.close()
    return measured


def _load(page: Page, url: str, charts: int) -> float:
    page.add_init_script(WATCH)
    page.goto(url, wait_until="commit")
    if charts:
        result = page.evaluate("want => window.settled(want, 0, 500, 30000)", charts)
        assert result["done"], f"the {charts} charts were not drawn within 30 s"
        drawn = result["at"]
        wait_idle(page)
        return drawn
    page.wait_for_selector("text=empty")
    return page.evaluate("() => performance.now()")


def _toggle(page: Page) -> float:
    wait_idle(page)
    result = page.evaluate(
        """want => {
          const box = [...document.querySelectorAll('[data-testid="stSidebar"] input[type=checkbox]')]
            .filter(each => each.closest('label').innerText.includes('support-llama-8b'))[2];
          const start = performance.now();
          box.click();
          return window.settled(want, start, 400, 15000).then(result => ({...result, took: result.at - start}));
        }""",
        CHARTS,
    )
    assert result["done"], "the charts were not redrawn within 15 s of the click"
    return result["took"]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    print(f"load average before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors")
    measured = measure_browser(rounds) | measure_scripts(rounds)
    print(f"{'milliseconds':36}{'median':>8}{'min':>8}{'max':>8}{'n':>5}")
    for name, values in measured.items():
        print(f"{name:36}{statistics.median(values):8.0f}{min(values):8.0f}{max(values):8.0f}{len(values):5}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "page.json").write_text(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
