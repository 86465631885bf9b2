from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.wandb_run import FORMAT
from lib.data.formats.records import wandb_records
from tests.data.formats import wire
from tests.data.formats.reading import only_run, points, put, readings
from tests.data.formats.wire import (
    block,
    config_record,
    double,
    exit_record,
    item,
    metric_record,
    number,
    row,
    run_file,
    run_record,
    summary_record,
)

FOLDER = "wandb/offline-run-20260102_030405-abc"
FILE = f"{FOLDER}/run-abc.wandb"


def put_run(root, *records: bytes, file: str = FILE) -> None:
    put(root, {file: run_file([*records])})


def test_a_run_with_its_name_configuration_and_end(tmp_path) -> None:
    put_run(
        tmp_path,
        run_record("abc", "tiny-1", {"lr": 0.001, "_wandb": {}, "model": {"name": "tiny"}, "gone": 1}, 1_700_000_000),
        *(row(step, {"train/loss": 2 / step, "txt": "a", "flag": True}, 1.7e9 + step) for step in range(1, 301)),
        config_record({"late": 5}, ["gone"]),
        summary_record({"best": 0.5}),
        exit_record(0),
    )
    run = only_run(FORMAT, tmp_path)
    assert (run.identity, run.name, run.status, run.said) == ("abc", "tiny-1", RunStatus.COMPLETED, "exit code 0")
    assert points(run) == {"train/loss": [(step, 2 / step) for step in range(1, 301)]}
    assert run.series["train/loss"].at.tolist() == [1.7e9 + step for step in range(1, 301)]
    assert run.config == {"config": {"lr": 0.001, "model": {"name": "tiny"}, "late": 5}}
    assert (run.last, run.started, run.tags["project"]) == ({"best": 0.5}, 1.7e9, "project")


@pytest.mark.parametrize(
    ("record", "status"),
    [(exit_record(0), RunStatus.COMPLETED), (exit_record(1), RunStatus.FAILED), (b"", RunStatus.UNKNOWN)],
)
def test_only_an_exit_record_says_how_it_ended(tmp_path, record, status) -> None:
    put_run(tmp_path, run_record("abc"), row(0, {"loss": 1.0}), *([record] if record else []))
    assert only_run(FORMAT, tmp_path).status == status


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (item(["x"], 0.5), {"x": 0.5}),
        (item("x", 2**60), {"x": 2.0**60}),
        (item(["a", "b"], 1), {"a.b": 1.0}),
        (item("a", {"b": 1, "c": {"d": 2}}), {"a.b": 1.0, "a.c.d": 2.0}),
        (item("a", {"_type": "histogram", "b": 1}), {}),
        (item("x", None, raw="NaN"), {"x": math.nan}),
        (item("x", None, raw="-Infinity"), {"x": -math.inf}),
        (item("x", "Infinity"), {"x": math.inf}),
        (item("x", "text"), {}),
        (item("x", None, raw="nul"), {}),
        (item("x", True), {}),
        (item("_internal", 1), {}),
        (item("x", None, typed=number(3, 1)), {}),
        (item("x", None, typed=number(4, 1)), {}),
        (item("x", None, typed=number(5, -3)), {"x": -3.0}),
        (item("x", None, typed=double(6, 0.25)), {"x": 0.25}),
        (item("x", None, typed=block(7, "text")), {}),
        (item("x", None, typed=block(8, '{"y": 1}')), {"x.y": 1.0}),
        (item("x", None, raw="1" * 5000), {"x": math.inf}),
    ],
)
def test_every_kind_of_item(tmp_path, made, expected) -> None:
    record = number(1, 1) + block(2, made + item(["_step"], 7))
    put_run(tmp_path, run_record("abc"), record, row(8, {"other": 1.0}))
    found = {name: each.value[0] for name, each in only_run(FORMAT, tmp_path).series.items() if name != "other"}
    np.testing.assert_equal(found, expected)


def test_parts_of_what_states_its_type_are_no_metrics(tmp_path) -> None:
    # Newer versions write a picture or a table as one item for each of its parts.
    parts = item(["picture", "width"], 8) + item(["picture", "_type"], "image-file") + item(["picture", "size"], 69)
    inner = item(["eval", "table", "nrows"], 2) + item(["eval", "table", "_type"], "table-file")
    others = item(["eval", "loss"], 0.5) + item(["pictures", "width"], 7)
    put_run(
        tmp_path,
        run_record("abc"),
        number(1, 1) + block(2, others + item(["_step"], 1)),
        number(1, 1) + block(2, parts + inner + item(["eval", "loss"], 0.25) + item(["_step"], 2)),
        number(1, 4) + block(3, item(["last", "_type"], "image-file") + item(["last", "height"], 5)),
    )
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {"eval.loss": [(1, 0.5), (2, 0.25)], "pictures.width": [(1, 7.0)]}
    assert run.last == {}


