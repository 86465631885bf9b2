"""Logs whose program was told no steps, and what is logged beside numbers: pictures, tables, histograms, texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from lib.data.formats.logged import LoggedRun
from lib.data.formats.readers import dvclive, mlflow_db, mlflow_files, tensorboard, trackio, wandb_run
from tests.writers.places import PLACES
from tests.writers.reading import runs_in
from tests.writers.told import Session, assert_has, points, training

FORMATS = {
    "tensorboardx": tensorboard.FORMAT,
    "wandb": wandb_run.FORMAT,
    "mlflow": mlflow_db.FORMAT,
    "mlflow_files": mlflow_files.FORMAT,
    "trackio": trackio.FORMAT,
    "dvclive": dvclive.FORMAT,
}
STEPLESS = [(None, {"loss": 3 / (1 + place), "eval/loss": 4 / (1 + place)}) for place in range(40)]
SHOWN = training(1, 30)


@pytest.fixture(scope="module", params=FORMATS)
def place(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(place, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stepless") / place
    media = Session("media", SHOWN, options={"media": True})
    PLACES[place].fill(folder, Session("stepless", STEPLESS), media)
    return folder


@pytest.fixture(scope="module")
def runs(place, folder) -> dict[str, LoggedRun]:
    return {name.removesuffix(" 1"): run for name, run in runs_in(FORMATS[place], folder).items()}


def test_values_without_steps_are_counted(place, runs) -> None:
    assert_has(runs["stepless"], points(STEPLESS), np.float32 if place == "tensorboardx" else np.float64)


def test_what_is_no_number_is_no_metric(place, runs) -> None:
    assert_has(runs["media"], points(SHOWN), np.float32 if place == "tensorboardx" else np.float64)
    assert runs["media"].last == ({"best": 0.5} if place == "dvclive" else {})


def test_what_is_no_number_makes_no_run(folder) -> None:
    source = FolderSource(folder)
    source.settle()
    page = source.list_runs(RunQuery(limit=1000))
    assert sorted(run.name.removesuffix(" 1") for run in page.runs) == ["media", "stepless"]
    assert page.unreadable == ()
