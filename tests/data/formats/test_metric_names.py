from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.metrics import METRICS
from lib.data.formats.metric_names import AS_LOGGED, read_names
from lib.data.formats.metric_words import spelled, words_of


def read(*names: str, **counts: int) -> dict[str, str]:
    """What names are read as, those that keep theirs left out; a guess ends with "?"."""
    steps = {name: np.arange(counts.get(words_of(name)[0], 10), dtype=np.int64) for name in names}
    found = read_names(steps)
    assert list(found) == list(names)
    return {name: each.metric + "?" * each.guessed for name, each in found.items() if each.metric != name}


@pytest.mark.parametrize(
    ("logged", "wanted"),
    [
        # Keras, PyTorch's tutorials, Lightning, and what people type.
        (["loss", "accuracy", "val_loss", "val_accuracy"], {"loss": "train_loss", "val_loss": "eval_loss"}),
        (["Loss/train", "Loss/test"], {"Loss/train": "train_loss"}),
        (["Training Loss", "Validation Loss"], {"Training Loss": "train_loss", "Validation Loss": "eval_loss"}),
        (["trainLoss", "validLoss"], {"trainLoss": "train_loss", "validLoss": "eval_loss"}),
        (["train/epoch_loss", "validation/epoch_loss"],
         {"train/epoch_loss": "train_loss", "validation/epoch_loss": "eval_loss"}),
        (["train/val_loss", "train/loss"], {"train/val_loss": "eval_loss", "train/loss": "train_loss"}),
        (["lr-AdamW", "lr-AdamW/pg1", "train_loss"], {"lr-AdamW": "learning_rate"}),
        # nanoGPT, modded-nanogpt, llm.c, Megatron, fairseq, detectron2, torchtitan.
        (["avg_train_loss", "val_loss"], {"avg_train_loss": "train_loss", "val_loss": "eval_loss"}),
        (["trl", "tel", "lr", "norm"],
         {"trl": "train_loss", "tel": "eval_loss", "lr": "learning_rate", "norm": "grad_norm?"}),
        (["lm loss", "grad norm", "learning rate", "loss scale", "validation/lm loss value", "validation/lm loss PPL"],
         {"lm loss": "train_loss", "grad norm": "grad_norm", "learning rate": "learning_rate",
          "validation/lm loss value": "eval_loss", "validation/lm loss PPL": "perplexity"}),
        (["valid_loss", "gnorm", "train_ppl"],
         {"valid_loss": "eval_loss", "gnorm": "grad_norm", "train_ppl": "train_perplexity"}),
        (["total_loss", "loss_cls", "loss_box_reg"], {"total_loss": "train_loss"}),
        (["loss", "throughput(tps)", "tok/s"], {"loss": "train_loss", "tok/s": "tokens_per_second"}),
        (["grad_2.0_norm_total", "grad_2.0_norm/layer.0"], {"grad_2.0_norm_total": "grad_norm"}),
        # Parts of a loss stay what they are; no loss is made of them.
        (["train/box_loss", "train/cls_loss", "train/dfl_loss", "val/box_loss", "lr/pg0", "lr/pg1"],
         {"lr/pg0": "learning_rate"}),
        (["policy_loss", "value_loss", "loss/value_avg", "loss/value", "entropy_loss"], {}),
        (["best_val_loss", "loss_scale", "val_loss_std"], {}),
        (["d_loss", "g_loss", "eval_alpha_loss", "test_loss", "max_grad_norm", "lr_scale"], {}),
        # A kind of loss is a guess where it is the only one, and nothing where there are two.
        (["train/mlm_loss"], {"train/mlm_loss": "train_loss?"}),
        (["train/mlm_loss", "train/ce_loss"], {}),
        (["train/cross_entropy"], {"train/cross_entropy": "train_loss?"}),
        (["val_nll", "loss"], {"val_nll": "eval_loss?", "loss": "train_loss"}),
        # One of two optimizers.
        (["lr-Adam", "lr-SGD"], {"lr-Adam": "learning_rate?"}),
        # Only memory in our unit, only speeds of the whole.
        (["memory(GiB)", "gpu_mem_gb", "train_speed(iter/s)"], {"gpu_mem_gb": "gpu_memory_allocated_gb"}),
        (["tokens_per_second_per_gpu"], {"tokens_per_second_per_gpu": f"tokens_per_second_per_gpu{AS_LOGGED}"}),
    ],
)  # fmt: skip
def test_names_of_programs_are_read_as_ours(logged, wanted):
    assert read(*logged) == wanted