def test_a_step_that_stands_beside_the_items(tmp_path) -> None:
    at_zero = number(1, 1) + block(2, item("x", 1.0) + block(2, b""))
    at_five = number(1, 1) + block(2, item("x", 2.0) + block(2, number(1, 5)))
    put_run(tmp_path, at_zero, at_five)
    assert points(only_run(FORMAT, tmp_path)) == {"x": [(0, 1.0), (5, 2.0)]}


def rows_with(axis: str) -> list[bytes]:
    return [row(call, {axis: call * 100, "train/loss": 1.0} if call != 2 else {"eval/loss": 2.0}) for call in range(4)]


@pytest.mark.parametrize(
    ("metrics", "axis", "steps"),
    [
        # Hugging Face and Lightning: W&B's step counts calls.
        ([("*", "train/global_step")], "train/global_step", [0, 100, 300]),
        ([("train/*", "my_step"), ("eval/loss", "my_step")], "my_step", [0, 100, 300]),
        # An axis of some metrics only, one that is not there, and one that counts something else.
        ([("train/*", "my_step")], "my_step", [0, 1, 3]),
        ([("*", "absent_step")], "my_step", [0, 1, 3]),
        ([("*", "epoch")], "epoch", [0, 1, 3]),
        ([], "train/global_step", [0, 1, 3]),
    ],
)
def test_steps_are_those_that_the_program_defines(tmp_path, metrics, axis, steps) -> None:
    put_run(tmp_path, *(metric_record(*each) for each in metrics), *rows_with(axis))
    run = only_run(FORMAT, tmp_path)
    assert run.series["train/loss"].step.tolist() == steps
    # A row without the axis is at the last step that was named.
    assert run.series["eval/loss"].step.tolist() == [100 if steps[-1] == 300 else 2]


def test_a_resumed_run_is_one_and_its_later_steps_hold(tmp_path) -> None:
    put_run(
        tmp_path, run_record("abc", started=100), *(row(step, {"loss": 1.0}, 100.0 + step) for step in range(1, 104))
    )
    again = [row(step, {"loss": 2.0}, 900.0 + step) for step in range(90, 111)]
    put_run(
        tmp_path,
        run_record("abc", started=900),
        *again,
        exit_record(3),
        file="wandb/run-20260102_040000-abc/run-abc.wandb",
    )
    (folder, reading) = next(iter(readings(FORMAT, tmp_path).items()))
    (run,) = reading.runs
    assert folder == FOLDER
    assert points(run)["loss"] == [(step, 1.0 if step < 90 else 2.0) for step in range(1, 111)]
    assert (run.key, run.status, len(run.files)) == ("", RunStatus.FAILED, 2)
    assert any("14 points" in note for note in run.notes)


CONFIG = "wandb_version: 1\n_wandb:\n  value: {a: 1}\nlr:\n  desc: null\n  value: 1e-4\nmodel:\n  value: {name: tiny}\n"
SUMMARY = json.dumps({"loss": 0.5, "_step": 3, "_wandb": {"runtime": 5}, "n": "NaN", "eval": {"f1": 0.7}, "t": "x"})


def test_a_folder_without_run_file_states_facts_where_its_output_is(tmp_path) -> None:
    files = {f"{FOLDER}/files/config.yaml": CONFIG, f"{FOLDER}/files/wandb-summary.json": SUMMARY}
    meta = {"host": "box", "gpu": "A100", "gpu_count": 8, "startedAt": "2026-01-02T03:04:05Z", "args": ["--key=hidden"]}
    put(tmp_path, {**files, f"{FOLDER}/files/wandb-metadata.json": json.dumps(meta)})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert (reading.runs, len(reading.unused)) == ((), 1)
    assert "export it as CSV" in reading.unused[0].why
    put(tmp_path, {f"{FOLDER}/files/output.log": "step 1"})
    run = only_run(FORMAT, tmp_path)
    assert (dict(run.series), run.identity) == ({}, "abc")
    assert run.config == {"config": {"lr": 1e-4, "model": {"name": "tiny"}}}
    np.testing.assert_equal(run.last, {"loss": 0.5, "n": math.nan, "eval.f1": 0.7})
    assert (run.tags, run.started) == ({"host": "box", "gpu": "A100", "gpu_count": "8"}, 1767323045.0)


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        (FILE, True),
        ("run-abc.wandb", True),
        (f"{FOLDER}/files/config.yaml", True),
        (f"{FOLDER}/files/output.log", False),
        ("wandb/latest-run/run-abc.wandb", False),
        ("wandb/latest-run/files/config.yaml", False),
        ("run-abc/config.yaml", False),
        ("config.yaml", False),
    ],
)
def test_which_files_are_asked_for(path, matches) -> None:
    assert FORMAT.matches(tuple(path.split("/"))) == matches


