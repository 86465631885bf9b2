"""A read that was begun before and fails after another one succeeded says nothing of what is shown."""

from __future__ import annotations

import threading

import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.ui.session.failures import Failures
from lib.ui.session.kept import LastGood

WAIT_S = 60.0


def test_what_is_fresh_is_not_called_outdated_for_a_failure_that_came_late():
    kept: LastGood[str, int] = LastGood("kind", 10, 1000.0, Failures(), lambda _: None)
    begun, over = threading.Event(), threading.Event()

    def fails_late() -> int:
        begun.set()
        assert over.wait(WAIT_S)
        raise SourceUnavailable("No answer.")

    def ask() -> None:
        with pytest.raises(SourceUnavailable):
            kept.get("ann", "list", fails_late)

    late = threading.Thread(target=ask)
    late.start()
    assert begun.wait(WAIT_S)
    # Somebody refreshes meanwhile, so that theirs is another read.
    kept.due(lambda *_: True)
    assert kept.get("ann", "list", lambda: 7) == 7
    over.set()
    late.join()
    assert kept.outdated("ann", "list") is not None, "it is known until it is asked for"
    assert kept.get("ann", "list", lambda: 8) == 7, "and what is fresh is not read again"
    assert kept.outdated("ann", "list") is None
