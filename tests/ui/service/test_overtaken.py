"""A fragment that is asked for while its page ends takes nothing of the page away."""

from __future__ import annotations

from pathlib import Path

from tests.browser.harness import PROJECT_ROOT, Server
from tests.gate.stranger import Stranger
from tests.ui.service.overtaking_app import AGAIN, LAST

APP = Path(__file__).parent / "overtaking_app.py"


def test_what_a_page_says_last_comes_though_its_fragment_is_asked_for_before_that_was_sent():
    with Server({"PYTHONPATH": str(PROJECT_ROOT)}, script=APP) as server, Stranger(server) as ann:
        tab = ann.tab().run()
        assert LAST in tab.text
        assert "FINISHED_FRAGMENT" not in tab.text
        # The fragment has its turn, afterwards.
        assert AGAIN in "".join(map(str, tab.messages()))
