from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.checks.check import FINDINGS_LISTED, Outcome
from lib.core.checks.spikes import SPIKE_HISTORY, spike_limits
from lib.core.checks.subject import LARGEST
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, result_of
from tests.core.checks.test_stability import smooth_run


def test_a_steep_start_is_no_row_of_spikes():
    loss = 1.0 + 10.0 * np.exp(-np.arange(200) / 4)
    assert result_of("loss_spike", train_loss=loss).outcome is Outcome.NOT_FOUND
    assert result_of("gradient_spike", grad_norm=loss).outcome is Outcome.NOT_FOUND


def test_large_first_gradients_are_no_spikes():
    gradient = np.ones(200)
    gradient[:SPIKE_HISTORY] = 50.0
    assert result_of("gradient_spike", grad_norm=gradient).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize("constant", [0.0, 1e-9, 1.0, LARGEST])
def test_a_constant_gradient_norm_has_no_spikes(constant):
    assert result_of("gradient_spike", grad_norm=np.full(100, constant)).outcome is Outcome.NOT_FOUND


def test_one_odd_batch_is_worth_knowing_and_several_are_a_warning():
    loss = np.ones(300)
    loss[100] = 2.0
    loss[200:203] = 2.0
    single, row = result_of("loss_spike", train_loss=loss).findings
    assert (single.severity, single.step, single.extent) == (Severity.INFO, 1010, None)
    assert (row.severity, row.step, row.extent) == (Severity.WARNING, 2010, 2030)


def test_neighbouring_points_above_the_limit_are_one_spike():
    gradient = np.ones(200)
    gradient[100:104] = [5.0, 9.0, 8.0, 6.0]
    (spike,) = result_of("gradient_spike", grad_norm=gradient).findings
    assert (spike.step, spike.extent, spike.evidence["peak_step"]) == (1010, 1040, 1020)
    assert spike.evidence["value"] == 9.0
    # Its step is one wherever it is said: in a list of steps, on a chart, and in its own sentence.
    assert "from step 1,010 to 1,040" in spike.sentence
    assert "1020" not in spike.sentence


def test_of_many_spikes_the_greatest_are_listed_and_all_are_counted():
    norm = np.ones(4000)
    norm[50::100] = np.linspace(10.0, 50.0, 40)
    result = result_of("gradient_spike", grad_norm=norm)
    assert (result.events, len(result.findings)) == (40, FINDINGS_LISTED)
    assert min(finding.evidence["value"] for finding in result.findings) > 29.0
    assert [finding.step for finding in result.findings] == sorted(finding.step for finding in result.findings)


def test_planted_spikes_are_found_at_their_steps():
    missed = 0
    for seed in range(40):
        _, gradient = smooth_run(seed)
        at = int(np.random.default_rng(1000 + seed).integers(30, len(gradient)))
        # Five times what the noise is about: a spike on top of a dip is a smaller one.
        gradient[at] = 5 * np.median(gradient[max(at - 5, 0) : at + 6])
        steps = curves_of(grad_norm=gradient).get("grad_norm").step
        found = result_of("gradient_spike", grad_norm=gradient).findings
        missed += [finding.evidence["peak_step"] for finding in found] != [steps[at]]
    assert missed <= 1


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_spikes_do_not_depend_on_the_unit_of_the_gradient_norm(scale, seed):
    _, gradient = smooth_run(seed)
    gradient[40] *= 20
    limits = spike_limits(gradient)
    assert spike_limits(gradient * scale) == pytest.approx(limits * scale, rel=1e-9)
