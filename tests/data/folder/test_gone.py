"""Folders that are not there, cannot be opened or are not mounted: for a moment, or for good."""

from __future__ import annotations

import os
import shutil

import pytest

from lib.core.facts.errors import SourceUnavailable
from lib.data.folder import following, look, scan
from lib.data.folder.source import FolderSource
from tests.data.folder.lines_format import write_lines
from tests.data.folder.states import training, write
from tests.data.folder.test_following import lines, losses, names, page_of  # noqa: F401 - a fixture

ROWS = training(400, {200: 1.3, 400: 1.5})


def test_a_folder_that_is_gone_for_a_moment_keeps_its_run(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "GONE_S", 3600.0)
    write(tmp_path / "a", ROWS, planned=400)
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.5")
    source = FolderSource(tmp_path)
    before = {run.name: run for run in page_of(source).runs}
    for name in "ab":
        (tmp_path / name).rename(tmp_path.parent / f"{tmp_path.name}-{name}")
    gone = {run.name: run for run in page_of(source).runs}
    assert gone.keys() == before.keys()
    assert all(any("not there at the moment" in note for note in run.notes) for run in gone.values())
    assert len(losses(source, "a")) == 40
    for name in "ab":
        (tmp_path.parent / f"{tmp_path.name}-{name}").rename(tmp_path / name)
    assert {run.name: run.version for run in page_of(source).runs} == {n: run.version for n, run in before.items()}
    shutil.rmtree(tmp_path / "a")
    assert names(page_of(source)) == {"a", "b"}
    monkeypatch.setattr(look, "GONE_S", 0.0)
    assert names(page_of(source)) == {"b"}


def test_a_root_that_is_gone_for_a_moment_keeps_its_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "ROOT_GONE_S", 3600.0)
    root = tmp_path / "out"
    write(root / "a", ROWS, planned=400)
    source = FolderSource(root)
    assert names(page_of(source)) == {"a"}
    root.rename(tmp_path / "away")
    assert names(page_of(source)) == {"a"}
    monkeypatch.setattr(following, "ROOT_GONE_S", 0.0)
    with pytest.raises(SourceUnavailable):
        page_of(source)


def test_a_disk_that_is_not_mounted_keeps_its_runs_and_a_folder_that_was_emptied_does_not(tmp_path, monkeypatch):
    root = tmp_path / "out"
    write(root / "a", ROWS, planned=400)
    source = FolderSource(root)
    assert names(page_of(source)) == {"a"}
    # What a mount leaves when it goes: another folder, with nothing in it.
    root.rename(tmp_path / "disk")
    root.mkdir()
    with pytest.raises(SourceUnavailable, match="another folder is there now, and it is empty"):
        page_of(source)
    root.rmdir()
    (tmp_path / "disk").rename(root)
    assert names(page_of(source)) == {"a"}
    shutil.rmtree(root / "a")
    assert names(page_of(source)) == set()
    write(root / "b", ROWS, planned=400)
    assert names(page_of(source)) == {"b"}
    shutil.rmtree(root)
    root.mkdir()
    monkeypatch.setattr(scan, "EMPTY_S", 0.0)
    assert names(page_of(source)) == set()


def test_a_folder_below_that_is_not_mounted_keeps_its_run_for_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(look, "GONE_S", 3600.0)
    write(tmp_path / "a", ROWS, planned=400)
    source = FolderSource(tmp_path)
    assert names(page_of(source)) == {"a"}
    (tmp_path / "a").rename(tmp_path.parent / f"{tmp_path.name}-disk")
    (tmp_path / "a").mkdir()
    assert names(page_of(source)) == {"a"}
    monkeypatch.setattr(look, "GONE_S", 0.0)
    assert names(page_of(source)) == set()


def test_a_folder_that_cannot_be_opened_keeps_its_run_as_long_as_that_lasts(tmp_path, monkeypatch):
    write(tmp_path / "team" / "a", ROWS, planned=400)
    source = FolderSource(tmp_path)
    (before,) = page_of(source).runs
    opened = os.scandir

    def refused(path):
        if "team" in str(path):
            raise PermissionError(13, "Permission denied")
        return opened(path)

    # Whoever runs the tests may be root, to whom every folder is open.
    monkeypatch.setattr(scan.os, "scandir", refused)
    (during,) = page_of(source).runs
    assert during.run_id == before.run_id
    assert "cannot be opened at the moment" in during.notes[-1]
    assert len(losses(source, during.run_id)) == 40
    assert [each.path for each in page_of(source).unreadable] == ["team"]
    monkeypatch.setattr(scan.os, "scandir", opened)
    assert page_of(source).runs == (before,)
