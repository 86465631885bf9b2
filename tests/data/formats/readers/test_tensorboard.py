from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus
from lib.data.formats.readers.tensorboard import FORMAT
from lib.data.formats.records import event_folder, event_values
from tests.data.formats import wire
from tests.data.formats.reading import only_run, points, put, readings
from tests.data.formats.wire import block, event, number, plugin, restart, scalar, single, tensor, value

NAME = "events.out.tfevents.{}.host"
FIRST, SECOND = NAME.format(1700000000), NAME.format(1700000100)


def curve(tag: str, steps, number_=lambda step: 1 / (step + 1), wall=1_700_000_000.0) -> bytes:
    return b"".join(scalar(tag, number_(step), step, wall + step) for step in steps)


def test_scalars_of_many_steps_are_the_decimals_that_were_logged(tmp_path) -> None:
    steps = [0, 1, 127, 128, 16_383, 16_384, *range(20_000, 20_300), 2**40]
    numbers = {step: round(math.sin(step), 5) for step in steps}
    content = wire.VERSION + b"".join(
        scalar("train/loss", numbers[step], step, 1.7e9 + index) + scalar("lr", 2e-5, step)
        for index, step in enumerate(steps)
    )
    put(tmp_path, {f"run/{FIRST}": content})
    run = only_run(FORMAT, tmp_path)
    assert points(run) == {"train/loss": list(numbers.items()), "lr": [(step, 2e-5) for step in steps]}
    assert run.series["train/loss"].at.tolist() == [1.7e9 + index for index in range(len(steps))]
    assert (run.key, run.name, run.started, run.status) == ("", "", 1.7e9, RunStatus.UNKNOWN)


def test_values_that_are_not_finite(tmp_path) -> None:
    numbers = [1.0, math.nan, math.inf, -math.inf, 0.0, 2.0]
    put(tmp_path, {FIRST: b"".join(scalar("x", each, step) for step, each in enumerate(numbers))})
    np.testing.assert_array_equal(only_run(FORMAT, tmp_path).series["x"].value, numbers)


BF16 = 0x3E9F
"""The bfloat16 that is nearest to 0.31."""


@pytest.mark.parametrize(
    ("dtype", "content", "expected"),
    [
        (1, block(5, struct.pack("<f", 0.31)), 0.31),
        (1, single(5, 0.31), 0.31),
        (1, block(4, struct.pack("<f", 0.31)), 0.31),
        (2, block(6, struct.pack("<d", 0.1 + 0.2)), 0.1 + 0.2),
        (2, block(4, struct.pack("<d", 0.1 + 0.2)), 0.1 + 0.2),
        (3, block(7, wire.varint(-5)), -5.0),
        (3, block(4, struct.pack("<i", -5)), -5.0),
        (9, block(10, wire.varint(2**40)), 2.0**40),
        (10, block(11, wire.varint(1)), 1.0),
        (19, block(13, wire.varint(int(np.float16(0.31).view(np.uint16)))), 0.31),
        (19, block(4, np.float16(0.31).tobytes()), 0.31),
        (14, block(13, wire.varint(BF16)), 0.31),
        (14, block(4, struct.pack("<H", BF16)), 0.31),
        (1, b"", 0.0),
    ],
)
@pytest.mark.parametrize("many", [1, 9])
def test_tensors_name_their_plugin_only_at_the_first(tmp_path, dtype, content, expected, many) -> None:
    first = tensor("loss", dtype, content, plugin("scalars"), step=1)
    rest = [tensor("loss", dtype, content, step=step) for step in range(2, many + 1)]
    put(tmp_path, {f"{FIRST}.1.0.v2": first + b"".join(rest)})
    (found,) = points(only_run(FORMAT, tmp_path)).values()
    assert [step for step, _ in found] == list(range(1, many + 1))
    assert {each for _, each in found} == {expected}


def test_tensors_that_are_no_scalars_are_none(tmp_path) -> None:
    curves = [
        tensor("pr", 1, single(5, 1.0), plugin("pr_curves"), step=1),
        *(tensor("pr", 1, single(5, 1.0), step=step) for step in range(2, 12)),
        tensor("pair", 1, block(5, struct.pack("<ff", 1, 2))),
        tensor("own", 1, single(5, 1.0), plugin("mine", data_class=1), step=1),
    ]
    wide = event(block(5, value("wide", block(8, number(1, 1) + block(2, block(2, number(1, 3))) + single(5, 1.0)))))
    put(tmp_path, {FIRST: b"".join(curves) + wide + scalar("loss", 1.0)})
    assert {*only_run(FORMAT, tmp_path).series} == {"own", "loss"}


