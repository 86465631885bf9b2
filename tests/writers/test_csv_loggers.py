"""The CSV loggers of Lightning and of Keras."""

from __future__ import annotations

import pytest

from lib.data.formats.readers import keras, lightning
from tests.writers.processes import write
from tests.writers.reading import runs_in
from tests.writers.told import AGAIN, FIRST, HARD, INF, LONG, MANY, NAN, NESTED, SECOND, Session, assert_has, points

SAVED = 1_999
"""Lightning saves after every hundredth step; steps count from 0."""


@pytest.fixture(scope="module", params=["lightning", "lightning_csv"])
def runs(request, written):
    place = written(request.param)
    return {path.name: runs_in(lightning.FORMAT, path) for path in place.iterdir()}


def test_every_process_is_a_version(runs) -> None:
    assert {name: sorted(versions) for name, versions in runs.items()} == {
        **{name: ["version_0"] for name in ("hard", "again", "failed", "many", "killed")},
        "resumed": ["version_0", "version_1"],
    }


@pytest.mark.parametrize(
    ("name", "rows"), [("hard", HARD), ("again", AGAIN), ("resumed", FIRST), ("many", MANY), ("killed", LONG[:SAVED])]
)
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name]["version_0"], points(rows))


def test_a_process_that_goes_on_has_its_own_values(runs) -> None:
    assert_has(runs["resumed"]["version_1"], points(SECOND))


def test_hyperparameters_are_those_that_were_logged(written) -> None:
    of = {path.name: runs_in(lightning.FORMAT, path)["version_0"].config for path in written("lightning_csv").iterdir()}
    assert of == {name: {"hparams": NESTED} if name == "hard" else {} for name in of}


KERAS = [
    (0, {"loss": 2.5, "accuracy": 0.0, "val_loss": 2.25, "Genauigkeit für alle": 1 / 3}),
    (1, {"loss": NAN, "accuracy": 0.25, "val_loss": INF, "Genauigkeit für alle": 1e-12}),
    # An epoch without evaluation.
    (2, {"loss": -INF, "accuracy": 0.5}),
    (3, {"loss": 1, "accuracy": 2**53, "val_loss": 0.1, "Genauigkeit für alle": -0.5}),
]

RARELY = [
    (
        epoch,
        {"loss": 2 / (epoch + 1), "weighted_f1": 0.25}
        | ({"val_loss": 1.5, "val_weighted_f1": 0.1} if epoch % 2 else {}),
    )
    for epoch in range(6)
]
"""Validated at every second epoch."""


def test_keras_counts_epochs(tmp_path) -> None:
    later = [(4, {"loss": 0.75, "accuracy": 0.75, "val_loss": 0.5, "Genauigkeit für alle": 0.125})]
    long = [(epoch, {"loss": 1 / (epoch + 1), "val_loss": 2 / (epoch + 1)}) for epoch in range(50)]
    write(
        "keras_csv",
        tmp_path / "place",
        Session("hard", KERAS),
        Session("hard", later, resumes=True),
        Session("rarely", RARELY),
        Session("killed", long, end="killed"),
    )
    runs = runs_in(keras.FORMAT, tmp_path / "place")
    assert runs.keys() == {"hard.csv", "rarely.csv", "killed.csv"}
    assert {run.counted for run in runs.values()} == {"epoch"}
    assert_has(runs["hard.csv"], points([*KERAS, *later]))
    assert_has(runs["rarely.csv"], points(RARELY))
    assert_has(runs["killed.csv"], points(long))
