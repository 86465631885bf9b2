"""What the main page costs: script time of a rerun, and the time from an action to redrawn charts.

    python -m bench.page [--rounds 8] [--lengths 1000 100000 1000000]

Loads, a toggled run, changed smoothing, a zoom to full resolution, and a change of the page, in headless
Chromium; the bytes of the first view; and loads, smoothing and toggles again for runs of other lengths. Prints a
table and writes bench/results/page.json. It takes five minutes, and twice that where the machine has other work: most
of it waits until a page is still, and makes the runs of a million steps. Compare rows of one run: the machine's load
moves all of them.
The floors, an empty Streamlit page's loads, are measured in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import streamlit.runtime.scriptrunner.script_runner as script_runner
from playwright.sync_api import Browser, Page, sync_playwright
from streamlit.testing.v1 import AppTest

from bench.report import print_times, say_load, write
from bench.run_files import long_run, run_id, write_parquet
from lib.core.facts.query import RunQuery
from lib.data.demo.source import JOBS_FILE, EmbeddedSource
from tests.browser.chromium import find_chromium
from tests.browser.harness import CHROMIUM_ARGS, PROJECT_ROOT, Server, wait_idle

CHARTS = 5
VIEWPORT = {"width": 1440, "height": 1300}

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
        at > since && canvas.closest('.runoff-plot')).map(([canvas, at]) => at);
      const last = Math.max(0, ...moments), done = moments.length >= want;
      if ((done && now - last > quiet) || now - start > limit) {
        clearInterval(timer);
        resolve({at: last, done});
      }
    }, 20);
  });
})()
"""