def test_several_values_of_one_event_and_an_unreadable_name(tmp_path) -> None:
    both = event(block(5, value("a", single(2, 1.0)) + value("b", single(2, 2.0))), step=3)
    bad = event(block(5, block(1, block(1, b"\xff\xfe") + single(2, 3.0))), step=3)
    put(tmp_path, {FIRST: both + bad})
    assert points(only_run(FORMAT, tmp_path)) == {"a": [(3, 1.0)], "b": [(3, 2.0)], "��": [(3, 3.0)]}


def test_a_resumed_run_declares_void_what_it_does_again(tmp_path) -> None:
    put(
        tmp_path,
        {
            SECOND: restart(81) + curve("loss", range(81, 121), lambda step: 3 / step, 1.7e9 + 500),
            FIRST: curve("loss", range(1, 103), lambda step: 2 / step),
        },
    )
    run = only_run(FORMAT, tmp_path)
    found = points(run)["loss"]
    assert [step for step, _ in found] == list(range(1, 121))
    assert found[79:81] == [(80, pytest.approx(2 / 80)), (81, pytest.approx(3 / 81))]
    assert any("22 points" in note for note in run.notes)


def test_a_resumed_run_that_declares_nothing(tmp_path) -> None:
    put(
        tmp_path,
        {
            NAME.format(999): curve("loss", range(1, 103), lambda _: 1.0),
            NAME.format(1000): curve("loss", range(91, 97), lambda _: 2.0, 1.7e9 + 500),
        },
    )
    run = only_run(FORMAT, tmp_path)
    assert dict(points(run)["loss"]) == {step: 2.0 if 91 <= step <= 96 else 1.0 for step in range(1, 103)}
    assert any("6 points" in note for note in run.notes)


def test_a_training_anew_in_the_same_folder(tmp_path) -> None:
    put(
        tmp_path,
        {FIRST: curve("loss", range(1, 50)), SECOND: curve("loss", range(1, 10), lambda _: 5.0, 1.7e9 + 500)},
    )
    assert points(only_run(FORMAT, tmp_path))["loss"] == [(step, 5.0) for step in range(1, 10)]


def test_an_unfinished_record_is_no_damage_and_a_flipped_byte_is(tmp_path) -> None:
    content = wire.VERSION + curve("loss", range(50))
    put(tmp_path, {"torn/" + FIRST: content[:-7], "hurt/" + FIRST: content[:-7] + b"\x00" + content[-6:]})
    found = readings(FORMAT, tmp_path)
    assert found["torn"].unreadable == ()
    assert len(found["torn"].runs[0].series["loss"].step) == 49
    assert len(found["hurt"].runs[0].series["loss"].step) == 49
    assert "is damaged at byte" in found["hurt"].unreadable[0].why


@pytest.mark.parametrize("content", [b"", wire.VERSION])
def test_files_without_scalars_are_said(tmp_path, content) -> None:
    put(tmp_path, {FIRST: content, f"{SECOND}.profile-empty": content})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert (reading.runs, [each.why for each in reading.unused]) == ((), ["2 event files without scalars"])


@pytest.mark.parametrize("content", [b"hello, this is no event file", bytes(4096)])
def test_what_is_no_event_file_is_said(tmp_path, content) -> None:
    put(tmp_path, {FIRST: content})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert (reading.runs, reading.unused) == ((), ())
    assert reading.unreadable[0].why == "Expected an event file of TensorBoard, found something else."


def test_configurations_of_hparams_and_of_texts(tmp_path) -> None:
    hparams = {"lr": 2e-4, "bs": 8, "packing": True, "optim": "adamw", "none": None, "betas": [0.5, 2]}
    put(
        tmp_path,
        {
            FIRST: wire.session_start(hparams)
            + wire.text("args/text_summary", '{"learning_rate": 1e-4, "n": NaN}')
            + wire.text("samples/text_summary", "{not json")
            + scalar("loss", 1.0)
        },
    )
    config = only_run(FORMAT, tmp_path).config
    assert config["hparams"] == hparams
    assert config["args"]["learning_rate"] == 1e-4
    assert {*config} == {"hparams", "args"}


