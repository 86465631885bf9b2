"""A folder that a program logged to, as the app shows it: names, curves, and nothing that was passed over."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from tests.writers.places import PLACES
from tests.writers.told import AGAIN, HARD, MANY, points

OURS = {
    "train/loss": "train_loss",
    "eval/loss": "eval_loss",
    "train/grad_norm": "grad_norm",
    "train/lr": "learning_rate",
}
AS_FLOAT32 = ("tensorboardx", "tensorboard_own", "lightning_tensorboard")
WITHOUT_LARGE = ("trackio",)
"""Where a whole number of more than 64 bits is not logged."""


@pytest.fixture(scope="module", params=PLACES)
def place(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def source(place, written):
    source = FolderSource(written(place))
    source.settle()
    return source


@pytest.fixture(scope="module")
def runs(place, source):
    page = source.list_runs(RunQuery(limit=1000))
    assert page.unreadable == ()
    runs = {run.name.removesuffix(" 1").removesuffix("/version_0"): run for run in page.runs}
    assert len(runs) == len(page.runs)
    return runs


def test_every_run_is_listed_by_its_name(runs) -> None:
    # Lightning begins a version for what is resumed, which goes on where the first ended.
    assert runs.keys() == {"hard", "again", "resumed", "failed", "many", "killed"}


@pytest.mark.parametrize(("name", "rows"), [("hard", HARD), ("again", AGAIN), ("many", MANY)])
def test_curves_are_what_was_logged(place, source, runs, name, rows) -> None:
    expected = points(rows)
    if place in WITHOUT_LARGE and "tokens" in expected:
        del expected["tokens"][-1]
    run_id = runs[name].run_id
    curves = source.load_curves([run_id])[run_id]
    assert curves.curves.keys() == {OURS.get(each, each) for each in expected}
    of = np.float32 if place in AS_FLOAT32 else np.float64
    for metric, logged in expected.items():
        curve = curves.curves[OURS.get(metric, metric)]
        # Of a step that was logged again the last value is shown.
        steps, values = (np.array(column) for column in zip(*dict(logged).items(), strict=True))
        assert curve.step.tolist() == steps.tolist()
        np.testing.assert_array_equal(curve.value.astype(of), values.astype(of))


def test_the_first_value_that_is_no_number_is_there(source, runs) -> None:
    run_id = runs["hard"].run_id
    curve = source.load_curves([run_id], ["train_loss"])[run_id].curves["train_loss"]
    found = dict(zip(curve.step.tolist(), curve.value.tolist(), strict=True))
    assert math.isnan(found[41])
    assert (found[42], found[43]) == (math.inf, -math.inf)
