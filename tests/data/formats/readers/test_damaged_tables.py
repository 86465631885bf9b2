"""Whatever stands in the files, readers of tables answer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lib.data.formats.readers import any_table, dvclive, keras, lightning, ultralytics, wandb_csv
from tests.data.formats.readers import units


def parquet_file() -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"step": list(range(50)), "loss": [1 / (step + 1) for step in range(50)]}), sink)
    return sink.getvalue().to_pybytes()


UNITS = {
    "lightning": (lightning.FORMAT, units.LIGHTNING),
    "ultralytics": (ultralytics.FORMAT, units.ULTRALYTICS),
    "dvclive": (dvclive.FORMAT, units.DVCLIVE),
    "keras": (keras.FORMAT, units.KERAS),
    "chart": (wandb_csv.FORMAT, units.WANDB_CHART),
    "history": (wandb_csv.FORMAT, units.WANDB_HISTORY),
    "runs": (wandb_csv.FORMAT, units.WANDB_RUNS),
    "table": (any_table.FORMAT, units.TABLE),
    "lines": (any_table.FORMAT, units.LINES),
    "parquet": (any_table.FORMAT, {"log.parquet": parquet_file()}),
}


def holds(reading) -> None:
    """What every reading promises."""
    if reading is None:
        return
    for told in (*reading.unreadable, *reading.unused):
        assert told.why.endswith(".")
    assert len({run.key for run in reading.runs}) == len(reading.runs)
    for run in reading.runs:
        for each in run.series.values():
            assert each.step.dtype == np.int64
            assert each.value.dtype == np.float64
            assert (each.step >= 0).all()
            sizes = {len(array) for array in (each.step, each.value, each.epoch, each.at) if array is not None}
            assert sizes == {len(each.step)}
            assert len(each.step)


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_reads(name, tmp_path) -> None:
    reader, files = UNITS[name]
    reading = units.read(reader, tmp_path, files)
    holds(reading)
    assert reading.runs
    assert reading.unreadable == reading.unused == ()


@pytest.mark.parametrize("name", UNITS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_cut_flipped_and_random_bytes_are_no_exception(name, data) -> None:
    reader, files = UNITS[name]
    damaged = {place: as_bytes(content) for place, content in files.items()}
    place = data.draw(st.sampled_from(sorted(damaged)))
    content = bytearray(damaged[place])
    kind = data.draw(st.sampled_from(["cut", "flip", "random", "insert"]))
    at = data.draw(st.integers(0, max(0, len(content) - 1)))
    if kind == "cut":
        del content[at:]
    elif kind == "flip":
        content[at] ^= data.draw(st.integers(1, 255))
    elif kind == "insert":
        content[at:at] = data.draw(st.binary(max_size=20))
    else:
        content = bytearray(data.draw(st.binary(max_size=200)))
    damaged[place] = bytes(content)
    with tempfile.TemporaryDirectory() as folder:
        holds(units.read(reader, Path(folder), damaged))


@pytest.mark.parametrize("name", ["lightning", "keras", "table", "lines", "history"])
def test_points_before_a_cut_are_read(name, tmp_path) -> None:
    reader, files = UNITS[name]
    place = next(iter(files))
    content = as_bytes(files[place])
    whole = units.read(reader, tmp_path / "whole", files).runs[0].series
    ends = [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]
    for number, end in enumerate(ends[2:]):
        for cut in (end, end + 1):
            reading = units.read(reader, tmp_path / f"{number}_{cut}", {**files, place: content[:cut]})
            points = sum(len(each.step) for run in reading.runs for each in run.series.values())
            for metric, each in reading.runs[0].series.items():
                assert np.array_equal(each.value, whole[metric].value[: len(each.value)], equal_nan=True)
            assert points >= number + 1


def test_a_table_stated_to_be_enormous_is_not_allocated(tmp_path) -> None:
    path = tmp_path / "log.parquet"
    table = pa.table(
        {"step": pa.array(np.zeros(1_000_000, dtype=np.int8)), "loss": np.zeros(1_000_000, dtype=np.float32)}
    )
    with parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(50):
            writer.write_table(table)
    reading = any_table.FORMAT.read(tmp_path, ("log.parquet",), [("log.parquet",)])
    assert reading.runs == ()
    assert "cells" in reading.unused[0].why
