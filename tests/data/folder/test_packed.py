"""What was read goes to another process as it was, and its arrays stand in memory once."""

from __future__ import annotations

import io
import os
import tempfile

import numpy as np
import pytest

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.data.folder.memory.kept import POINT_BYTES, room_of
from lib.data.folder.processes import packed
from lib.data.folder.units import FoundUnit

FOUND = FoundUnit("sight")


@pytest.fixture
def place():
    made = packed.room()
    yield made
    os.close(made)


def curves() -> RunCurves:
    step, nothing, empty = np.arange(1000), np.broadcast_to(np.nan, 1000), np.empty(0)
    made = {name: complete_curve(step, np.arange(1000) / 7, nothing, nothing) for name in "ab"}
    made["none"] = complete_curve(np.empty(0, np.int64), empty, empty, empty)
    return RunCurves("run", made, unread=("c",), may_have_more=True)


def sent(place: int, told: dict[str, RunCurves]) -> io.BytesIO:
    pipe = io.BytesIO()
    packed.write(pipe, place, FOUND, told, 1.5)
    pipe.seek(0)
    return pipe


def test_what_comes_is_what_was_sent(place) -> None:
    own = curves()
    found, came, cost_s = packed.read(sent(place, {"run": own}), place)
    assert (found, cost_s, came.keys()) == (FOUND, 1.5, {"run"})
    assert (came["run"].unread, came["run"].may_have_more) == (("c",), True)
    for name, curve in own.curves.items():
        assert [each.tobytes() for each in came["run"].curves[name].columns] == [e.tobytes() for e in curve.columns]
    assert not came["run"].curves["a"].value.flags.writeable


def test_what_metrics_share_and_what_is_one_number_takes_no_room_there_either(place) -> None:
    _, came, _ = packed.read(sent(place, {"run": curves()}), place)
    one, other = came["run"].curves["a"], came["run"].curves["b"]
    assert one.step is other.step
    assert one.epoch is other.epoch
    assert room_of(came.values()) * POINT_BYTES == 3 * 8 * 1000


def test_a_place_is_used_again_and_what_was_taken_of_it_before_is_not_asked_for(place) -> None:
    sent(place, {})
    found, came, _ = packed.read(sent(place, {"run": curves()}), place)
    assert (found, came.keys()) == (FOUND, {"run"})


def test_what_is_not_all_there_is_lost(place) -> None:
    whole = sent(place, {"run": curves()}).getvalue()
    for size in (0, 4, 20, len(whole) // 2, len(whole) - 1):
        with pytest.raises(packed.Lost):
            packed.read(io.BytesIO(whole[:size]), place)
    os.ftruncate(place, 100)
    with pytest.raises(packed.Lost):
        packed.read(io.BytesIO(whole), place)


def test_where_memory_has_no_files_one_without_a_name_serves(monkeypatch, tmp_path) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = packed.room()
    _, came, _ = packed.read(sent(place, {"run": curves()}), place)
    os.close(place)
    assert came["run"].curves["a"].value.tolist() == (np.arange(1000) / 7).tolist()
    assert list(tmp_path.iterdir()) == []