@pytest.mark.parametrize(
    ("word", "ended", "status", "said"),
    [
        (1, 1.7e9 + 20, RunStatus.COMPLETED, "success"),
        (2, 1.7e9 + 20, RunStatus.FAILED, "failure"),
        (3, 1.7e9 + 20, RunStatus.RUNNING, "running"),
        # PyTorch says "success" as soon as hyperparameters are logged.
        (1, 1.7e9 + 2, RunStatus.UNKNOWN, None),
    ],
)
def test_an_end_counts_where_no_point_is_younger(tmp_path, word, ended, status, said) -> None:
    put(tmp_path, {FIRST: curve("loss", range(10)) + wire.session_end(word, ended)})
    run = only_run(FORMAT, tmp_path)
    assert (run.status, run.said) == (status, said)


def test_parts_of_a_run_in_folders_below_it(tmp_path) -> None:
    put(
        tmp_path,
        {
            f"run/{FIRST}": curve("loss", range(3)),
            f"run/group/a/{FIRST}": curve("group", range(2)),
            f"run/my_tag_left/{FIRST}": curve("my/tag", range(2)),
            f"run/eval/{FIRST}": curve("loss", [2]),
            f"run/1700000000.25/{FIRST}": wire.session_start({"lr": 0.1}) + scalar("hparam/best", 0.5),
            f"run/other/{FIRST}": curve("loss", range(5)) + curve("lr", range(5)),
        },
    )
    (reading,) = readings(FORMAT, tmp_path).values()
    run, other = reading.runs
    assert {name: len(each.step) for name, each in run.series.items()} == {
        "loss": 3,
        "group/a": 2,
        "my/tag/left": 2,
        "eval/loss": 1,
    }
    assert (run.config["hparams"], run.last) == ({"lr": 0.1}, {"hparam/best": 0.5})
    assert (other.key, other.name, len(other.series["loss"].step)) == ("other", "other", 5)


def test_a_chart_of_training_and_evaluation_is_no_run(tmp_path) -> None:
    put(
        tmp_path,
        {
            f"run/{FIRST}": curve("lr", range(3)),
            f"run/loss/train/{FIRST}": curve("loss", range(3)),
            f"run/loss/eval/{FIRST}": curve("loss", range(2)),
            f"run/by/acc/train/{FIRST}": curve("by/acc", range(3)),
            f"run/by/acc/val/{FIRST}": curve("by/acc", range(2)),
        },
    )
    run = only_run(FORMAT, tmp_path)
    assert {*run.series} == {"lr", "loss/train", "loss/eval", "by/acc/train", "by/acc/val"}


def test_keras_and_fairseq_have_a_folder_for_each_phase(tmp_path) -> None:
    put(
        tmp_path,
        {
            f"a/train/{FIRST}": curve("epoch_loss", range(3)),
            f"a/validation/{FIRST}": curve("epoch_loss", range(3)),
            f"b/train/{FIRST}": curve("epoch_loss", range(3)),
            f"b/train2/{FIRST}": curve("epoch_loss", range(3)),
            **{f"c/{name}/{FIRST}": curve("loss", range(3)) for name in ("train", "train_inner", "valid")},
        },
    )
    found = readings(FORMAT, tmp_path)
    assert {folder: [*reading.runs[0].series] for folder, reading in found.items()} == {
        "a": ["train/epoch_loss", "validation/epoch_loss"],
        "b/train": ["epoch_loss"],
        "b/train2": ["epoch_loss"],
        "c": ["train/loss", "train_inner/loss", "valid/loss"],
    }


@pytest.mark.parametrize(
    ("tag", "counted", "names"),
    [
        ("evaluation_loss_vs_iterations", "epoch", {"epoch_loss"}),
        ("epoch_learning_rate", "epoch", {"epoch_loss", "epoch_learning_rate"}),
        ("batch_loss", "step", {"epoch_loss", "batch_loss"}),
    ],
)
def test_keras_counts_epochs_where_it_logs_nothing_else(tmp_path, tag, counted, names) -> None:
    put(tmp_path, {FIRST: curve("epoch_loss", range(3)) + curve(tag, range(0, 300, 100))})
    run = only_run(FORMAT, tmp_path)
    assert (run.counted, {*run.series}) == (counted, names)


def test_sessions_of_a_sweep_below_an_empty_log_are_runs(tmp_path) -> None:
    session = wire.session_start({"lr": 0.1}) + scalar("hparam/best", 0.5)
    put(tmp_path, {FIRST: wire.VERSION, f"1700000001.5/{FIRST}": session, f"1700000002.5/{FIRST}": session})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert [run.key for run in reading.runs] == ["1700000001.5", "1700000002.5"]
    assert [each.why for each in reading.unused] == ["an event file without scalars"]


