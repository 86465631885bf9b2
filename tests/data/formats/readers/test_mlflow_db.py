from __future__ import annotations

import random
import sqlite3

import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers import mlflow_db
from lib.data.formats.readers.mlflow_db import FORMAT

T0 = 1_760_000_000_000
LARGEST = 1.7976931348623157e308
SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER NOT NULL, name VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT,
    end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER);
CREATE TABLE metrics ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
    run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, is_nan BOOLEAN DEFAULT '0' NOT NULL,
    PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE tags ("key" VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
INSERT INTO experiments VALUES (1, 'demo', 'active'), (2, 'gone', 'deleted');
INSERT INTO runs VALUES ('aaa', 'first', 'FINISHED', 1760000000000, 1760000300000, 'active', 1),
    ('bbb', 'second', 'RUNNING', 1760000001000, NULL, 'active', 1),
    ('ccc', 'deleted', 'FAILED', 1760000000000, NULL, 'deleted', 1),
    ('ddd', 'of a deleted experiment', 'FINISHED', 1760000000000, NULL, 'active', 2);
INSERT INTO params VALUES ('lr', '0.001', 'aaa'), ('betas', '[0.9, 0.95]', 'aaa'), ('lr', '0.01', 'bbb');
INSERT INTO tags VALUES ('mlflow.runName', 'better', 'aaa'), ('mlflow.parentRunId', 'aaa', 'bbb'), ('team', 'x', 'aaa');
"""


def make(path, metrics=(), schema=SCHEMA):
    with sqlite3.connect(path) as connection:
        connection.executescript(schema)
        if metrics:
            connection.executemany(
                "INSERT INTO metrics (run_uuid, key, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)", metrics
            )
    connection.close()


def curve(run, key, values, first=1):
    return [(run, key, step, T0 + 1000 * step, value, 0) for step, value in enumerate(values, first)]


def read(path):
    return FORMAT.read(path.parent, (path.name,), [(path.name,)])


def test_runs_with_their_facts_and_curves(tmp_path) -> None:
    path = tmp_path / "mlflow.db"
    make(
        path,
        [
            *curve("aaa", "train/loss", [2 / step for step in range(1, 101)]),
            *curve("bbb", "train/loss", [3.0, 1.5]),
            *curve("ccc", "train/loss", [9.0]),
            ("aaa", "test_acc", 0, T0 + 200_000, 0.91, 0),
        ],
    )
    reading = read(path)
    runs = {run.key: run for run in reading.runs}
    assert list(runs) == ["bbb", "aaa"]
    first = runs["aaa"]
    assert first.series["train/loss"].step.tolist() == list(range(1, 101))
    assert first.series["train/loss"].value.tolist() == [2 / step for step in range(1, 101)]
    assert (first.name, first.identity, first.status) == ("better", "aaa", RunStatus.COMPLETED)
    assert first.config == {"params": {"lr": 0.001, "betas": [0.9, 0.95]}}
    assert first.last == {"test_acc": 0.91}
    assert first.tags == {"team": "x", "experiment": "demo"}
    second = runs["bbb"]
    assert (second.parent, second.status, second.ended) == ("aaa", RunStatus.RUNNING, None)
    assert second.series["train/loss"].value.tolist() == [3.0, 1.5]
    assert (reading.unreadable, reading.unused[0].why) == ((), "Runs that were deleted in MLflow: 2.")


def test_values_that_are_not_finite(tmp_path) -> None:
    path = tmp_path / "m.sqlite"
    rows = [("aaa", "loss", 1, T0, 0.0, 1), ("aaa", "loss", 2, T0, LARGEST, 0), ("aaa", "loss", 3, T0, -LARGEST, 0)]
    make(path, [*rows, ("aaa", "loss", 4, T0, 0.0, 0)])
    run = next(run for run in read(path).runs if run.key == "aaa")
    assert str(run.series["loss"].value.tolist()) == "[nan, inf, -inf, 0.0]"


def test_steps_that_repeat_are_in_order_of_time_and_then_of_writing(tmp_path) -> None:
    path = tmp_path / "m.db"
    rows = [(1, 10, 5.0), (2, 20, 4.0), (1, 90, 3.0), (2, 20, 9.0), (2, 15, 8.0), (-3, 1, 7.0)]
    make(path, [("aaa", "loss", step, T0 + second * 1000, value, 0) for step, second, value in rows])
    run = next(run for run in read(path).runs if run.key == "aaa")
    series = run.series["loss"]
    assert list(zip(series.step.tolist(), series.value.tolist(), strict=True)) == [
        (1, 5.0),
        (1, 3.0),
        (2, 8.0),
        (2, 4.0),
        (2, 9.0),
    ]
    assert len(run.notes) == 1


def test_cells_of_other_types_are_passed_over(tmp_path) -> None:
    path = tmp_path / "m.db"
    odd = [("aaa", "loss", "x", T0, 1.0, 0), ("aaa", "loss", 2, "y", 1.0, 0), ("aaa", "loss", 3, T0, "z", 0)]
    make(path, [*odd, ("aaa", b"\xff", 4, T0, 1.0, 0), (7, "k" * 2000, 4, T0, 1.0, 0), *curve("aaa", "loss", [5], 9)])
    (run,) = [run for run in read(path).runs if run.key == "aaa"]
    assert {key: series.step.tolist() for key, series in run.series.items()} == {"loss": [9]}


def test_an_old_database_has_no_steps(tmp_path) -> None:
    path = tmp_path / "m.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE runs (run_uuid, status, experiment_id);"
            "CREATE TABLE metrics (key, value, timestamp, run_uuid);"
            "CREATE TABLE params (key, value, run_uuid);"
            "INSERT INTO runs VALUES ('a', 'FINISHED', 0);"
            "INSERT INTO metrics VALUES ('loss', 2.0, 1760000000000, 'a'), ('loss', 1.0, 1760000001000, 'a');"
        )
    connection.close()
    (run,) = read(path).runs
    assert run.series["loss"].step.tolist() == [0, 1]


def test_of_too_large_a_database_the_latest_runs_are_read(tmp_path, monkeypatch) -> None:
    path = tmp_path / "m.db"
    make(path, [*curve("aaa", "loss", [1.0] * 30), *curve("bbb", "loss", [1.0] * 10)])
    monkeypatch.setattr(mlflow_db, "MOST_ROWS", 35)
    reading = read(path)
    assert {run.key: len(run.series) for run in reading.runs} == {"aaa": 0, "bbb": 1}
    assert "not read" in reading.unreadable[0].why


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE urls (id, url);",
        "CREATE TABLE metrics (id, run_id, metrics); CREATE TABLE runs (id);",
        "CREATE TABLE x (a); CREATE VIEW runs AS SELECT a AS run_uuid, a AS status, a AS experiment_id FROM x;"
        "CREATE VIEW params AS SELECT a AS run_uuid, a AS key, a AS value FROM x;"
        "CREATE VIEW metrics AS SELECT a AS run_uuid, a AS key, a AS value, a AS timestamp FROM x;",
    ],
)
def test_other_databases_are_left_to_others(tmp_path, schema) -> None:
    path = tmp_path / "mlflow.db"
    make(path, schema=schema)
    assert read(path) is None


def test_a_database_without_runs_says_so(tmp_path) -> None:
    path = tmp_path / "mlflow.db"
    make(path, schema=SCHEMA.partition("INSERT")[0])
    assert "without runs" in read(path).unused[0].why


def test_a_database_that_was_cut_or_damaged_raises_nothing(tmp_path) -> None:
    whole = tmp_path / "whole.db"
    make(whole, [*curve("aaa", "loss", range(400)), *curve("bbb", "loss", range(400))])
    content = whole.read_bytes()
    chance = random.Random(3)
    path = tmp_path / "mlflow.db"
    said = 0
    for turn in range(120):
        damaged = bytearray(content if turn % 2 else content[: chance.randrange(len(content))])
        for _ in range(chance.randrange(0, 12) if damaged else 0):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        reading = read(path)
        said += bool(reading and reading.unreadable)
        for run in reading.runs if reading else ():
            assert all((series.step >= 0).all() for series in run.series.values())
    assert said


def test_what_was_read_before_the_damage_is_kept(tmp_path) -> None:
    path = tmp_path / "mlflow.db"
    make(path, curve("aaa", "loss", [float(each) for each in range(30_000)]))
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    # From the last third on, where both the table and its index have pages.
    content[page * (pages * 2 // 3) :] = b"\x5a" * (len(content) - page * (pages * 2 // 3))
    path.write_bytes(content)
    reading = read(path)
    assert reading.unreadable
    run = next(run for run in reading.runs if run.key == "aaa")
    assert 15_000 < len(run.series["loss"].step) < 30_000
