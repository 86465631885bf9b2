"""Whether a running run still reports: only a running one can be silent, and for never less than no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.liveness import STALLED_S, is_stalled, silent_for
from lib.core.facts.runs import RunStatus, RunSummary

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def run(status: RunStatus = RunStatus.RUNNING, *, silent_s: float | None = 0.0) -> RunSummary:
    """A run that last reported ``silent_s`` before now; ``None`` for one that never said."""
    updated_at = None if silent_s is None else NOW - timedelta(seconds=silent_s)
    return RunSummary(run_id="a", name="a", status=status, updated_at=updated_at)


@pytest.mark.parametrize(
    ("silent_s", "stalled"),
    [(0, False), (STALLED_S - 0.001, False), (STALLED_S, True), (STALLED_S + 0.001, True), (1e8, True)],
)
def test_a_running_run_is_stalled_after_ten_silent_minutes_and_not_before(silent_s, stalled):
    assert STALLED_S == 600
    assert is_stalled(run(silent_s=silent_s), NOW) is stalled


@pytest.mark.parametrize("status", [status for status in RunStatus if status is not RunStatus.RUNNING])
def test_a_run_that_is_not_running_is_never_silent(status):
    assert silent_for(run(status, silent_s=1e6), NOW) is None
    assert not is_stalled(run(status, silent_s=1e6), NOW)


def test_a_running_run_that_never_said_when_it_reported_is_not_called_stalled():
    assert silent_for(run(silent_s=None), NOW) is None
    assert not is_stalled(run(silent_s=None), NOW)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
@settings(deadline=None)
def test_silence_is_never_negative_and_grows_with_the_clock(silent_s, later_s):
    each = run(silent_s=silent_s)
    later = NOW + timedelta(seconds=later_s)
    assert 0 <= silent_for(each, NOW) <= silent_for(each, later)
    assert is_stalled(each, later) >= is_stalled(each, NOW)


def test_the_clock_of_the_reader_may_be_in_any_zone():
    elsewhere = NOW.astimezone(tz=None)
    assert silent_for(run(silent_s=90), elsewhere) == 90
