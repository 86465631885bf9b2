"""A read that was begun before and fails after another one succeeded says nothing of what is shown."""

from __future__ import annotations

import threading

import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.log.errors import reported
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


def test_several_reads_that_fail_for_one_reason_have_one_id_until_all_are_mended():
    failures, errors = Failures(), [SourceUnavailable("No answer.") for _ in range(4)]
    failures.note(("list", "ann"), errors[0], lambda: None)
    first = reported(errors[0])
    failures.note(("curves", "ann"), errors[1], lambda: None)
    assert reported(errors[1]) == first
    failures.note(("curves", "bob"), errors[2], lambda: None)
    assert reported(errors[2]) != first, "another reader's may be another reason"
    other = SourceUnavailable("Another answer.")
    failures.note(("runs", "ann"), other, lambda: None)
    assert reported(other) != first
    for what in (("list", "ann"), ("curves", "ann"), ("runs", "ann")):
        failures.mended(what)
    failures.note(("list", "ann"), errors[3], lambda: None)
    assert reported(errors[3]) != first
