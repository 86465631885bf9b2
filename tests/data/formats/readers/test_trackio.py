from __future__ import annotations

import json
import random
import sqlite3

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.trackio import FORMAT

SCHEMA = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
CREATE TABLE system_metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT);
CREATE INDEX idx_metrics_run_step ON metrics(run_id, step);
"""


def at(second) -> str:
    return f"2026-11-29T11:{second // 60:02d}:{second % 60:02d}.000000+00:00"


ROWS = [
    *(("one", "first", step, at(step), {"train/loss": 2 / step, "lr": 0.001}) for step in range(1, 101)),
    ("one", "first", 100, at(100), {"eval/loss": 0.5, "text": "words"}),
    ("one", "first", 101, at(101), {"train/loss": "NaN", "nested": {"a": 1}}),
    ("one", "first", 102, at(102), {"train/loss": "Infinity"}),
    ("two", "first", 0, at(200), {"loss": 1.0}),
    ("one", "first", 81, at(300), {"train/loss": 9.0, "none": None}),
    ("one", "first", 102, at(301), {"train/loss": 5.0}),
]
CONFIG = {"lr": 0.001, "model": {"name": "tiny"}, "_Created": at(250), "_Username": None, "_Group": "g"}


def make(path, rows=ROWS, as_text=False, schema=SCHEMA):
    def spelled(value):
        text = value if isinstance(value, str) else json.dumps(value)
        return text if as_text else text.encode()

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.executescript(schema)
        connection.executemany(
            "INSERT INTO metrics (run_id, run_name, step, timestamp, metrics) VALUES (?, ?, ?, ?, ?)",
            [(*row[:4], spelled(row[4])) for row in rows],
        )
        connection.execute(
            "INSERT INTO configs (run_id, run_name, config, created_at) VALUES ('one', 'first', ?, ?)",
            (spelled(CONFIG), at(250)),
        )
        connection.execute(
            "INSERT INTO system_metrics (run_id, run_name, timestamp, metrics) VALUES ('one', 'first', ?, ?)",
            (at(50), spelled({"gpu/0/memory": 70})),
        )
    connection.close()


def read(path, *others):
    names = [(each.name,) for each in (path, *others)]
    return FORMAT.read(path.parent, names[0], names)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_project_is_read(tmp_path, as_text) -> None:
    path = tmp_path / "demo.db"
    make(path, as_text=as_text)
    reading = read(path)
    assert (reading.unreadable, reading.unused) == ((), ())
    one, two = reading.runs
    loss = one.series["train/loss"]
    assert loss.step.tolist() == [*range(1, 103), 81, 102]
    assert str(loss.value[-4:].tolist()) == "[nan, inf, 9.0, 5.0]"
    assert one.series["eval/loss"].step.tolist() == [100]
    assert one.series["nested.a"].value.tolist() == [1.0]
    assert one.series["gpu/0/memory"].step.tolist() == [50]
    assert set(one.series) == {"train/loss", "lr", "eval/loss", "nested.a", "gpu/0/memory"}
    assert (one.key, one.name, one.identity, one.status) == ("one", "first", "one", RunStatus.UNKNOWN)
    assert one.config == {"config": {"lr": 0.001, "model": {"name": "tiny"}}}
    assert one.tags == {"project": "demo", "created": at(250), "group": "g"}
    assert one.started == loss.at[0]
    assert loss.at[1] - loss.at[0] == 1.0
    assert (two.key, two.name, two.config) == ("two", "first", {})


def test_rows_that_are_no_objects_are_counted(tmp_path) -> None:
    path = tmp_path / "demo.db"
    make(path, [("one", "first", 1, at(1), "{broken"), ("one", "first", -5, at(2), {"loss": 1}), *ROWS[:3]])
    reading = read(path)
    assert reading.runs[0].series["train/loss"].step.tolist() == [1, 2, 3]
    assert reading.unreadable[0].why.endswith("left out: 1.")
    assert "left out" in reading.runs[0].notes[0]


def test_an_old_project_knows_runs_by_name(tmp_path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp, run_name, step INTEGER, metrics)")
        connection.execute("INSERT INTO metrics VALUES (1, '2026-01-01T00:00:00', 'r', 3, '{\"loss\": 0.5}')")
    connection.close()
    (run,) = read(path).runs
    assert (run.key, run.name, run.identity) == ("r", "r", "")
    assert run.series["loss"].step.tolist() == [3]


def test_other_databases_are_left_to_others(tmp_path) -> None:
    path = tmp_path / "history.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE metrics (id, name, step)")
    connection.close()
    assert read(path) is None


def write_tables(folder):
    metrics = pa.table(
        {
            "id": [1, 2, 3, 4],
            "run_id": ["one", "one", "two", "one"],
            "timestamp": [at(1), at(2), at(3), at(4)],
            "run_name": ["first", "first", "second", "first"],
            "step": [1, 2, 7, 2],
            "log_id": ["a", "b", "c", "d"],
            "space_id": pa.nulls(4),
            "train/loss": pa.array([2.0, float("nan"), None, 9.0]),
            "a.b": pa.array([None, 1, None, None]),
            "nested": [{"a": 1, "deep": {"er": 2.5}}, None, None, None],
            "picture": [{"_type": "image", "width": 3}, None, None, None],
            "text": ["x", None, None, None],
        }
    )
    pq.write_table(metrics, folder / "demo.parquet", row_group_size=2)
    configs = {"id": [1], "run_id": ["one"], "run_name": ["first"], "created_at": [at(0)], "lr": [0.1], "_Group": ["g"]}
    pq.write_table(pa.table(configs), folder / "demo_configs.parquet")
    system = {"id": [1], "run_id": ["one"], "timestamp": [at(2)], "run_name": ["first"], "gpu": [70]}
    pq.write_table(pa.table(system), folder / "demo_system.parquet")


def test_parquet_files_of_a_project_are_read_together(tmp_path) -> None:
    write_tables(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other_configs.parquet")
    files = sorted(path.relative_to(tmp_path).parts for path in tmp_path.iterdir())
    units = FORMAT.units(files)
    assert list(units) == [("demo.parquet",), ("other_configs.parquet",)]
    reading = FORMAT.read(tmp_path, ("demo.parquet",), units[("demo.parquet",)])
    one, two = reading.runs
    assert {key: str((series.step.tolist(), series.value.tolist())) for key, series in one.series.items()} == {
        "train/loss": "([1, 2, 2], [2.0, nan, 9.0])",
        "a.b": "([2], [1.0])",
        "nested.a": "([1], [1.0])",
        "nested.deep.er": "([1], [2.5])",
        "gpu": "([2], [70.0])",
    }
    assert (one.config, one.tags["group"], one.identity) == ({"config": {"lr": 0.1}}, "g", "one")
    assert (two.name, two.series) == ("second", {})
    assert FORMAT.read(tmp_path, ("other_configs.parquet",), units[("other_configs.parquet",)]) is None


def test_an_unfinished_companion_harms_nothing(tmp_path) -> None:
    write_tables(tmp_path)
    path = tmp_path / "demo_configs.parquet"
    path.write_bytes(path.read_bytes()[:-3])
    reading = read(tmp_path / "demo.parquet", path)
    assert [run.key for run in reading.runs] == ["one", "two"]
    assert reading.unreadable[0].path == ("demo_configs.parquet",)


def test_damaged_projects_raise_nothing(tmp_path) -> None:
    make(tmp_path / "demo.db")
    write_tables(tmp_path)
    chance = random.Random(5)
    for name, turns in (("demo.db", 80), ("demo.parquet", 80)):
        content = (tmp_path / name).read_bytes()
        path = tmp_path / f"damaged{name[4:]}"
        for turn in range(turns):
            damaged = bytearray(content if turn % 2 else content[: chance.randrange(1, len(content))])
            for _ in range(chance.randrange(0, 10)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path.write_bytes(damaged)
            read(path)
