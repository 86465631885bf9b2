"""The addresses of the files in ``static``, which may change below a server that keeps running."""

from __future__ import annotations

import os

import pytest

from lib.ui.frame import static


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "charts.js").write_text("export const one = 1;")
    (tmp_path / "charts.css").write_text("a { color: red; }")
    monkeypatch.setattr(static, "_STATIC", tmp_path)
    return tmp_path


def test_address_and_text_follow_the_files(files):
    before = static.version()
    assert static.version() == before
    (files / "charts.css").write_text("a { color: green; }")
    assert static.text("charts.css") == "a { color: green; }"
    assert static.version() != before
    after = static.version()
    (files / "further.js").write_text("")
    assert static.version() != after, "a file more"


def test_a_file_of_the_same_length_is_another_one(files):
    before, stamp = static.version(), (files / "charts.js").stat()
    (files / "charts.js").write_text("export const one = 2;")
    os.utime(files / "charts.js", ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert static.version() != before


def test_what_an_editor_leaves_beside_them_is_none_of_them(files):
    before = static.version()
    (files / ".#charts.js").symlink_to(files / "nowhere")
    (files / "charts.js~").write_text("old")
    assert static.version() == before
