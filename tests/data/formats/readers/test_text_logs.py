# ruff: noqa: E501  (lines of logs are as long as programs print them)
"""Text logs: what each program prints, and what a terminal, a launcher and a crash make of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import LoggedRun, Reading
from lib.data.formats.readers.text_logs import FORMAT


def read(folder: Path, text: str | bytes, name: str = "train.log") -> Reading | None:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return FORMAT.read(folder, (name,), [(name,)])


def runs(folder: Path, text: str | bytes, name: str = "train.log") -> tuple[LoggedRun, ...]:
    reading = read(folder, text, name)
    return reading.runs if reading else ()


def run(folder: Path, text: str | bytes, name: str = "train.log") -> LoggedRun:
    (found,) = runs(folder, text, name)
    return found


def points(run: LoggedRun, name: str) -> list[tuple[int, float]]:
    series = run.series[name]
    return list(zip(series.step.tolist(), series.value.tolist(), strict=True))


def nanogpt(first: int = 0, end: int = 30) -> str:
    lines = []
    for step in range(first, end, 10):
        if step % 20 == 0:
            lines.append(f"step {step}: train loss {4 - step / 50:.4f}, val loss {4.1 - step / 50:.4f}")
        lines.append(f"iter {step}: loss {4.05 - step / 50:.4f}, time 31.50ms, mfu -100.00%")
    return "\n".join(lines) + "\n"


def modded() -> str:
    lines = ["step:0/4 val_loss:11.0000 train_time:0ms step_avg:nanms"]
    lines += [
        f"step:{step}/4 train_loss:{11 - step / 20:.4f} train_time:{t}ms step_avg:nanms"
        for step, t in ((1, 500), (2, 900), (3, 100), (4, 200))
    ]
    return "\n".join([*lines, "step:4/4 val_loss:9.0000 train_time:200ms step_avg:100.00ms"]) + "\n"


PROGRAMS = {
    "nanoGPT": (
        nanogpt(),
        {
            "train loss": [(0, 4.0), (20, 3.6)],
            "val loss": [(0, 4.1), (20, 3.7)],
            "loss": [(0, 4.05), (10, 3.85), (20, 3.65)],
            "time": [(0, 0.0315), (10, 0.0315), (20, 0.0315)],
            "mfu": [(0, -100), (10, -100), (20, -100)],
        },
        None,
    ),
    "modded-nanogpt": (
        modded(),
        {"val_loss": [(0, 11.0), (4, 9.0)], "train_loss": [(1, 10.95), (2, 10.9), (3, 10.85), (4, 10.8)]},
        4,
    ),
    "llm.c main.log": (
        "s:0 eval:0.2431\ns:0 tel:11.1000\ns:0 trl:11.0000 lr:0.000000 norm:2.50\ns:1 trl:10.9000 lr:0.000003 norm:2.50\n",
        {"trl": [(0, 11.0), (1, 10.9)], "tel": [(0, 11.1)], "eval": [(0, 0.2431)], "norm": [(0, 2.5), (1, 2.5)]},
        None,
    ),
    "llm.c stdout": (
        "val loss 11.0\n"
        "step    1/10 | loss 10.900000 (+nanz)| norm 2.5000 (+nanz)| lr 3.00e-06 | 512.30 ms | 35.1% bf16 MFU | 102312 tok/s\n"
        "step    2/10 | loss 10.800000 (-0.51z)| norm 2.5000 (+0.20z)| lr 6.00e-06 | 512.30 ms | 35.1% bf16 MFU | 102312 tok/s\n"
        "val loss 10.700000\n",
        {
            "loss": [(1, 10.9), (2, 10.8)],
            "norm": [(1, 2.5), (2, 2.5)],
            "lr": [(1, 3e-6), (2, 6e-6)],
            "time": [(1, 0.5123), (2, 0.5123)],
            "bf16 MFU": [(1, 35.1), (2, 35.1)],
            "tok/s": [(1, 102312), (2, 102312)],
            "val loss": [(0, 11.0), (2, 10.7)],
        },
        10,
    ),
    "Megatron": (
        " [2025-10-09 08:00:10] iteration       10/     100 | consumed samples:          640 | "
        "elapsed time per iteration (ms): 812.4 | learning rate: 1.000000E-05 | lm loss: 9.500000E+00 | "
        "number of skipped iterations:   0 | number of nan iterations:   0 |\n"
        " [2025-10-09 08:00:20] iteration       20/     100 | consumed samples:         1280 | "
        "elapsed time per iteration (ms): 812.4 | learning rate: 2.000000E-05 | lm loss: 9.000000E+00 | "
        "number of skipped iterations:   0 | number of nan iterations:   0 |\n"
        "-----\n validation loss at iteration 20 | lm loss value: 9.600000E+00 | lm loss PPL: 2.700000E+01 | \n-----\n",
        {
            "lm loss": [(10, 9.5), (20, 9.0)],
            "learning rate": [(10, 1e-5), (20, 2e-5)],
            "consumed samples": [(10, 640), (20, 1280)],
            "elapsed time per iteration": [(10, 0.8124), (20, 0.8124)],
            "number of nan iterations": [(10, 0), (20, 0)],
            "validation/lm loss value": [(20, 9.6)],
            "validation/lm loss PPL": [(20, 27.0)],
        },
        100,
    ),
    "torchtune": (
        "Step 1 | loss:2.0 lr:2e-07 tokens_per_second_per_gpu:4096.5 \nStep 2 | loss:nan lr:4e-07 tokens_per_second_per_gpu:4096.5 \n",
        {
            "loss": [(1, 2.0), (2, np.nan)],
            "lr": [(1, 2e-7), (2, 4e-7)],
            "tokens_per_second_per_gpu": [(1, 4096.5), (2, 4096.5)],
        },
        None,
    ),
    "torchtitan": (
        "[rank0]:2025-10-09 08:00:10,123 - root - INFO - step:  1  loss:  8.1  grad_norm:  1.2  memory: 30.10GiB(40%)  tps: 1,234  mfu: 40.10%\n"
        "[rank0]:2025-10-09 08:00:12,123 - root - INFO - step: 10  loss:  7.1  grad_norm:  1.1  memory: 30.10GiB(40%)  tps: 1,235  mfu: 40.10%\n",
        {"loss": [(1, 8.1), (10, 7.1)], "tps": [(1, 1234), (10, 1235)], "grad_norm": [(1, 1.2), (10, 1.1)]},
        None,
    ),
    "detectron2": (
        "[10/09 08:00:10 d2.utils.events]:  eta: 0:10:00  iter: 19  total_loss: 1.2  loss_cls: 0.5  lr: 0.0001  max_mem: 3000M\n"
        "[10/09 08:00:20 d2.utils.events]:  eta: 0:09:00  iter: 39  total_loss: 1.1  loss_cls: 0.4  lr: 0.0002  max_mem: 3000M\n",
        {"total_loss": [(19, 1.2), (39, 1.1)], "loss_cls": [(19, 0.5), (39, 0.4)], "max_mem": [(19, 3000), (39, 3000)]},
        None,
    ),
    "fairseq": (
        "2025-10-09 08:00:10 | INFO | train_inner | epoch 001:    100 / 500 loss=10.5, ppl=1448.15, num_updates=100, lr=1e-05, gnorm=2.5\n"
        "2025-10-09 08:00:20 | INFO | train_inner | epoch 001:    200 / 500 loss=9.5, ppl=724.08, num_updates=200, lr=2e-05, gnorm=2.4\n"
        "2025-10-09 08:00:30 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.7 | ppl 831.7 | num_updates 200\n",
        {
            "loss": [(100, 10.5), (200, 9.5)],
            "gnorm": [(100, 2.5), (200, 2.4)],
            "valid/loss": [(200, 9.7)],
            "valid/ppl": [(200, 831.7)],
        },
        None,
    ),
    "timm": (
        "Train: 0 [   0/10 (  0%)]  Loss: 6.95 (6.95)  Time: 1.500s,  170.10/s  (1.500s,  170.10/s)  LR: 1.000e-05\n"
        "Train: 0 [   5/10 ( 50%)]  Loss: 6.85 (6.90)  Time: 1.500s,  170.10/s  (1.500s,  170.10/s)  LR: 1.000e-05\n"
        "Train: 1 [   0/10 (  0%)]  Loss: 6.75 (6.75)  Time: 1.500s,  170.10/s  (1.500s,  170.10/s)  LR: 2.000e-05\n"
        "Train: 1 [   5/10 ( 50%)]  Loss: 6.65 (6.70)  Time: 1.500s,  170.10/s  (1.500s,  170.10/s)  LR: 2.000e-05\n",
        {"train/Loss": [(0, 6.95), (5, 6.85), (10, 6.75), (15, 6.65)]},
        None,
    ),
    "tutorials": (
        "Epoch [1/2], Step [100/250], Loss: 0.5000\nEpoch [1/2], Step [200/250], Loss: 0.4000\n"
        "Epoch [2/2], Step [100/250], Loss: 0.3000\nEpoch [2/2], Step [200/250], Loss: 0.2000\n",
        {"Loss": [(100, 0.5), (200, 0.4), (350, 0.3), (450, 0.2)]},
        500,
    ),
    "tutorials by batch": (
        "Epoch 1, Batch 100, Loss: 0.5\nEpoch 1, Batch 200, Loss: 0.4\nEpoch 2, Batch 100, Loss: 0.3\nEpoch 2, Batch 200, Loss: 0.2\n",
        {"Loss": [(100, 0.5), (200, 0.4), (300, 0.3), (400, 0.2)]},
        None,
    ),
    "no signs at all": (
        "iter 100 loss 3.25 lr 1e-4 time 0.2s\niter 200 loss 3.15 lr 1e-4 time 0.2s\n",
        {"loss": [(100, 3.25), (200, 3.15)], "lr": [(100, 1e-4), (200, 1e-4)], "time": [(100, 0.2), (200, 0.2)]},
        None,
    ),
    "tensors": (
        "step 1: loss=tensor(0.5, device='cuda:0', grad_fn=<NllLossBackward0>)\nstep 2: loss=tensor(0.25, device='cuda:0')\n",
        {"loss": [(1, 0.5), (2, 0.25)]},
        None,
    ),
    "absl": (
        "I1009 08:00:10.123456 140 train.py:100] step 10: loss=0.5\nI1009 08:00:11.123456 140 train.py:100] step 20: loss=0.4\n",
        {"loss": [(10, 0.5), (20, 0.4)]},
        None,
    ),
    "Python's default": (
        "INFO:root:step 10 loss 0.5\nINFO:root:step 20 loss 0.4\n",
        {"loss": [(10, 0.5), (20, 0.4)]},
        None,
    ),
    "American dates": (
        "10/09/2025 08:00:10 - INFO - __main__ - step = 10, loss = 0.5\n10/09/2025 08:00:11 - INFO - __main__ - step = 20, loss = 0.4\n",
        {"loss": [(10, 0.5), (20, 0.4)]},
        None,
    ),
    "DeepSpeed": (
        "[2025-10-09 08:00:10,1] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=0, lr=[1e-05], mom=[[0.9, 0.95]]\n"
        "steps: 10 loss: 2.3000 iter time (s): 1.200 samples/sec: 10.5\n"
        "[2025-10-09 08:00:20,1] [INFO] [logging.py:96:log_dist] [Rank 0] step=20, skipped=0, lr=[2e-05], mom=[[0.9, 0.95]]\n"
        "steps: 20 loss: 2.2000 iter time (s): 1.200 samples/sec: 10.5\n",
        {"loss": [(10, 2.3), (20, 2.2)], "lr": [(10, 1e-5), (20, 2e-5)], "iter time": [(10, 1.2), (20, 1.2)]},
        None,
    ),
    "a value on each line": (
        "[step=10/100,epoch=0]\n    optim/total_grad_norm=1.5\n    train/CrossEntropyLoss=11.0\n"
        "[step=20/100,epoch=0]\n    optim/total_grad_norm=1.4\n    train/CrossEntropyLoss=10.5\n",
        {"train/CrossEntropyLoss": [(10, 11.0), (20, 10.5)], "optim/total_grad_norm": [(10, 1.5), (20, 1.4)]},
        100,
    ),
    "mmengine": (
        "2025/10/09 08:00:10 - mmengine - INFO - Epoch(train)  [1][ 50/100]  lr: 1.0000e-02  eta: 0:10:00  loss: 1.2000\n"
        "2025/10/09 08:00:30 - mmengine - INFO - Epoch(val)  [1][10/10]    coco/bbox_mAP: 0.3210  time: 0.2000\n"
        "2025/10/09 08:00:40 - mmengine - INFO - Epoch(train)  [2][ 60/100]  lr: 1.0000e-02  eta: 0:10:00  loss: 1.0000\n"
        "2025/10/09 08:00:50 - mmengine - INFO - Epoch(val)  [2][10/10]    coco/bbox_mAP: 0.4210  time: 0.2000\n",
        {"train/loss": [(50, 1.2), (160, 1.0)], "val/coco/bbox_mAP": [(50, 0.321), (160, 0.421)]},
        None,
    ),
    "ImageNet": (
        "Epoch: [0][  1/500]\tTime  0.5 (  1.2)\tLoss 6.99 (7.0)\tAcc@1   0.39 (  0.39)\n"
        "Epoch: [0][101/500]\tTime  0.5 (  1.2)\tLoss 6.79 (7.0)\tAcc@1   0.49 (  0.39)\n"
        "Test: [ 1/50]\tTime  0.5 (  1.2)\tLoss 6.50 (6.5)\tAcc@1  10.39 ( 10.39)\n"
        "Test: [11/50]\tTime  0.5 (  1.2)\tLoss 6.40 (6.5)\tAcc@1  11.39 ( 10.39)\n"
        " *   Acc@1 30.000 Acc@5 50.000\n"
        "Epoch: [1][  1/500]\tTime  0.5 (  1.2)\tLoss 6.69 (7.0)\tAcc@1   0.59 (  0.39)\n",
        {
            "Loss": [(1, 6.99), (101, 6.79), (501, 6.69)],
            "Acc@1": [(1, 0.39), (101, 0.49), (501, 0.59)],
            "test/Loss": [(101, 6.4)],
        },
        None,
    ),
    "loguru": (
        "2025-10-09 08:00:11.123 | INFO     | train:fit:88 - Step 1: loss=0.5\n2025-10-09 08:00:12.123 | INFO     | train:fit:88 - Step 2: loss=0.4\n",
        {"loss": [(1, 0.5), (2, 0.4)]},
        None,
    ),
    "steps in brackets": (
        "[step 100] loss=1.2 lr=1e-4\n[step 200] loss=1.1 lr=5e-5\n",
        {"loss": [(100, 1.2), (200, 1.1)], "lr": [(100, 1e-4), (200, 5e-5)]},
        None,
    ),
    "JSON": (
        '{"step": 10, "loss": 0.5, "note": "a"}\n{"step": 20, "loss": NaN, "eval": {"f1": 0.7}}\n',
        {"loss": [(10, 0.5), (20, np.nan)], "eval/f1": [(20, 0.7)]},
        None,
    ),
    "a bar's postfix": (
        "train:  10%|#   | 10/100 [00:05<00:45,  2.0it/s, loss=1.5]\rtrain:  20%|##  | 20/100 [00:10<00:40,  2.0it/s, loss=1.25]\r",
        {"loss": [(10, 1.5), (20, 1.25)]},
        None,
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_prints(tmp_path, program) -> None:
    text, expected, total = PROGRAMS[program]
    found = run(tmp_path, text)
    assert found.counted == "step"
    for name, values in expected.items():
        steps, numbers = zip(*values, strict=True)
        assert name in found.series, sorted(found.series)
        assert found.series[name].step.tolist() == list(steps), name
        np.testing.assert_allclose(found.series[name].value, numbers)
    assert found.total_steps == total
    assert found.status is RunStatus.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1/3 - loss: 0.5 - val_loss: 0.6\nEpoch 2/3 - loss: 0.4 - val_loss: 0.55\n",
        "Epoch 1/3\n100/100 [======] - 5s 10ms/step - loss: 0.5 - val_loss: 0.6\nEpoch 2/3\n 50/100 [==>..] - ETA: 1s - loss: 0.45\n"
        "100/100 [======] - 5s 10ms/step - loss: 0.4 - val_loss: 0.55\n",
        "Epoch 1/2\n-------\nloss: 0.5, val_loss: 0.6\nEpoch 2/2\n-------\nloss: 0.4, val_loss: 0.55\n",
        "Epoch 1/2: 100%|##| 8/8 [00:10<00:00,  1.0it/s]\nloss: 0.5 | val_loss: 0.6\nEpoch 2/2: 100%|##| 8/8 [00:10<00:00,  1.0it/s]\nloss: 0.4 | val_loss: 0.55\n",
        "epoch 1: {'loss': 0.5, 'val_loss': 0.6}\nepoch 2: {'loss': 0.4, 'val_loss': 0.55}\n",
        "Epoch: 1, loss: 0.5, val_loss: 0.6\nEpoch: 2, loss: 0.4, val_loss: 0.55\n",
        "2025-10-09 08:00:10,123 INFO root: epoch=1 loss=0.5 val_loss=0.6\n2025-10-09 08:00:20,123 INFO root: epoch=2 loss=0.4 val_loss=0.55\n",
    ],
)
def test_epochs_are_counted_where_nothing_else_is(tmp_path, text) -> None:
    found = run(tmp_path, text)
    assert found.counted == "epoch"
    assert points(found, "loss") == [(1, 0.5), (2, 0.4)]
    assert points(found, "val_loss") == [(1, 0.6), (2, 0.55)]


def test_epochs_between_steps_are_of_the_last_of_them(tmp_path) -> None:
    lines = [
        f"step {step} loss: {3 - step / 10}\n"
        + (f"Epoch {step // 2} loss: 2.5 val_loss: {step}\n" if step % 2 == 0 else "")
        for step in range(1, 7)
    ]
    found = run(tmp_path, "".join(lines))
    assert found.counted == "step"
    assert points(found, "val_loss") == [(2, 2), (4, 4), (6, 6)]


def test_a_phase_beside_the_values_stands_in_their_names(tmp_path) -> None:
    found = run(
        tmp_path,
        "Epoch 1 | Train: loss=0.5 acc=0.9 | Valid: loss=0.6 acc=0.8\nEpoch 2 | Train: loss=0.4 acc=0.9 | Valid: loss=0.5 acc=0.8\n",
    )
    assert points(found, "train/loss") == [(1, 0.5), (2, 0.4)]
    assert points(found, "valid/acc") == [(1, 0.8), (2, 0.8)]


def hf(*, quoted: bool, bar: bool, header: str = "", broken: str = "\n") -> str:
    lines = [header] if header else []
    for step in (10, 20, 30, 40):
        values = {"loss": 2 / step, "grad_norm": 1.5, "epoch": step / 20}
        if bar:
            lines.append(
                f"\r {step}%|#| {step}/40 [00:{step // 2:02d}<00:10,  2.0it/s]{broken if broken == chr(13) else ''}"
            )
        lines.append(repr({key: str(value) if quoted else value for key, value in values.items()}))
        if step % 20 == 0:
            if bar:
                lines.append("\r100%|#| 8/8 [00:01<00:00,  8.0it/s]")
            lines.append(repr({"eval_loss": 2.5 / step, "epoch": step / 20}).replace("0.0625", "nan"))
    return "\n".join([*lines, "{'train_runtime': 50.1, 'train_loss': 0.06, 'epoch': 2.0}"]) + "\n"


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize(
    ("kind", "steps", "evaluated", "words"),
    [
        ({"bar": True}, [10, 20, 30, 40], [20, 40], "progress bar"),
        (
            {"bar": False, "header": "  Num Epochs = 2\n  Total optimization steps = 40"},
            [10, 20, 30, 40],
            [20, 40],
            "epoch",
        ),
        ({"bar": False}, [1, 2, 3, 4], [2, 4], "counted"),
    ],
)
def test_the_trainers_dictionaries_get_steps(tmp_path, quoted, kind, steps, evaluated, words) -> None:
    found = run(tmp_path, hf(quoted=quoted, **kind))
    assert found.series["loss"].step.tolist() == steps
    np.testing.assert_allclose(found.series["loss"].value, [0.2, 0.1, 2 / 30, 0.05])
    np.testing.assert_allclose(found.series["loss"].epoch, [0.5, 1, 1.5, 2])
    assert found.series["eval_loss"].step.tolist() == evaluated
    assert np.isnan(found.series["eval_loss"].value).tolist() == [False, True]
    assert found.status is RunStatus.COMPLETED
    assert found.last["train_loss"] == 0.06
    assert "train_loss" not in found.series
    assert any(words in note for note in found.notes)
    if kind["bar"]:
        assert found.total_steps == 40
        assert found.series["loss"].at.tolist() == [5, 10, 15, 20]


def test_a_clock_that_begins_anew_goes_on(tmp_path) -> None:
    at = run(tmp_path, modded()).series["train_loss"].at
    np.testing.assert_allclose(at, [0.5, 0.9, 1.0, 1.1])


def test_a_clock_that_jumps_is_left_out(tmp_path) -> None:
    text = "".join(f"step:{step}/50 loss:1.0 train_time:{step if step % 2 else step * 1000}ms\n" for step in range(50))
    found = run(tmp_path, text)
    assert found.series["loss"].at is None
    assert any("times" in note for note in found.notes)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.splitlines()).encode(),
        lambda text: "".join(f"[rank0]: {line}\n" for line in text.splitlines()).encode(),
        lambda text: "".join(f"0: {line}\n" for line in text.splitlines()).encode(),
        lambda text: "".join(f"2025-10-09 08:00:10,123 INFO root: {line}\n" for line in text.splitlines()).encode(),
        lambda text: "".join(f"[2025-10-09T08:00:10Z] {line}\n" for line in text.splitlines()).encode(),
        lambda text: b"\xff\xfe caf\xe9\n" + text.encode(),
        lambda text: ("﻿" + text).encode("utf-16-le"),
        lambda text: ("﻿" + text).encode("utf-8"),
        lambda text: (
            text.encode()[:60].rpartition(b"\n")[0] + b"\n" + b"\x00" * 5000 + b"\n" + text.encode()[:0] + text.encode()
        ),
        lambda text: b"x" * 3_000_000 + b"\n" + text.encode(),
    ],
)
def test_what_terminals_and_launchers_add_is_taken_away(tmp_path, change) -> None:
    found = run(tmp_path, change(nanogpt()))
    assert sorted(set(points(found, "loss"))) == [(0, 4.05), (10, 3.85), (20, 3.65)]
    assert sorted(set(points(found, "val loss"))) == [(0, 4.1), (20, 3.7)]


def test_one_process_of_several_is_read(tmp_path) -> None:
    text = "".join(f"[rank{rank}]: step {step} loss: {step + rank}\n" for step in (1, 2, 3) for rank in (1, 0, 2))
    found = run(tmp_path, text)
    assert points(found, "loss") == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert any("other processes" in note for note in found.notes)


def test_times_before_the_lines(tmp_path) -> None:
    text = "2025-10-09 08:00:10,500 step 1 loss: 3\n2025-10-09 08:00:12,000 step 2 loss: 2\n"
    found = run(tmp_path, text)
    assert np.diff(found.series["loss"].at).tolist() == [1.5]
    assert found.started == 1759996810.5
    assert found.ended == 1759996812.0


SOURCE = """
import torch
@dataclass
class Hyperparameters:
    batch_size : int = 512 # in sequences
    learning_rate : float = 0.0036
    num_iterations : int = 5100
