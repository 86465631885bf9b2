"""Rows of a JSON answer, each by itself: one that cannot be read takes no other one with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib.core.facts.sizes import DEEPEST, Cut, decimal_number, whole_number

_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]', re.DOTALL)
_DECODER = json.JSONDecoder(
    parse_int=whole_number,
    parse_float=decimal_number,
    # A tab or the end of a line inside a text is no reason to lose a row.
    strict=False,
)


class NotWhole(ValueError):
    """The answer is no JSON array, or is cut off."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands in the place of a row that is no JSON, or no object; why, in words that go on from "got"."""

    got: str

    def __str__(self) -> str:
        return self.got


def value_of_json(written: str) -> Any:
    """One value, as far down as anybody looks; ``Broken`` for what is no JSON."""
    return _value(written.strip(), 0)


def rows_of_json(body: bytes) -> list[dict[str, Any] | Broken]:
    """The rows of an answer, in its order.

    Numbers that no float holds, and what is nested too deeply, are ``lib.core.facts.sizes.Cut``.

    Raises:
        NotWhole: If it is no array, or not all of one.
    """
    written = body.decode("utf-8", "replace").strip()
    try:
        rows = _DECODER.decode(written)
    except (ValueError, RecursionError):
        if not written.startswith("["):
            raise NotWhole from None
        rows = [_value(part, 0) for part in _parts(written)]
    if not isinstance(rows, list):
        raise NotWhole
    return [_row(row) for row in rows]


def _row(row: Any) -> dict[str, Any] | Broken:
    if isinstance(row, dict):
        return row
    if isinstance(row, Broken):
        return row
    return Broken(
        "null"
        if row is None
        else "a list"
        if isinstance(row, list)
        else "true or false"
        if isinstance(row, bool)
        else "a text"
        if isinstance(row, str) and not isinstance(row, Cut)
        else "a number"
    )


def _value(written: str, depth: int) -> Any:
    try:
        return _DECODER.decode(written)
    except ValueError:
        return Broken("something that is no JSON")
    except RecursionError:
        pass
    if depth > DEEPEST:
        return Cut("…", f"what is nested deeper than {DEEPEST} levels", written)
    try:
        parts = [(part, _value(part, depth + 1)) for part in _parts(written)] if written[0] == "[" else None
        if parts is not None:
            return [value for _, value in parts]
        return {_DECODER.decode(key): _value(value, depth + 1) for key, value in map(_pair, _parts(written))}
    except (ValueError, RecursionError):
        return Broken("something that is no JSON")


def _parts(written: str) -> Iterator[str]:
    """What stands between the commas of an array or an object.

    Raises:
        NotWhole: If it does not end where the text does.
    """
    depth, start = 0, 1
    for found in _MARKS.finditer(written):
        mark = found.group()
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
            if not depth:
                if written[found.end() :].strip():
                    raise NotWhole
                if written[start : found.start()].strip() or start > 1:
                    yield written[start : found.start()].strip()
                return
        elif mark == "," and depth == 1:
            yield written[start : found.start()].strip()
            start = found.end()
    raise NotWhole


def _pair(written: str) -> tuple[str, str]:
    """The key and the value of a member of an object, as they are written."""
    key = _MARKS.match(written)
    if key is None or not key.group().startswith('"'):
        raise NotWhole
    _, colon, value = written[key.end() :].partition(":")
    if not colon:
        raise NotWhole
    return key.group(), value.strip()
