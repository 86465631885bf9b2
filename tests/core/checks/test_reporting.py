from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from bench.health_runs import NOW
from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of
from lib.core.checks.reporting import ROWS_NEEDED
from lib.core.curves.row_facts import RowFacts
from lib.core.facts.liveness import STALLED_S
from lib.core.facts.runs import RunStatus
from tests.core.checked_runs import curves_of, result_of, run_of


def silent_run(silent_s):
    return run_of(status=RunStatus.RUNNING, updated_at=NOW - timedelta(seconds=silent_s))


@pytest.mark.parametrize(("silent_s", "outcome"), [(STALLED_S - 1.0, Outcome.NOT_FOUND), (STALLED_S, Outcome.FOUND)])
def test_a_running_run_that_is_silent_is_stalled(silent_s, outcome):
    result = result_of("stalled", silent_run(silent_s), NOW, train_loss=np.ones(30))
    assert result.outcome is outcome
    assert [finding.step for finding in result.findings] == [300] * (outcome is Outcome.FOUND)
    assert result_of("stalled", silent_run(silent_s), None).outcome is Outcome.CANNOT_TELL


def test_a_silence_is_none_for_a_run_that_reports_as_seldom():
    seldom = {"train_loss": np.linspace(2.0, 1.0, 10), "elapsed": np.arange(10) * 1800.0}
    assert result_of("stalled", silent_run(1500.0), NOW, **seldom).outcome is Outcome.NOT_FOUND
    assert result_of("stalled", silent_run(1800.0), NOW, **seldom).outcome is Outcome.FOUND


def test_a_run_whose_rows_go_on_is_not_silent_whatever_its_job_row_says():
    rows = RowFacts(20, timed=20, first_written_us=0, last_written_us=int(NOW.timestamp() * 1e6) - 5_000_000)
    curves = curves_of(rows=rows, train_loss=np.linspace(2.0, 1.0, 20))
    assert checks_of(silent_run(7200.0), curves, now=NOW).of("stalled").sentence == "The run reported 5 s ago."


def waits(count, **longer):
    intervals = np.full(count, 5.0)
    for at, seconds in longer.items():
        intervals[int(at[1:])] = seconds
    return np.append(0.0, np.cumsum(intervals))


def test_long_intervals_that_recur_are_a_rhythm_and_a_lone_one_is_a_gap():
    intervals = np.full(99, 5.0)
    intervals[::10] = 3000.0
    rhythm = result_of("reporting_gap", elapsed=np.append(0.0, np.cumsum(intervals)), train_loss=np.ones(100))
    assert rhythm.outcome is Outcome.NOT_FOUND
    lone = result_of("reporting_gap", elapsed=waits(99, _50=3000.0), train_loss=np.ones(100))
    assert [(finding.step, finding.extent) for finding in lone.findings] == [(510, 520)]


@pytest.mark.parametrize(
    ("rows", "outcome"), [(ROWS_NEEDED - 1, Outcome.CANNOT_TELL), (ROWS_NEEDED, Outcome.FOUND), (20, Outcome.FOUND)]
)
def test_a_pause_of_a_short_log_is_found(rows, outcome):
    paused = result_of("reporting_gap", elapsed=waits(rows - 1, _4=86_400.0), train_loss=np.linspace(2.0, 1.0, rows))
    assert paused.outcome is outcome
