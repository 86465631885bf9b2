from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.readers import lightning
from lib.data.formats.readers.lightning import FORMAT
from tests.data.formats.readers.units import LIGHTNING, read


def test_rows_of_one_step_give_each_metric_its_points(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, LIGHTNING).runs
    assert run.series.keys() == {"lr-AdamW", "train_loss_step", "train_loss_epoch", "val_loss"}
    steps = run.series["train_loss_step"]
    assert steps.step.dtype == np.int64
    assert steps.step.tolist() == [9, 19, 29]
    assert [str(value) for value in steps.value] == ["0.2", "nan", "inf"]
    assert run.series["val_loss"].step.tolist() == [19]
    assert run.series["val_loss"].value.tolist() == [0.25]
    assert steps.epoch.tolist() == [0, 0, 1]
    assert np.isnan(run.series["lr-AdamW"].epoch).all()
    assert run.config == {"hparams": {"lr": 0.001, "betas": [0.9, 0.95], "model": {"name": "tiny"}}}
    assert run.counted == "step"
    assert [path[-1] for path in run.files] == ["metrics.csv", "hparams.yaml"]
    assert any("train_loss" in note for note in run.notes)


def test_settings_without_metrics_are_a_run_without_curves(tmp_path) -> None:
    reading = read(FORMAT, tmp_path, {"version_1/hparams.yaml": "lr: 0.1\n"})
    assert [(dict(run.series), run.config) for run in reading.runs] == [({}, {"hparams": {"lr": 0.1}})]


def test_nothing_at_all_is_said(tmp_path) -> None:
    reading = read(FORMAT, tmp_path, {"version_1/hparams.yaml": "{}\n"})
    assert (reading.runs, len(reading.unused)) == ((), 1)


def test_metrics_with_empty_settings_are_a_run(tmp_path) -> None:
    files = {"v/metrics.csv": "epoch,step,loss\n0,9,1\n", "v/hparams.yaml": "{}\n"}
    (run,) = read(FORMAT, tmp_path, files).runs
    assert (run.config, run.series["loss"].value.tolist()) == ({}, [1.0])


def test_a_metrics_csv_of_another_program_is_passed_on(tmp_path) -> None:
    assert read(FORMAT, tmp_path, {"metrics.csv": "iteration,loss\n1,2\n2,1\n"}) is None
    assert read(FORMAT, tmp_path / "b", {"metrics.csv": "model,f1\na,0.5\nb,0.6\n"}) is None


def test_fabric_writes_neither_settings_nor_epochs(tmp_path) -> None:
    table = "loss,step\n2,0\n1,1\n"
    (run,) = read(FORMAT, tmp_path, {"logs/version_3/metrics.csv": table}).runs
    assert run.series["loss"].step.tolist() == [0, 1]
    assert read(FORMAT, tmp_path / "b", {"logs/versions/metrics.csv": table}) is None


def test_broken_settings_do_not_hide_the_metrics(tmp_path) -> None:
    files = {**LIGHTNING, "version_0/hparams.yaml": "lr: [1\n: :"}
    reading = read(FORMAT, tmp_path, files)
    assert len(reading.runs) == 1
    assert [told.path[-1] for told in reading.unreadable] == ["hparams.yaml"]


def test_a_header_without_rows_is_no_curve(tmp_path) -> None:
    reading = read(FORMAT, tmp_path, {"v/metrics.csv": "epoch,step,loss\n", "v/hparams.yaml": "lr: 1\n"})
    assert [dict(run.series) for run in reading.runs] == [{}]
    assert [told.path[-1] for told in reading.unused] == ["metrics.csv"]


def test_a_long_file_of_somebody_else_is_not_read_whole(tmp_path, monkeypatch):
    rows = "".join(f"{step},loss,{2 / step}\n" for step in range(1, 40_000))
    (tmp_path / "metrics.csv").write_text("step,metric,value\n" + rows)
    monkeypatch.setattr(lightning, "read_csv", lambda path: pytest.fail("its header says whose it is"))
    assert FORMAT.read(tmp_path, (), [("metrics.csv",)]) is None
