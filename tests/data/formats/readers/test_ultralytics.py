from __future__ import annotations

from lib.data.formats.readers.ultralytics import FORMAT
from tests.data.formats.readers.units import ULTRALYTICS, read


def test_epochs_are_its_steps_and_time_is_its_clock(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, ULTRALYTICS).runs
    assert run.counted == "epoch"
    assert run.series.keys() == {"train/box_loss", "metrics/mAP50(B)", "val/box_loss", "lr/pg0"}
    box = run.series["train/box_loss"]
    assert (box.step.tolist(), box.value.tolist(), box.epoch.tolist(), box.at.tolist()) == (
        [1, 2],
        [2.0, 1.0],
        [1.0, 2.0],
        [12.5, 25.0],
    )
    assert [str(value) for value in run.series["val/box_loss"].value] == ["2.5", "nan"]
    assert run.total_epochs == 10
    assert run.config["args"]["batch"] == 16


def test_older_padded_files_begin_at_epoch_0(tmp_path) -> None:
    content = "      epoch,   train/box_loss,  x/lr0\n          0,    2,  0.1\n          1,    1,   0.1\n"
    (run,) = read(FORMAT, tmp_path, {"exp/results.csv": content}).runs
    assert run.series["train/box_loss"].step.tolist() == [0, 1]
    assert run.series["train/box_loss"].epoch.tolist() == [1.0, 2.0]


def test_other_results_and_arguments_are_passed_on(tmp_path) -> None:
    assert read(FORMAT, tmp_path / "a", {"results.csv": "epoch,loss\n1,2\n"}) is None
    assert read(FORMAT, tmp_path / "b", {"args.yaml": "lr: 0.1\n"}) is None
    assert read(FORMAT, tmp_path / "c", {"results.csv": "model,score\na,2\n", "args.yaml": "x: 1\n"}) is None


def test_arguments_alone_are_a_run_that_never_logged(tmp_path) -> None:
    files = {"train/args.yaml": ULTRALYTICS["train/args.yaml"]}
    assert [dict(run.series) for run in read(FORMAT, tmp_path, files).runs] == [{}]
