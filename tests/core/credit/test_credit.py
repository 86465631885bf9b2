"""What a difference between runs is credited with, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.core.answers.compared import compared
from lib.core.credit.credit import Standing, credits_of
from lib.core.credit.words import credit_answer
from tests.core.decided_runs import decided, run


def credits(*runs, **how):
    return credits_of(compared(runs), [each.run_id for each in runs], decided(*runs, **how))


def answer(*runs, **how):
    decision = decided(*runs, **how)
    order = [each.run_id for each in runs]
    found = credits_of(compared(runs), order, decision)
    return credit_answer(found, decision.deciding, {each: f"run {each}" for each in order}, order)


def lines(*runs, **how):
    return {line.what: line for line in answer(*runs, **how).lines}


def test_the_one_setting_that_differs_is_credited():
    found = answer(run("a", 0.50, learning_rate=1e-4), run("b", 0.60, learning_rate=2e-4))
    assert found.headline == "The difference in eval loss can be credited with learning rate."
    (line,) = found.lines
    assert line.standing is Standing.DIRECT
    assert line.is_beyond
    assert line.sentence.startswith("2e-4 → 1e-4: eval loss 0.1")
    assert line.sentence.endswith("(run b to run a).")
    assert found.further == ""


def test_a_difference_within_the_noise_is_credited_with_nothing():
    found = answer(run("a", 0.500, learning_rate=1e-4), run("b", 0.501, learning_rate=2e-4), noise=0.02)
    assert found.headline == "Nothing can be credited: what learning rate changed in eval loss may be noise."
    assert found.lines[0].is_beyond is False


def test_without_enough_evaluations_the_noise_is_not_known():
    found = answer(run("a", 0.50, learning_rate=1e-4), run("b", 0.60, learning_rate=2e-4), count=2)
    assert "how much of it is noise cannot be told" in found.lines[0].sentence
    assert found.lines[0].is_beyond is None


def test_what_changes_together_is_not_told_apart_and_a_run_would_do_it():
    found = answer(run("a", 0.5, learning_rate=1e-4, lora_r=8), run("b", 0.6, learning_rate=2e-4, lora_r=16))
    assert found.headline == "Nothing can be credited: 2 settings differ, and none of them by itself."
    (line,) = found.lines
    assert (line.what, line.standing) == ("Learning rate and LoRA rank", Standing.TOGETHER)
    assert found.further == (
        "Train run a once more with learning rate 2e-4, and nothing else changed:"
        " then learning rate and LoRA rank can be credited."
    )


def test_of_three_runs_each_of_two_changes_is_credited_by_a_pair():
    runs = (
        run("a", 0.50, learning_rate=1e-4, lora_r=8),
        run("b", 0.60, learning_rate=2e-4, lora_r=8),
        run("c", 0.70, learning_rate=2e-4, lora_r=16),
    )
    found = lines(*runs)
    assert {line.standing for line in found.values()} == {Standing.DIRECT}
    assert "(run b to run a)" in found["Learning rate"].sentence
    assert "(run c to run b)" in found["LoRA rank"].sentence


def test_without_a_pair_a_part_follows_where_effects_add_up():
    runs = (
        run("a", 0.50, learning_rate=1e-4, lora_r=8, weight_decay=0.0),
        run("b", 0.60, learning_rate=2e-4, lora_r=16, weight_decay=0.0),
        run("c", 0.70, learning_rate=2e-4, lora_r=8, weight_decay=0.1),
        run("d", 0.80, learning_rate=1e-4, lora_r=16, weight_decay=0.1),
    )
    found = lines(*runs)
    assert {line.standing for line in found.values()} == {Standing.ADDED}
    # (b - a + c - d) / 2 is the part of the learning rate.
    assert "No two runs differ in it alone: this holds if effects add up." in found["Learning rate"].sentence
    effect = next(each for each in credits(*runs).credits if each.rows[0].key == "learning_rate").effects[0]
    assert effect.value == pytest.approx(0.0, abs=0.01)
    assert effect.error > 0


def test_a_change_that_turns_with_another_is_said_to():
    runs = (
        run("a", 0.50, learning_rate=1e-4, lora_r=8),
        run("b", 0.60, learning_rate=2e-4, lora_r=8),
        run("c", 0.55, learning_rate=2e-4, lora_r=16),
        run("d", 0.70, learning_rate=1e-4, lora_r=16),
    )
    assert "Which value is better depends on the other settings." in lines(*runs)["Learning rate"].sentence


def test_what_a_run_does_not_state_is_not_taken_for_equal():
    found = answer(run("a", 0.5, learning_rate=1e-4), run("b", 0.6, learning_rate=2e-4, weight_decay=0.1))
    assert found.headline == "Nothing can be credited: 2 settings differ, and none of them by itself."
    told = {line.what: line for line in found.lines}
    assert told["Weight decay"].sentence == "run a does not state it."
    assert told["Learning rate"].standing is Standing.UNRECORDED
    assert "weight decay" in told["Learning rate"].sentence


def test_repeats_say_what_a_seed_changes():
    runs = [run(f"a{seed}", 0.50 + 0.001 * seed, learning_rate=1e-4, seed=seed) for seed in range(2)]
    runs += [run(f"b{seed}", 0.60 + 0.001 * seed, learning_rate=2e-4, seed=seed) for seed in range(2)]
    found = answer(*runs)
    assert found.headline == "The difference in eval loss can be credited with learning rate."
    assert len(credits(*runs).credits[0].effects) == 1
    assert "seeds" not in found.aside


def test_seeds_that_differ_with_the_setting_are_named():
    found = answer(run("a", 0.5, learning_rate=1e-4, seed=1), run("b", 0.6, learning_rate=2e-4, seed=2))
    assert found.aside.endswith("The seeds differ as well, and what a seed changes is not known from these runs.")


def test_repeats_alone_are_credited_with_nothing():
    found = answer(run("a", 0.5, seed=1), run("b", 0.6, seed=2))
    assert found.headline == (
        "Nothing is to be credited: the ranked runs differ in the seed alone, as far as is recorded."
    )


def test_what_only_watches_a_training_is_left_aside():
    found = answer(
        run("a", 0.5, learning_rate=1e-4, logging_steps=10, save_total_limit=2, report_to="none"),
        run("b", 0.6, learning_rate=2e-4, logging_steps=5, save_total_limit=1, report_to="wandb"),
    )
    assert found.headline == "The difference in eval loss can be credited with learning rate."
    assert "Left aside, as they change nothing in the training:" in found.aside
    assert all(name in found.aside for name in ("logging steps", "save total limit", "report to"))


@pytest.mark.parametrize(
    "key", ["eval_split", "evaluation_data", "early_stopping_patience", "logit_scale", "saved_model"]
)
def test_what_may_change_a_training_is_not(key):
    found = answer(run("a", 0.5, **{key: 1}), run("b", 0.6, **{key: 2}))
    assert found is None or "Left aside" not in found.aside


def test_what_follows_from_another_setting_is_no_setting_of_its_own():
    found = lines(run("a", 0.5, batch_size=4), run("b", 0.6, batch_size=8))
    assert list(found) == ["Batch size"]


def test_a_method_that_is_not_used_hides_nothing_of_those_who_use_it():
    runs = (
        run("a", 0.5, optim="adamw", lora_r=8, lora_alpha=16),
        run("b", 0.6, optim="adamw", lora_r=16, lora_alpha=16),
        run("c", 0.7, optim="adamw"),
    )
    found = lines(*runs)
    assert found["LoRA"].standing is Standing.DIRECT
    assert found["LoRA rank"].standing is Standing.DIRECT


def test_runs_that_do_not_compare_are_left_out():
    assert answer(run("a", 0.5, method="sft"), run("b", 0.6, method="dpo")) is None


def test_a_setting_that_another_section_states_once_more_is_one():
    found = lines(
        run("a", 0.5, curvature=1.0, lora_r=8, run_params={"curvature": 1.0}),
        run("b", 0.6, curvature=2.0, lora_r=8, run_params={"curvature": 2.0}),
    )
    assert [line.standing for line in found.values()] == [Standing.DIRECT]


def test_two_settings_of_other_names_with_the_same_values_are_two():
    found = lines(run("a", 0.5, lora_r=8, batch_size=8), run("b", 0.6, lora_r=16, batch_size=16))
    assert [line.standing for line in found.values()] == [Standing.TOGETHER]


def test_what_the_numbers_are_of_is_said():
    found = answer(run("a", 0.50, learning_rate=1e-4), run("b", 0.60, learning_rate=2e-4))
    assert "curves without their noise" in found.aside


def test_a_run_that_logged_no_configuration_is_credited_with_no_setting():
    stated = {"optim": "adamw", "warmup_ratio": 0.1}
    bare = replace(run("c", 0.70), config={}, max_learning_rate=3e-4)
    found = answer(run("a", 0.50, learning_rate=1e-4, **stated), bare)
    assert not any(line.standing is Standing.DIRECT for line in found.lines)
    both = answer(run("a", 0.50, learning_rate=1e-4, **stated), run("b", 0.60, learning_rate=3e-4, **stated), bare)
    told = [line.sentence for line in both.lines if line.standing is Standing.DIRECT]
    assert told
    assert "run c" not in told[0].partition(".")[0]
