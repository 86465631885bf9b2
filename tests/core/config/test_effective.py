from __future__ import annotations

import pytest

from lib.core.config.datasets import dataset_name
from lib.core.config.effective import configured_learning_rate, effective, effective_batch
from lib.core.config.parameters import NAMES, PARAMETERS, Group, Section
from lib.core.config.values import MASKED, MISSING
from lib.core.facts.runs import RunSummary

UUID = "5f3a9c1e-0000-4000-8000-00000000abcd"


def run(config=None, **columns):
    return RunSummary(run_id="r", name="r", config=config or {}, **columns)


def value(key, config=None, **columns):
    setting = effective(run(config, **columns)).get(key)
    return MISSING if setting is None else setting.value


def setting(key, config=None, **columns):
    return effective(run(config, **columns))[key]


def notes(setting):
    return tuple(remark.sentence for remark in setting.remarks)


@pytest.mark.parametrize(
    ("config", "winner", "expected"),
    [
        ({"lora": {"r": 8}, "training": {"lora_config": {"r": 16}, "lora_r": 32}}, "config.lora.r", 8),
        ({"training": {"lora_r": 32, "lora_config": {"r": 16}}}, "config.training.lora_config.r", 16),
        ({"training": {"lora_r": 32}}, "config.training.lora_r", 32),
        ({"peft_config": {"default": {"r": 4}}}, "config.peft_config.default.r", 4),
        ({"adapter_config": {"r": 4}, "lora": {"rank": 8}}, "config.lora.rank", 8),
        ({"model": {"lora": {"r": 4}}}, "config.model.lora.r", 4),
    ],
)
def test_the_lora_rank_is_read_where_the_trainer_reads_it(config, winner, expected):
    found = setting("lora_r", config)
    assert (found.value, found.source) == (expected, winner)


@pytest.mark.parametrize("name", ["alpha", "dropout"])
def test_alpha_and_dropout_follow_the_same_precedence(name):
    config = {"training": {f"lora_{name}": 1, "lora_config": {f"lora_{name}": 2}}}
    assert value(f"lora_{name}", config) == 2
    assert value(f"lora_{name}", {**config, "lora": {f"lora_{name}": 3}}) == 3


def test_a_contradiction_names_places_values_and_the_winner():
    found = setting("lora_r", {"lora": {"r": 8}, "training": {"lora_config": {"r": 16}, "lora_r": 8}})
    assert found.contradicted
    (note,) = notes(found)
    assert "config.lora.r = 8" in note
    assert "config.training.lora_config.r = 16" in note
    assert note.endswith("The trainer uses config.lora.r.")


@pytest.mark.parametrize("other", [16, 16.0, "16", None])
def test_places_that_agree_are_no_contradiction(other):
    found = setting("lora_r", {"lora": {"r": 16}, "training": {"lora_r": other}})
    assert (notes(found), found.contradicted) == ((), False)


def test_null_gives_way_to_a_value_and_is_kept_where_nothing_else_is_stated():
    assert value("lora_r", {"lora": {"r": None}, "training": {"lora_r": 4}}) == 4
    assert value("lora_r", {"lora": {"r": None}}) is None
    assert value("batch_size", {"training": {"batch_size": None}}, batch_size=4) == 4


def test_the_eval_split_stated_twice_is_a_contradiction():
    found = setting("eval_split", {"data": {"eval_split": 0.1}, "eval_split": 0.2})
    assert found.contradicted
    assert "config.data.eval_split = 0.1" in notes(found)[0]
    assert "config.eval_split = 0.2" in notes(found)[0]


def test_the_configuration_counts_before_the_column_and_a_disagreement_is_said():
    found = setting("batch_size", {"training": {"batch_size": 4}}, batch_size=8)
    assert found.value == 4
    assert "column batch_size = 8" in notes(found)[0]
    assert setting("batch_size", {}, batch_size=8).source == "column batch_size"


def test_a_zero_in_a_column_is_a_value_and_none_is_nothing():
    assert value("warmup_steps", warmup_steps=0) == 0
    assert value("warmup_steps") is MISSING


@pytest.mark.parametrize(
    ("config", "columns", "expected", "source"),
    [
        ({"training": {"learning_rate": 2e-4}}, {"max_learning_rate": 1e-4}, 2e-4, "config.training.learning_rate"),
        ({}, {"max_learning_rate": 1e-4, "learning_rate": 1e-9}, 1e-4, "column max_learning_rate"),
        ({"training": {"lr": None}}, {"max_learning_rate": 1e-4}, 1e-4, "column max_learning_rate"),
        ({"training": {"learning_rate": 0}}, {"max_learning_rate": 1e-4}, 0, "config.training.learning_rate"),
    ],
)
def test_the_configured_learning_rate_is_not_the_last_scheduled_one(config, columns, expected, source):
    found = setting("learning_rate", config, learning_rate=columns.pop("learning_rate", 1e-10), **columns)
    assert (found.value, found.source) == (expected, source)
    assert not any("column learning_rate" in note for note in notes(found))
    assert configured_learning_rate(run(config, **columns)) == expected


def test_the_last_scheduled_rate_is_the_last_resort_and_says_so():
    found = setting("learning_rate", learning_rate=1e-9)
    assert found.value == 1e-9
    assert "last scheduled value" in notes(found)[0]
    assert configured_learning_rate(run(learning_rate=1e-9)) is None
    assert configured_learning_rate(run()) is None


