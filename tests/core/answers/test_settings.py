from __future__ import annotations

import pytest

from lib.core.answers.compared import compared
from lib.core.answers.settings import equal_by_group, provenance, settings_answer
from lib.core.config.diff import search
from lib.core.facts.runs import RunSummary


def answer(*configs, **columns):
    runs = [RunSummary(run_id=f"r{n}", name="r", config=config, **columns) for n, config in enumerate(configs)]
    return settings_answer(compared(runs), len(runs))


@pytest.mark.parametrize(
    ("configs", "headline"),
    [
        (({"lr": 1e-4, "seed": 1},), "2 settings are recorded"),
        (({"seed": 1},), "1 setting is recorded"),
        (({"lr": 1e-4, "seed": 1}, {"lr": 1e-4, "seed": 1}), "None of the 2 settings differs"),
        (({"seed": 1}, {"seed": 1}), "The one recorded setting does not differ"),
        (({"lr": 1e-4, "seed": 1}, {"lr": 2e-4, "seed": 1}), "Only the learning rate differs"),
        (
            ({"lr": 1e-4, "seed": 1, "optim": "adamw"}, {"lr": 2e-4, "seed": 2, "optim": "adamw"}),
            "2 of 3 settings differ: learning rate, seed",
        ),
        (
            ({"batch_size": 8, "max_seq_length": 512, "seed": 1}, {"batch_size": 8, "max_seq_length": 1024, "seed": 2}),
            "3 of 5 settings differ: tokens per step, at most; max sequence length; seed",
        ),
    ],
)
def test_the_headline_says_how_many_settings_differ_and_which(configs, headline):
    assert answer(*configs).headline == headline


def test_what_is_needed_to_repeat_a_training_and_stands_nowhere_is_named():
    found = answer({"lr": 1e-4, "seed": 1}, {"lr": 2e-4, "seed": 1})
    assert found.missing == ("optimizer", "schedule", "warm-up", "batch size", "data set", "base model")
    assert found.unused == ("no LoRA",)


def test_a_search_changes_nothing_of_what_is_recorded():
    config = {"lr": 1e-4, "seed": 1, "optim": "adamw", "lora_r": 8}
    every = compared([RunSummary(run_id=f"r{n}", name="r", config=config | {"seed": n}) for n in range(2)])
    whole = settings_answer(every, 2)
    for wanted in ("seed", "zzz"):
        found = search(every, wanted)
        shown = whole.narrowed(found)
        assert (shown.missing, shown.unused, shown.headline) == (whole.missing, whole.unused, whole.headline)
        assert {row.key for row in (*shown.different, *shown.same, *shown.identity)} == {row.key for row in found}


def test_of_a_log_alone_nobody_knows_whether_it_used_an_adapter():
    assert answer({"trainer_state": {"num_train_epochs": 3}}, {"trainer_state": {"num_train_epochs": 3}}).unused == ()


def test_a_value_that_only_some_runs_have_says_so():
    found = answer({"batch_size": 8}, {"seed": 1}, {"seed": 1})
    (values,) = [values for group, values in equal_by_group(found.same).items() if group == "batch"]
    assert dict(values)["effective batch size"] == "8 (1 of 3 runs)"


def test_places_are_told_of_runs_together():
    runs = [
        RunSummary(run_id="a", name="a", config={"lr": 1e-4}),
        RunSummary(run_id="b", name="b", config={"lr": 1e-4}),
        RunSummary(run_id="c", name="c", max_learning_rate=1e-4),
    ]
    (row,) = compared(runs)
    assert provenance(row, ["a", "b", "c"]) == "config.lr (a and b); column max_learning_rate (c)"


STATED = {"lr": 1e-4, "seed": 1, "optim": "adamw", "lora_r": 8, "lora_alpha": 16}


def test_a_configuration_that_was_not_logged_is_no_difference():
    found = answer(STATED, {}, batch_size=4)
    assert not found.different
    assert found.headline == "Only one run logged its configuration"
    assert found.beside == "Configuration not logged: 1 of 2 runs, so that nobody can tell whether settings differ."
    assert {row.shown[1] for row in found.same if row.key in ("optimizer", "seed")} == {"configuration not logged"}


def test_runs_that_logged_theirs_are_compared_beside_one_that_did_not():
    found = answer(STATED, {**STATED, "seed": 2}, {"trainer_state": {"num_train_epochs": 3}})
    assert [row.key for row in found.different] == ["seed"]
    assert found.headline == "Only the seed differs"
    assert found.beside == "Configuration not logged: 1 of 3 runs."
    assert found.different[0].shown == ("1", "2", "configuration not logged")
    assert found.different[0].odd == (False, False, False)


def test_a_run_that_states_anything_of_its_configuration_has_one():
    assert answer({"lr": 1e-4, "seed": 1}, {"lr": 1e-4}).headline == "Only the seed differs"
