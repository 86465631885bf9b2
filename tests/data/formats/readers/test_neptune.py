from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.neptune import FORMAT
from lib.data.formats.stores import neptune_export

SCHEMA = pa.schema(
    {
        "project_id": pa.string(),
        "run_id": pa.string(),
        "attribute_path": pa.string(),
        "attribute_type": pa.string(),
        "step": pa.decimal128(18, 6),
        "timestamp": pa.timestamp("ms", "UTC"),
        "int_value": pa.int64(),
        "float_value": pa.float64(),
        "string_value": pa.string(),
        "bool_value": pa.bool_(),
        "datetime_value": pa.timestamp("ms", "UTC"),
        "string_set_value": pa.list_(pa.string()),
        "file_value": pa.struct({"path": pa.string()}),
    }
)
NAME = "R-1-0123456789abcdef_part_{}.parquet"


def moment(second) -> datetime:
    return datetime.fromtimestamp(1_760_000_000 + second, UTC)


def fact(path, value, kind=None, run="R-1"):
    kind = kind or {float: "float", int: "int", str: "string", bool: "bool", list: "string_set"}[type(value)]
    return {"run_id": run, "attribute_path": path, "attribute_type": kind, f"{kind}_value": value}


def series(path, points, run="R-1"):
    return [
        {
            "run_id": run,
            "attribute_path": path,
            "attribute_type": "float_series",
            "step": None if step is None else Decimal(str(step)),
            "timestamp": moment(second),
            "float_value": value,
        }
        for step, second, value in points
    ]


def write(path, *rows, group=50):
    rows = [{"project_id": "w/p", **row} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, row_group_size=group)


def read(root):
    files = sorted(path.relative_to(root).parts for path in root.rglob("*") if path.is_file())
    units = FORMAT.units([path for path in files if FORMAT.matches(path)])
    return {folder: FORMAT.read(root, folder, paths) for folder, paths in units.items()}


def only(root):
    (reading,) = read(root).values()
    (run,) = reading.runs
    return run


LOSS = series("train/loss", [(step, step, 2 / step) for step in range(1, 101)])


def shown(run, key):
    return list(zip(run.series[key].step.tolist(), run.series[key].value.tolist(), strict=True))


def test_parts_of_a_run_are_one_run_in_the_order_of_their_numbers(tmp_path) -> None:
    facts = [
        fact("sys/name", "first"),
        fact("sys/creation_time", moment(-5), "datetime"),
        fact("sys/owner", "somebody"),
        fact("sys/tags", ["a", "b"]),
        fact("sys/failed", False),
        fact("parameters/lr", 0.001),
        fact("parameters/optim/betas", "0.9, 0.95"),
        fact("parameters/batch", 8),
        fact("flag", True),
        fact("eval/accuracy", 0.9),
        fact("training/lr", 0.5),
        fact("artifacts/model", 3),
    ]
    write(tmp_path / NAME.format(2), *facts, *LOSS[:40])
    write(tmp_path / NAME.format(10), *LOSS[40:], *series("train/loss", [(101, 101, float("nan"))]))
    run = only(tmp_path)
    assert shown(run, "train/loss")[:100] == [(step, 2 / step) for step in range(1, 101)]
    assert str(shown(run, "train/loss")[100:]) == "[(101, nan)]"
    assert run.series["train/loss"].at[0] == 1_760_000_001
    assert (run.key, run.name, run.identity, run.status) == ("R-1", "first", "w/p/R-1", RunStatus.UNKNOWN)
    assert run.config == {
        "parameters": {"lr": 0.001, "optim": {"betas": "0.9, 0.95"}, "batch": 8},
        "run": {"flag": True},
        "training": {"lr": 0.5},
    }
    assert run.last == {"eval/accuracy": 0.9}
    assert run.created_at == 1_760_000_000 - 5
    assert run.tags == {"project": "w/p", "owner": "somebody", "tags": "a, b"}
    assert run.notes == ()


@pytest.mark.parametrize(
    ("facts", "status", "said"),
    [
        ([fact("sys/failed", True), fact("sys/state", "Inactive")], RunStatus.FAILED, "failed"),
        ([fact("sys/failed", False), fact("sys/state", "Active")], RunStatus.RUNNING, "Active"),
        ([fact("sys/state", "Inactive")], RunStatus.UNKNOWN, "Inactive"),
    ],
)
def test_statuses(tmp_path, facts, status, said) -> None:
    write(tmp_path / NAME.format(0), *facts, *LOSS)
    assert (only(tmp_path).status, only(tmp_path).said) == (status, said)


