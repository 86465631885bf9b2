"""What a text log says of its end, and steps that are written short."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.metric_names import read_names
from tests.data.formats.readers.test_text_logs import nanogpt, points, run, runs

TRACE = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\nValueError: x\n'
EPOCHS = "".join(f"Epoch {epoch}/3, loss: {2 / epoch:.3f}\n" for epoch in (1, 2, 3))


@pytest.mark.parametrize(
    "end",
    [
        "Training complete",
        "Finished training!",
        "2025-10-09 08:00:10,123 - INFO - Training completed in 3m 20s",
        "[INFO] train.py:88 - Training finished. Best val acc: 0.93",
        "=== Training complete ===\nBest val Acc: 0.94",
        "Training complete after 1,000 steps",
        "Training complete\ntest loss 0.5, test acc 0.9",
        "Done training.\nSaved model to out/model.pt",
        "`Trainer.fit` stopped: `max_epochs=3` reached.",
        "Early stopping triggered after 3 evaluations",
        "***** train metrics *****\n  train_loss               =     1.2\n  train_runtime            = 0:10:00.12",
        "Training complete\nTerminated",
    ],
)
def test_an_end_that_is_announced(tmp_path, end) -> None:
    assert run(tmp_path, nanogpt() + end + "\n").status is RunStatus.COMPLETED


@pytest.mark.parametrize(
    "end",
    [
        "Training complete for epoch 3",
        "Epoch 3 training complete",
        "Training not complete",
        "Waiting until training finished",
        "Tokenizer training complete",
        "Training complete: False",
        "Training finished early: loss is nan",
        "Stopping early: loss is nan",
        "Early stopping: patience 3",
        "early stopping counter: 2 of 3",
        "Killed time: 3 s",
        "Terminated workers are started again",
        "done.",
        "Loading data... done.",
    ],
)
def test_what_is_no_end(tmp_path, end) -> None:
    assert run(tmp_path, nanogpt() + end + "\n").status is RunStatus.UNKNOWN


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("Killed", RunStatus.FAILED),
        ("train.sh: line 7:  1234 Killed                  python train.py", RunStatus.FAILED),
        ("Segmentation fault (core dumped)", RunStatus.FAILED),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", RunStatus.FAILED),
        ("[rank1]: Traceback (most recent call last):\n[rank1]: RuntimeError: x", RunStatus.FAILED),
        ("torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ", RunStatus.FAILED),
        ("slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-01-01 DUE TO TIME LIMIT ***", RunStatus.CANCELLED),
        ("Terminated", RunStatus.CANCELLED),
        ('^CTraceback (most recent call last):\n  File "train.py", line 3\nKeyboardInterrupt', RunStatus.CANCELLED),
    ],
)  # fmt: skip
def test_a_process_that_was_ended(tmp_path, end, status) -> None:
    assert run(tmp_path, nanogpt() + end + "\n").status is status
    assert run(tmp_path, nanogpt(0, 20) + end + "\n" + nanogpt(20)).status is RunStatus.UNKNOWN, "it was resumed"


def test_what_follows_an_end(tmp_path) -> None:
    assert run(tmp_path, nanogpt() + "Training complete\n" + nanogpt(30, 60)).status is RunStatus.UNKNOWN
    assert run(tmp_path, nanogpt() + "Training complete\n" + TRACE).status is RunStatus.FAILED
    assert run(tmp_path, "Tokenizer done\nTraining complete\n" + nanogpt()).status is RunStatus.UNKNOWN


def test_each_of_several_runs_has_its_own_end(tmp_path) -> None:
    head = "Loading the tokens of openwebtext\n"
    one, other = runs(tmp_path, head + nanogpt(0, 100) + "Training complete\n" + head + nanogpt(0, 60))
    assert (one.status, other.status) == (RunStatus.COMPLETED, RunStatus.UNKNOWN)


def test_done_is_an_end_where_all_that_was_planned_is(tmp_path) -> None:
    assert run(tmp_path, EPOCHS + "done.\n").status is RunStatus.COMPLETED
    assert run(tmp_path, EPOCHS.replace("/3", "/4") + "done.\n").status is RunStatus.UNKNOWN
    assert run(tmp_path, EPOCHS).status is RunStatus.UNKNOWN


def test_steps_in_thousands_and_millions(tmp_path) -> None:
    written = {"900": 900, "1k": 1000, "1.1k": 1100, "1.5K": 1500, "2M": 2_000_000}
    text = "".join(f"step {step} | loss {9 - place}\n" for place, step in enumerate(written))
    assert points(run(tmp_path, text), "loss") == [(step, 9 - place) for place, step in enumerate(written.values())]


def test_a_step_and_what_it_is_a_part_of_in_thousands(tmp_path) -> None:
    written = {"500": 500, "1k": 1000, "1.5k": 1500, "12k": 12_000, "40k": 40_000}
    text = "".join(f"[{step}/40k] loss: {9.0 - place}\n" for place, step in enumerate(written))
    found = run(tmp_path, text)
    assert points(found, "loss") == [(step, 9.0 - place) for place, step in enumerate(written.values())]
    plain = run(tmp_path, "".join(f"[{step}/40000] loss: {9.0 - place}\n" for place, step in enumerate((500, 1000))))
    assert points(plain, "loss") == [(500, 9.0), (1000, 8.0)]


@pytest.mark.parametrize("written", ["Val. Acc. (%)", "Val. Acc. [%]", "Val Acc (percent)"])
def test_a_unit_in_brackets_is_a_part_of_the_name(tmp_path, written) -> None:
    line = "[{0}/30] loss: 2.{0} Val. Loss (nats): 3.{0}, {1}: 6{0}.5\n"
    text = "".join(line.format(step, written) for step in (1, 2, 3))
    found = run(tmp_path, text)
    names = {each.metric for each in read_names({name: np.arange(2) for name in found.series}).values()}
    assert names == {"train_loss", "eval_loss", "val_accuracy"}


def test_units_that_are_no_steps(tmp_path) -> None:
    text = "".join(f"step {step} loss: {3 - step / 10} time: 2m tps: 1.5k ctx: 4k\n" for step in (1, 2, 3))
    found = run(tmp_path, text)
    assert [value for _, value in points(found, "time")] == [120.0] * 3
    assert [value for _, value in points(found, "tps")] == [1500.0] * 3
    assert [step for step, _ in points(found, "loss")] == [1, 2, 3]
