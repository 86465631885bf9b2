"""Evaluations in logs of lines: known by a word before, by a header above, and at the step of the training."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.text_logs import FORMAT
from lib.data.formats.text.words import heads_evaluation
from tests.data.formats.reading import only_run, points, put

TRAINED = {step: round(3 - step / 100, 4) for step in range(10, 101, 10)}
EVALUATED = {50: 2.75, 100: 2.5}


def log(train, evaluation) -> str:
    """A log of lines, each with a line feed."""
    lines = []
    for step, loss in TRAINED.items():
        lines.append(train.format(step=step, loss=loss))
        if step in EVALUATED:
            lines.append(evaluation.format(step=step, loss=EVALUATED[step]))
    return "\n".join(lines) + "\n"


STATED = {
    "validate": ("step: {step}  loss: {loss}", "validate step: {step}  loss: {loss}"),
    "validating": ("training step {step} loss={loss}", "validating step {step} loss={loss}"),
    "Evaluating": ("Training | step {step} | loss {loss}", "Evaluating | step {step} | loss {loss}"),
    "results": ("iteration {step} | loss: {loss}", " validation results at iteration {step} | loss: {loss} |"),
    "OpenMMLab": (
        "mmengine - INFO - Iter(train) [{step:4d}/100]  lr: 1e-4  loss: {loss}",
        "mmengine - INFO - Iter(val) [20/20]    loss: {loss}  time: 0.1",
    ),
    "an evaluation with more batches than training has steps": (
        "Iter(train) [{step}/100]  loss: {loss}", "Iter(val) [5000/5000]  loss: {loss}"
    ),
    "Composer": (
        "[batch={step}/100]:\n\t Train loss/train/total: {loss}",
        "[Eval batch=9/10] Eval on eval data\n[Eval batch=10/10] Eval on eval data:\n\t Eval loss/eval/total: {loss}\n"
        "\t Eval metrics/eval/F1: 0.5",
    ),
    "DeepSpeed-Chat": (
        "Epoch: 0, Step: {step}, Rank: 0, loss = {loss}",
        "***** Evaluating perplexity, Epoch 1/2 *****\nppl: 12.5, loss: {loss}",
    ),
    "a header": ("step {step} loss={loss}", "Running evaluation...\nloss: {loss}\naccuracy: 0.5"),
    "a header with the step": ("step {step} loss={loss}", "=== Validation at step {step} ===\n  loss: {loss}"),
    "two scores in a line": ("step {step} loss={loss}", "val Loss: {loss} Acc: 0.5"),
    "a logger's prefix": ("step {step} loss={loss}", "[2026-01-02 10:00:00,123 INFO] Validation loss: {loss}"),
    "ESPnet": (
        "[gpu1] 2026-01-02 10:00:00,123 (trainer:737) INFO: 1epoch:train:1-{step}batch: acc=0.5, loss={loss}, lr=1",
        "[gpu1] 2026-01-02 10:00:00,123 (trainer:338) INFO: 1epoch results: [valid] acc=0.5, loss={loss}, time=5",
    ),
    "Flair": (
        "2026-01-02 10:00:00,123 epoch 1 - iter {step}/100 - loss {loss} - lr: 0.1",
        "2026-01-02 10:00:00,123 DEV : loss {loss} - f1-score (micro avg)  0.81",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("train", "evaluation"), STATED.values(), ids=STATED)
def test_evaluations_are_apart_from_training_and_at_its_step(tmp_path, train, evaluation):
    put(tmp_path, {"train.log": log(train, evaluation)})
    found = points(only_run(FORMAT, tmp_path))
    losses = {name: values for name, values in found.items() if "loss" in name.lower() and "/f1" not in name.lower()}
    assert sorted(losses.values()) == sorted([list(TRAINED.items()), list(EVALUATED.items())])


def test_below_a_header_of_training_values_are_of_training_again(tmp_path):
    lines = [f"Epoch {epoch}\nTrain:\n  loss: {3 - epoch}\nValidation:\n  loss: {4 - epoch}" for epoch in (1, 2)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert points(only_run(FORMAT, tmp_path)) == {"loss": [(1, 2.0), (2, 1.0)], "eval/loss": [(1, 3.0), (2, 2.0)]}


def test_a_line_that_says_itself_what_its_values_are_of_is_believed(tmp_path):
    lines = [f"Epoch {epoch}\nEvaluating...\ntrain loss: {3 - epoch}, val loss: {4 - epoch}" for epoch in (1, 2)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert set(points(only_run(FORMAT, tmp_path))) == {"train loss", "val loss"}


def test_a_message_that_stands_behind_a_bar_is_read(tmp_path):
    bars = "".join(f"\r{done}%|#   | {done}/100 [00:01<00:01, 2.00it/s]" for done in range(1, 51))
    lines = [f"{bars}01/02/2026 12:00:00 - INFO - __main__ - epoch {n}: eval_loss: {4 - n}" for n in (1, 2)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    run = only_run(FORMAT, tmp_path)
    assert (run.counted, points(run)) == ("epoch", {"eval_loss": [(1, 3.0), (2, 2.0)]})


@pytest.mark.parametrize(
    "said", ["Validation loss decreased (inf --> 2.1).  Saving model ...", "Evaluating...", "Eval"]
)
def test_a_new_epoch_ends_what_a_header_is_over(tmp_path, said):
    lines = [f"Epoch {epoch}\nloss: {3 - epoch}\nval_loss: {4 - epoch}\n{said}" for epoch in (1, 2)]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert points(only_run(FORMAT, tmp_path)) == {"loss": [(1, 2.0), (2, 1.0)], "val_loss": [(1, 3.0), (2, 2.0)]}


def test_a_sentence_about_the_evaluation_heads_nothing(tmp_path):
    lines = [f"step {step} acc=0.5\nValidation loss decreased, saving.\nloss: {step / 100}" for step in TRAINED]
    put(tmp_path, {"train.log": "\n".join(lines) + "\n"})
    assert set(points(only_run(FORMAT, tmp_path))) == {"acc", "loss"}


def test_a_heading_with_many_numbers_is_read_in_the_time_of_its_length():
    # Where each comma is tried as one between numbers and as one inside a number, this takes longer than there is time.
    assert heads_evaluation(f"Evaluation at step {'1,' * 80}$") is None
    assert heads_evaluation("Evaluation at step 1,000, epoch 3/5:")
