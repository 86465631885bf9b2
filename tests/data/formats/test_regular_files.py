from __future__ import annotations

import fcntl
import os
import signal
import socket
import time

import pytest

from lib.core.facts.query import RunQuery
from lib.data.folder.source import FolderSource
from lib.data.formats.files import NotReadable, open_regular, read_bytes
from lib.data.trainer.training_files import Unread, read_data
from tests.app.harness import write_run


def test_a_file_and_a_link_to_it_are_read(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 100) == b"content"
    with open_regular(tmp_path / "file", 100) as file:
        assert file.read(3) == b"con"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("folder", "found a folder"),
        ("pipe", "found a folder or a device"),
        ("large", "files above 0 MB"),
        ("pointer", "Git LFS"),
        ("dangling", "leads to no file"),
        ("absent", "could not be opened"),
    ],
)
@pytest.mark.parametrize("read", [read_bytes, open_regular])
def test_what_is_not_read_is_said_and_nothing_waits(tmp_path, name, part, read) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(101))
    (tmp_path / "pointer").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(NotReadable, match=part):
        read(tmp_path / name, 100)


def test_what_the_system_calls_a_file_and_has_no_end_is_empty(tmp_path) -> None:
    # They say that they have no bytes, and then send some whenever they like.
    (tmp_path / "system").symlink_to("/proc/self/environ")
    assert read_bytes(tmp_path / "system", 100) == b""
    with open_regular(tmp_path / "system", 100) as file:
        assert file.read() == b""


def test_a_file_that_another_program_has_leased_is_not_waited_for(tmp_path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text("{}")
    with path.open("r+b") as held:
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        # The kernel tells who holds it that somebody else wants it.
        told = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            began = time.monotonic()
            read = read_data(path)
            with pytest.raises(NotReadable, match="could not be opened"):
                read_bytes(path, 100)
            assert time.monotonic() - began < 10, "the kernel lets others wait for 45 seconds"
        finally:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            signal.signal(signal.SIGIO, told)
    assert isinstance(read, Unread)
    assert read.transient, "it is looked at again"
    assert read_data(path) == b"{}"


@pytest.mark.parametrize("kind", ["device", "pipe", "socket"])
def test_a_log_that_is_no_file_is_named_and_the_others_are_listed(tmp_path, kind) -> None:
    write_run(tmp_path / "good", [1.0, 0.5])
    (tmp_path / "bad").mkdir()
    place = tmp_path / "bad" / "trainer_state.json"
    if kind == "device":
        place.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(place))
    source = FolderSource(tmp_path)
    source.settle()
    page = source.list_runs(RunQuery())
    assert [run.name for run in page.runs] == ["good"]
    assert [problem.path for problem in page.unreadable] == ["bad/trainer_state.json"]
