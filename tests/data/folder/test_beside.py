"""A long log is read by a process of its own, which says the same; one that is lost is replaced, and it is said."""

from __future__ import annotations

import json
import math
import os
import signal
import threading

import numpy as np
import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunPage, RunQuery
from lib.data.folder import look
from lib.data.folder import source as folder
from lib.data.folder.processes import beside, started
from lib.data.folder.reading import UnitReader
from lib.data.folder.source import FolderSource
from tests.data.folder.states import save, training, write
from tests.data.folder.test_following import until

NAMES = {"state", "lines", "csv"}


@pytest.fixture(autouse=True)
def asked_every_time(monkeypatch):
    """Every look is a new one, and every curve is read for whoever asks."""
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    monkeypatch.setattr(look, "KEPT_POINTS", 0)


@pytest.fixture
def outputs(tmp_path):
    rows = training(400, {200: 1.5, 400: 1.25})
    rows[3]["loss"] = math.nan
    write(tmp_path / "state", rows, planned=400, best_metric=1.25)
    save(tmp_path / "state" / "checkpoint-400")
    (tmp_path / "state" / "training_args.json").write_text(json.dumps({"seed": 7}))
    (tmp_path / "lines").mkdir()
    lines = [{"current_steps": step, "total_steps": 50, "loss": 2 / step, "lr": 1e-4} for step in range(1, 50)]
    (tmp_path / "lines" / "trainer_log.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    (tmp_path / "csv" / "lightning_logs" / "version_0").mkdir(parents=True)
    cells = [f"0,{step},{2 / step},{1 + 1 / step}" for step in range(1, 20)]
    (tmp_path / "csv" / "lightning_logs" / "version_0" / "metrics.csv").write_text(
        "\n".join(("epoch,step,train_loss,val_loss", *cells)) + "\n"
    )
    return tmp_path


@pytest.fixture
def processes(monkeypatch):
    """The processes that were started to read something long, which everything is."""
    begun = []
    real = beside.started

    def start(*how, **given):
        begun.append(real(*how, **given))
        return begun[-1]

    monkeypatch.setattr(beside, "started", start)
    monkeypatch.setattr(beside, "LONG_BYTES", 1)
    return begun


def page_of(source: FolderSource) -> RunPage:
    source.settle()
    return source.list_runs(RunQuery(limit=10**6))


def ids_of(page: RunPage) -> dict[str, str]:
    return {name: run.run_id for run in page.runs for name in NAMES if name in run.run_id}


def said(root) -> tuple:
    """All that a source says of a folder."""
    source = FolderSource(root)
    page = page_of(source)
    curves = source.load_curves([run.run_id for run in page.runs])
    plain = {
        (run_id, metric): (*(column.tobytes() for column in curve.columns), curve.logged, curve.lost, curve.median)
        for run_id, run in curves.items()
        for metric, curve in run.curves.items()
    }
    rest = {run_id: (run.unread, run.rows, run.may_have_more) for run_id, run in curves.items()}
    return repr(page), plain, rest


def test_a_process_says_the_same(outputs, processes, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(UnitReader, "read", lambda *_, **__: pytest.fail("it is read by a process"))
        theirs = said(outputs)
    assert len(processes) >= 2 * len(NAMES), "for the list, and once more for the curves"
    monkeypatch.setattr(beside, "LONG_BYTES", 10**12)
    assert theirs == said(outputs)
    assert any(np.isnan(np.frombuffer(columns[1])).any() for columns in theirs[1].values())


def test_what_is_not_long_needs_no_process(outputs, processes, monkeypatch):
    monkeypatch.setattr(beside, "LONG_BYTES", 16 * 10**6)
    said(outputs)
    assert processes == []


def test_curves_cannot_be_changed_by_anybody(outputs, processes):
    source = FolderSource(outputs)
    run_id = ids_of(page_of(source))["state"]
    with pytest.raises(ValueError, match="read-only"):
        source.load_curves([run_id])[run_id].get("train_loss").value[0] = 1.0


def test_a_process_that_is_lost_is_told_of_and_the_next_one_reads(outputs, processes, monkeypatch):
    source = FolderSource(outputs)
    run_id = ids_of(page_of(source))["state"]
    real, killed = beside.started, []

    def start_and_kill(*how, **given):
        killed.append(real(*how, **given))
        os.kill(killed[-1].pid, signal.SIGKILL)
        return killed[-1]

    with monkeypatch.context() as patched:
        patched.setattr(beside, "started", start_and_kill)
        with pytest.raises(SourceUnavailable, match=r"state/trainer_state.json broke off.*signal 9"):
            source.load_curves([run_id])
    assert killed
    assert len(source.load_curves([run_id])[run_id].get("train_loss")) == 40


def test_a_list_names_what_a_lost_process_was_to_read_and_has_it_later(outputs, processes, monkeypatch):
    real = beside.started

    def start_and_kill(*how, **given):
        process = real(*how, **given)
        os.kill(process.pid, signal.SIGKILL)
        return process

    monkeypatch.setattr(look, "REST", 0.0)
    source = FolderSource(outputs)
    with monkeypatch.context() as patched:
        patched.setattr(beside, "started", start_and_kill)
        page = page_of(source)
    assert page.total == 0
    assert {each.path for each in page.unreadable} >= {"state/trainer_state.json", "lines/trainer_log.jsonl"}
    assert all("broke off" in each.reason for each in page.unreadable)
    page = page_of(source)
    assert (ids_of(page).keys(), page.unreadable) == (NAMES, ())


def test_where_no_process_can_be_started_all_is_read_here(outputs, processes, monkeypatch):
    monkeypatch.setattr(started.sys, "executable", "/nowhere/python")
    assert ids_of(page_of(FolderSource(outputs))).keys() == NAMES


def test_one_that_waits_for_its_disk_lets_others_read(outputs, processes, monkeypatch):
    monkeypatch.setattr(beside, "IDLE_S", 0.2)
    monkeypatch.setattr(beside, "LOOKED_AT_S", 0.05)
    monkeypatch.setattr(beside, "_TURNS", threading.BoundedSemaphore(1))
    source = FolderSource(outputs)
    ids = ids_of(page_of(source))
    real, stopped = beside.started, []

    def start_and_stop(*how, **given):
        process = real(*how, **given)
        if not stopped:
            process.send_signal(signal.SIGSTOP)
            stopped.append(process)
        return process

    monkeypatch.setattr(beside, "started", start_and_stop)
    found = {}
    waiting = threading.Thread(target=lambda: found.update(source.load_curves([ids["state"]])))
    waiting.start()
    until(lambda: stopped)
    assert ids["lines"] in source.load_curves([ids["lines"]])
    stopped[0].send_signal(signal.SIGCONT)
    waiting.join(120)
    assert ids["state"] in found


def test_a_process_that_was_asked_in_vain_is_asked_for_the_next_format_and_ends_with_the_look(tmp_path, processes):
    """Of a table several formats are asked, and a process takes as long to start as a short log to read."""
    rows = "".join(f"{step},{2 / step}\n" for step in range(1, 50))
    (tmp_path / "metrics.csv").write_text("step,train_loss\n" + rows)
    source = FolderSource(tmp_path)
    assert page_of(source).total == 1
    assert len(processes) == 1
    assert processes[0].wait(60) is not None


def test_a_process_that_ended_while_it_waited_is_replaced(tmp_path, processes, monkeypatch):
    rows = "".join(f"{step},{2 / step}\n" for step in range(1, 50))
    (tmp_path / "metrics.csv").write_text("step,train_loss\n" + rows)
    real = beside.Beside._is_kept

    def kept_and_killed(self, mine):
        kept = real(self, mine)
        mine.process.kill()
        mine.process.wait()
        return kept

    monkeypatch.setattr(beside.Beside, "_is_kept", kept_and_killed)
    page = page_of(FolderSource(tmp_path))
    assert (page.total, page.unreadable) == (1, ())
    assert len(processes) > 1


def test_a_process_whose_answer_is_not_understood_is_not_waited_for(tmp_path, processes, monkeypatch):
    """It has said that a file is of another format, and waits for the next question."""
    (tmp_path / "metrics.csv").write_text("step,train_loss\n" + "".join(f"{n},{2 / n}\n" for n in range(1, 50)))

    def refused(*_):
        raise ValueError("not understood")

    monkeypatch.setattr(beside, "read", refused)
    assert page_of(FolderSource(tmp_path)).total == 1, "it is read here instead"
    assert [each.wait(60) for each in processes]
