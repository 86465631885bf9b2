from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunSummary
from lib.core.ranking.repeats import RunSettings, repeat_groups, same_configuration, seed_of

CONFIG = {
    "training": {"learning_rate": 2e-4, "batch_size": 4, "num_epochs": 3},
    "lora": {"r": 16, "target_modules": ["q_proj", "v_proj"]},
    "dataset_path": "data/alpaca.jsonl",
    "metadata": {"version": 3},
    "seed": 1,
}
FOLDERS = ["5f3a9c1e-0000-4000-8000-00000000abcd", "6f3a9c1e-0000-4000-8000-00000000abcd"]


def run(number=0, config=None, **columns):
    merged = {key: value for key, value in (CONFIG | (config or {})).items() if value is not ...}
    return RunSummary(run_id=f"r{number}", name="r", config=merged, **columns)


def alike(one, other):
    return same_configuration(RunSettings(one), RunSettings(other))


def same(config, **columns):
    return alike(run(1), run(2, config, **columns))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"seed": 2},
        {"seed": ...},
        {"data_seed": 7},
        {"output_dir": "outputs/2", "execution_id": "e2", "run_name": "again"},
        {"metadata": {"version": 4, "started_by": "me"}},
        {"provider": {"api_key": "sk-123456789"}},
        {"training": {"lr": "2e-4", "per_device_train_batch_size": 4.0, "num_train_epochs": 3}},
        {"lora": {"r": 16, "target_modules": ["v_proj", "q_proj"]}},
        {"note": None},
    ],
)
def test_what_means_the_same_is_the_same_configuration(config):
    assert same(config) is True


@pytest.mark.parametrize(
    "config",
    [
        {"training": {"learning_rate": 1e-4, "batch_size": 4, "num_epochs": 3}},
        {"lora": {"r": 8, "target_modules": ["q_proj", "v_proj"]}},
        {"dataset_path": "data/dolly.jsonl"},
        {"packing": False},
        {"data": {"seed": 3}},
    ],
)
def test_a_setting_that_differs_or_is_not_stated_is_another_configuration(config):
    assert same(config) is False


def test_a_configuration_that_was_not_recorded_cannot_be_compared():
    bare = RunSummary(run_id="a", name="r", batch_size=4)
    assert alike(bare, RunSummary(run_id="b", name="r", batch_size=4)) is None
    assert alike(bare, RunSummary(run_id="b", name="r", batch_size=8)) is False


def test_without_a_dataset_it_cannot_be_told():
    without = {"dataset_path": ...}
    assert alike(run(1, without), run(2, without)) is None


def test_a_column_that_one_run_lacks_leaves_it_open():
    assert same({}, num_gpus=2) is None
    assert alike(run(1, num_gpus=2), run(2, num_gpus=2)) is True
    assert alike(run(1, num_gpus=1), run(2, num_gpus=2)) is False


def test_what_the_schedule_reached_is_no_configuration():
    assert same({}, max_learning_rate=1.7e-4, learning_rate=1e-9) is True


@pytest.mark.parametrize(
    ("samples", "expected"), [((None, None), None), ((900, 900), True), ((900, 901), False), ((900, None), None)]
)
def test_data_of_one_name_in_two_folders_need_their_number_of_samples(samples, expected):
    runs = [
        run(number, {"dataset_path": f"{folder}/alpaca.jsonl"}, train_samples=count)
        for number, (folder, count) in enumerate(zip(FOLDERS, samples, strict=True))
    ]
    assert alike(*runs) is expected


def test_a_path_to_what_was_trained_with_leaves_it_open():
    runs = [run(number, {"adapter_path": f"/adapters/{number}"}) for number in range(2)]
    assert alike(*runs) is None


def test_a_resumed_run_is_no_repeat():
    assert same({"seed": 2}, resumed_from_run_id="r0") is None
    assert same({"resume_from_checkpoint": "out/checkpoint-5"}) is None
    assert same({"resume_from_checkpoint": None}) is True


def test_the_seed_is_the_one_that_is_stated():
    assert seed_of(run(config={"seed": "7"})) == 7
    assert seed_of(run(config={"seed": 0})) == 0
    assert seed_of(run(config={"seed": ..., "training": {"random_seed": 3}})) == 3
    assert seed_of(run(config={"seed": ...})) is None


def test_repeats_are_grouped_by_their_smallest_id():
    other = {"lora": {"r": 8}}
    runs = [
        run(5, {"seed": 2}), run(3, {"seed": 1}), run(4, {"seed": 1}), run(1, {"seed": 1} | other),
        run(2, {"seed": 2} | other), run(6, {"seed": 9, "dataset_path": "b.jsonl"}), run(7, {"seed": ...}),
    ]  # fmt: skip
    assert repeat_groups(runs) == {"r1": "r1", "r2": "r1", "r3": "r3", "r4": "r3", "r5": "r3"}


def test_runs_with_one_seed_are_no_repeats():
    assert repeat_groups([run(1), run(2)]) == {}
    assert repeat_groups([]) == {}


variants = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.sampled_from([1, 2, None]),
        "dataset_path": st.sampled_from([f"{folder}/a.jsonl" for folder in FOLDERS]),
        "batch_size": st.sampled_from([4, "4", 8]),
        "output_dir": st.sampled_from(["a", "b"]),
    },
)


@given(st.lists(st.tuples(variants, st.sampled_from([None, 4]), st.sampled_from([None, 900])), max_size=6))
@settings(deadline=None, max_examples=60)
def test_groups_hold_exactly_what_pairs_say(chosen):
    runs = [
        RunSummary(run_id=f"r{n}", name="r", config=config, batch_size=batch, train_samples=samples)
        for n, (config, batch, samples) in enumerate(chosen)
    ]
    found = repeat_groups(runs)
    assert found == repeat_groups(runs[::-1])
    for one, other in itertools.combinations(runs, 2):
        verdict = alike(one, other)
        assert verdict == alike(other, one)
        if found.get(one.run_id) is not None and found.get(one.run_id) == found.get(other.run_id):
            assert verdict is True
        # Where counts are missing, one run can be the same as two that cannot be compared with each other.
        counted = all(samples is not None for *_, samples in chosen)
        seeds = seed_of(one), seed_of(other)
        if counted and verdict is True and None not in seeds and seeds[0] != seeds[1]:
            assert {one.run_id, other.run_id} <= set(found)
