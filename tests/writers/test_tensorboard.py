"""TensorBoard's event files, by tensorboardX and by TensorBoard itself: values as float32."""

from __future__ import annotations

import numpy as np
import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.tensorboard import FORMAT
from tests.writers.processes import write
from tests.writers.reading import runs_in
from tests.writers.told import (
    AGAIN,
    CONFIG,
    FIRST,
    HARD,
    LONG,
    MANY,
    SECOND,
    Session,
    assert_begins,
    assert_has,
    points,
    replaced,
    training,
)

PROGRAMS = ("tensorboardx", "tensorboard_own")


@pytest.fixture(scope="module", params=PROGRAMS)
def runs(request, written):
    return runs_in(FORMAT, written(request.param))


def test_every_run_is_one(runs) -> None:
    assert runs.keys() == {"hard", "again", "resumed", "failed", "many", "killed"}
    assert {run.status for run in runs.values()} == {RunStatus.UNKNOWN}
    assert all(run.counted == "step" for run in runs.values())


@pytest.mark.parametrize(("name", "rows"), [("hard", HARD), ("again", AGAIN), ("many", MANY)])
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name], points(rows), np.float32)
    assert runs[name].notes == ()


def test_of_a_killed_run_the_beginning_is_there(runs) -> None:
    # Flushed or not, tensorboardX has some events in a queue.
    assert_begins(runs["killed"], points(LONG), np.float32)


def test_of_steps_that_are_logged_anew_the_later_hold(runs) -> None:
    assert_has(runs["resumed"], replaced(points(FIRST), points(SECOND)), np.float32)
    assert any("a later process has their steps anew" in note for note in runs["resumed"].notes)


def test_steps_that_the_writer_purges_are_void(tmp_path) -> None:
    later = training(21, 23, 0.5)
    purging = Session("purged", later, resumes=True, options={"purges": True})
    write("tensorboardx", tmp_path / "place", Session("purged", FIRST), purging)
    (run,) = runs_in(FORMAT, tmp_path / "place").values()
    # Also steps that the later process has not reached yet.
    assert_has(run, points([*FIRST[:20], *later]), np.float32)


def test_values_in_one_chart_are_metrics_of_their_run(tmp_path) -> None:
    rows = [(step, {"train": 1 / step, "eval": 2 / step}) for step in range(1, 30)]
    groups = Session("grouped", training(1, 30), CONFIG, {"groups": {"loss": rows}, "hparams": True})
    write("tensorboardx", tmp_path / "place", groups)
    (run,) = runs_in(FORMAT, tmp_path / "place").values()
    children = [(step, {f"loss/{name}": value for name, value in values.items()}) for step, values in rows]
    assert_has(run, points([*groups.rows, *children]), np.float32)
    assert run.config == {"hparams": CONFIG}
    assert run.last == {"hparam/best": 0.5}


@pytest.fixture(scope="module")
def of_lightning(written):
    place = written("lightning_tensorboard")
    return {path.name: runs_in(FORMAT, path) for path in place.iterdir()}


def test_lightning_makes_each_process_a_version(of_lightning) -> None:
    versions = {name: ["version_0"] for name in ("hard", "again", "failed", "many", "killed")}
    assert {name: sorted(runs) for name, runs in of_lightning.items()} == {
        **versions,
        "resumed": ["version_0", "version_1"],
    }


@pytest.mark.parametrize(
    ("name", "version", "rows"),
    [
        ("hard", "version_0", HARD),
        ("again", "version_0", AGAIN),
        ("many", "version_0", MANY),
        ("resumed", "version_0", FIRST),
        ("resumed", "version_1", SECOND),
    ],
)
def test_values_of_lightning_are_those_that_were_logged(of_lightning, name, version, rows) -> None:
    assert_has(of_lightning[name][version], points(rows), np.float32)


def test_hyperparameters_are_those_that_were_logged(written) -> None:
    runs = runs_in(FORMAT, written("tensorboard_own"))
    assert runs["hard"].config == {"hparams": CONFIG}
    assert runs["again"].config == {}
