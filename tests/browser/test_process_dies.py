"""When the process of an open page dies, the page goes on in another one by itself."""

from __future__ import annotations

import os
import re
import signal

import httpx
import pytest
from playwright.sync_api import expect

from lib.gate.settings import METRICS
from tests.browser.actions import FIVE, expect_selected, query
from tests.browser.fixtures import WINDOW
from tests.browser.harness import NOTE_UNANSWERED, TIMEOUT_S, Server, wait_idle

RUN = re.compile(r"Process \d+: pid (\d+), port (\d+)")


@pytest.fixture
def server():
    with Server({METRICS: "true"}, processes=2) as served:
        yield served


def pid_of_the_page(server: Server) -> int:
    """The process that has the only open page."""
    for pid, port in RUN.findall(server.log()):
        told = httpx.get(f"http://127.0.0.1:{port}/_stcore/metrics", timeout=TIMEOUT_S, trust_env=False).text
        if re.search(r"^active_sessions 1$", told, re.MULTILINE):
            return int(pid)
    raise AssertionError(server.log())


def test_a_page_outlives_its_process(browser, server):
    # Not a watched page: the browser itself notes in its console that a connection was lost.
    context = browser.new_context(base_url=server.url, viewport=WINDOW)
    context.set_default_timeout(1000 * TIMEOUT_S)
    context.add_init_script(NOTE_UNANSWERED)
    page = context.new_page()
    page.goto(f"/?run={FIVE[0]}&run={FIVE[1]}&zoom=1000~2000")
    wait_idle(page)
    expect_selected(page, 2)
    before = query(page)
    loaded = page.evaluate("() => performance.timeOrigin")
    lost: list[str] = []
    page.on("websocket", lambda websocket: lost.append(websocket.url))
    os.kill(pid_of_the_page(server), signal.SIGKILL)
    with page.expect_websocket():
        pass
    wait_idle(page)
    assert lost, "the page has opened another connection"
    expect_selected(page, 2)
    assert query(page) == before
    assert page.evaluate("() => performance.timeOrigin") == loaded, "nobody had to reload it"
    # It is as alive as before: the menu leads on, with the same runs.
    page.get_by_role("link", name="Hyperparameter diff").click()
    wait_idle(page)
    expect_selected(page, 2)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    context.close()
