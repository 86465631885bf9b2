"""Files with a JSON object in each line, as objects."""

from __future__ import annotations

import json
from typing import Any


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


def rows_of_part(part: bytes) -> tuple[list[dict[str, Any]], int]:
    """The objects of some lines with one in each, and how many other lines are none.

    The last line may be cut off, as it is while it is being written, and does not count. As objects a file takes ten
    times its size: who reads it keeps their numbers only, of some thousand lines at a time.
    """
    rows = _plain_rows(part)
    return _rows_line_by_line(part) if rows is None else (rows, 0)


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
