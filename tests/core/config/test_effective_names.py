"""By which names and in which sections a parameter is found, and what is identity and no setting."""

from __future__ import annotations

import pytest

from lib.core.config.datasets import dataset_name
from lib.core.config.effective import effective
from lib.core.config.parameters import NAMES, PARAMETERS, Group, Section
from lib.core.config.values import MISSING
from tests.core.config.configured import notes, run, setting, value

UUID = "5f3a9c1e-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize("key", sorted(set(PARAMETERS) - {"model_name"}))
def test_every_name_of_a_parameter_finds_it(key):
    for name in PARAMETERS[key].names:
        for config in ({name: 3}, {"training": {name: 3}}, {"cfg": {"training_args": {name: 3}}}):
            assert value(key, config) == 3, name


def test_no_name_means_two_parameters():
    for parameter in PARAMETERS.values():
        for name in parameter.names:
            assert NAMES[Section.PLAIN, name][0] is parameter


def test_a_name_means_a_parameter_only_in_its_section():
    config = {
        "evaluation": {"batch_size": 1, "max_length": 9},
        "predictions": {"learning_rate": 5},
        "tokenizer": {"model_max_length": 4096},
        "r": 7,
        "dropout": 0.5,
    }
    settings = effective(run(config))
    assert {"batch_size", "learning_rate", "max_seq_length", "lora_r", "lora_dropout"}.isdisjoint(settings)
    assert settings["eval_batch_size"].value == 1
    assert settings["tokenizer.model_max_length"].value == 4096
    assert settings["r"].value == 7


def test_sections_of_other_tools_are_understood():
    config = {
        "cfg": {
            "optimizer": {"_target_": "torch.optim.AdamW", "lr": 1e-4, "weight_decay": 0.01},
            "scheduler": {"_target_": "linear", "num_warmup_steps": 10},
            "trainer": {"max_steps": 9, "accumulate_grad_batches": 4, "gradient_clip_val": 1.0},
        }
    }
    settings = effective(run(config))
    found = {key: settings[key].value for key in settings if not settings[key].derived}
    assert found == {
        "optimizer": "torch.optim.AdamW", "learning_rate": 1e-4, "weight_decay": 0.01, "scheduler": "linear",
        "warmup_steps": 10, "max_steps": 9, "gradient_accumulation_steps": 4, "max_grad_norm": 1.0,
    }  # fmt: skip


def test_sections_that_only_wrap_do_not_show_in_the_key():
    assert value("logging_steps", {"training": {"logging_steps": 5}}) == 5
    assert setting("seed", {"training": {"seed": 1}, "seed": 2}).contradicted


def test_an_empty_container_is_a_value():
    assert value("callbacks", {"callbacks": []}) == ()
    assert value("data.filters", {"data": {"filters": {}}}) == {}


def test_loading_in_four_bit_is_a_quantization():
    found = setting("quantization", {"training": {"quantization": {"load_in_4bit": True}}})
    assert (found.value, found.derived) == ("4-bit", True)
    assert value("quantization", {"load_in_4bit": False}) is MISSING
    assert value("quantization", {"quantization": "none", "load_in_4bit": True}) == "none"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"uploads/{UUID}/alpaca.jsonl", "alpaca.jsonl"),
        (f"{UUID}/alpaca.jsonl", "alpaca.jsonl"),
        ("/data/alpaca/train.jsonl", "alpaca/train.jsonl"),
        (f"/data/alpaca/{UUID}/train.jsonl", "alpaca/train.jsonl"),
        (f"{UUID}/train.jsonl", "train.jsonl"),
        ("tatsu-lab/alpaca", "tatsu-lab/alpaca"),
        ("C:\\data\\alpaca.csv", "alpaca.csv"),
        ("s3://bucket/x/alpaca/", "alpaca"),
        ("data/alpaca", "alpaca"),
        ("alpaca", "alpaca"),
        ("/", "/"),
    ],
)
def test_a_dataset_is_called_by_what_tells_it_from_others(path, name):
    assert dataset_name(path) == name


