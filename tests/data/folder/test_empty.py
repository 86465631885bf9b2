"""A file that is empty: for a moment, while it is written anew, and where nothing was ever written to it."""

from __future__ import annotations

import os

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder import look
from lib.data.folder import source as folder
from lib.data.folder.gathered import scan_digest
from lib.data.folder.last_good import UNREAD
from lib.data.folder.scan import scan_tree
from lib.data.folder.source import FolderSource
from lib.data.formats.logged import EMPTY
from lib.data.formats.registry import formats
from tests.data.folder.every_log import WRITERS
from tests.data.folder.states import training, write
from tests.data.folder.test_following import until

SEVERAL = ("DVCLive", "SwanLab")
"""Of these another file holds the curves."""


@pytest.fixture(autouse=True)
def looked_at_every_time(monkeypatch):
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    monkeypatch.setattr(look, "REST", 0.0)


def runs(source):
    return source.list_runs(RunQuery(limit=10**4)).runs


def points(source):
    found = source.load_curves([run.run_id for run in runs(source)])
    return {run_id: {name: len(curve) for name, curve in run.curves.items()} for run_id, run in found.items()}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_log_that_is_empty_for_a_moment_keeps_its_run_and_its_curves(tmp_path, kind):
    own = tmp_path / "own"
    own.mkdir()
    WRITERS[kind](own)
    log = max((path for path in own.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    whole = log.read_bytes()
    source = FolderSource(tmp_path)
    source.settle()
    before, drawn = [run.run_id for run in runs(source)], points(source)
    assert before
    seen = source._opened.gatherer._scan
    os.truncate(log, 0)
    if kind in SEVERAL:
        until(lambda: runs(source) and source._opened.gatherer._scan not in (None, seen))
    else:
        until(lambda: any(UNREAD in run.notes for run in runs(source)))
        assert points(source) == drawn
    assert [run.run_id for run in runs(source)] == before
    assert not any(EMPTY in each.why for each in source.list_runs(RunQuery()).unused)
    log.write_bytes(whole)
    until(lambda: not any(UNREAD in run.notes for run in runs(source)))
    assert [run.run_id for run in runs(source)] == before
    assert points(source) == drawn


def test_a_log_that_is_begun_anew_is_what_it_says_now(tmp_path):
    (tmp_path / "log.csv").write_text("step,train_loss\n" + "".join(f"{step},0.5\n" for step in range(50)))
    source = FolderSource(tmp_path)
    source.settle()
    (tmp_path / "log.csv").write_text("")
    until(lambda: UNREAD in runs(source)[0].notes)
    (tmp_path / "log.csv").write_text("step,train_loss\n0,0.9\n1,0.8\n2,0.7\n")
    until(lambda: UNREAD not in runs(source)[0].notes)
    assert list(points(source).values()) == [{"train_loss": 3}]


def test_a_log_that_goes_while_it_is_empty_takes_its_run_along(tmp_path):
    (tmp_path / "log.csv").write_text("step,train_loss\n" + "".join(f"{step},0.5\n" for step in range(50)))
    write(tmp_path / "other", training(100, {50: 1.5, 100: 1.2}), planned=100)
    source = FolderSource(tmp_path)
    source.settle()
    (tmp_path / "log.csv").write_text("")
    until(lambda: any(UNREAD in run.notes for run in runs(source)))
    (tmp_path / "log.csv").unlink()
    until(lambda: [run.name for run in runs(source)] == ["other"])


def test_very_many_empty_files_are_not_opened_and_are_one_line(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number}.csv").touch()
        (tmp_path / f"{number}.jsonl").touch()
    for name in ("train.log", "stdout.txt", "stderr.log", "config.json"):
        (tmp_path / name).touch()
    write(tmp_path / "other", training(100, {50: 1.5, 100: 1.2}), planned=100)
    source = FolderSource(tmp_path)
    source.settle()
    assert [run.name for run in runs(source)] == ["other"]
    asked = source._opened.gatherer._last.files.values()
    assert not [
        path for files in asked for path in files.paths if path[-1].endswith((".csv", ".jsonl", ".log", ".txt"))
    ]
    said = [each.why for each in source.list_runs(RunQuery()).unused]
    assert sum("2,001 files, such as " in why and why.endswith(EMPTY) for why in said) == 1, said
    (tmp_path / "7.csv").write_text("step,train_loss\n0,0.9\n1,0.8\n2,0.7\n")
    until(lambda: len(runs(source)) == 2)


@pytest.mark.parametrize("change", ["a file", "what it holds", "its name", "a folder", "another kind", "weights"])
def test_a_tree_is_called_otherwise_after_every_change(tmp_path, change):
    write(tmp_path / "run", training(100, {50: 1.5, 100: 1.2}), planned=100)
    (tmp_path / "log.csv").write_text("step,train_loss\n0,0.9\n")
    before = scan_digest(scan_tree(tmp_path, formats()))
    assert scan_digest(scan_tree(tmp_path, formats())) == before
    {
        "a file": lambda: (tmp_path / "log2.csv").touch(),
        "what it holds": lambda: (tmp_path / "log.csv").write_text("step,train_loss\n0,0.91\n"),
        "its name": lambda: (tmp_path / "log.csv").rename(tmp_path / "log2.csv"),
        "a folder": lambda: (tmp_path / "new").mkdir(),
        "another kind": lambda: (tmp_path / "x.png").touch(),
        "weights": lambda: (tmp_path / "run" / "checkpoint-50").mkdir(),
    }[change]()
    assert scan_digest(scan_tree(tmp_path, formats())) != before
