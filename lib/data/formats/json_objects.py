"""Files with a JSON object in each line, as objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_PART = 2 * 2**20
"""So many bytes of a file are objects at a time."""


def object_in(line: bytes | str) -> dict[str, Any] | None:
    """The JSON object that a line is; ``None`` where it is none."""
    import orjson

    try:
        # Several times as fast as what reads NaN, halves of surrogate pairs and other encodings too.
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def rows_of_lines(data: bytes) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """The objects of a file with one in each line, some thousands at a time, and how many other lines are none.

    The last line may be cut off, as it is while it is being written, and does not count. As objects a file takes ten
    times its size: who reads it keeps their numbers only.
    """
    data, begin = data.removeprefix(b"\xef\xbb\xbf"), 0
    while begin < len(data):
        end = data.find(b"\n", begin + _PART) + 1 or len(data)
        part = data[begin:end]
        rows = _plain_rows(part)
        yield _rows_line_by_line(part) if rows is None else (rows, 0)
        begin = end


def _plain_rows(part: bytes) -> list[dict[str, Any]] | None:
    """The objects of lines that hold nothing else, read at once; ``None`` where they may be otherwise."""
    import orjson

    body = part.removesuffix(b"\n")
    ends = body.count(b"\n")
    if not (body.startswith(b"{") and body.endswith(b"}") and body.count(b"}\n{") == ends):
        return None
    try:
        rows: list[dict[str, Any]] = orjson.loads(b"[" + body.replace(b"\n", b",") + b"]")
    except orjson.JSONDecodeError:
        return None
    return rows if len(rows) == ends + 1 and set(map(type, rows)) == {dict} else None


def _rows_line_by_line(part: bytes) -> tuple[list[dict[str, Any]], int]:
    rows, wrong = [], 0
    lines = part.split(b"\n")
    for place, line in enumerate(lines):
        text = line.strip(b" \t\r\x00")
        if not text:
            continue
        if (row := object_in(text)) is None:
            row = object_in(text.decode("utf-8", errors="replace"))
        if row is not None:
            rows.append(row)
        elif place < len(lines) - 1:
            wrong += 1
    return rows, wrong