def test_the_folder_of_a_dataset_is_identity_and_its_name_is_not():
    settings = effective(run({"dataset_path": f"{UUID}/alpaca.jsonl"}, dataset=f"{UUID}/alpaca.jsonl"))
    assert settings["dataset"].value == "alpaca.jsonl"
    assert settings["dataset"].group is Group.DATA
    assert notes(settings["dataset"]) == ()
    assert settings["dataset.folder"].value == f"{UUID}/alpaca.jsonl"
    assert settings["dataset.folder"].group is Group.IDENTITY


def test_two_different_datasets_in_one_configuration_are_a_contradiction():
    assert setting("dataset", {"dataset_path": "a/dolly.jsonl"}, dataset="a/alpaca.jsonl").contradicted
    assert not setting("dataset", {"dataset": "alpaca"}, dataset="a/alpaca.jsonl").contradicted


@pytest.mark.parametrize(
    "config",
    [
        {"output_dir": "/o"}, {"training": {"output_dir": "/o"}}, {"execution_id": "e"}, {"run_name": "n"},
        {"logging_dir": "/l"}, {"hub_model_id": "a/b"}, {"name": "n"}, {"metadata": {"created_at": "2026"}},
        {"metadata": {"name": "n"}}, {"model_name": "mine"}, {"checkpoint": {"dirpath": "/c"}}, {"cache_dir": "/c"},
        {"resume_from_checkpoint": "/c"},
    ],
)  # fmt: skip
def test_paths_and_ids_are_identity(config):
    (key,) = [key for key in effective(run({"base_model": "b", **config})) if key != "base_model"]
    assert effective(run(config))[key].group is Group.IDENTITY


@pytest.mark.parametrize(
    "config",
    [
        {"pad_token_id": 0}, {"model_name_or_path": "a/b"}, {"tokenizer_name_or_path": "a"}, {"deepspeed": "/z.json"},
        {"eval_dataset_path": "/d/x.jsonl"}, {"optimizer": {"name": "adamw"}}, {"provider": {"name": "hf"}},
        {"datasets": [{"path": "tatsu-lab/alpaca"}]},
    ],
)  # fmt: skip
def test_what_is_trained_with_is_no_identity(config):
    settings = effective(run(config))
    assert {each.group for key, each in settings.items() if not key.endswith(".folder")}.isdisjoint({Group.IDENTITY})


def test_a_model_name_is_the_base_model_only_where_nothing_else_states_one():
    assert value("base_model", {"model_name": "unsloth/llama"}) == "unsloth/llama"
    assert value("base_model", {"model_name": "mine", "training": {"base_model": "b"}}) == "b"
    assert value("base_model", {"model_name": "r"}) is MISSING
    assert value("base_model", {"model": {"name": "b"}}, base_model="b") == "b"


def test_columns_that_later_versions_add_are_read_by_their_names():
    settings = effective(run(extra={"lora_alpha": 32, "precision": 0.9, "flops": 1, "parameter_updates": [{"lr": 1}]}))
    assert settings["lora_alpha"].value == 32
    assert settings["parameter_updates[0].lr"].source == "column.parameter_updates[0].lr"
    assert {"precision", "flops"}.isdisjoint(settings)


def test_progress_and_results_are_no_settings():
    columns = {"loss": 1.0, "current_step": 5, "total_steps": 9, "progress": 0.5, "best_step": 3, "train_samples": 4}
    assert effective(run(**columns)) == {}


@pytest.mark.parametrize("file", ["train-" + "2" * 200 + "x", "data" + "_set" * 200 + "!", "eval" + "2_" * 200 + "x"])
def test_a_file_is_named_in_the_time_of_its_length(file):
    # Where each part of a row of digits is tried as a number of its own, this takes longer than there is time.
    assert dataset_name(f"corpus/{file}.jsonl") == f"{file}.jsonl"
