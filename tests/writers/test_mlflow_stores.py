"""MLflow's two local stores: folders of files and SQLite."""

from __future__ import annotations

import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.logged import LoggedRun
from lib.data.formats.readers import mlflow_db, mlflow_files
from tests.writers.reading import runs_in
from tests.writers.told import AGAIN, CONFIG, FIRST, HARD, LONG, MANY, SECOND, Points, assert_has, points

FORMATS = {"mlflow": mlflow_db.FORMAT, "mlflow_files": mlflow_files.FORMAT}


@pytest.fixture(scope="module", params=FORMATS)
def runs(request, written) -> dict[str, LoggedRun]:
    return runs_in(FORMATS[request.param], written(request.param))


def by_step(logged: Points) -> Points:
    """All of them, those of one step in the order in which they were logged."""
    return {name: sorted(each, key=lambda point: point[0]) for name, each in logged.items()}


def test_every_run_is_one_and_tells_of_its_end(runs) -> None:
    ends = dict.fromkeys(("hard", "again", "resumed", "many"), RunStatus.COMPLETED)
    assert {name: run.status for name, run in runs.items()} == ends | {
        "failed": RunStatus.FAILED,
        # Nobody told the store that it was killed.
        "killed": RunStatus.RUNNING,
    }


@pytest.mark.parametrize(
    ("name", "rows"),
    [("hard", HARD), ("again", AGAIN), ("resumed", [*FIRST, *SECOND]), ("many", MANY), ("killed", LONG)],
)
def test_values_are_those_that_were_logged(runs, name, rows) -> None:
    assert_has(runs[name], by_step(points(rows)))
    assert runs[name].notes == ()
    assert runs[name].last == {}


def test_parameters_tags_and_the_experiment_are_those_of_the_run(runs) -> None:
    assert runs["hard"].config == {"params": CONFIG}
    assert runs["hard"].tags == {"note": "halfway: 50 %", "experiment": "Übung 1"}
