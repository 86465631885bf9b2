from __future__ import annotations

import json
import random
import sqlite3

import pytest

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.swanlab import FORMAT

RUN = "run-20261129_111105-abc123"


def line(index, data) -> str:
    return json.dumps({"index": index, "data": data, "create_time": f"2026-11-29T11:00:{index % 60:02d}.000000+00:00"})


def write(root, run=RUN, status=1, **logs):
    """A run whose metrics are kept in "folder__number"."""
    for name, lines in logs.items():
        folder, _, number = name.rpartition("__")
        path = root / run / "logs" / folder / f"{number}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{each}\n" for each in lines))
    (root / run / "files").mkdir(parents=True, exist_ok=True)
    (root / run / "files" / "config.yaml").write_text("lr:\n  desc: ''\n  sort: 0\n  value: 0.001\n")
    if status is not None:
        with sqlite3.connect(root / "runs.swanlab") as connection:
            connection.executescript(
                "CREATE TABLE experiment (id INTEGER PRIMARY KEY, run_id TEXT, name TEXT, status INTEGER, create_time);"
                "CREATE TABLE tag (id INTEGER PRIMARY KEY, experiment_id INTEGER, name TEXT, folder TEXT, type TEXT);"
                "INSERT INTO tag (experiment_id, name, folder) VALUES (1, 'train/loss', 'f1');"
            )
            values = (run, "first", status, "2026-11-29T11:00:00+00:00")
            connection.execute("INSERT INTO experiment (run_id, name, status, create_time) VALUES (?, ?, ?, ?)", values)
        connection.close()


def readings(root):
    files = sorted(path.relative_to(root).parts for path in root.rglob("*") if path.is_file())
    units = FORMAT.units([path for path in files if FORMAT.matches(path)])
    return [FORMAT.read(root, folder, paths) for folder, paths in units.items()]


@pytest.mark.parametrize(
    ("status", "meant"),
    [(1, RunStatus.COMPLETED), (0, RunStatus.RUNNING), (-1, RunStatus.FAILED), (9, RunStatus.UNKNOWN)],
)
def test_a_run_is_read(tmp_path, status, meant) -> None:
    first = [line(step, 2 / step) for step in range(1, 1001)]
    rest = [
        *(line(step, 2 / step) for step in range(1001, 1101)),
        '{"index": 1101, "data": NaN}',
        '{"index": 1102, "da',
    ]
    write(tmp_path, status=status, f1__1000=first, f1__10000=rest, **{"val%2Floss__1000": [line(10, 0.5)]})
    (reading,) = readings(tmp_path)
    (run,) = reading.runs
    assert run.series["train/loss"].step.tolist() == list(range(1, 1102))
    assert str(run.series["train/loss"].value[-2:].tolist()) == f"[{2 / 1100}, nan]"
    assert run.series["val/loss"].value.tolist() == [0.5]
    assert (run.name, run.identity, run.status, run.said) == ("first", RUN, meant, str(status))
    assert run.config == {"config": {"lr": 0.001}}
    assert run.started is not None
    assert (run.notes, reading.unreadable) == ((), ())


def test_without_the_database_folders_give_the_names(tmp_path) -> None:
    write(tmp_path, status=None, loss__1000=[line(1, 0.5), line(2, {"picture": 1}), "nonsense", line(3, 0.25)])
    (reading,) = readings(tmp_path)
    run = reading.runs[0]
    assert run.series["loss"].step.tolist() == [1, 3]
    assert (run.status, run.name) == (RunStatus.UNKNOWN, "")
    assert run.notes == ("Lines that are no JSON objects, left out: 1.",)


def test_samples_are_placed_by_time(tmp_path) -> None:
    samples = ['{"index": 0, "data": 70, "create_time": "2026-11-29T11:00:05.5+00:00"}']
    write(
        tmp_path, status=None, loss__1000=[line(step, 1.0) for step in range(10)], **{"__swanlab__.gpu__1000": samples}
    )
    assert readings(tmp_path)[0].runs[0].series["__swanlab__.gpu"].step.tolist() == [5]


def test_other_folders_of_that_name_are_left_to_others(tmp_path) -> None:
    write(tmp_path, status=None)
    (tmp_path / RUN / "logs").mkdir()
    (tmp_path / RUN / "logs" / "debug.log").write_text("x")
    assert readings(tmp_path) == []
    write(tmp_path, status=None, other__1000=["plain text"])
    assert readings(tmp_path) == [None]


def test_damaged_folders_raise_nothing(tmp_path) -> None:
    write(tmp_path, f1__1000=[line(step, 1 / step) for step in range(1, 40)])
    log, table = tmp_path / RUN / "logs/f1/1000.log", tmp_path / "runs.swanlab"
    whole = {path: path.read_bytes() for path in (log, table)}
    chance = random.Random(2)
    for _ in range(60):
        for path, content in whole.items():
            damaged = bytearray(content[: chance.randrange(1, len(content))] if chance.random() < 0.4 else content)
            for _ in range(chance.randrange(6)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path.write_bytes(damaged)
        readings(tmp_path)


def test_numbered_folders_without_their_names_are_said(tmp_path) -> None:
    write(tmp_path, status=None, **{"1__1000": [line(1, 0.5)]})
    run = readings(tmp_path)[0].runs[0]
    assert set(run.series) == {"1"}
    assert "runs.swanlab" in run.notes[0]
