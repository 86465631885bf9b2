"""Logs whose program was told no steps, and what is logged beside numbers: pictures, tables, histograms, texts."""

from __future__ import annotations

import numpy as np
import pytest

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
def runs(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stepless") / request.param
    PLACES[request.param].fill(folder, Session("stepless", STEPLESS), Session("media", SHOWN, options={"media": True}))
    found = runs_in(FORMATS[request.param], folder)
    return request.param, {name.removesuffix(" 1"): run for name, run in found.items()}


def test_values_without_steps_are_counted(runs) -> None:
    place, found = runs
    assert_has(found["stepless"], points(STEPLESS), np.float32 if place == "tensorboardx" else np.float64)


def test_what_is_no_number_is_no_metric(runs) -> None:
    place, found = runs
    assert_has(found["media"], points(SHOWN), np.float32 if place == "tensorboardx" else np.float64)
    assert found["media"].last == ({"best": 0.5} if place == "dvclive" else {})
