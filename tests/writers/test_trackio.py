"""Trackio's projects: its database, and the Parquet files that its hosted form keeps."""

from __future__ import annotations

import pytest

from lib.data.formats.readers.trackio import FORMAT
from tests.writers.processes import write
from tests.writers.reading import runs_in
from tests.writers.told import (
    AGAIN,
    FIRST,
    HARD,
    LONG,
    MANY,
    NESTED,
    SECOND,
    Session,
    assert_begins,
    assert_has,
    points,
    training,
)

KEPT = [(step, values) for step, values in HARD if values != {"tokens": 10**30}]
"""Trackio itself drops a row with a whole number that has more than 64 bits."""


@pytest.fixture(scope="module")
def runs(written):
    return runs_in(FORMAT, written("trackio"))


def test_every_run_is_one(runs) -> None:
    assert runs.keys() == {"hard", "again", "resumed", "failed", "many", "killed"}
    assert len({run.identity for run in runs.values()}) == len(runs)


@pytest.mark.parametrize(
    ("name", "rows"), [("hard", KEPT), ("again", AGAIN), ("resumed", [*FIRST, *SECOND]), ("many", MANY)]
)
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name], points(rows))
    assert runs[name].notes == ()


def test_of_a_killed_run_the_beginning_is_there(runs) -> None:
    assert_begins(runs["killed"], points(LONG))


def test_the_configuration_is_that_of_the_run(runs) -> None:
    assert runs["hard"].config == {"config": NESTED}


def test_parquet_has_what_the_database_has(tmp_path) -> None:
    place = tmp_path / "place"
    sessions = [Session("hard", HARD, NESTED), Session("again", AGAIN), Session("other", training(1, 40))]
    write("trackio_local", place, *sessions, AS_PARQUET="1")
    for path in place.glob("*.db*"):
        path.unlink()
    runs = runs_in(FORMAT, place)
    assert {run.files[0][-1] for run in runs.values()} == {"writers.parquet"}
    for name, rows in (("hard", KEPT), ("again", AGAIN), ("other", sessions[-1].rows)):
        assert_has(runs[name], points(rows))
    assert runs["hard"].config["config"]["learning_rate"] == NESTED["learning_rate"]
