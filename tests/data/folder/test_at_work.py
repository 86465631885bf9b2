"""Who reads long is told from who waits for a disk: by the processor's time that he uses."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from lib.data.folder import following
from lib.data.folder import source as folder
from lib.data.folder.processes import ahead
from lib.data.folder.processes.ahead import Ahead
from lib.data.folder.source import FolderSource
from tests.data.folder.lines_format import LinesFormat, write_lines
from tests.data.folder.test_following import names, page_of, until


@pytest.fixture
def lines(monkeypatch) -> LinesFormat:
    made = LinesFormat()
    monkeypatch.setattr(folder, "formats", lambda: (made,))
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    return made


def test_a_file_that_is_worked_on_is_waited_for_however_long_it_takes(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "STUCK_S", 0.5)
    monkeypatch.setattr(following, "AT_WORK_S", 1e-6)
    write_lines(tmp_path / "a" / "long.lines", "1 loss 0.5")
    lines.works["long.lines"] = 2.0
    source = FolderSource(tmp_path)
    source.settle()
    page = page_of(source)
    assert (names(page), page.unreadable) == ({"a"}, ())
    assert lines.asked.count("a/long.lines") == 1


def test_a_file_that_is_worked_on_for_ever_is_left(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(following, "STUCK_S", 0.5)
    monkeypatch.setattr(following, "AT_WORK_S", 1e-6)
    monkeypatch.setattr(following, "LONGEST_READ_S", 1.0)
    write_lines(tmp_path / "a" / "endless.lines", "1 loss 0.5")
    write_lines(tmp_path / "b" / "one.lines", "1 loss 0.25")
    lines.works["endless.lines"] = 30.0
    source = FolderSource(tmp_path)
    source.settle()
    page = page_of(source)
    assert (names(page), [each.path for each in page.unreadable]) == ({"b"}, ["a/endless.lines"])
    lines.works.clear()


def test_a_process_that_works_is_told_from_one_that_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(ahead, "LOOKED_AT_S", 0.0)
    reads = Ahead(tmp_path, "top")
    working = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    waiting = subprocess.Popen([sys.executable, "-c", "print('here', flush=True); input()"], stdin=-1, stdout=-1)
    try:
        assert waiting.stdout is not None
        waiting.stdout.readline()
        before = reads._worked(working)
        until(lambda: reads._worked(working) > before)
        # It has said that it is there, and does no more than wait now.
        time.sleep(0.2)
        rested = reads._worked(waiting)
        time.sleep(0.2)
        assert reads._worked(waiting) == rested
    finally:
        for process in (working, waiting):
            process.kill()
            process.communicate()
