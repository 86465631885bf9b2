from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lib.core.checkpoints import checkpoint_to_ship, save_interval, step_in_path
from lib.core.evidence import RunEvidence
from lib.core.runs import RunSummary

RUN = RunSummary(run_id="r", name="r")
EVIDENCE = RunEvidence(
    run_id="r", logged_steps=100, last_step=1000, best_eval_loss=0.41117, best_step=350, best_epoch=1.75
)


def saving(**options):
    return replace(RUN, config={"training": options})


@pytest.mark.parametrize("path", ["out/checkpoint-350", "s3/run/step_350/adapter", "epoch=1-step=350.ckpt"])
def test_the_recorded_checkpoint_of_the_best_step_is_the_one_to_ship(path):
    advice = checkpoint_to_ship(replace(RUN, best_checkpoint_path=path), EVIDENCE)
    assert (advice.step, advice.epoch, advice.eval_loss) == (350, 1.75, 0.41117)
    assert (advice.path, advice.path_step, advice.exact) == (path, 350, True)
    assert advice.sentence == (f"The lowest eval loss, 0.4112, was measured at step 350 (epoch 1.75). Ship {path}.")


def test_a_checkpoint_of_another_step_is_given_beside_the_best_step():
    advice = checkpoint_to_ship(replace(RUN, best_checkpoint_path="out/checkpoint-900"), EVIDENCE)
    assert (advice.step, advice.path_step, advice.exact) == (350, 900, False)
    assert "out/checkpoint-900, of step 900" in advice.sentence
    assert "another metric" in advice.sentence


def test_a_path_that_names_no_step_says_so():
    advice = checkpoint_to_ship(replace(RUN, best_checkpoint_path="out/best"), EVIDENCE)
    assert (advice.path, advice.path_step, advice.exact) == ("out/best", None, False)
    assert "its step is not in its name" in advice.sentence


@pytest.mark.parametrize("path", [None, "", "  "])
def test_an_unknown_path_is_said_to_be_unknown(path):
    advice = checkpoint_to_ship(replace(RUN, best_checkpoint_path=path), EVIDENCE)
    assert (advice.path, advice.saved_step, advice.exact) == (None, None, False)
    assert "not recorded" in advice.sentence


@pytest.mark.parametrize(
    ("every", "saved"),
    [
        (50, 350),  # saved at the best step
        (100, 300),  # 300 and 400 are equally near: the earlier
        (90, 360),
        (120, 360),
        (500, 500),  # the only neighbour: nothing is saved at step 0
        (2000, None),  # the run ended before
    ],
)
def test_the_nearest_saved_step_stands_in_for_an_unknown_path(every, saved):
    advice = checkpoint_to_ship(saving(save_steps=every), EVIDENCE)
    assert advice.saved_step == saved
    assert (f"at step {saved}" if saved not in (350, None) else "step") in advice.sentence
    assert not advice.exact


def test_a_step_that_is_not_reached_yet_is_not_saved():
    evidence = replace(EVIDENCE, last_step=399)
    assert checkpoint_to_ship(saving(save_steps=390), evidence).saved_step == 390
    assert checkpoint_to_ship(saving(save_steps=400), evidence).saved_step is None


def test_a_limit_on_saved_checkpoints_is_a_reservation():
    assert "if it was kept" in checkpoint_to_ship(saving(save_steps=50, save_total_limit=2), EVIDENCE).sentence
    assert "if it was kept" not in checkpoint_to_ship(saving(save_steps=50), EVIDENCE).sentence


def test_the_saving_interval_is_of_no_interest_where_the_path_is_known():
    run = replace(saving(save_steps=100), best_checkpoint_path="out/checkpoint-350")
    assert checkpoint_to_ship(run, EVIDENCE).saved_step is None


@pytest.mark.parametrize(
    ("config", "every"),
    [
        ({"training": {"save_steps": 50}, "save_steps": 70}, 50),
        ({"training_args": {"save_steps": "60"}}, 60),
        ({"save_steps": 70.0}, 70),
        ({"training": {"save_steps": None}, "save_steps": 70}, 70),
        ({"training": {"save_steps": 0.1}}, 100),
        ({"training": {"save_steps": 50, "save_strategy": "epoch"}}, None),
        ({"training": {"save_steps": 50, "save_strategy": "IntervalStrategy.STEPS"}}, 50),
        ({"training": {"save_steps": 0}}, None),
        ({"training": {"save_steps": -5}}, None),
        ({"training": {"save_steps": True}}, None),
        ({"training": {"save_steps": math.inf}}, None),
        ({"training": {"save_steps": "often"}}, None),
        ({"training": "none"}, None),
        ({}, None),
    ],
)
def test_the_saving_interval_is_read_from_the_config(config, every):
    assert save_interval(replace(RUN, config=config, total_steps=1000)) == every


def test_a_share_of_an_unknown_number_of_steps_is_unknown():
    assert save_interval(saving(save_steps=0.1)) is None


def test_the_stored_best_stands_in_where_the_series_have_no_eval_loss():
    run = replace(RUN, best_eval_loss=0.0, best_step=0, best_epoch=0.0)
    for evidence in (None, RunEvidence(run_id="r", logged_steps=5, last_step=9)):
        advice = checkpoint_to_ship(run, evidence)
        assert (advice.step, advice.epoch, advice.eval_loss) == (0, 0.0, 0.0)


def test_a_best_loss_without_a_step_is_said():
    advice = checkpoint_to_ship(replace(RUN, best_eval_loss=0.4, best_checkpoint_path="checkpoint-9"), None)
    assert (advice.step, advice.exact) == (None, False)
    assert "a step that is not recorded" in advice.sentence
    assert "it is of step 9" in advice.sentence


@pytest.mark.parametrize("loss", [None, math.nan, math.inf])
def test_without_an_eval_loss_there_is_no_advice_but_a_reason(loss):
    advice = checkpoint_to_ship(replace(RUN, best_eval_loss=loss, best_step=5), RunEvidence(run_id="r"))
    assert (advice.step, advice.epoch, advice.eval_loss) == (None, None, None)
    assert advice.sentence == "No eval loss is recorded, so no checkpoint can be told to be the best."


def test_a_last_eval_loss_alone_is_not_taken_for_the_best():
    advice = checkpoint_to_ship(replace(RUN, eval_loss=0.4))
    assert advice.eval_loss is None
    assert advice.sentence.startswith("Only the last eval loss is recorded")


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("checkpoint-350", 350),
        ("step350", 350),
        ("step-350", 350),
        ("global_step350", 350),
        ("out/step2/checkpoint-350", 350),
        ("C:\\out\\Checkpoint-7", 7),
        ("timestep99", None),
        ("checkpoint-best", None),
        ("out/350", None),
    ],
)
def test_the_step_in_a_path(path, step):
    assert step_in_path(path) == step
