"""Trainings that died, that never learned, and that never beat their base model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lib.core.checks.check import Outcome
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from tests.core.checked_runs import result_of, run_of

FALLING = np.linspace(2.1, 1.5, 10)
REST = 20
ZEROS = np.concatenate((FALLING, np.zeros(REST)))
NORMS = np.concatenate((np.full(10, 0.9), np.zeros(REST)))
EVALS = (np.array([100, 200, 300]), [1.2, 1.2, 1.2])


def dead(loss, run=None, **others):
    return result_of("dead_training", run, train_loss=loss, **others)


@pytest.mark.parametrize("norms", [NORMS, np.where(NORMS == 0.0, math.nan, NORMS), None])
def test_a_train_loss_of_exactly_0_to_the_end_is_dead_from_its_first_step(norms):
    others = {} if norms is None else {"grad_norm": norms}
    (finding,) = dead(ZEROS, eval_loss=EVALS, **others).findings
    assert (finding.severity, finding.step, finding.extent) == (Severity.CRITICAL, 110, 300)
    assert finding.sentence.startswith("Training is dead from step 110 on: the train loss is exactly 0")


def test_a_constant_loss_without_gradients_is_dead_and_one_without_norms_may_be_repeated():
    loss = np.concatenate((FALLING, np.full(REST, 1.4876543)))
    assert dead(loss, grad_norm=NORMS).findings[0].severity is Severity.CRITICAL
    (perhaps,) = dead(loss).findings
    assert perhaps.severity is Severity.WARNING
    assert "or the log repeats one value" in perhaps.sentence
    # The norms go on, so that something does move.
    assert dead(loss, grad_norm=np.full(30, 0.9)).outcome is Outcome.NOT_FOUND


def test_a_logged_0_while_the_model_moves_was_not_measured():
    (finding,) = dead(ZEROS, grad_norm=np.linspace(1.0, 0.5, 30)).findings
    assert (finding.severity, finding.sentence[-36:]) == (Severity.WARNING, "while gradients go on: not measured.")
    (finding,) = dead(ZEROS, eval_loss=(np.array([100, 200, 300]), [1.4, 1.3, 1.2])).findings
    assert (finding.severity, "while evaluations go on" in finding.sentence) == (Severity.WARNING, True)
    # The same weights evaluated in another order of sums.
    again = (np.array([100, 200, 300]), [1.2, 1.2000001, 1.2])
    assert dead(ZEROS, eval_loss=again).findings[0].severity is Severity.CRITICAL


def test_a_loss_that_fades_within_its_decimals_is_not_dead():
    faded = np.round(2.0 * np.exp(-np.arange(60) / 4.0), 4)
    assert (faded[-10:] == 0.0).all()
    assert dead(faded).outcome is Outcome.NOT_FOUND
    assert dead(faded, grad_norm=np.full(60, 1e-4)).outcome is Outcome.NOT_FOUND
    flat = np.round(0.3 + 0.004 * np.exp(-np.arange(60) / 9.0), 3)
    assert (flat[-15:] == flat[-1]).all()
    assert dead(flat).outcome is Outcome.NOT_FOUND


def test_a_loss_of_reinforcement_may_be_0():
    norms = np.concatenate((np.full(10, 0.5), np.zeros(20)))
    about_0 = np.concatenate((1e-5 * np.array([0, 1, -1, 0, 1, -1, 0, 1, -1, 1]), np.zeros(20)))
    assert dead(about_0, run_of(config={"method": "grpo"}), grad_norm=norms).outcome is Outcome.NOT_FOUND
    assert dead(about_0, grad_norm=norms, reward=np.linspace(0.1, 0.9, 30)).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize("loss", [[0.0, 0.0], [math.nan] * 5])
def test_two_values_tell_no_death(loss):
    assert dead(loss).outcome is Outcome.CANNOT_TELL


def noisy(level, noise, n=200, seed=0):
    return level + np.random.default_rng(seed).normal(0.0, noise, n)


def learned(run=None, **series):
    return result_of("never_learns", run, **series).outcome


def test_a_loss_that_nowhere_falls_beyond_its_noise_was_not_learned_from():
    flat = noisy(0.693, 0.01)
    (finding,) = result_of("never_learns", train_loss=flat, eval_loss=(np.array([500, 1000]), [0.69, 0.691])).findings
    assert (finding.severity, finding.step) == (Severity.WARNING, None)
    # An eval loss that falls, a first value above all others, or a small fall beyond the noise: something was learned.
    assert learned(train_loss=flat, eval_loss=(np.array([500, 1000]), [0.69, 0.65])) is Outcome.NOT_FOUND
    assert learned(train_loss=np.append(0.9, flat)) is Outcome.NOT_FOUND
    assert learned(train_loss=flat - np.linspace(0.0, 0.02, 200)) is Outcome.NOT_FOUND
    assert learned(train_loss=np.concatenate((flat[:50] + 0.2, flat, flat[:50] + 0.2))) is Outcome.NOT_FOUND


def test_noise_that_may_hide_a_fall_cannot_tell():
    assert learned(train_loss=noisy(1.0, 0.1, 20)) is Outcome.CANNOT_TELL
    assert learned(train_loss=noisy(1.0, 0.01, 9)) is Outcome.CANNOT_TELL


def test_what_need_not_fall_is_not_judged():
    flat = noisy(0.7, 0.01)
    assert learned(run_of(resumed_from_run_id="other"), train_loss=flat) is Outcome.CANNOT_TELL
    assert learned(run_of(config={"method": "ppo"}), train_loss=flat) is Outcome.CANNOT_TELL
    early = run_of(status=RunStatus.RUNNING, total_steps=10_000)
    assert learned(early, train_loss=flat) is Outcome.CANNOT_TELL
    late = run_of(status=RunStatus.RUNNING, total_steps=2_500)
    assert learned(late, train_loss=flat) is Outcome.FOUND
    stopped = run_of(status=RunStatus.CANCELLED, total_steps=10_000)
    assert learned(stopped, train_loss=flat) is Outcome.CANNOT_TELL
    assert learned(train_loss=flat, learning_rate=np.linspace(0.0, 1e-4, 200)) is Outcome.CANNOT_TELL
    assert learned(train_loss=flat, learning_rate=np.full(200, 1e-4)) is Outcome.FOUND
    assert learned(train_loss=flat - 0.7) is Outcome.CANNOT_TELL


def test_without_a_train_loss_evaluations_tell():
    flat = [0.7, 0.701, 0.699, 0.7, 0.7005]
    assert learned(eval_loss=(np.arange(0, 500, 100), flat)) is Outcome.FOUND
    assert learned(eval_loss=flat) is Outcome.CANNOT_TELL
    assert learned(eval_loss=[0.7, 0.701, 0.699]) is Outcome.CANNOT_TELL
    assert learned(eval_loss=[0.7, 0.68, 0.66]) is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("steps", "values", "outcome"),
    [
        ([0, 100, 200, 300], [1.5, 1.58, 1.64, 1.7], Outcome.FOUND),
        ([0, 100], [1.5, 1.5], Outcome.FOUND),
        ([0, 100, 200], [1.5, 1.58, 1.49], Outcome.NOT_FOUND),
        ([100, 200, 300], [1.5, 1.58, 1.6], Outcome.NOT_FOUND),
        ([0], [1.5], Outcome.CANNOT_TELL),
        ([0, 100, 200], [math.nan, 1.5, 1.6], Outcome.NOT_FOUND),
    ],
)
def test_what_was_never_better_than_before_training(steps, values, outcome):
    result = result_of("base_not_beaten", eval_loss=(np.array(steps), values))
    assert result.outcome is outcome
    if result.findings:
        assert result.findings[0].severity is Severity.WARNING
        assert "Never better than before training: eval loss is 1.5000 at step 0" in result.sentence


def test_a_running_run_may_still_beat_its_base():
    early = run_of(status=RunStatus.RUNNING, total_steps=10_000)
    evals = (np.array([0, 100]), [1.5, 1.6])
    assert result_of("base_not_beaten", early, eval_loss=evals).outcome is Outcome.CANNOT_TELL
