from __future__ import annotations

import numpy as np

from lib.data.formats.readers.dvclive import FORMAT
from tests.data.formats.readers.units import DVCLIVE, read, write


def test_each_file_is_a_metric_by_its_path(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, DVCLIVE).runs
    assert run.series.keys() == {"train/loss", "stamped"}
    loss = run.series["train/loss"]
    assert loss.step.tolist() == [0, 1, 2]
    assert [str(value) for value in loss.value] == ["2.0", "nan", "inf"]
    assert loss.epoch[[0, 2]].tolist() == [1.0, 2.0]
    assert np.isnan(loss.epoch[1])
    assert run.series["stamped"].at.tolist() == [1795950805.432]
    assert run.config == {"params": {"lr": 0.001, "model": {"name": "tiny"}}}
    assert run.last == {"test/acc": 0.91}
    assert run.tags == {"label": "text"}


def test_its_folder_may_have_any_name_and_others_params_are_not_its(tmp_path) -> None:
    paths = write(tmp_path, {**DVCLIVE, "params.yaml": "a: 1\n", "x/metrics.json": "{}", "y/data.tsv": "a\tb\n"})
    units = FORMAT.units([path for path in paths if FORMAT.matches(path)])
    assert list(units) == [("live",)]
    assert len(units["live",]) == len(DVCLIVE)


def test_other_plots_are_its_own_and_no_metrics(tmp_path) -> None:
    others = {"live/plots/custom/metrics.json": '[{"step": 1, "loss": 9}]', "live/plots/sklearn/roc.json": "[]"}
    paths = write(tmp_path, {**DVCLIVE, **others, "x/plots/custom/y.json": "[]"})
    units = FORMAT.units([path for path in paths if FORMAT.matches(path)])
    assert len(units["live",]) == len(DVCLIVE) + 2
    assert list(units) == [("live",)]
    (run,) = FORMAT.read(tmp_path, ("live",), units["live",]).runs
    assert run.series.keys() == {"train/loss", "stamped"}
    assert run.last == {"test/acc": 0.91}
    assert not any("custom" in path for path in run.files)


def test_without_plots_the_last_values_stay(tmp_path) -> None:
    (run,) = read(FORMAT, tmp_path, {"dvclive/metrics.json": '{"acc": 0.5, "step": 3, "loss": "nan"}'}).runs
    assert run.series == {}
    assert run.last["acc"] == 0.5
    assert np.isnan(run.last["loss"])


def test_a_summary_that_is_being_written_is_said(tmp_path) -> None:
    reading = read(FORMAT, tmp_path, {**DVCLIVE, "live/metrics.json": '{"acc": 0.'})
    assert len(reading.runs) == 1
    assert [told.path[-1] for told in reading.unreadable] == ["metrics.json"]
