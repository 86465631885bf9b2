"""Trainings of real trainers, read back: ``make writers-torch``."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lib.cli.compared import compare
from lib.core.curves.lost_ends import lost_from
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.folder.source import FolderSource
from lib.data.formats.readers import lightning, tensorboard
from tests.writers.processes import write
from tests.writers.reading import runs_in
from tests.writers.told import Session, assert_has, points

RUNS = (
    Session("calm", [], options={"rate": 0.05, "seed": 1, "steps": 80}),
    Session("slow", [], options={"rate": 0.01, "seed": 2, "steps": 80}),
    # Diverges, and ends in values that are no numbers.
    Session("wild", [], options={"rate": 30.0, "seed": 3, "steps": 240}),
)
CLOSING = "train_runtime"
OURS = {"loss": "train_loss"}


def written(program: str, folder: Path) -> tuple[Path, dict[str, list[tuple[int, dict[str, float]]]]]:
    write(program, folder / program, *RUNS)
    return folder / program / "runs", json.loads((folder / program / "told.json").read_text())


@pytest.fixture(scope="module")
def of_trainer(tmp_path_factory):
    return written("hf_trainer", tmp_path_factory.mktemp("trainer"))


@pytest.fixture(scope="module")
def of_lightning(tmp_path_factory):
    return written("lightning_trainer", tmp_path_factory.mktemp("lightning"))


def test_a_trainer_is_read_point_for_point(of_trainer) -> None:
    place, told = of_trainer
    source = FolderSource(place)
    source.settle()
    page = source.list_runs(RunQuery(limit=10))
    assert page.unreadable == ()
    assert {run.name: run.status for run in page.runs} == dict.fromkeys(told, RunStatus.COMPLETED)
    for run in page.runs:
        curves = source.load_curves([run.run_id])[run.run_id]
        expected = points([row for row in told[run.name] if CLOSING not in row[1]])
        for name, logged in expected.items():
            if name == "epoch":
                continue
            curve = curves.get(OURS.get(name, name))
            steps, values = zip(*logged, strict=True)
            assert curve.step.tolist() == list(steps), name
            np.testing.assert_array_equal(curve.value, values, err_msg=name)
        assert {OURS.get(name, name) for name in expected} - {"epoch"} <= curves.curves.keys()


def test_a_training_that_really_ended_in_nan_died(of_trainer) -> None:
    place, told = of_trainer
    assert not math.isfinite(told["wild"][-2][1]["eval_loss"])
    source = FolderSource(place)
    source.settle()
    lost = {
        run.name: lost_from(source.load_curves([run.run_id])[run.run_id])
        for run in source.list_runs(RunQuery(limit=10)).runs
    }
    assert lost["calm"] is None
    assert lost["slow"] is None
    assert lost["wild"] is not None
    compared = compare(source, ())
    labels = {run.run_id: run.name for run in compared.runs}
    assert labels[compared.overview.headline.run_ids[0]] == "calm"


@pytest.mark.parametrize(("kind", "format_"), [("csv", lightning.FORMAT), ("tensorboard", tensorboard.FORMAT)])
def test_both_loggers_of_lightning_are_read_point_for_point(of_lightning, kind, format_) -> None:
    place, told = of_lightning
    for name, rows in told.items():
        (run,) = runs_in(format_, place / kind / name).values()
        expected = points(rows)
        run.series.pop("epoch", None)
        # What it keeps as it comes is a tensor of 32 bits.
        assert_has(run, expected, np.float32)
        assert run.config["hparams"]["lr"] == next(each.options["rate"] for each in RUNS if each.run == name)
