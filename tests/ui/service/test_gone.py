"""Of sessions whose browsers have gone nothing stays in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.demo.source import EmbeddedSource
from lib.ui.session import memory
from lib.ui.session.memory import ComputedValues, Memory
from tests.browser.harness import PROJECT_ROOT, TIMEOUT_S, Server
from tests.gate.stranger import Stranger

APP = Path(__file__).parent / "counting_app.py"
PAGES = 6


def waits_for(met: Callable[[], bool]) -> bool:
    until = time.monotonic() + TIMEOUT_S
    while not met():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_what_sessions_drew_goes_with_them_though_nobody_comes_after_them():
    runs = EmbeddedSource().list_runs(RunQuery(status=RunStatus.COMPLETED, limit=2)).runs
    link = urlencode([("run", each.run_id) for each in runs])
    with Server({"PYTHONPATH": str(PROJECT_ROOT)}, script=APP) as server, Stranger(server) as ann:

        def counted(**asked: float) -> dict[str, int]:
            found: dict[str, int] = ann.client.get("/counted", params=asked).raise_for_status().json()
            return found

        tabs = [ann.tab().run(link) for _ in range(PAGES)]
        open_ = counted(seconds=0.1)
        assert open_["AppSession"] == PAGES
        assert open_["RunOnAxis"] >= 2 * PAGES
        for tab in tabs:
            tab.close()
        # Streamlit's own loop holds the one that it looked at last, until it looks at another.
        assert waits_for(lambda: counted().get("AppSession", 0) <= 1), counted()
        left = counted()
        assert (left["stored"], left.get("Comparison", 0)) in ((0, 0), (0, 1))
        assert left.get("RunOnAxis", 0) <= 2
        # Whoever comes now finds all as it was.
        assert "runoff_charts" in ann.tab().run(link).text


def test_what_is_too_old_is_let_go_without_being_asked_for():
    now = 0.0
    short, long = Memory(10, 5.0, lambda: now), Memory(10, 50.0, lambda: now)
    for each in (short, long):
        each.get("key", lambda: "value")
    now = 10.0
    memory.expire()
    assert (len(short._kept._Cache__data), len(long._kept._Cache__data)) == (0, 1)


def test_results_are_let_go_after_their_time(monkeypatch):
    monkeypatch.setattr(memory, "RESULTS_S", 0.0)
    values = ComputedValues()
    values.computed("subject", "key", lambda: "value")
    assert len(values._made._Cache__data) == 1
    memory.expire()
    assert len(values._made._Cache__data) == 0