def test_steps_below_zero_are_left_out(tmp_path) -> None:
    put(tmp_path, {FIRST: scalar("loss", 1.0, -1) + scalar("loss", 1.0, 1)})
    run = only_run(FORMAT, tmp_path)
    assert points(run)["loss"] == [(1, 1.0)]
    assert "below 0" in run.notes[0]


def test_a_metric_without_steps_is_numbered_and_a_result_is_not(tmp_path) -> None:
    put(tmp_path, {FIRST: curve("loss", [0] * 5, lambda _: 1.0) + curve("test", [0] * 2, lambda _: 1.0)})
    run = only_run(FORMAT, tmp_path)
    assert run.series["loss"].step.tolist() == [0, 1, 2, 3, 4]
    assert run.series["test"].step.tolist() == [0, 0]
    assert run.notes == ("Logged without steps, and so numbered in their order: loss.",)


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("events.out.tfevents.1700000000.box.12.0.v2", True),
        ("events.out.tfevents.1700000000.box.profile-empty", True),
        ("events.out.tfevents.1700000000.box.12.0", True),
        ("tfevents.txt", False),
        ("metrics.csv", False),
    ],
)
def test_which_files_are_asked_for(name, matches) -> None:
    assert FORMAT.matches(("run", name)) == matches


@pytest.mark.parametrize(
    ("name", "host"), [("1700000000.box.12.0.v2", "box"), ("1700000000.my.box", "my.box"), ("1700000000.b.7.1", "b")]
)
def test_the_machine_stands_in_the_name(tmp_path, name, host) -> None:
    put(tmp_path, {f"events.out.tfevents.{name}": scalar("loss", 1.0)})
    assert only_run(FORMAT, tmp_path).tags == {"host": host}


def test_more_points_or_names_than_are_read_are_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(event_folder, "MOST_POINTS", 10)
    monkeypatch.setattr(event_values, "_MOST_TAGS", 2)
    put(tmp_path, {FIRST: b"".join(curve(tag, range(10)) for tag in "abc")})
    (reading,) = readings(FORMAT, tmp_path).values()
    (run,) = reading.runs
    assert len(run.series) == 2
    assert "more names" in run.notes[0]
    assert "more than 10 values" in reading.unreadable[0].why


EVERYTHING = (
    wire.VERSION
    + wire.session_start({"lr": 0.1})
    + wire.text("args", '{"a": 1}')
    + curve("loss", range(20))
    + tensor("t", 2, block(6, struct.pack("<d", 1.5)), plugin("scalars"))
    + restart(10)
    + wire.session_end(1)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, len(EVERYTHING)).map(lambda cut: EVERYTHING[:cut]),
        st.lists(st.binary(max_size=60).map(wire.frame), max_size=8).map(b"".join),
        st.tuples(st.integers(0, len(EVERYTHING) - 1), st.integers(0, 255)).map(
            lambda flip: EVERYTHING[: flip[0]] + bytes([flip[1]]) + EVERYTHING[flip[0] + 1 :]
        ),
    )
)
def test_whatever_stands_in_a_file_it_is_read(tmp_path, content) -> None:
    put(tmp_path, {FIRST: content})
    (reading,) = readings(FORMAT, tmp_path).values()
    for run in reading.runs:
        for series in run.series.values():
            assert series.step.dtype == np.int64
            assert len(series.step) == len(series.value) == len(series.at)
            assert (series.step >= 0).all()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_events_with_flipped_bytes_and_right_checksums(tmp_path, data) -> None:
    whole = bytearray(value("loss", single(2, 1.0)))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    put(tmp_path, {FIRST: event(block(5, bytes(whole)), step=1) * data.draw(st.integers(1, 6))})
    readings(FORMAT, tmp_path)


@pytest.mark.parametrize(("value_", "is_shown"), [(-1.0, False), (-0.5, True)])
def test_a_result_that_stands_for_none_is_no_metric(tmp_path, value_, is_shown) -> None:
    content = wire.VERSION + curve("val_loss", range(5)) + scalar("hp_metric", value_, 0)
    put(tmp_path, {FIRST: content})
    assert ("hp_metric" in only_run(FORMAT, tmp_path).series) is is_shown
