"""Large effects in curves of few points, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.checks.check import Outcome
from lib.core.curves.short_curves import SHORT_POINTS, climb_of, drop_of, rise_of, spike_of
from tests.core.checked_runs import result_of

DIVERGED = [3.0, 2.0, 1.5, 1.2, 1.1, 1.0, 4.0, 7.0, 9.0, 9.5]


def test_a_divergence_by_a_factor_is_found_in_ten_points():
    (finding,) = result_of("divergence", train_loss=DIVERGED).findings
    assert (finding.step, finding.extent) == (80, 100)
    assert result_of("divergence", train_loss=DIVERGED[: SHORT_POINTS - 1]).outcome is Outcome.CANNOT_TELL
    why = result_of("divergence", train_loss=np.linspace(2.0, 1.0, 10)).sentence
    assert "has 10 finite points, which show nothing large; 24 are needed" in why


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(2.0, 1.0, 10),
        [2.0, 1.0, 0.02, 0.01, 0.01, 0.01, 0.02, 0.03, 0.03, 0.03],
        [1.0, 1.1, 0.9, 1.0, 1.1, 1.0, 0.9, 1.9, 1.0, 1.1],
        [3.0, 2.0, 1.5, 1.2, 1.1, 1.0, 1.0, 1.0, 1.0, 9.0],
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.3, 1.3],
    ],
)
def test_small_rises_and_single_points_are_no_divergence(values):
    assert rise_of(np.array(values)) is None


def test_one_point_far_above_all_others_is_a_spike():
    norms = [9.0, 4.0, 1.0, 1.1, 0.9, 12.0, 1.0, 1.2]
    assert spike_of(np.array(norms)) == 5
    (finding,) = result_of("gradient_spike", grad_norm=norms).findings
    assert (finding.step, finding.evidence["value"]) == (60, 12.0)
    assert spike_of(np.array([9.0, 4.0, 1.0, 1.1, 0.9, 3.0, 1.0, 1.2])) is None
    assert spike_of(np.array([9.0, 4.0, 1.0, 1.1, 0.9, 12.0, 10.0, 1.2])) is None
    assert spike_of(np.array([20.0, 4.0, 1.0, 1.1, 0.9, 12.0, 1.0, 1.2])) is None


def test_halved_throughput_and_memory_that_creeps_up():
    speed = [200.0, 900.0, 1000.0, 980.0, 1010.0, 1000.0, 990.0, 400.0, 390.0, 410.0]
    assert drop_of(np.array(speed)) == 7
    assert result_of("throughput_decay", tokens_per_second=speed).findings[0].step == 80
    assert drop_of(np.array([1000.0] * 8 + [400.0] * 2)) is None
    memory = np.linspace(10.0, 20.0, 12)
    assert result_of("memory_creep", gpu_memory_allocated_gb=memory).outcome is Outcome.FOUND
    assert climb_of(np.array([10.0] * 6 + [20.0] * 6)) is None
