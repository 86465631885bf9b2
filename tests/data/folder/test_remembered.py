"""What was read is remembered on disk, and nothing depends on it."""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.query import RunQuery
from lib.core.facts.runs import Checkpoint, ReadAs, RunStatus, RunSummary
from lib.core.facts.values import moment
from lib.data.folder import reading
from lib.data.folder import source as folder
from lib.data.folder.memory import remembered
from lib.data.folder.memory.remembered import CACHE_VARIABLE, Remembered, place_from
from lib.data.folder.memory.texts import _has_long_number, content_of, from_text, text_of, to_text
from lib.data.folder.source import FolderSource
from lib.data.folder.units import FoundForm, FoundUnit, Unit
from lib.data.formats.logged import Told
from lib.data.trainer.log_marks import LogMark
from tests.data.folder.states import training, write

ROWS = training(400, {200: 1.3, 400: 1.5})


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A place of the test's own."""
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The states that were read, by the folder that they lie in."""
    found: list[str] = []
    real = reading.read_trainer_log
    monkeypatch.setattr(reading, "read_trainer_log", lambda path: found.append(path.parent.name) or real(path))
    return found


@pytest.fixture
def runs(tmp_path):
    """A folder of three runs."""
    for seed, name in enumerate("ab"):
        write(tmp_path / "out" / name, training(400, {200: 1.3, 400: 1.5}, seed=seed), planned=400, best=float("nan"))
        (tmp_path / "out" / name / "training_args.json").write_text(
            '{"learning_rate": 1e-4, "nested": {"x": [1, null]}}'
        )
    write(tmp_path / "out" / "c", training(200, {}, seed=2), planned=400)
    return tmp_path / "out"


def listed(root) -> str:
    return repr(FolderSource(root).list_runs(RunQuery(limit=10**6)))


def test_another_process_reads_nothing_and_finds_the_same(runs, read):
    first = listed(runs)
    assert sorted(read) == ["a", "b", "c"]
    read.clear()
    assert listed(runs) == first
    assert read == []


def test_only_what_changed_is_read_again(runs, read):
    listed(runs)
    write(runs / "b", training(300, {}, seed=1), planned=400)
    read.clear()
    listed(runs)
    assert read == ["b"]


def test_curves_are_not_remembered(runs):
    listed(runs)
    source = FolderSource(runs)
    assert len(source.load_curves(["a"])["a"].get("train_loss")) == 40


@pytest.mark.parametrize("damage", ["text", "cut", "rows", "a folder", "other tables"])
def test_a_damaged_database_is_as_none(runs, read, cache, damage):
    first = listed(runs)
    (file,) = cache.iterdir()
    if damage == "text":
        file.write_text("no database")
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        with sqlite3.connect(file) as database:
            if damage == "rows":
                database.execute(
                    """UPDATE units SET found = '{"sight": "x", "forms": [{"run": 1}], "__class__": "os"}'"""
                )
            else:
                database.execute("DROP TABLE units")
                database.execute("CREATE TABLE units (something TEXT)")
    read.clear()
    assert listed(runs) == first
    assert sorted(read) == ["a", "b", "c"]


def test_a_place_that_cannot_be_written_is_a_line_in_the_log(runs, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert "'a'" in listed(runs)
    assert {record.name for record in caplog.records} == {remembered.__name__}


def test_a_locked_database_is_not_waited_for(runs, cache, monkeypatch):
    monkeypatch.setattr(remembered, "WAIT_S", 0.01)
    first = listed(runs)
    (file,) = cache.iterdir()
    holder = sqlite3.connect(file)
    holder.execute("BEGIN EXCLUSIVE")
    assert listed(runs) == first
    holder.close()


def test_what_other_code_read_is_read_anew(runs, read, monkeypatch):
    listed(runs)
    read.clear()
    monkeypatch.setattr(remembered, "code_version", lambda: "another")
    listed(runs)
    assert sorted(read) == ["a", "b", "c"]


def test_it_is_bounded_and_the_oldest_folder_goes(runs, tmp_path, read, monkeypatch):
    write(tmp_path / "other" / "d", ROWS, planned=400)
    listed(runs)
    monkeypatch.setattr(remembered, "MOST_BYTES", 3_000)
    listed(tmp_path / "other")
    read.clear()
    listed(tmp_path / "other")
    assert read == []
    listed(runs)
    assert sorted(read) == ["a", "b", "c"]


def test_a_remembered_list_counts_too_and_goes_with_its_folder(runs, tmp_path, cache, monkeypatch):
    listed(runs)
    monkeypatch.setattr(remembered, "MOST_BYTES", 100_000)
    of_list = remembered.Remembered(tmp_path / "elsewhere", cache)
    of_list.store_list("scan", "x" * 90_000)
    assert of_list.list_of("scan") is not None
    remembered.Remembered(tmp_path / "newest", cache).store_list("scan", "x" * 20_000)
    assert of_list.list_of("scan") is None
    with sqlite3.connect(next(cache.iterdir())) as database:
        assert database.execute("SELECT COUNT(*) FROM units").fetchone() == (0,)


def test_runs_that_are_gone_are_forgotten(runs, cache):
    listed(runs)
    (runs / "c" / "trainer_state.json").unlink()
    listed(runs)
    with sqlite3.connect(next(cache.iterdir())) as database:
        assert database.execute("SELECT COUNT(*) FROM units WHERE unit LIKE 'Hugging%'").fetchone() == (2,)


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({CACHE_VARIABLE: ""}, None),
        ({CACHE_VARIABLE: "/x/y"}, "/x/y"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/runoff"),
        ({"XDG_CACHE_HOME": "relative"}, os.path.expanduser("~/.cache/runoff")),
        ({}, os.path.expanduser("~/.cache/runoff")),
    ],
)
def test_where_it_lies(environment, place):
    found = place_from(environment)
    assert (None if found is None else str(found)) == place


def test_without_a_place_nothing_is_written_and_nothing_said(runs, monkeypatch, caplog):
    monkeypatch.setenv(CACHE_VARIABLE, "")
    with caplog.at_level(logging.DEBUG):
        listed(runs)
    assert caplog.records == []


texts = st.text(st.characters(codec=None), max_size=8) | st.just("\udcff")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(texts, values, st.floats(), st.integers(0, 10**12))
def test_a_unit_is_the_same_after_it_was_remembered(name, value, loss, seconds):
    run = RunSummary(
        run_id="x",
        name=name,
        status=RunStatus.FAILED,
        created_at=moment(seconds % 10**9),
        loss=loss,
        best_step=seconds,
        checkpoints=(Checkpoint(name, None), Checkpoint("y", 3, is_complete=False)),
        read_as=(ReadAs(name, "train_loss", guessed=True),),
        config={"a": value},
        named={"lr": loss},
        notes=(name,),
    )
    form = FoundForm(
        (name,), "Lines", ((name, "f"),), "", "", name, "", run, {name: 3}, "seen", mark=LogMark("d", 1, 2, "o", ("l",))
    )
    unit = FoundUnit("sight", (form,), (Told((name,), "why"),), is_settled=False)
    text = to_text(unit)
    assert text is not None
    assert json.loads(text)
    assert repr(from_text(text)) == repr(unit)


@given(st.lists(st.sampled_from([":", "-", ",", "[", ".", "a", "0", "7" * 17, "8" * 18, "9" * 19]), max_size=9))
def test_long_numbers_are_seen_as_a_pattern_sees_them(parts):
    text = "".join(parts)
    assert _has_long_number(text.encode()) == bool(re.search(r"[:,\[]-?[0-9]{19}", text))


@pytest.mark.parametrize("value", [10**18, 2**63, -(2**64), 10**30, "9" * 40, [1, -(10**25)], {"9" * 20: 1}])
def test_long_numbers_are_what_they_were(value):
    unit = FoundUnit("9" * 32, (), (Told(("a",), f"expected {value}"),))
    assert from_text(to_text(unit)) == unit
    assert content_of(text_of({"a": value})) == {"a": value}


def test_names_of_units_are_told_apart(tmp_path):
    kept = Remembered(tmp_path, tmp_path / "here")
    units = [Unit("a", ("b", "c")), Unit("a", ("b/c",)), Unit("a b", ("c",)), Unit("a", ()), Unit("a", ("é", "\udcff"))]
    kept.store({unit: FoundUnit(str(place)) for place, unit in enumerate(units)})
    found = kept.load()
    assert [found[unit].sight for unit in units[:4]] == ["0", "1", "2", "3"]
