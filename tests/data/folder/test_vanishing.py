"""A folder, or its only log, goes or becomes something else at any moment of a look: it is said, and all comes back."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.query import RunQuery
from lib.data.folder import look
from lib.data.folder import source as folder
from lib.data.folder.processes import beside
from lib.data.folder.source import FolderSource
from lib.data.source import IncompleteRead
from tests.data.folder.every_log import WRITERS
from tests.data.folder.states import training, write
from tests.data.folder.test_following import until

ASKED = ("open", "scandir", "stat", "lstat", "readlink", "read", "fstat")
"""What the disk is asked through."""
OTHER = "other"
Change = Callable[[Path, Path], object]


def goes(folder: Path, _: Path) -> None:
    shutil.rmtree(folder)


def becomes_a_file(folder: Path, _: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("x")


def leads_to_itself(folder: Path, _: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder)


def loses_its_log(_: Path, log: Path) -> None:
    log.unlink()


def has_a_folder_for_a_log(_: Path, log: Path) -> None:
    log.unlink()
    log.mkdir()


def has_a_pipe_for_a_log(_: Path, log: Path) -> None:
    log.unlink()
    os.mkfifo(log)


def has_a_cut_log(_: Path, log: Path) -> None:
    os.truncate(log, log.stat().st_size // 2)


def has_another_log(_: Path, log: Path) -> None:
    log.write_bytes(b"\xff\x00 no log at all\n" * 1000)


CHANGES = (
    *(goes, becomes_a_file, leads_to_itself),
    *(loses_its_log, has_a_folder_for_a_log, has_a_pipe_for_a_log, has_a_cut_log, has_another_log),
)


class Moments:
    """Every moment at which the disk is asked something below a folder, or a process is started to read there.

    Attributes:
        count: How many there were.
        starts: Those at which a process was started.
    """

    def __init__(self, below: Path) -> None:
        self.count, self.starts = 0, list[int]()
        self._below, self._opened = str(below), set[int]()
        self._at, self._change = -1, lambda: None

    def at(self, moment: int, change: Callable[[], object]) -> None:
        """Change something just before a moment."""
        self._at, self._change = moment, change

    def start(self) -> None:
        """A process is started."""
        self.starts.append(self.count)
        self.note()

    def note(self) -> None:
        """The disk is asked."""
        self.count += 1
        if self.count - 1 == self._at:
            self._change()

    def asking(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        """A function of ``os`` whose calls are moments."""

        def asked(what: Any, *how: Any, **more: Any) -> Any:
            is_ours = self._is_ours(what)
            if is_ours:
                self.note()
            answer = ask(what, *how, **more)
            if is_ours and ask.__name__ == "open":
                self._opened.add(answer)
            return answer

        return asked

    def _is_ours(self, what: Any) -> bool:
        if isinstance(what, int):
            return what in self._opened
        path = os.fsdecode(what)
        return path == self._below or path.startswith(f"{self._below}/")


@contextmanager
def moments(below: Path) -> Iterator[Moments]:
    found = Moments(below)
    start = beside.started
    with pytest.MonkeyPatch.context() as patch:
        for name in ASKED:
            patch.setattr(os, name, found.asking(getattr(os, name)))
        patch.setattr(beside, "started", lambda *how, **also: (found.start(), start(*how, **also))[1])
        yield found


def points(source: FolderSource) -> dict[str, dict[str, int]]:
    """How many points each curve of each run has, of those that can be read."""
    runs = [run.run_id for run in source.list_runs(RunQuery(limit=10**4)).runs]
    try:
        found: Mapping[str, RunCurves] = source.load_curves(runs)
    except IncompleteRead as error:
        found = error.curves
    return {run_id: {name: len(curve) for name, curve in run.curves.items()} for run_id, run in found.items()}


@pytest.fixture(autouse=True)
def asked_every_time(monkeypatch):
    """Every look is a new one, and every curve is read for whoever asks."""
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    monkeypatch.setattr(look, "KEPT_POINTS", 0)
    monkeypatch.setattr(look, "REST", 0.0)


def looked_at(tmp_path: Path, kind: str, change: Change | None, moment: int, *, is_all: bool) -> Moments:
    """Look at a folder that changes at a moment, and again when it is as it was; the moments of the first look."""
    root = tmp_path / f"{change.__name__ if change else 'whole'}-{moment}"
    own = root / "own"
    own.mkdir(parents=True)
    WRITERS[kind](own)
    write(root / OTHER, training(100, {50: 1.5, 100: 1.2}), planned=100)
    log = max((path for path in own.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    shutil.copytree(own, root.with_suffix(".whole"))
    watched = own if is_all else root
    whole = points(FolderSource(watched))
    source = FolderSource(watched)
    with moments(own) as found:
        if change is not None:
            found.at(moment, lambda: change(own, log))
        # Of a folder that is all there is nothing may be left to list.
        with contextlib.suppress(AppError) if is_all else contextlib.nullcontext():
            source.settle()
            seen = points(source)
            assert is_all or seen[OTHER] == whole[OTHER], "the others are as they were"
    if own.is_symlink() or own.is_file():
        own.unlink()
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(root.with_suffix(".whole"), own)

    def is_back() -> bool:
        try:
            source.settle()
            return points(source) == whole
        except AppError:
            return False

    until(is_back)
    return found


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("is_all", [False, True], ids=["beside another", "all there is"])
def test_at_every_moment_of_a_look(tmp_path, caplog, change, is_all):
    count = looked_at(tmp_path, "table", None, -1, is_all=is_all).count
    assert count >= 4
    for moment in range(count):
        looked_at(tmp_path, "table", change, moment, is_all=is_all)
    assert [record.exc_text for record in caplog.records if record.exc_info] == []


def test_while_a_process_of_its_own_reads(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(beside, "LONG_BYTES", 1)
    monkeypatch.setattr(look, "KEPT_POINTS", 10**6)
    whole = looked_at(tmp_path, "table", None, -1, is_all=True)
    # A process is started when all but the log itself was looked at.
    looked_at(tmp_path, "table", loses_its_log, whole.starts[0], is_all=True)
    assert [record.exc_text for record in caplog.records if record.exc_info] == []
