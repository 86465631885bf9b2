"""Curves on a disk that does not answer: nobody waits for them for long, and they are shown when they came."""

from __future__ import annotations

import os
import threading

import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.data.folder import following, look, scan
from lib.data.folder import source as folder
from lib.data.folder.source import FolderSource
from tests.data.folder.lines_format import LinesFormat, write_lines
from tests.data.folder.test_following import until


def losses(source: FolderSource, name: str) -> list[float]:
    (run_id,) = [run.run_id for run in source.list_runs(RunQuery()).runs if run.name == name]
    return source.load_curves([run_id])[run_id].get("train_loss").value.tolist()


@pytest.fixture
def lines(monkeypatch) -> LinesFormat:
    made = LinesFormat()
    monkeypatch.setattr(folder, "formats", lambda: (made,))
    # Every look at a curve is one at the disk.
    monkeypatch.setattr(look, "KEPT_POINTS", 0)
    return made


def two_runs(root) -> None:
    for name, loss in (("a", 0.5), ("b", 0.25)):
        write_lines(root / name / f"{name}.lines", f"1 loss {loss}")


def test_whoever_wants_the_curves_is_told_and_gets_them_later(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(folder, "LONGEST_S", 0.2)
    two_runs(tmp_path)
    source = FolderSource(tmp_path)
    assert {run.name for run in source.list_runs(RunQuery()).runs} == {"a", "b"}
    before = lines.asked.count("a/a.lines")
    lines.waits["a.lines"] = threading.Event()
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="is still being read"):
            losses(source, "a")
    assert lines.asked.count("a/a.lines") == before + 1, "whoever asks again waits for the same read"
    assert losses(source, "b") == [0.25], "others are read meanwhile"
    (late,) = source._waiting._reads.values()
    lines.waits["a.lines"].set()
    assert late.over.wait(60)
    assert losses(source, "a") == [0.5]
    assert lines.asked.count("a/a.lines") == before + 1, "what came late is there for the next"


def test_whoever_settled_for_all_of_it_waits(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(folder, "LONGEST_S", 0.0)
    two_runs(tmp_path)
    source = FolderSource(tmp_path)
    source.settle()
    lines.waits["a.lines"] = threading.Event()
    threading.Timer(0.3, lines.waits["a.lines"].set).start()
    assert losses(source, "a") == [0.5]


def test_a_root_whose_disk_hangs_keeps_nothing_from_starting(tmp_path, lines, monkeypatch):
    answers, real = threading.Event(), os.path.realpath

    def hangs(path, **how):
        if os.fspath(path) == str(tmp_path):
            answers.wait(60)
        return real(path, **how)

    monkeypatch.setattr(folder.os.path, "realpath", hangs)
    monkeypatch.setattr(folder, "LONGEST_S", 0.2)
    two_runs(tmp_path)
    source = FolderSource(tmp_path)
    assert (source.title, source.cache_key) == (tmp_path.name, FolderSource(tmp_path).cache_key)
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match=rf"{tmp_path.name}.* does not answer"):
            source.list_runs(RunQuery())
    answers.set()
    until(lambda: not source._opening._reads or next(iter(source._opening._reads.values())).over.is_set())
    assert {run.name for run in source.list_runs(RunQuery()).runs} == {"a", "b"}


def test_a_root_that_hangs_when_it_is_looked_into_is_said(tmp_path, lines, monkeypatch):
    answers, real = threading.Event(), scan.check_root

    def hangs(root):
        answers.wait(60)
        real(root)

    monkeypatch.setattr(scan, "check_root", hangs)
    monkeypatch.setattr(following, "PATIENCE_S", 0.3)
    monkeypatch.setattr(following, "LONGEST_S", 0.2)
    two_runs(tmp_path)
    source = FolderSource(tmp_path)
    with pytest.raises(SourceUnavailable, match="does not answer"):
        source.list_runs(RunQuery())
    answers.set()
    until(lambda: not source._open().follower._is_looking)
    assert {run.name for run in source.list_runs(RunQuery()).runs} == {"a", "b"}
