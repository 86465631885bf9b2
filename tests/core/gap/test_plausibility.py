from __future__ import annotations

import math

import pytest

from lib.core.gap.plausibility import Doubt, Implausible, LossScale, implausible, no_measure, scale_of
from tests.core.checked_runs import run_of

EIGHT = LossScale(accumulation=8)
BOTH = LossScale(accumulation=4, processes=2)


@pytest.mark.parametrize(
    ("train", "evaluated", "scale", "code", "factor"),
    [
        (1.06, 1.10, EIGHT, None, None),
        (8.48, 1.10, EIGHT, Implausible.MULTIPLE, 8),
        (8.8 * 1.09, 1.10, EIGHT, Implausible.MULTIPLE, 8),
        (8.8 * 1.11, 1.10, EIGHT, None, None),
        (8.48, 1.10, LossScale(), None, None),
        (8.48, 1.10, BOTH, Implausible.MULTIPLE, 8),
        (4.3, 1.10, BOTH, Implausible.MULTIPLE, 4),
        (2.2, 1.10, BOTH, Implausible.MULTIPLE, 2),
        (1.10, 1.10, LossScale(1, 1), None, None),
        (0.0, 1.10, EIGHT, Implausible.ZERO, None),
        (0.0, 0.0, EIGHT, Implausible.ZERO, None),
        (None, 1.10, EIGHT, Implausible.NO_VALUE, None),
        (math.nan, 1.10, EIGHT, Implausible.NO_VALUE, None),
        (-8.8, -1.1, EIGHT, None, None),
        (12.0, 2.0, LossScale(vocabulary=32_000), Implausible.ABOVE_GUESSING, None),
        (10.3, 2.0, LossScale(vocabulary=32_000), None, None),
        (12.0, 10.5, LossScale(vocabulary=32_000), None, None),
        (12.0, 2.0, LossScale(), None, None),
    ],
)
def test_a_train_loss_is_looked_at_before_it_counts(train, evaluated, scale, code, factor):
    doubt = implausible(train, evaluated, scale)
    assert (doubt and doubt.code, doubt and doubt.factor) == (code, factor)


def test_what_it_was_summed_over_is_said():
    assert implausible(8.8, 1.1, BOTH) == Doubt(Implausible.MULTIPLE, 8, "4 accumulation steps and 2 processes")
    assert implausible(4.4, 1.1, BOTH).over == "4 accumulation steps"


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, LossScale()),
        ({"training": {"gradient_accumulation_steps": 8}, "devices": [0, 1]}, LossScale(8, 2)),
        ({"world_size": 4, "model": {"vocab_size": 32_000}}, LossScale(None, 4, 32_000)),
        ({"text_config": {"vocab_size": 151_936}}, LossScale(None, None, 151_936)),
        ({"gradient_accumulation_steps": "auto", "vocab_size": True}, LossScale()),
    ],
)
def test_the_scale_is_of_the_configuration(config, scale):
    assert scale_of(run_of(config=config)) == scale


@pytest.mark.parametrize(
    ("config", "metrics", "measures"),
    [
        ({}, ("loss", "eval_loss"), True),
        ({"method": "grpo"}, ("loss",), False),
        ({}, ("reward", "kl", "completions/mean_length"), False),
        ({}, ("rewards/format_reward/mean",), False),
        ({}, ("objective/kl", "loss/policy_avg"), False),
        ({}, ("rewards/margins", "rewards/chosen", "logps/chosen"), True),
        ({}, ("eval_rewards/accuracies", "rewards/rejected"), True),
        ({"method": "dpo"}, ("rewards/chosen", "reward"), True),
    ],
)
def test_a_loss_of_reinforcement_is_no_measure(config, metrics, measures):
    assert (no_measure(run_of(config=config), metrics) is None) == measures
