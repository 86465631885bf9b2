from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from lib.core.checks.check import Outcome
from lib.core.checks.registry import checks_of
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, result_of, run_of, thinned


@pytest.mark.parametrize(("limit", "outcome"), [(0.5, Outcome.FOUND), (2.0, Outcome.NOT_FOUND)])
def test_clipping_of_a_reduced_curve_follows_from_the_median_of_all_norms(limit, outcome):
    curve = thinned(curves_of(grad_norm=np.linspace(0.8, 1.2, 300)).get("grad_norm"))
    curves = RunCurves("run", MappingProxyType({"grad_norm": curve}))
    results = checks_of(run_of(config={"max_grad_norm": limit}), curves)
    assert results.of("clipping_saturation").outcome is outcome


def test_norms_above_a_configured_limit_are_clipped_and_without_one_it_cannot_be_told():
    norm = np.linspace(2.0, 3.0, 100)
    clipped = result_of("clipping_saturation", run_of(config={"max_grad_norm": 1.0}), grad_norm=norm)
    assert (clipped.findings[0].severity, clipped.findings[0].step) == (Severity.WARNING, 10)
    assert clipped.evidence["share"] == 1.0
    assert "from step 10 to step 1,000:" in clipped.findings[0].sentence
    assert result_of("clipping_saturation", grad_norm=norm).outcome is Outcome.CANNOT_TELL
    above = result_of("clipping_saturation", run_of(config={"max_grad_norm": 5.0}), grad_norm=norm)
    assert above.outcome is Outcome.NOT_FOUND


def test_norms_rounded_to_a_few_values_are_not_called_pinned():
    norm = np.where(np.arange(100) % 2, 0.1, 0.2)
    assert result_of("clipping_saturation", grad_norm=norm).outcome is Outcome.CANNOT_TELL


def test_short_dips_of_the_throughput_are_no_decay():
    speed = np.full(200, 1000.0)
    speed[::10] = 100.0
    assert result_of("throughput_decay", tokens_per_second=speed).outcome is Outcome.NOT_FOUND
    speed = np.where(np.arange(200) < 120, speed, 0.6 * speed)
    (finding,) = result_of("throughput_decay", tokens_per_second=speed).findings
    assert (finding.step, finding.extent) == (1210, 2000)
    assert finding.sentence.endswith("from step 1,210 to step 2,000.")


def test_samples_per_second_are_looked_at_where_there_are_no_tokens():
    speed = np.repeat([100.0, 50.0], 100)
    (finding,) = result_of("throughput_decay", samples_per_second=speed).findings
    assert finding.evidence["metric"] == "samples_per_second"


def test_why_throughput_cannot_be_told_is_told_of_the_measure_that_was_logged():
    few = result_of("throughput_decay", samples_per_second=np.ones(5))
    assert few.because == "the throughput has 5 finite points; 24 are needed."
    assert result_of("throughput_decay").because == "the throughput was not logged."


def test_a_jump_of_the_memory_is_no_creep():
    jump = np.repeat([20.0, 30.0], 100)
    assert result_of("memory_creep", gpu_memory_allocated_gb=jump).outcome is Outcome.NOT_FOUND
    climb = result_of("memory_creep", gpu_memory_allocated_gb=np.linspace(20.0, 30.0, 200))
    assert "to step 2,000." in climb.findings[0].sentence


def growing(factor, n=200, spread=0.3, seed=0):
    return np.exp(np.linspace(0.0, np.log(factor), n) + np.random.default_rng(seed).normal(0.0, spread, n))


@pytest.mark.parametrize(
    ("norms", "outcome"),
    [
        (growing(8.0), Outcome.FOUND),
        (growing(8.0, 20, 0.1), Outcome.FOUND),
        (growing(1.5), Outcome.NOT_FOUND),
        (growing(0.1), Outcome.NOT_FOUND),
        (np.concatenate((growing(1.0, 100), 8.0 * growing(1.0, 100))), Outcome.NOT_FOUND),
        (np.concatenate((growing(8.0, 20), 8.0 * growing(1.0, 180))), Outcome.NOT_FOUND),
        (growing(8.0, 10), Outcome.CANNOT_TELL),
        (np.zeros(100), Outcome.CANNOT_TELL),
    ],
)
def test_a_gradient_norm_that_grows_from_part_to_part_is_a_warning(norms, outcome):
    assert result_of("gradient_growth", grad_norm=norms).outcome is outcome


def test_growth_during_the_warm_up_is_none():
    warm = np.concatenate((np.linspace(0.0, 1e-4, 80), np.full(120, 1e-4)))
    norms = np.concatenate((growing(30.0, 80, 0.1), 30.0 * growing(1.0, 120, 0.1)))
    assert result_of("gradient_growth", grad_norm=norms, learning_rate=warm).outcome is Outcome.NOT_FOUND
