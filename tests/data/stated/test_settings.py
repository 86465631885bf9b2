from __future__ import annotations

import pytest

from lib.data.stated.settings import config_of, stated, training_returned


@pytest.mark.parametrize(
    ("config", "parameter", "value"),
    [
        (
            {"args": {"lr0": 0.01, "batch": 16, "epochs": 3, "data": "coco.yaml", "model": "yolo.pt"}},
            "learning_rate",
            0.01,
        ),
        ({"args": {"batch": 16}}, "batch_size", 16),
        ({"args": {"data": "coco.yaml"}}, "dataset", "coco.yaml"),
        ({"config": {"data": {"path": "x"}, "dataset": "y"}}, "dataset", "y"),
        ({"hparams": {"max_epochs": 5}}, "num_train_epochs", 5),
        ({"config": {"max_iters": 600_000}}, "max_steps", 600_000),
        ({"config": {"model": {"name": "x"}}}, "base_model", None),
        ({"config": {"optimizer": {"lr": 0.1}}}, "learning_rate", 0.1),
        ({"config": {"per_device_train_batch_size": 2, "batch_size": 64}}, "batch_size", 2),
        ({"model_config": {"max_steps": 7}}, "max_steps", None),
        ({"a": None, "b": 3, "c": ["lr"]}, "learning_rate", None),
    ],
)
def test_a_setting_is_found_under_the_names_that_programs_give_it(config, parameter, value):
    assert stated(config, parameter) == value


def test_a_config_that_describes_no_model_states_a_training():
    assert config_of({"config.json": {"lr": 1}}) == {"training_config": {"lr": 1}}
    assert config_of({"config.json": {"model_type": "x"}}) == {"model_config": {"model_type": "x"}}


def test_results_of_an_earlier_and_shorter_training_do_not_say_that_this_one_returned():
    assert training_returned({"train_runtime": 1.0}, 3.0)
    assert training_returned({"train_loss": 1.0, "epoch": 3.0}, 3.0)
    assert not training_returned({"train_loss": 1.0, "epoch": 2.0}, 3.0)
    assert not training_returned({"eval_loss": 1.0}, 3.0)