def test_a_learning_rate_in_text_is_a_number_for_the_table():
    assert configured_learning_rate(run({"lr": "2e-4"})) == 2e-4
    assert configured_learning_rate(run({"lr": "auto"})) is None


@pytest.mark.parametrize(
    ("config", "columns", "expected"),
    [
        ({"training": {"batch_size": 4, "gradient_accumulation_steps": 8}}, {"num_gpus": 2}, (4, 64)),
        ({"batch_size": "4"}, {}, (4, 4)),
        ({"batch_size": 4, "devices": [0, 1]}, {}, (4, 8)),
        ({"batch_size": 4}, {"num_gpus": 0}, (4, 4)),
        ({"batch_size": "auto"}, {}, (None, None)),
        ({"batch_size": 4, "trainer": {"devices": "auto"}}, {}, (4, None)),
        ({"batch_size": 4, "devices": -1}, {}, (4, None)),
        ({"gradient_accumulation_steps": 8}, {}, (None, None)),
        ({"total_train_batch_size": 64}, {}, (None, 64)),
        ({}, {}, (None, None)),
    ],
)
def test_the_effective_batch_is_the_product_of_its_factors(config, columns, expected):
    found = effective_batch(run(config, **columns))
    assert (found.batch, found.effective) == expected


def test_the_effective_batch_says_what_was_assumed():
    found = setting("effective_batch_size", {"batch_size": 4})
    assert found.derived
    assert (
        found.source
        == "derived: config.batch_size × 1 (default for gradient accumulation steps) × 1 (default for GPUs)"
    )
    assert value("effective_batch_size", {"batch_size": "auto"}) is MISSING
    assert value("effective_batch_size", {"gradient_accumulation_steps": 2}) is MISSING


def test_a_stated_effective_batch_that_is_not_the_product_is_a_contradiction():
    found = setting("effective_batch_size", {"batch_size": 4, "global_batch_size": 64})
    assert (found.value, found.contradicted) == (4, True)
    assert "config.global_batch_size states 64, but the product is 4" in notes(found)[0]


def test_warmup_in_steps_and_as_a_ratio_is_a_contradiction_on_both_rows():
    settings = effective(run({"training": {"warmup_steps": 100, "warmup_ratio": 0.03}}))
    for key in ("warmup_steps", "warmup_ratio"):
        assert settings[key].contradicted
        (remark,) = settings[key].remarks
        assert remark.places == (("config.training.warmup_steps", "100"), ("config.training.warmup_ratio", "0.03"))
        assert "uses config.training.warmup_steps" in remark.sentence


@pytest.mark.parametrize(
    "training",
    [{"warmup_steps": 0, "warmup_ratio": 0.03}, {"warmup_steps": 5, "warmup_ratio": 0.0}, {"warmup_steps": 5}],
)
def test_warmup_that_is_given_once_is_no_contradiction(training):
    assert not any(notes(each) for each in effective(run({"training": training})).values())


def test_max_steps_makes_the_epochs_void():
    config = {"training": {"max_steps": 500, "num_epochs": 3}}
    assert "stops at max_steps" in notes(setting("total_epochs", config))[0]
    assert notes(setting("total_epochs", {"training": {"max_steps": -1, "num_epochs": 3}})) == ()
    state = {"trainer_state": {"max_steps": 500}, "training_args": {"num_train_epochs": 3}}
    assert notes(setting("total_epochs", state)) == ()


def test_a_typo_in_a_list_of_modules_is_noted():
    found = setting("target_modules", {"lora": {"target_modules": ["q_proj", "down_proj:"]}})
    assert notes(found) == (
        'The list holds "down_proj:", which is not the name of a module. Probably down_proj was meant.',
    )
    assert notes(setting("target_modules", {"lora": {"target_modules": ["q_proj", ".*_proj$"]}})) == ()


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


SECRETS = ["hf_AbC123456789", "pw-91", "tok-77", "val-55", "list-33", "cred-11", "url-22", "col-44"]


def test_no_secret_leaves_the_configuration():
    config = {
        "provider": {"api_key": SECRETS[0], "password": SECRETS[1], "nested": [{"api_token": SECRETS[2]}]},
        "env": [{"name": "OPENAI_API_KEY", "value": SECRETS[3]}],
        "api_keys": [SECRETS[4]],
        "credentials": {"user": {"name": SECRETS[5]}},
        "url": f"https://me:{SECRETS[6]}@host/x",
        SECRETS[0]: 1,
    }
    settings = effective(run(config, dataset=f"https://me:{SECRETS[7]}@host/alpaca.jsonl"))
    shown = repr(settings)
    assert not [secret for secret in SECRETS if secret in shown]
    assert settings["provider.api_key"].value is MASKED
    assert settings["url"].value == "https://••••@host/x"
    assert settings["env[0].name"].value == "OPENAI_API_KEY"


def test_an_unset_secret_is_shown_as_such():
    settings = effective(run({"hub_token": None, "use_auth_token": False, "api_key": ""}))
    assert [settings[key].value for key in ("hub_token", "use_auth_token", "api_key")] == [None, False, ""]


def test_secrets_that_disagree_are_not_quoted_in_a_note():
    found = setting("api_key", {"api_key": "one-1", "training": {"api_key": "two-2"}})
    assert found.value is MASKED
    assert notes(found) == ()


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
