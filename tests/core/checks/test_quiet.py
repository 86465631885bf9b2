"""Quiet failures in simulated runs: found at their middle size, and not where there is none."""

from __future__ import annotations

import pytest

from bench.health_runs import NOW
from bench.quiet import warnings
from bench.quiet_runs import QUIET, quiet_run
from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of

SEEDS = range(90_000, 90_030)
MIDDLE = 1


@pytest.mark.parametrize("kind", QUIET)
def test_a_quiet_failure_of_middle_size_is_found(kind):
    found = [checks_of(*quiet_run(kind, MIDDLE, seed), now=NOW).of(QUIET[kind].code).outcome for seed in SEEDS]
    assert found.count(Outcome.FOUND) >= 0.9 * len(SEEDS) - 1


def test_clean_runs_of_all_schedules_and_lengths_are_not_warned_about():
    assert sum(bool(warnings(seed)) for seed in range(91_000, 91_200)) <= 2