def test_the_better_of_two_series_is_the_metric_and_the_other_keeps_its_name():
    steps = {"train_loss_step": np.arange(0, 1000, 10), "train_loss_epoch": np.arange(99, 1000, 100)}
    assert read_names(steps)["train_loss_step"].metric == "train_loss"
    assert read_names(steps)["train_loss_epoch"].metric == "train_loss_epoch"
    # The mean of the whole training stands beside its losses under the metric's very name.
    closing = {"loss": np.arange(0, 1000, 10), "train_loss": np.array([1000])}
    found = {name: each.metric for name, each in read_names(closing).items()}
    assert found == {"loss": "train_loss", "train_loss": f"train_loss{AS_LOGGED}"}


def test_a_train_loss_of_the_evaluations_alone_gives_way_to_a_denser_one():
    at_evaluations, dense = np.arange(0, 1000, 50), np.arange(0, 1000, 10)
    found = read_names({"train loss": at_evaluations, "val loss": at_evaluations, "loss": dense})
    assert [each.metric for each in found.values()] == ["train loss", "eval_loss", "train_loss"]
    alone = read_names({"train loss": at_evaluations, "val loss": at_evaluations})
    assert [each.metric for each in alone.values()] == ["train_loss", "eval_loss"]


def test_a_bare_perplexity_is_of_the_loss_that_was_logged_with_it():
    dense, sparse = np.arange(0, 1000, 10), np.arange(99, 1000, 100)
    with_train = read_names({"loss": dense, "val_loss": sparse, "ppl": dense})["ppl"]
    with_eval = read_names({"loss": dense, "val_loss": sparse, "ppl": sparse})["ppl"]
    assert (with_train.metric, with_eval.metric) == ("train_perplexity", "perplexity")
    assert with_train.guessed
    assert with_eval.guessed


def test_what_the_trainer_renamed_for_a_page_of_charts_gets_its_name_back():
    names = ["train/loss", "eval/loss", "eval/f1", "train/rewards/chosen", "train/epoch"]
    found = {name: each.metric for name, each in read_names({name: np.arange(5) for name in names}).items()}
    assert found["eval/f1"] == "eval_f1"
    assert found["train/rewards/chosen"] == "rewards/chosen"
    others = read_names({"train/loss": np.arange(5), "eval/f1": np.arange(5)})
    assert others["eval/f1"].metric == "eval/f1", "not a Trainer's page"


def test_a_log_of_evaluations_says_what_a_bare_loss_is():
    assert read_names({"loss": np.arange(5)}, of_evaluation=True)["loss"].metric == "eval_loss"
    assert read_names({"train_loss": np.arange(5)}, of_evaluation=True)["train_loss"].metric == "train_loss"


def test_a_log_of_evaluations_says_what_a_bare_score_was_measured_on():
    names = ["accuracy", "box_loss", "train_accuracy", "time"]
    found = read_names({name: np.arange(5) for name in names}, of_evaluation=True)
    assert [found[name].metric for name in names] == ["eval_accuracy", "eval_box_loss", "train_accuracy", "time"]


WORDS = st.sampled_from(
    [*"/_-. ", "loss", "train", "val", "lr", "norm", "grad", "ppl", "tokens", "per", "s", "x", "mean", "Ä"]
)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=5).map("".join), unique=True, max_size=12), st.booleans())
def test_no_two_series_are_one_metric_and_none_is_lost(names, of_evaluation):
    found = read_names({name: np.arange(3) for name in names}, of_evaluation=of_evaluation)
    assert list(found) == names
    keys = [each.metric for each in found.values()]
    assert len(set(keys)) == len(keys)
    assert all(
        each.metric in METRICS
        or each.metric.removeprefix("eval_" * of_evaluation).startswith((name.rstrip(), spelled(name)))
        or each.metric.startswith((name.rstrip(), spelled(name)))
        or AS_LOGGED in each.metric
        for name, each in found.items()
    )
