"""Fixtures of tests in a real browser. A page that misbehaves fails its test, whatever the test looks at."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from lib.ui.frame.messages import FAILED
from tests.browser.chromium import MISSING, find_chromium
from tests.browser.harness import CHROMIUM_ARGS, NOTE_UNANSWERED, PROJECT_ROOT, TIMEOUT_S, Server, Watch

RESULTS = PROJECT_ROOT / "test-results"
"""Where the picture of a page goes whose test failed."""
WINDOW = {"width": 1280, "height": 900}
SERVERS = pytest.StashKey[list[Server]]()
PAGES = pytest.StashKey[list[Page]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVERS] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the servers' logs and keep a picture of the page where a test in the browser fails."""
    report = yield
    if report.failed and PAGES in item.stash:
        for server in item.config.stash[SERVERS]:
            report.sections.append((f"log of {server.url}", server.log()))
        for number, page in enumerate(item.stash[PAGES]):
            RESULTS.mkdir(exist_ok=True)
            picture = RESULTS / f"{re.sub('[^A-Za-z0-9]+', '-', item.name)}-{report.when}-{number}.png"
            with contextlib.suppress(Error):
                page.screenshot(path=picture, full_page=True)
                report.sections.append(("picture", str(picture)))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    path = find_chromium()
    if path is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    """Start the app in an environment: ``serve(RUNOFF_RUNS=path)``; asked again, the same server.

    With ``processes`` as ``make serve`` starts it.
    """
    running: dict[tuple, Server] = {}
    with contextlib.ExitStack() as stack:

        def start(script: Path | None = None, processes: int = 0, **environment: str) -> Server:
            key = (script, processes, *sorted(environment.items()))
            if key not in running:
                running[key] = stack.enter_context(Server(environment, script, processes))
                request.config.stash[SERVERS].append(running[key])
            return running[key]

        yield start
        request.config.stash[SERVERS].clear()


@pytest.fixture
def new_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a fresh, watched page of a server: ``new_page(server, color_scheme="dark")``; one that ``fails`` may."""
    watches: list[Watch] = []
    pages = request.node.stash[PAGES] = []
    whole: list[Page] = []
    with contextlib.ExitStack() as stack:

        def open_page(server: Server, *, fails: bool = False, **context_options: object) -> Page:
            context = browser.new_context(base_url=server.url, **{"viewport": WINDOW} | context_options)
            stack.callback(context.close)
            context.set_default_timeout(1000 * TIMEOUT_S)
            context.add_init_script(NOTE_UNANSWERED)
            page = context.new_page()
            watches.append(Watch(page, server.url))
            pages.append(page)
            if not fails:
                whole.append(page)
            return page

        yield open_page
        complaints = [complaint for watch in watches for complaint in watch.complaints]
        complaints += [f"exception on {page.url}" for page in pages if page.get_by_test_id("stException").count()]
        complaints += [f"failed: {page.url}" for page in whole if page.get_by_text(FAILED).count()]
        assert not complaints, "the page misbehaved:\n" + "\n".join(complaints)
