"""ms-swift's log: steps inside of a text, and numbers that are texts."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.ms_swift import FORMAT
from lib.data.formats.swift_rows import duration


def rows(*, as_text=False):
    found = []
    for step in (10, 20, 30, 40):
        place = {
            "global_step/max_steps": f"{step}/40",
            "percentage": f"{step * 2.5:.2f}%",
            "elapsed_time": f"{step}m 5s",
        }
        found.append({"loss": 2 / step, "token_acc": 0.5, "epoch": step / 20, **place, "memory(GiB)": 17.3})
        if step % 20 == 0:
            found.append({"eval_loss": 2.5 / step, "epoch": step / 20, **place})
    if as_text:
        found = [{key: str(value) for key, value in row.items()} for row in found]
    summary = {"train_runtime": 50.1, "train_loss": 0.06, "global_step/max_steps": "40/40"}
    return [*found, summary, {"last_model_checkpoint": "out/checkpoint-40", "best_metric": 0.0625, "log_history": []}]


def write(folder, log, args=None):
    at = folder / "v0-20251009-085320"
    at.mkdir(exist_ok=True)
    (at / "logging.jsonl").write_bytes(
        log if isinstance(log, bytes) else "".join(json.dumps(each) + "\n" for each in log).encode()
    )
    if args is not None:
        (at / "args.json").write_text(args)


def read(folder):
    files = sorted(path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file())
    ((unit, mine),) = FORMAT.units([path for path in files if FORMAT.matches(path)]).items()
    return FORMAT.read(folder, unit, mine)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_whole_log(tmp_path, as_text) -> None:
    write(tmp_path, rows(as_text=as_text), '{"lr": 1e-4, "lora": {"r": 8}}')
    (run,) = read(tmp_path).runs
    assert run.series["loss"].step.tolist() == [10, 20, 30, 40]
    np.testing.assert_allclose(run.series["loss"].value, [0.2, 0.1, 2 / 30, 0.05])
    assert run.series["loss"].epoch.tolist() == [0.5, 1, 1.5, 2]
    assert run.series["loss"].at.tolist() == [605, 1205, 1805, 2405]
    assert run.series["eval_loss"].step.tolist() == [20, 40]
    assert set(run.series) == {"loss", "token_acc", "memory(GiB)", "eval_loss"}
    assert run.total_steps == 40
    assert run.status is RunStatus.COMPLETED
    assert run.last == {"train_runtime": 50.1, "train_loss": 0.06, "best_metric": 0.0625}
    assert run.config == {"args": {"lr": 1e-4, "lora": {"r": 8}}}


def test_without_the_closing_line_it_is_unknown(tmp_path) -> None:
    write(tmp_path, rows()[:-1])
    assert read(tmp_path).runs[0].status is RunStatus.UNKNOWN


def test_a_log_of_another_program_is_none(tmp_path) -> None:
    write(tmp_path, b'{"step": 1, "loss": 2}\n')
    assert read(tmp_path) is None


def test_arguments_that_cannot_be_read_are_named(tmp_path) -> None:
    write(tmp_path, rows(), "[")
    reading = read(tmp_path)
    assert len(reading.runs) == 1
    assert reading.unreadable[0].path[-1] == "args.json"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1d 2h 3m 4s", 93784), ("59m 1s", 3541), ("2.5s", 2.5), ("", None), ("x", None), (None, None)],
)
def test_durations(text, seconds) -> None:
    assert duration(text) == seconds


def test_a_log_cut_or_flipped_anywhere_is_read_as_far_as_it_is_whole(tmp_path) -> None:
    whole = "".join(json.dumps(each) + "\n" for each in rows()).encode()
    for end in range(0, len(whole), 13):
        write(tmp_path, whole[:end])
        reading = read(tmp_path)
        if whole[:end].count(b"\n"):
            assert reading.runs[0].series["loss"].step.max() >= 10
    chance = random.Random(3)
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        write(tmp_path, bytes(data))
        read(tmp_path)