# The last of the five runs is taken out, or put in again.
TOGGLE = """() => [...document.querySelectorAll('[data-testid="stSidebar"] input[type=checkbox]')]
  .filter(box => !box.disabled && /long-run|support-llama-8b/.test(box.ariaLabel))[4].click()"""


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
    """Milliseconds in the browser, from an action until the charts stand still; and megabytes of the first view."""
    measured: dict[str, list[float]] = {}
    query = "&".join(f"run={run_id}" for run_id in five_runs())
    with tempfile.TemporaryDirectory() as folder, _chromium() as chromium:
        empty = Path(folder) / "empty.py"
        empty.write_text("import streamlit as st\n\nst.write('empty')\n")
        with Server() as app, Server(script=empty) as floor:
            _load(chromium.new_page(), floor.url, 0)  # the servers' own warm-up
            page = chromium.new_context(viewport=VIEWPORT).new_page()
            sent = _count_bytes(page)
            _load(page, f"{app.url}/?{query}", CHARTS)
            measured["first view, MB over the websocket"] = [sum(sent) / 1e6]
            page.context.close()
            # Alternating, so that what slows the machine down slows both down.
            for _ in range(max(2, rounds // 2)):
                for name, url, charts in (("empty page", floor.url, 0), ("five runs", f"{app.url}/?{query}", CHARTS)):
                    page = chromium.new_context(viewport=VIEWPORT).new_page()
                    measured.setdefault(f"cold load, {name}", []).append(_load(page, url, charts))
                    measured.setdefault(f"warm load, {name}", []).append(_load(page, url, charts))
                    if not charts:
                        page.context.close()
                actions = {
                    "toggle a run": _toggle,
                    "change smoothing": _smooth,
                    "zoom by numbers": _zoom,
                    "reset the zoom": _reset_zoom,
                    "change the page and back": _pages,
                }
                for name, act in actions.items():
                    measured.setdefault(name, []).extend(act(page) for _ in range(1 if "zoom" in name else 3))
                page.context.close()
    return measured


def measure_lengths(rounds: int, lengths: Sequence[int]) -> dict[str, list[float]]:
    """Loads, smoothing and toggles for five runs of other lengths, with six metrics at every step."""
    measured: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        chromium = stack.enter_context(_chromium())
        servers = {}
        for steps in lengths:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            servers[steps] = stack.enter_context(Server(script=app_on(folder, steps)))
        query = "&".join(f"run={run_id(number)}" for number in range(5))
        for _ in range(max(3, rounds // 2)):
            for steps, server in servers.items():
                page = chromium.new_context(viewport=VIEWPORT).new_page()
                measured.setdefault(f"cold load, 5 x {steps:,} steps", []).append(
                    _load(page, f"{server.url}/?{query}", CHARTS)
                )
                measured.setdefault(f"lines for the slider, 5 x {steps:,} steps", []).append(_approach(page))
                measured.setdefault(f"smoothing, 5 x {steps:,} steps", []).extend(_smooth(page) for _ in range(4))
                measured.setdefault(f"toggle, 5 x {steps:,} steps", []).extend(_toggle(page) for _ in range(3))
                page.context.close()
    # The first load of a server reads the files, which the others find in its cache.
    for name, values in measured.items():
        if name.startswith("cold"):
            values.append(values.pop(0))
    return {name: values[:-1] if name.startswith("cold") else values for name, values in measured.items()} | {
        name.replace("cold load", "first load of a server"): values[-1:]
        for name, values in measured.items()
        if name.startswith("cold")
    }


def app_on(folder: Path, steps: int) -> Path:
    """The app over five generated runs, as a script of its own in a folder."""
    write_parquet(folder / "metrics.parquet", (long_run(number, steps) for number in range(5)))
    jobs = pq.read_table(JOBS_FILE).slice(0, 5)
    ids = pa.array([run_id(number) for number in range(5)])
    names = pa.array([f"long-run-{number}" for number in range(5)])
    for column, values in (("id", ids), ("model_name", names), ("status", pa.array(["completed"] * 5))):
        jobs = jobs.set_column(jobs.schema.get_field_index(column), column, values)
    pq.write_table(jobs, folder / "jobs.parquet")
    for name in ("lib", "pages", "static", ".streamlit"):
        (folder / name).symlink_to(PROJECT_ROOT / name)
    script = folder / "streamlit_app.py"
    script.write_text(
        "from pathlib import Path\n"
        "from lib.data.demo.source import EmbeddedSource\n"
        f"files = Path({str(folder)!r}) / 'jobs.parquet', Path({str(folder)!r}) / 'metrics.parquet'\n"
        "EmbeddedSource.__init__.__defaults__ = files\n"
        + (PROJECT_ROOT / "streamlit_app.py").read_text().partition("from __future__ import annotations")[2]
    )
    return script


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        try:
            yield chromium
        finally:
            chromium.close()


def _count_bytes(page: Page) -> list[int]:
    """The size of every message that the server sends, as it comes."""
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    return sizes


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
    return _redrawn(page, lambda: page.evaluate(TOGGLE))


def _smooth(page: Page) -> float:
    _approach(page)
    return _redrawn(page, lambda: page.keyboard.press("ArrowUp"))


def _approach(page: Page) -> float:
    """Until the lines of every weight are here for who goes to the slider; before, moving it asks the server."""
    wait_idle(page)
    start = page.evaluate("() => performance.now()")
    page.get_by_role("slider", name="Smoothing").focus()
    page.wait_for_selector(".runoff-component[data-smoothing=here]", state="attached", timeout=60_000)
    came = page.evaluate("() => performance.now()")
    wait_idle(page)
    return came - start


def _zoom(page: Page) -> float:
    wait_idle(page)
    page.get_by_label("Step from").fill("1000")
    return _redrawn(page, lambda: page.keyboard.press("Enter"))


def _reset_zoom(page: Page) -> float:
    wait_idle(page)
    return _redrawn(page, lambda: page.get_by_role("button", name="Reset the range").click())


def _pages(page: Page) -> float:
    """From the click on the link back to the main page until its charts are there."""
    wait_idle(page)
    page.get_by_role("link", name="Hyperparameter diff").first.click()
    page.get_by_role("heading", name="Hyperparameter diff").wait_for()
    wait_idle(page)
    return _redrawn(page, lambda: page.get_by_role("link", name="Compare runs").first.click())


def _redrawn(page: Page, act: Callable[[], object]) -> float:
    """Milliseconds from an action, with the way to the browser and back, until all charts stand still again."""
    start = page.evaluate("() => performance.now()")
    act()
    result = page.evaluate("([want, since]) => window.settled(want, since, 400, 15000)", [CHARTS, start])
    assert result["done"], "the charts were not redrawn within 15 s"
    return result["at"] - start


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--lengths", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    options = parser.parse_args()
    say_load()
    measured = measure_browser(options.rounds) | measure_scripts(options.rounds)
    if options.lengths:
        measured |= measure_lengths(options.rounds, options.lengths)
    print_times({name: values for name, values in measured.items() if "MB" not in name})
    for name, values in measured.items():
        if "MB" in name:
            print(f"{name}: {statistics.median(values):.2f}")
    write("page", measured)


if __name__ == "__main__":
    main()
