"""Histories in JSON: rows of a Trainer, and lists as Keras keeps them."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.hf_history import FORMAT

ROWS = [
    {"loss": 0.2, "epoch": 0.5, "step": 10},
    {"loss": float("nan"), "epoch": 1.0, "step": 20},
    {"eval_loss": 0.3, "eval_by": {"f1": "0.5"}, "epoch": 1.0, "step": 20},
    {"loss": 0.1, "epoch": 1.5, "step": 30},
    {"train_runtime": 9.5, "train_loss": 0.15, "epoch": 1.5, "step": 30},
    {"eval_loss": 0.25, "epoch": 1.5, "step": 30},
]


def read(folder, content, name="history.json"):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return FORMAT.read(folder, (name,), [(name,)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log_history.json", ROWS),
        ("trainer_state.json", ROWS),
        ("training_history_2.json", {"log_history": ROWS, "max_steps": 40, "num_train_epochs": 2}),
        ("run.json", {"history": ROWS}),
    ],
)
def test_rows(tmp_path, name, content) -> None:
    (run,) = read(tmp_path, content, name).runs
    assert run.counted == "step"
    assert run.series["loss"].step.tolist() == [10, 20, 30]
    np.testing.assert_array_equal(run.series["loss"].value, [0.2, np.nan, 0.1])
    assert run.series["loss"].epoch.tolist() == [0.5, 1, 1.5]
    assert run.series["eval_loss"].step.tolist() == [20]
    assert run.series["eval_by/f1"].value.tolist() == [0.5]
    # What follows the summary is of the end, and of no step.
    assert run.last == {"train_runtime": 9.5, "train_loss": 0.15, "eval_loss": 0.25}
    assert run.status is RunStatus.COMPLETED
    assert run.total_steps == (40 if "max_steps" in content else None)


def test_a_state_is_left_to_its_reader(tmp_path) -> None:
    assert read(tmp_path, {"log_history": ROWS, "global_step": 30}, "trainer_state.json") is None


def test_rows_of_epochs(tmp_path) -> None:
    (run,) = read(tmp_path, [{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.4}]).runs
    assert run.counted == "epoch"
    assert run.series["train_loss"].step.tolist() == [1, 2]


@pytest.mark.parametrize("wrapped", [lambda each: each, lambda each: {"history": each, "params": {"epochs": 3}}])
def test_lists(tmp_path, wrapped) -> None:
    (run,) = read(tmp_path, wrapped({"loss": [3, 2, 1], "val_loss": [3.5, None, 1.5], "names": ["a", "b", "c"]})).runs
    assert run.counted == "epoch"
    assert run.series["loss"].step.tolist() == [1, 2, 3]
    assert run.series["val_loss"].step.tolist() == [1, 3]
    assert run.series["val_loss"].value.tolist() == [3.5, 1.5]
    assert any("counted as epochs" in note for note in run.notes)


def test_lists_with_their_steps(tmp_path) -> None:
    (run,) = read(tmp_path, {"step": [100, 200], "loss": [3, 2], "lr": [0.1]}).runs
    assert run.counted == "step"
    assert run.series["loss"].step.tolist() == [100, 200]
    assert set(run.series) == {"loss"}


@pytest.mark.parametrize(
    "content",
    [
        [{"instruction": "step 1", "output": "loss"}] * 50,
        {"model_type": "bert", "loss": "mse", "step": 3},
        {"architectures": ["A"], "epochs": 3},
        [1, 2, 3],
        {"loss": [1]},
        {"loss": [[1, 2], [3, 4]], "epoch": [1, 2]},
        {"words": [1.0, 2.0, 3.0]},
        "",
        "null",
        "{",
        {"version": 1, "loss_weights": [1, 2], "other": {"step": 2}},
    ],
)
def test_other_json_is_none(tmp_path, content) -> None:
    reading = read(tmp_path, content)
    assert reading is None or not reading.runs


def test_a_history_cut_off_is_named(tmp_path) -> None:
    reading = read(tmp_path, json.dumps(ROWS)[:-20])
    assert not reading.runs
    assert "cut-off" in reading.unreadable[0].why


def test_whatever_is_flipped_it_ends(tmp_path) -> None:
    chance = random.Random(5)
    wholes = [json.dumps(ROWS).encode(), json.dumps({"loss": [1, 2, 3], "epoch": [1, 2, 3]}).encode()]
    for _ in range(300):
        data = bytearray(chance.choice(wholes))
        for _ in range(chance.randrange(1, 10)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "x.json").write_bytes(bytes(data[: chance.randrange(len(data))] if chance.random() < 0.3 else data))
        FORMAT.read(tmp_path, ("x.json",), [("x.json",)])


def test_deep_nesting_ends(tmp_path) -> None:
    read(tmp_path, '{"loss": [1, 2], "epoch": [1,2], "x": ' + "[" * 100_000)
    read(tmp_path, '[{"step": 1, "loss": ' + '{"a": ' * 900 + "1" + "}" * 900 + "}]")


@pytest.mark.parametrize("name", ["epoch_{}", "Epoch {}", "{}", "epoch{}"])
def test_an_object_for_each_epoch_is_a_history_in_the_order_of_its_numbers(tmp_path, name):
    content = {
        name.format(n): {"train": {"loss": 2.0 / n}, "val": {"loss": 2.5 / n, "acc": n / 20}} for n in range(1, 13)
    }
    # Keys are sorted as texts, "10" before "2".
    (run,) = read(tmp_path, json.dumps(content, sort_keys=True)).runs
    assert run.counted == "epoch"
    assert run.series["train/loss"].step.tolist() == list(range(1, 13))
    assert run.series["val/loss"].value[-1] == 2.5 / 12


@pytest.mark.parametrize("name", ["step_{}", "checkpoint-{}", "iteration {}", "global_step_{}"])
def test_an_object_for_each_step_is_a_history_of_steps(tmp_path, name):
    (run,) = read(tmp_path, {name.format(n): {"eval_loss": 9.0 / n, "epoch": n / 100} for n in (100, 200, 300)}).runs
    assert run.counted == "step"
    assert run.series["eval_loss"].step.tolist() == [100, 200, 300]


@pytest.mark.parametrize(
    "content",
    [
        {f"fold_{n}": {"val_loss": 0.1 * n} for n in range(5)},
        {f"seed{n}": {"eval_loss": 0.1 * n} for n in range(5)},
        # Examples of a data set, with the loss of each.
        {str(n): {"text": f"example {n}", "loss": 0.1 * n} for n in range(5)},
        {str(n): {"score": 0.1 * n} for n in range(5)},
        {"epoch_1": {"loss": 0.3}, "step_2": {"loss": 0.2}},
        {"epoch_1": {"loss": 0.3}, "best": {"loss": 0.2}, "epoch_2": {"loss": 0.2}},
        {"data": {"scores": [0.1, 0.2, 0.3]}, "epoch": 3},
    ],
)
def test_objects_of_something_else_are_no_history(tmp_path, content):
    assert read(tmp_path, content) is None


def test_lists_below_the_names_of_splits_are_curves(tmp_path):
    losses = {"combined": {"loss": [1.5, 1.2, 1.0]}, "answer": {"loss": [1.5, 1.2, 1.0], "perplexity": [4, 3, 2]}}
    content = {"evaluation_frequency": {"frequency": 1, "period": "epoch"}, "training": losses, "validation": losses}
    (run,) = read(tmp_path, content, "training_statistics.json").runs
    assert run.series["validation/combined/loss"].value.tolist() == [1.5, 1.2, 1.0]
    assert run.series["training/answer/perplexity"].step.tolist() == [1, 2, 3]
