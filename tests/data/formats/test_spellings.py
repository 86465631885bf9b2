"""An evaluation metric has one name in every spelling that programs give it."""

from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.metric_names import read_names

STEPS = np.arange(5)


def metrics(*names):
    return {name: each.metric for name, each in read_names(dict.fromkeys(names, STEPS)).items()}


@pytest.mark.parametrize(
    "name",
    [
        "val acc",
        "val_acc",
        "Val Acc",
        "val-acc",
        "validation accuracy",
        "valid_accuracy",
        "Validation-Accuracy",
        "valAcc",
    ],
)
def test_accuracy_on_validation_data_is_one_metric(name):
    assert metrics("loss", name)[name] == "val_accuracy"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("val F1", "val_f1"),
        ("validation_f1_macro", "val_f1_macro"),
        ("Test Acc", "test_accuracy"),
        ("val/acc", "val/acc"),
        ("eval_macro-avg-f1score", "eval_macro-avg-f1score"),
        ("acc", "acc"),
        ("train_acc", "train_acc"),
        ("valid_tokens", "valid_tokens"),
        ("value_loss", "value_loss"),
    ],
)
def test_what_else_has_a_name_of_its_own(name, shown):
    assert metrics(name)[name] == shown


def test_two_spellings_in_one_log_stay_two():
    found = metrics("val_accuracy", "val acc")
    assert found["val_accuracy"] == "val_accuracy"
    assert len(set(found.values())) == 2
