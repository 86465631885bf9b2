"""Many units are read by other processes, which say the same as one that reads them itself."""

from __future__ import annotations

import json
import signal
import time

import pytest

from lib.core.facts.query import RunPage, RunQuery
from lib.data.folder import look
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.folder.processes import ahead, started
from lib.data.folder.processes.ahead import Ahead
from lib.data.folder.reading import TRAINER
from lib.data.folder.source import FolderSource
from lib.data.folder.units import Unit
from tests.data.folder.states import save, training, write


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    """Two, however few units and processors there are."""
    monkeypatch.setattr(ahead, "LEAST", 1)
    monkeypatch.setattr(ahead.os, "cpu_count", lambda: 2)


@pytest.fixture
def outputs(tmp_path):
    for number in range(60):
        folder = tmp_path / f"run {number} \udcff" if number == 7 else tmp_path / f"run{number}"
        rows = training(100, {50: 1.5 + number / 100, 100: 1.25}, seed=number)
        write(folder, rows, planned=100)
        (folder / "training_args.json").write_text(json.dumps({"learning_rate": 1e-4, "seed": number}))
        if number % 10 == 0:
            write(folder / "checkpoint-50", [row for row in rows if row["step"] <= 50], planned=100)
            save(folder / "checkpoint-80")
            save(folder / "best_model")
    (tmp_path / "run3" / "trainer_state.json").write_text("{")
    for number in range(3):
        folder = tmp_path / f"other{number}" / "lightning_logs" / "version_0"
        folder.mkdir(parents=True)
        rows = [f"0,{step},{(number + 2) / step},{number + 1 / step}" for step in range(1, 20)]
        (folder / "metrics.csv").write_text("\n".join(("epoch,step,train_loss,val_loss", *rows)) + "\n")
        (folder / "hparams.yaml").write_text(f"lr: 0.{number + 1}\n")
        (folder / "training_args.json").write_text(json.dumps({"seed": number}))
    return tmp_path


def listed(root) -> RunPage:
    return FolderSource(root).list_runs(RunQuery(limit=10**6))


def test_they_say_the_same(outputs, monkeypatch):
    read: list[Unit] = []
    real = Ahead.take

    def take(self, unit, goes_on):
        found = real(self, unit, goes_on)
        read.extend([unit] if found is not None else [])
        return found

    monkeypatch.setattr(Ahead, "take", take)
    theirs = listed(outputs)
    assert len([unit for unit in read if unit.format == TRAINER]) == 60
    assert len([unit for unit in read if unit.format == "Lightning"]) == 3
    monkeypatch.setattr(ahead, "LEAST", 10**9)
    ours = listed(outputs)
    assert theirs.total == 62
    assert repr(theirs) == repr(ours)
    assert {run.run_id: run.version for run in theirs.runs} == {run.run_id: run.version for run in ours.runs}


def test_what_they_read_can_be_looked_at(outputs):
    source = FolderSource(outputs)
    assert source.list_runs(RunQuery()).total == 62
    assert len(source.load_curves(["run10"])["run10"].get("train_loss")) == 10


def test_where_they_are_lost_all_is_read_all_the_same(outputs, monkeypatch):
    real = Ahead._start

    def start_and_kill(self, root, top):
        real(self, root, top)
        self._processes[-1].send_signal(signal.SIGKILL)

    monkeypatch.setattr(Ahead, "_start", start_and_kill)
    assert listed(outputs).total == 62


def test_where_none_can_be_started_all_is_read(outputs, monkeypatch):
    monkeypatch.setattr(started.sys, "executable", "/nowhere/python")
    assert listed(outputs).total == 62


def test_they_end_with_the_look(outputs, monkeypatch):
    begun = []
    real = Ahead._start

    def start(self, root, top):
        real(self, root, top)
        begun.extend(self._processes)

    monkeypatch.setattr(Ahead, "_start", start)
    listed(outputs)
    end = time.monotonic() + 60
    while any(each.poll() is None for each in begun):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert begun


def test_they_start_while_a_large_tree_is_walked_through(outputs, tmp_path_factory, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(ahead, "LEAST_FOLDERS", 10)
    monkeypatch.setattr(ahead, "LEAST", 100)
    walked: list[bool] = []
    real = look.scan_tree

    def scan(root, formats, told, skipped):
        found = real(root, formats, told, skipped)
        walked.append(bool(expected))
        return found

    expected: list[Ahead] = []
    expect = Ahead.expect
    monkeypatch.setattr(look, "scan_tree", scan)
    monkeypatch.setattr(Ahead, "expect", lambda self: expected.append(self) or expect(self))
    FolderSource(outputs).settle()
    assert walked == [True]
    expected.clear()
    # What is remembered need not be read.
    FolderSource(outputs).settle()
    assert walked == [True, False]
    assert not expected


def test_few_units_are_not_worth_a_process(outputs, monkeypatch):
    monkeypatch.setattr(ahead, "LEAST", 100)
    monkeypatch.setattr(ahead.subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert listed(outputs).total == 62
