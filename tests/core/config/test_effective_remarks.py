"""What is odd about what a configuration states, and what it comes to where several settings act together."""

from __future__ import annotations

import pytest

from lib.core.config.effective import effective
from lib.core.config.values import MISSING
from tests.core.config.configured import run, setting, value


def remarks(key, config=None, **columns):
    return setting(key, config, **columns).remarks


def test_the_column_of_warmup_steps_is_checked_against_the_ratio():
    config = {"training": {"warmup_ratio": 0.1}}
    assert not remarks("warmup_ratio", config, warmup_steps=100, total_steps=1000)
    assert not remarks("warmup_ratio", config, warmup_steps=99, total_steps=991)
    assert not remarks("warmup_ratio", config, warmup_steps=30)
    (remark,) = remarks("warmup_ratio", config, warmup_steps=30, total_steps=1000)
    assert remark.places == (("config.training.warmup_ratio", "0.1"), ("column warmup_steps", "30"))
    assert "The ratio makes 100 of 1,000 steps" in remark.sentence


def test_a_peak_above_the_configured_learning_rate_is_a_contradiction_and_one_below_is_not():
    config = {"training": {"learning_rate": 2e-4}}
    for peak in (2e-4, 1e-4, 2.0001e-4):
        assert not remarks("learning_rate", config, max_learning_rate=peak)
    (remark,) = remarks("learning_rate", config, max_learning_rate=3e-4, learning_rate=1e-9)
    assert remark.places == (("config.training.learning_rate", "2e-4"), ("column max_learning_rate", "3e-4"))


def test_switches_of_which_one_trainer_takes_one_contradict_each_other():
    assert setting("bf16", {"bf16": True, "fp16": True}).contradicted
    assert not setting("bf16", {"bf16": True, "fp16": False}).contradicted
    assert setting("load_in_4bit", {"load_in_4bit": True, "load_in_8bit": True}).contradicted
    assert setting("quantization", {"quantization": "4bit", "load_in_4bit": False}).contradicted


def test_a_column_of_whole_epochs_does_not_contradict_a_fraction():
    assert not remarks("total_epochs", {"num_epochs": 2.5}, total_epochs=2)
    assert not remarks("total_epochs", {"num_epochs": 2.5}, total_epochs=3)
    assert remarks("total_epochs", {"num_epochs": 2.5}, total_epochs=4)
    assert remarks("total_epochs", {"num_epochs": 2}, total_epochs=3)


def test_beside_a_size_per_device_the_batch_size_is_the_effective_one():
    config = {"micro_batch_size": 2, "gradient_accumulation_steps": 4}
    settings = effective(run({**config, "batch_size": 8}))
    assert (settings["batch_size"].value, settings["effective_batch_size"].value) == (2, 8)
    assert not settings["batch_size"].remarks
    assert not settings["effective_batch_size"].remarks
    (remark,) = effective(run({**config, "batch_size": 16}))["effective_batch_size"].remarks
    assert remark.sentence.startswith("config.batch_size states 16, but the product is 8")


def test_a_pair_of_betas_is_two_parameters():
    settings = effective(run({"optimizer": {"betas": [0.9, 0.95]}}))
    assert (settings["adam_beta1"].value, settings["adam_beta2"].value) == (0.9, 0.95)
    assert settings["adam_beta2"].source == "config.optimizer.betas[1]"


@pytest.mark.parametrize(
    ("config", "columns", "steps", "share"),
    [
        ({"warmup_steps": 100}, {"total_steps": 1000}, 100, 0.1),
        ({"warmup_steps": 100}, {}, 100, MISSING),
        ({"warmup_ratio": 0.03}, {"total_steps": 1001}, 31, 0.03),
        ({"warmup_ratio": 0.03}, {}, MISSING, 0.03),
        ({"warmup_steps": 100, "warmup_ratio": 0.5}, {"total_steps": 1000}, 100, 0.1),
        ({"warmup_steps": 0, "warmup_ratio": 0.5}, {"total_steps": 1000}, 500, 0.5),
        ({"warmup_steps": 0}, {}, 0, 0.0),
        ({"warmup_steps": 0.1}, {"total_steps": 1000}, 100, 0.1),
        ({"warmup_ratio": 0.1, "max_steps": 50}, {"total_steps": 1000}, 5, 0.1),
        ({"warmup_ratio": 0.1}, {"warmup_steps": 100}, 100, 0.1),
        ({"warmup_steps": "auto"}, {"total_steps": 9}, MISSING, MISSING),
    ],
)
def test_the_warmup_in_effect_is_what_the_trainer_makes_of_steps_and_ratio(config, columns, steps, share):
    assert value("warmup_in_effect", config, **columns) == steps
    assert value("warmup_share", config, **columns) == share


@pytest.mark.parametrize(
    ("lora", "scaling"),
    [
        ({"r": 16, "lora_alpha": 32}, 2.0),
        ({"r": 16, "lora_alpha": 32, "use_rslora": True}, 8.0),
        ({"r": 0, "lora_alpha": 32}, MISSING),
        ({"r": 16}, MISSING),
    ],
)
def test_the_scaling_of_an_adapter_is_alpha_over_rank(lora, scaling):
    assert value("lora_scaling", {"lora": lora}) == scaling


def test_the_tokens_of_a_step_are_at_most_all_samples_at_full_length():
    assert value("tokens_per_step", {"batch_size": 4, "max_length": 2048}, num_gpus=2) == 16_384
    assert value("tokens_per_step", {"batch_size": 4}) is MISSING