def test_run_files_that_were_copied_alone(tmp_path) -> None:
    for each in ("one", "two"):
        put_run(tmp_path, run_record(each), row(1, {"loss": 1.0}), file=f"run-{each}.wandb")
    (reading,) = readings(FORMAT, tmp_path).values()
    assert sorted(run.key for run in reading.runs) == ["one", "two"]


def test_damage_costs_one_block_and_is_said(tmp_path) -> None:
    content = bytearray(run_file([run_record("abc"), *(row(step, {"loss": 1.0}) for step in range(3000))]))
    content[40_000] ^= 255
    put(tmp_path, {FILE: bytes(content)})
    (reading,) = readings(FORMAT, tmp_path).values()
    steps = reading.runs[0].series["loss"].step
    assert (steps[0], steps[-1]) == (0, 2999)
    assert 2000 < len(steps) < 3000
    assert "is damaged at byte" in reading.unreadable[0].why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"something else", "Expected a run file of Weights & Biases, found something else."),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
    ],
)
def test_what_is_no_run_file_is_said(tmp_path, content, why) -> None:
    put(tmp_path, {FILE: content})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert (reading.runs, reading.unused) == ((), ())
    assert why in reading.unreadable[0].why


def test_a_run_that_logged_nothing_is_said(tmp_path) -> None:
    put_run(tmp_path, run_record("abc"))
    (reading,) = readings(FORMAT, tmp_path).values()
    assert (reading.runs, "nothing was logged" in reading.unused[0].why) == ((), True)


def test_more_items_or_names_than_are_read_are_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(wandb_records, "MOST_ITEMS", 20)
    monkeypatch.setattr(wandb_records, "_MOST_NAMES", 2)
    put_run(tmp_path, *(row(step, {"a": 1.0, "b": 1.0, "c": 1.0}) for step in range(10)))
    (reading,) = readings(FORMAT, tmp_path).values()
    assert {name: len(each.step) for name, each in reading.runs[0].series.items()} == {"a": 5, "b": 5}
    assert "items of history" in reading.unreadable[0].why


RECORDS = [run_record("abc", "name", {"a": 1}), *(row(step, {"loss": 1.0, "long": "x" * 3000}) for step in range(30))]
RECORDS += [metric_record("*", "x_step"), summary_record({"best": 1}), config_record({"b": 2}), exit_record(1)]
WHOLE = run_file(RECORDS)
ENDS = [len(run_file(RECORDS[: many + 1])) for many in range(len(RECORDS))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(WHOLE)))
def test_what_is_whole_before_a_cut_is_read(tmp_path, cut) -> None:
    put(tmp_path, {FILE: WHOLE[:cut]})
    (reading,) = readings(FORMAT, tmp_path).values()
    rows = max(0, min(int(np.searchsorted(ENDS, cut, side="right")) - 1, 30))
    assert sum(len(run.series["loss"].step) for run in reading.runs) == rows
    assert len(reading.unreadable) == (0 < cut < 7)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200).map(lambda each: WHOLE[:7] + each),
        st.lists(st.binary(max_size=40), max_size=6).map(run_file),
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)).map(
            lambda flip: WHOLE[: flip[0]] + bytes([flip[1]]) + WHOLE[flip[0] + 1 :]
        ),
        st.tuples(st.integers(0, len(RECORDS[1]) - 1), st.integers(0, 255)).map(
            lambda flip: run_file([RECORDS[1][: flip[0]] + bytes([flip[1]]) + RECORDS[1][flip[0] + 1 :], RECORDS[2]])
        ),
    )
)
def test_whatever_stands_in_a_run_file_it_is_read(tmp_path, content) -> None:
    put(tmp_path, {FILE: content})
    (reading,) = readings(FORMAT, tmp_path).values()
    for run in reading.runs:
        for series in run.series.values():
            assert len(series.step) == len(series.value) == len(series.at)
            assert (series.step >= 0).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100) | st.text('{}[]":,1aNl \n-', max_size=60).map(str.encode))
def test_whatever_stands_beside_it_it_is_read(tmp_path, content) -> None:
    put(
        tmp_path,
        {f"{FOLDER}/files/{name}": content for name in ("config.yaml", "wandb-summary.json", "wandb-metadata.json")},
    )
    put(tmp_path, {f"{FOLDER}/files/output.log": ""})
    readings(FORMAT, tmp_path)


def test_the_header_is_that_of_the_format() -> None:
    assert WHOLE[:7] == b":W&B" + struct.pack("<HB", 0xBEE1, 0)
    assert wire.crc32c(b"") == 0
