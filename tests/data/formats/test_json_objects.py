"""Files with an object in each line: the same objects whether they are read many at once or line by line."""

from __future__ import annotations

from typing import Any

import pytest

from lib.data.formats import json_columns, json_objects
from lib.data.formats.json_columns import lines_of
from lib.data.formats.json_objects import object_in


def read(data: bytes) -> tuple[list[dict[str, Any]], int]:
    # Every line has nothing in it somewhere, so that none is read as cells.
    parts = [lines.objects() for lines in lines_of(data, as_objects=(b"",))]
    return [row for rows, _ in parts for row in rows], sum(wrong for _, wrong in parts)


def test_lines_that_are_torn_or_none() -> None:
    rows, wrong = read(b'\xef\xbb\xbf{"a": 1}\r\n\n[1]\nx\n{"b": NaN}\n\x00\x00\n{"c": ')
    assert [list(row) for row in rows] == [["a"], ["b"]]
    assert wrong == 2
    assert read(b"[" * 100_000) == ([], 0)
    assert read(b"") == ([], 0)


LINES = [
    b'{"a": 1}',
    b'{"a": {"b": [1, {"c": 2}]}}',
    b'{"t": "}\\n{"}',
    b'{"t": "\xc3\xa9 }, {"}',
    b'{"t": "\xff"}',
    b'{"n": NaN}',
    b'{"half": "\\ud800"}',
    b'{"x": [{"y": 1}',
    b'{"y": 2}]}',
    b'{"a": 1}, {"b": 2}',
    b"[1]",
    b"",
    b'{"a": 1}\r',
]


@pytest.mark.parametrize("part", [1, 30, 10**6])
@pytest.mark.parametrize("end", [b"", b"\n", b'\n{"torn": '])
def test_however_it_is_read_it_is_line_by_line(monkeypatch, part, end) -> None:
    monkeypatch.setattr(json_columns, "PART", part)
    for odd in LINES:
        lines = [b'{"k": 0, "l": 1.5}', b'{"k": 1}', odd, b'{"k": 2}']
        each = [object_in(line.strip(b"\r")) or object_in(line.decode(errors="replace")) for line in lines]
        rows, wrong = read(b"\n".join(lines) + end)
        assert repr(rows) == repr([row for row in each if row is not None]), odd
        assert wrong == sum(row is None and line != b"" for line, row in zip(lines, each, strict=True)), odd


def test_plain_lines_are_not_read_one_by_one(monkeypatch) -> None:
    monkeypatch.setattr(json_objects, "object_in", None)
    assert read(b'{"a": 1}\n{"b": {"c": 2}}\n') == ([{"a": 1}, {"b": {"c": 2}}], 0)
