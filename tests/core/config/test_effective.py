from __future__ import annotations

import pytest

from lib.core.config.effective import configured_learning_rate, effective, effective_batch
from lib.core.config.values import MASKED, MISSING
from tests.core.config.configured import notes, run, setting, value


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
