"""Spikes at the same steps of all runs."""

from __future__ import annotations

import numpy as np

from lib.core.checks.common_spikes import common_spikes, without_common
from lib.core.checks.registry import checks_of
from lib.core.checks.stability import Steadiness, stability_of
from lib.core.facts.findings import Severity
from tests.core.checked_runs import curves_of, run_of


def spiky(seed, *at):
    random = np.random.default_rng(seed)
    norm = np.exp(random.normal(0.0, 0.1, 400))
    norm[list(at)] = 20.0
    loss = np.linspace(2.0, 1.0, 400) + random.normal(0.0, 0.01, 400)
    return checks_of(run_of(), curves_of(train_loss=loss, grad_norm=norm))


def told(*results, runs=None):
    by_id = {str(number): each for number, each in enumerate(results)}
    return common_spikes(by_id, dict(zip(by_id, runs or [run_of()] * len(by_id), strict=True)))


def test_spikes_at_the_same_steps_of_all_runs_are_said_once():
    results = [spiky(1, 117, 231), spiky(2, 117, 231, 300), spiky(3, 117, 231)]
    (common,) = told(*results)
    assert common.sentence == "Gradient norms spike at steps 1,180, 2,320 in all runs: hard batches."
    lowered = [without_common(each, (common,)) for each in results]
    assert [len(each.serious) for each in lowered] == [0, 1, 0]
    assert lowered[1].serious[0].step == 3010
    assert all(finding.severity is Severity.INFO for finding in lowered[0].of("gradient_spike").findings)
    assert [stability_of(each).steadiness for each in lowered] == [
        Steadiness.STEADY,
        Steadiness.UNSTEADY,
        Steadiness.STEADY,
    ]
    assert [each.of("gradient_spike").events for each in lowered] == [2, 3, 2]


def test_two_runs_say_both_and_one_run_nothing():
    (common,) = told(spiky(1, 117, 231), spiky(2, 117, 231))
    assert common.sentence.endswith("in both runs: hard batches.")
    assert told(spiky(1, 117)) == ()
    assert told() == ()


def test_a_spike_of_one_run_is_its_own():
    assert told(spiky(1, 117), spiky(2, 231)) == ()
    assert told(spiky(1, 117), spiky(2, 117), spiky(3)) == ()


def test_a_single_meeting_of_many_spikes_is_chance():
    many = range(40, 390, 18)
    assert told(spiky(1, *many), spiky(2, *[at + 5 for at in many][:-1], 40)) == ()


def test_runs_that_cannot_tell_take_no_part():
    quiet = checks_of(run_of(), curves_of(train_loss=np.linspace(2.0, 1.0, 400)))
    (common,) = told(spiky(1, 117, 231), spiky(2, 117, 231), quiet)
    assert "in all 2 runs that tell" in common.sentence


def test_runs_that_saw_other_batches_share_no_hard_ones():
    results = spiky(1, 117, 231), spiky(2, 117, 231)
    for key in ("seed", "dataset", "batch_size"):
        apart = [run_of(config={key: value}) for value in ("1", "2")]
        assert told(*results, runs=apart) == (), key
    alike = [run_of(config={"seed": 1, "learning_rate": rate}) for rate in (1e-4, 2e-4)]
    assert len(told(*results, runs=alike)) == 1
