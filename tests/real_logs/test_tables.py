"""What the readers of tables make of real exports and logs: Lightning's, and a chart of W&B."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.data.formats.readers import any_table, lightning, wandb_csv

CHART = ("wandb", "nanogpt_tokenizers", "wandb_export.csv")


def versions(logs: Path, folder: str):
    """What is read of each version below a folder, by its name."""
    root = logs / "lightning" / folder
    if not root.is_dir():
        pytest.skip("These logs are not there.")
    files = [Path(place, name).relative_to(root).parts for place, _, names in os.walk(root) for name in names]
    units = lightning.FORMAT.units([path for path in files if lightning.FORMAT.matches(path)])
    return {each[-1]: lightning.FORMAT.read(root, each, unit) for each, unit in units.items()}


def test_a_chart_has_eight_runs(logs) -> None:
    if not logs.joinpath(*CHART).is_file():
        pytest.skip("This export is not there.")
    reading = wandb_csv.FORMAT.read(logs, CHART, [CHART])
    curves = [run.series["train/loss"] for run in reading.runs]
    assert [len(each.step) for each in curves] == [51, 57, 166, 150, 128, 386, 118, 128]
    assert (curves[5].step[-1], curves[5].value[-1]) == (385, 3.2849113941192627)
    assert any_table.FORMAT.read(logs, CHART, [CHART]) is None


def test_versions_with_and_without_metrics(logs) -> None:
    found = versions(logs, "protein_bert")
    assert len(found) == 11
    points = {
        name: {metric: len(each.step) for metric, each in reading.runs[0].series.items()}
        for name, reading in found.items()
        if reading.runs[0].series
    }
    assert points == {
        "version_3": {"lr-AdamW": 12, "train/mlm_loss": 3},
        "version_4": {"lr-AdamW": 4, "train/mlm_loss": 1},
    }
    assert all("hparams" in reading.runs[0].config for reading in found.values())


def test_tags_of_python_are_plain_settings(logs) -> None:
    found = versions(logs, "videollava_qlora")
    assert {reading.runs[0].config["hparams"]["config"]["lr"] for reading in found.values()} == {2e-05}
    series = found["version_33"].runs[0].series
    assert {name: len(each.step) for name, each in series.items()} == {"val_accuracy": 7, "train_loss": 8}
    assert series["train_loss"].value[0] == 3.810253143310547
    assert not any(reading.unreadable or reading.unused for reading in found.values())
