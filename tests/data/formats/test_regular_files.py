from __future__ import annotations

import os

import pytest

from lib.data.formats.files import NotReadable, open_regular, read_bytes


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
