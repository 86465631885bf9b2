"""LLaMA-Factory's log, and what lies beside it."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.llamafactory import FORMAT

YAML = "stage: sft\nlearning_rate: 1.0e-4\noutput_dir: out\nmodel_name_or_path: some/model\n"


def row(step, total=40, **more):
    days = "3 days, " if step > 30 else ""
    return {
        "current_steps": step,
        "total_steps": total,
        **more,
        "epoch": step / 20,
        "percentage": 100 * step / total,
        "elapsed_time": f"{days}0:{step:02d}:05",
        "remaining_time": "2 days, 12:57:12",
    }


def rows():
    found = []
    for step in (10, 20, 30, 40):
        found.append(row(step, loss=2 / step, lr=1e-4, throughput="4096.12"))
        if step % 20 == 0:
            found.append(row(step, eval_loss=2.5 / step))
    return [*found, row(40)]


def write(folder, log, **files):
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "trainer_log.jsonl").write_bytes(
        log if isinstance(log, bytes) else "".join(json.dumps(each) + "\n" for each in log).encode()
    )
    for name, content in files.items():
        path = folder / "out" / name.replace("__", "/").replace("_json", ".json").replace("_yaml", ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def read(folder):
    files = sorted(path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file())
    units = FORMAT.units([path for path in files if FORMAT.matches(path)])
    assert list(units) == [("out",)]
    return FORMAT.read(folder, ("out",), units["out",])


def test_a_whole_log(tmp_path) -> None:
    write(
        tmp_path,
        rows(),
        train_results_json={"train_loss": 0.09, "epoch": 2.0, "train_runtime": 99},
        all_results_json={"train_loss": 0.08, "eval_loss": 0.0625, "note": "x"},
        eval__all_results_json={"eval_loss": 0.07, "eval_accuracy": 0.9},
        training_args_yaml=YAML,
        other_yaml="a: 1\n",
    )
    reading = read(tmp_path)
    (run,) = reading.runs
    assert not reading.unreadable
    assert run.series["loss"].step.tolist() == [10, 20, 30, 40]
    np.testing.assert_allclose(run.series["loss"].value, [0.2, 0.1, 2 / 30, 0.05])
    assert run.series["loss"].epoch.tolist() == [0.5, 1, 1.5, 2]
    assert run.series["loss"].at.tolist() == [605, 1205, 1805, 3 * 86_400 + 2405]
    assert run.series["eval_loss"].step.tolist() == [20, 40]
    assert run.series["throughput"].value.tolist() == [4096.12] * 4
    assert set(run.series) == {"loss", "lr", "eval_loss", "throughput"}
    assert run.total_steps == 40
    assert run.status is RunStatus.COMPLETED
    assert run.last == {
        "train_loss": 0.08,
        "epoch": 2.0,
        "train_runtime": 99,
        "eval_loss": 0.0625,
        "eval_accuracy": 0.9,
    }
    assert run.config["training_args"]["learning_rate"] == 1e-4
    assert list(run.config) == ["training_args"]
    assert run.files[0] == ("out", "trainer_log.jsonl")


@pytest.mark.parametrize("kept", [rows()[:-1], rows()[:-3], rows()[:1]])
def test_a_log_that_does_not_say_that_it_ended_is_unknown(tmp_path, kept) -> None:
    write(tmp_path, kept)
    assert read(tmp_path).runs[0].status is RunStatus.UNKNOWN


def test_a_resumed_training_is_one_run_and_one_that_began_anew_another(tmp_path) -> None:
    write(tmp_path, [row(step, loss=1.0) for step in (10, 20, 30, 20, 30, 40)])
    (run,) = read(tmp_path).runs
    assert run.series["loss"].step.tolist() == [10, 20, 30, 20, 30, 40]
    assert (np.diff(run.series["loss"].at) > 0).all()
    write(tmp_path, [row(step, loss=1.0) for step in (10, 20, 30, 10, 20)])
    first, second = read(tmp_path).runs
    assert (first.key, second.key) == ("", "2")
    assert second.series["loss"].step.tolist() == [10, 20]


def test_values_that_are_none(tmp_path) -> None:
    write(tmp_path, b'{"current_steps": 1, "total_steps": 2, "loss": NaN, "lr": null, "accuracy": true}\n')
    (run,) = read(tmp_path).runs
    assert np.isnan(run.series["loss"].value).tolist() == [True]
    assert set(run.series) == {"loss"}


def test_a_file_of_other_rows_is_named(tmp_path) -> None:
    write(tmp_path, b'{"step": 1}\n')
    assert "current_steps" in read(tmp_path).unreadable[0].why
    write(tmp_path, b"")
    assert read(tmp_path).unused


def test_what_beside_it_cannot_be_read_is_named(tmp_path) -> None:
    write(tmp_path, rows(), all_results_json="{", training_args_yaml="a: [1")
    reading = read(tmp_path)
    assert len(reading.runs) == 1
    assert {told.path[-1] for told in reading.unreadable} == {"all_results.json", "training_args.yaml"}


def test_other_yaml_is_no_unit() -> None:
    assert FORMAT.units([("a", "x.yaml"), ("a", "all_results.json")]) == {}


def test_a_log_cut_or_flipped_anywhere_is_read_as_far_as_it_is_whole(tmp_path) -> None:
    whole = "".join(json.dumps(each) + "\n" for each in rows()).encode()
    for end in range(0, len(whole), 13):
        write(tmp_path, whole[:end])
        lines = whole[:end].count(b"\n")
        reading = read(tmp_path)
        if lines:
            assert reading.runs[0].series["loss"].step.max() >= 10
    chance = random.Random(3)
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        write(tmp_path, bytes(data))
        read(tmp_path)
        write(tmp_path, chance.randbytes(300) + b"\n" + chance.randbytes(50))
        read(tmp_path)
