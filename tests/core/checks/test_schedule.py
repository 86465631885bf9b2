"""Learning rates that were 0 long before the end, and those that came back."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of
from lib.core.curves.row_facts import row_facts
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, result_of, run_of

X = np.linspace(0.0, 1.0, 100)
COSINE = 0.5e-4 * (1.0 + np.cos(np.pi * X))
LINEAR = 1e-4 * (1.0 - X)
WARM = np.concatenate((np.linspace(0.0, 1e-4, 10), np.full(70, 1e-4), np.linspace(1e-4, 0.0, 20)))
CYCLES = np.tile(0.5e-4 * (1.0 + np.cos(np.pi * np.linspace(0.0, 1.0, 25, endpoint=False))), 4)


@pytest.mark.parametrize("rates", [COSINE, LINEAR, WARM, np.full(100, 1e-4), np.append(LINEAR, 0.0)])
def test_schedules_end_at_0_and_begin_there(rates):
    assert result_of("rate_zero", learning_rate=rates).outcome is Outcome.NOT_FOUND
    assert result_of("rate_restarted", learning_rate=rates).outcome is Outcome.NOT_FOUND


def test_a_rate_of_0_long_before_the_end_is_said_with_its_first_step():
    rates = np.concatenate((LINEAR[:-1], np.zeros(60)))
    (finding,) = result_of("rate_zero", learning_rate=rates).findings
    assert (finding.severity, finding.step, finding.extent) == (Severity.WARNING, 1000, 1590)
    between = np.concatenate((LINEAR[:50], np.zeros(30), LINEAR[50:]))
    assert result_of("rate_zero", learning_rate=between).findings[0].extent == 800
    assert "0 at all 40" in result_of("rate_zero", learning_rate=np.zeros(40)).sentence


def test_a_rate_that_was_rounded_to_0_may_be_a_small_one():
    rounded = np.round(0.5e-5 * (1.0 + np.cos(np.pi * X)), 6)
    assert (rounded[-10:] == 0.0).all()
    assert result_of("rate_zero", learning_rate=rounded).outcome is Outcome.CANNOT_TELL


def restarted(rates, run=None):
    return result_of("rate_restarted", run, learning_rate=rates)


def test_a_rate_that_is_back_at_its_peak_once_is_a_restart():
    again = np.concatenate((COSINE, np.linspace(0.0, 0.9e-4, 10), COSINE))
    (finding,) = restarted(again).findings
    assert (finding.severity, finding.step) == (Severity.WARNING, 1020)
    assert "restarts once" in finding.sentence
    # A smaller second phase is a plan, and a constant rate that drops for a while and recovers a little none of these.
    assert restarted(np.concatenate((COSINE, 0.5 * COSINE))).outcome is Outcome.NOT_FOUND


def test_cycles_are_no_restarts_whether_they_are_said_or_seen():
    assert restarted(CYCLES).outcome is Outcome.NOT_FOUND
    doubling = np.concatenate([0.5 * (1 + np.cos(np.pi * np.linspace(0, 1, n, endpoint=False))) for n in (10, 20, 40)])
    assert restarted(doubling).outcome is Outcome.NOT_FOUND
    once = CYCLES[:50]
    assert restarted(once).outcome is Outcome.FOUND
    for config in (
        {"lr_scheduler_type": "cosine_with_restarts"},
        {"scheduler": {"name": "CyclicLR"}},
        {"lr_scheduler_kwargs": {"num_cycles": 2}},
    ):
        assert restarted(once, run_of(config=config)).outcome is Outcome.NOT_FOUND


def test_after_a_resumption_that_the_rows_show_it_is_only_worth_knowing():
    steps = np.concatenate((np.arange(60), np.arange(50, 100)))
    rows = row_facts(steps, None, {"learning_rate": None})
    curves = curves_of(rows=rows, learning_rate=CYCLES[:50])
    (finding,) = checks_of(run_of(), curves).of("rate_restarted").findings
    assert finding.severity is Severity.INFO