def test_a_metric_at_fractions_of_steps_is_placed_among_the_others_by_time(tmp_path) -> None:
    half = series("half", [(0.5, 10.2, 1.0), (1, 20.2, 2.0), (1.5, 30.2, 3.0)])
    write(tmp_path / NAME.format(0), *LOSS, *half)
    run = only(tmp_path)
    assert shown(run, "half") == [(10, 1.0), (20, 2.0), (30, 3.0)]
    assert run.series["train/loss"].step.tolist() == list(range(1, 101))
    assert "half" in run.notes[0]


def test_a_run_that_counts_in_fractions_keeps_order_and_distances(tmp_path) -> None:
    loss = series("loss", [(step / 4, step, 1.0) for step in range(1, 13)])
    write(tmp_path / NAME.format(0), *loss, *series("eval", [(epoch, 4 * epoch, 0.5) for epoch in (1, 2, 3)]))
    run = only(tmp_path)
    assert run.series["loss"].step.tolist() == list(range(1, 13))
    assert run.series["eval"].step.tolist() == [4, 8, 12]
    assert "multiplied by 4" in run.notes[0]


def test_what_is_sampled_by_the_clock_is_placed_by_time(tmp_path) -> None:
    write(tmp_path / NAME.format(0), *LOSS, *series("monitoring/gpu", [(0, 50.5, 70.0), (1, 80.5, 80.0)]))
    assert shown(only(tmp_path), "monitoring/gpu") == [(50, 70.0), (80, 80.0)]


def test_blanks_and_negative_steps_are_no_points(tmp_path) -> None:
    points = [(None, 1, 1.0), (-1, 2, 1.0), (3, 3, None), (4, 4, 4.0)]
    write(tmp_path / NAME.format(0), *series("loss", points))
    run = only(tmp_path)
    assert shown(run, "loss") == [(4, 4.0)]
    assert len(run.notes) == 1


def test_runs_in_one_file_are_told_apart(tmp_path) -> None:
    rows = [*LOSS[:3], *series("train/loss", [(1, 1, 7.0)], "R-2"), fact("sys/name", "second", run="R-2")]
    write(tmp_path / "joined.parquet", *rows, group=2)
    (reading,) = read(tmp_path).values()
    assert [(run.key, run.name, len(run.series["train/loss"].step)) for run in reading.runs] == [
        ("R-1", "R-1", 3),
        ("R-2", "second", 1),
    ]


def test_a_part_that_is_being_written_is_named_and_the_others_are_read(tmp_path) -> None:
    write(tmp_path / NAME.format(0), *LOSS)
    whole = (tmp_path / NAME.format(0)).read_bytes()
    (tmp_path / (NAME.format(1) + ".tmp")).write_bytes(whole[:300])
    (tmp_path / NAME.format(2)).write_bytes(whole[:-50])
    (reading,) = read(tmp_path).values()
    assert len(reading.runs[0].series["train/loss"].step) == 100
    assert [told.path[-1][-14:] for told in reading.unreadable] == ["_1.parquet.tmp", "part_2.parquet"]


def test_other_parquet_is_left_to_others(tmp_path) -> None:
    pq.write_table(pa.table({"step": [1], "loss": [0.5]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"step": [1], "loss": [0.5]}), tmp_path / "x_part_0.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 cut")
    (tmp_path / "c.parquet").write_bytes(b"")
    assert set(read(tmp_path).values()) == {None}


def test_values_beyond_the_bound_are_left_out_with_a_sentence(tmp_path, monkeypatch) -> None:
    write(tmp_path / NAME.format(0), *LOSS, group=20)
    monkeypatch.setattr(neptune_export, "MOST_VALUES", 50)
    (reading,) = read(tmp_path).values()
    assert len(reading.runs[0].series["train/loss"].step) == 60
    assert "more than 50" in reading.unreadable[0].why


def test_damaged_exports_raise_nothing(tmp_path) -> None:
    path = tmp_path / NAME.format(0)
    write(path, fact("a/b", 1), fact("a", "x"), fact("a/b/c", 2.0), fact("sys/tags", ["t"]), *LOSS)
    content = path.read_bytes()
    chance = random.Random(11)
    for turn in range(150):
        damaged = bytearray(content if turn % 3 else content[: chance.randrange(1, len(content))])
        for _ in range(chance.randrange(1, 10)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        read(tmp_path)