for step in range(args.num_iterations + 1):
    print(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} train_time:{training_time_ms:.0f}ms")
    # step 3: loss = 0.5
    step = 0; loss = 1.0
====================================================================================================
Running pytorch 2.5.0 compiled for CUDA 12.4
|   0  NVIDIA H100 80GB HBM3          On  |   00000000:19:00.0 Off |                    0 |
"""


def test_source_code_at_the_head_is_no_metric(tmp_path) -> None:
    found = run(tmp_path, SOURCE + modded())
    assert set(found.series) == {"val_loss", "train_loss", "step_avg"}
    assert not found.config
    assert points(found, "val_loss") == [(0, 11.0), (4, 9.0)]


def test_a_resumed_training_is_one_run(tmp_path) -> None:
    found = run(
        tmp_path, nanogpt(0, 60) + "Resuming training from out\n" + nanogpt(40, 100).replace("loss 3", "loss 8")
    )
    assert found.series["loss"].step.tolist() == [0, 10, 20, 30, 40, 50, 40, 50, 60, 70, 80, 90]
    assert any("resumed" in note for note in found.notes)


def test_another_start_is_another_run(tmp_path) -> None:
    head = "Loading the tokens of openwebtext\nnumber of parameters: 123.59M\n"
    first, second = runs(tmp_path, head + nanogpt(0, 100) + head + nanogpt(0, 60))
    assert (first.key, second.key) == ("", "2")
    assert first.series["loss"].step.max() == 90
    assert second.series["loss"].step.max() == 50
    assert second.series["val loss"].step.tolist() == [0, 20, 40]


def test_a_short_start_counts_as_another_run_where_the_head_is_repeated(tmp_path) -> None:
    head = "Loading the tokens of openwebtext\n"
    assert len(runs(tmp_path, head + nanogpt(0, 20) + head + nanogpt(0, 900))) == 2


def test_a_warm_up_is_left_out(tmp_path) -> None:
    found = run(tmp_path, "Loading the tokens of openwebtext\n" + nanogpt(0, 20) + "compiled\n" + nanogpt(0, 900))
    assert found.series["loss"].step.tolist() == list(range(0, 900, 10))
    assert any("first start" in note for note in found.notes)


def test_how_a_log_ends(tmp_path) -> None:
    trace = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n'
    failed = run(tmp_path, nanogpt() + trace + "torch.OutOfMemoryError: CUDA out of memory\n")
    assert (failed.status, failed.error) == (RunStatus.FAILED, "OutOfMemoryError")
    assert run(tmp_path, nanogpt() + trace + "KeyboardInterrupt\n").status is RunStatus.CANCELLED
    # What was caught is no end.
    assert run(tmp_path, nanogpt(0, 30) + trace + "ValueError: x\n" + nanogpt(30, 60)).status is RunStatus.UNKNOWN


def test_settings_that_programs_print(tmp_path) -> None:
    found = run(
        tmp_path, "  lr ...................... 0.0001\n  bf16 ......... True\nOverriding: batch_size = 8\n" + nanogpt()
    )
    assert found.config == {"args": {"lr": "0.0001", "bf16": "True"}, "overrides": {"batch_size": "8"}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vocab.txt", "\n".join(f"word{n}" for n in range(5000))),
        ("notes.txt", "Step 1: add 200 g of flour.\nStep 2: wait 10 minutes.\nStep 3: bake at 180 degrees.\n"),
        ("install.txt", "Step 1: install python 3.11\nStep 2: run pip, version: 24\nStep 3: see port=8080\n"),
        ("empty.txt", ""),
        ("error.log", ""),
        ("output.log", ""),
        ("binary.log", bytes(range(256)) * 100),
        ("one.log", "step 1 loss: 3.0\n"),
        (
            "server.log",
            "\n".join(f"2025-10-09 08:00:{n:02d} INFO request id={n} status=200 took 3ms" for n in range(60)),
        ),
        ("book.txt", "It was the best of times, it was the worst of times, in 1789. Loss: 3 men.\n" * 2000),
        ("labels.txt", "\n".join(f"{n} {n / 7:.3f}" for n in range(1000))),
    ],
)
def test_text_that_is_no_log_is_none(tmp_path, name, text) -> None:
    assert read(tmp_path, text, name) is None


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_a_log_in_which_nothing_stands_is_named(tmp_path, text) -> None:
    found = read(tmp_path, text, "train.log")
    assert (found.runs, found.unreadable) == ((), ())
    assert [(told.path, told.why.split(":")[0]) for told in found.unused] == [(("train.log",), "The file is empty")]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("train.log", True),
        ("train.log.1", True),
        ("output.log", True),
        ("slurm-123.out", True),
        ("stdout", True),
        ("log.txt", True),
        ("nohup.out", True),
        ("README.txt", False),
        ("requirements.txt", False),
        ("data.csv", False),
        ("requirements-dev.txt", False),
        ("model.bin", False),
        ("log", True),
        ("worker.stderr", True),
    ],
)
def test_names(name, is_one) -> None:
    assert FORMAT.matches((name,)) is is_one


def test_older_parts_of_a_log_are_one_run_with_it(tmp_path) -> None:
    for name, (first, end) in {"train.log": (60, 90), "train.log.1": (30, 60), "train.log.2": (0, 30)}.items():
        (tmp_path / name).write_text(nanogpt(first, end))
    files = [("train.log.1",), ("train.log",), ("train.log.2",)]
    ((folder, mine),) = FORMAT.units(files).items()
    reading = FORMAT.read(tmp_path, folder, mine)
    (found,) = reading.runs
    assert found.files[0] == ("train.log",)
    assert found.series["loss"].step.tolist() == list(range(0, 90, 10))


LONG = [
    lambda n: "a=b: 1, " * (n // 8),
    lambda n: "step 1 " + "1," * (n // 2),
    lambda n: "step 1 loss=" + "1" * n,
    lambda n: "step 1 " + "a" * n + "=1",
    lambda n: "step 1 " + "a " * (n // 2) + "=1",
    lambda n: "[" * n + "step 1 loss: 3",
    lambda n: "1/2 [00:00<" + "," * n,
    lambda n: "{'loss': " * (n // 9),
    lambda n: "1:" * (n // 2),
    lambda n: "1." * (n // 2),
    lambda n: "\x1b[" * (n // 2),
    lambda n: " " * n + "1",
    lambda n: "nan" * (n // 3),
    lambda n: "  lr " + "." * n,
    lambda n: "Error" * (n // 5),
]


@pytest.mark.parametrize("make", LONG)
def test_lines_of_a_megabyte_end(tmp_path, make) -> None:
    line = make(1_000_000)
    found = run(tmp_path, nanogpt() + "\n".join([line] * 5) + "\n" + nanogpt(30, 60))
    assert found.series["loss"].step.max() == 50


def test_whatever_is_cut_off_or_flipped_the_rest_is_read(tmp_path) -> None:
    whole = "".join(text for text, _, _ in PROGRAMS.values()).encode() + hf(quoted=True, bar=True).encode()
    chance = random.Random(7)
    for _ in range(150):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.5 else whole)
        for _ in range(chance.randrange(1, 30)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        read(tmp_path, bytes(data))
    for end in range(0, len(nanogpt()), 7):
        found = runs(tmp_path, nanogpt().encode()[:end])
        whole_lines = nanogpt()[:end].count("\niter")
        if whole_lines > 2:
            assert found[0].series["loss"].step.max() >= 10


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "step",
                "epoch",
                "loss",
                "1",
                "nan",
                "inf",
                "-",
                "/",
                ":",
                "=",
                "[",
                "]",
                "(",
                "|",
                ",",
                " ",
                "\n",
                "\r",
                "e",
                ".",
                "<",
                "{'",
                "': ",
                "9" * 30,
                "%",
                "ms",
                "10/100 [00:10<00:20, 2it/s]",
            ]
        ),
        max_size=200,
    )
)
def test_no_text_breaks_it(tmp_path_factory, parts) -> None:
    read(tmp_path_factory.getbasetemp(), "".join(parts) + "\n" + json.dumps({"step": 1, "loss": 2}) + "\n" + nanogpt())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_break_it(tmp_path_factory, data) -> None:
    read(tmp_path_factory.getbasetemp(), data + nanogpt().encode() + data)


def test_a_sentence_said_once_and_at_no_step_is_no_metric(tmp_path):
    said = run(tmp_path, f"tokens per iteration will be: 491,520\n{nanogpt()}\nbest loss of the whole training: 2.75\n")
    plain = run(tmp_path, nanogpt())
    assert set(said.series) == set(plain.series)
    assert [points(said, name) for name in plain.series] == [points(plain, name) for name in plain.series]
    # What a log closes with is a result; what it begins with is a setting.
    assert (said.last, plain.last) == ({"best loss of the whole training": 2.75}, {})


def test_a_long_name_is_a_metrics_where_it_is_said_again_or_at_a_step(tmp_path):
    again = run(tmp_path, "".join(f"step {n}\nloss of the whole batch: {3 / n:.3f}\n" for n in (1, 2, 3)))
    assert [step for step, _ in points(again, "loss of the whole batch")] == [1, 2, 3]
    at_step = run(tmp_path, f"{nanogpt()}\nstep 30: test loss of best model: 2.75, loss: 3.1\n")
    assert [value for _, value in points(at_step, "test loss of best model")] == [2.75]
