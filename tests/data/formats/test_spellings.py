"""An evaluation metric has one name in every spelling that programs give it."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.ranking.metric_names import may_decide
from lib.data.formats.metric_names import read_names
from lib.data.formats.metric_words import words_of

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
        "acc_val",
        "acc_valid",
        "accuracy_validation",
        "Val. Acc. (%)",
        "Valid. Acc. [%]",
        "Acc (val)",
        "Accuracy [valid]",
        "accVal",
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
        ("acc_test", "test_accuracy"),
        ("f1_dev", "dev_f1"),
        ("WER (%) dev", "dev_wer"),
        ("valid_acc_top1", "val_accuracy_top1"),
        ("loss_val", "eval_loss"),
        ("loss_valid", "eval_loss"),
        ("Val. Loss", "eval_loss"),
        ("val loss [nats/token]", "eval_loss"),
        ("ppl_valid", "perplexity"),
        ("acc", "acc"),
        ("train_acc", "train_acc"),
        ("valid_tokens", "valid_tokens"),
        ("value_loss", "value_loss"),
    ],
)
def test_what_else_has_a_name_of_its_own(name, shown):
    assert metrics(name)[name] == shown


@pytest.mark.parametrize(
    "name",
    [
        "loss_validity", "json_valid", "tokens_valid", "valid_tokens", "ratio_valid", "reward_valid", "mask_valid",
        "loss_std_dev", "std_dev", "is_valid", "acc_mask_valid", "device", "value", "train_acc_valid", "lr (%)",
        "val loss (bits)", "loss (x1e-3)", "Learning Rate (1e-5)", "test_time", "time_val", "val_samples",
        "eval_runtime",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_score_of_an_evaluation_keeps_its_name_and_decides_nothing(name):
    assert metrics(name)[name] == name
    assert not may_decide(name) or name == "val loss (bits)"


def test_two_spellings_in_one_log_stay_two():
    found = metrics("val_accuracy", "val acc")
    assert found["val_accuracy"] == "val_accuracy"
    assert len(set(found.values())) == 2


def test_the_words_of_a_name_are_found_in_the_time_of_its_length():
    # Where each gap is looked through to its end from each place in it, this takes hours.
    assert words_of(f"val loss{' ' * 1_000_000}x") == ("val", "loss", "x")
    assert words_of("val acc  (%)") == ("val", "acc")
