"""W&B's run files, written without its server."""

from __future__ import annotations

import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.wandb_run import FORMAT
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
    Row,
    Session,
    assert_begins,
    assert_has,
    points,
    replaced,
    training,
)


def merged(rows: list[Row]) -> list[Row]:
    """What W&B makes of rows at one step: one row, in which the later value holds."""
    found: dict[int, dict] = {}
    for step, values in rows:
        found.setdefault(step, {}).update(values)
    return list(found.items())


@pytest.fixture(scope="module")
def runs(written):
    found = runs_in(FORMAT, written("wandb"))
    assert all(name == f"{run.identity} 1" for name, run in found.items())
    return {run.identity: run for run in found.values()}


def test_every_run_is_one_and_tells_of_its_end(runs) -> None:
    ends = dict.fromkeys(("hard", "again", "resumed", "many"), RunStatus.COMPLETED)
    assert {name: run.status for name, run in runs.items()} == ends | {
        "failed": RunStatus.FAILED,
        "killed": RunStatus.UNKNOWN,
    }
    assert runs["failed"].said == "exit code 1"


@pytest.mark.parametrize(("name", "rows"), [("hard", HARD), ("again", AGAIN), ("many", MANY)])
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name], points(merged(rows)))
    assert runs[name].notes == ()


def test_of_steps_that_are_logged_anew_the_later_hold(runs) -> None:
    assert_has(runs["resumed"], replaced(points(FIRST), points(SECOND)))
    assert len(runs["resumed"].files) == 2


def test_of_a_killed_run_the_beginning_is_there(runs) -> None:
    assert_begins(runs["killed"], points(LONG))


def test_the_configuration_is_that_of_the_run(runs) -> None:
    assert runs["hard"].config == {"config": NESTED}
    assert runs["hard"].tags["project"] == "writers"


def test_steps_are_those_that_the_program_says_it_counts(tmp_path) -> None:
    rows = [(10 * step, values) for step, values in training(1, 60)]
    own = Session("own-steps", rows, options={"axis": "train/global_step"})
    write("wandb_offline", tmp_path / "place", own)
    (run,) = runs_in(FORMAT, tmp_path / "place").values()
    counted = [(step, {**values, "train/global_step": step}) for step, values in rows]
    assert_has(run, points(counted))
