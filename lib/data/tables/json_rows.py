"""Rows of a JSON answer, each by itself: one that cannot be read takes no other one with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from lib.core.facts.sizes import DEEPEST, Cut, decimal_number, whole_number
from lib.data.tables.large_json import LARGE, Shortened

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 20
"""Below so many digits a whole number has 64 bits, nearly: of more not all have."""
# A quote behind a backslash begins no text: without that each of many would be followed to the end.
_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+"|\\.|[\[\]{},]', re.DOTALL)


def _decoder(decimal: Callable[[str], float | Cut]) -> json.JSONDecoder:
    # A tab or the end of a line inside a text is no reason to lose a row.
    return json.JSONDecoder(parse_int=whole_number, parse_float=decimal, strict=False)


_DECODER = _decoder(decimal_number)


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
    if len(written) < LARGE:
        return _value(written.strip())
    body, value = _shortened(written.encode("utf-8", "surrogatepass"), level=0)
    return body.told(_value(body.body.decode("utf-8", "replace").strip()) if value is None else value)


def rows_of_json(body: bytes) -> list[dict[str, Any] | Broken]:
    """The rows of an answer, in its order.

    Numbers that no float holds, and what is nested too deeply or has too many values, are ``lib.core.facts.sizes.Cut``.

    Raises:
        NotWhole: If it is no array, or not all of one.
    """
    shortened, rows = _shortened(body, level=2)
    if rows is None:
        written = shortened.body.decode("utf-8", "replace").strip()
        try:
            rows = _DECODER.decode(written)
        except (ValueError, RecursionError):
            if not written.startswith("["):
                raise NotWhole from None
            rows = [_value(part) for part in _parts(written)]
    if not isinstance(rows, list):
        raise NotWhole
    return [_row(row) for row in shortened.told(rows)]


def _shortened(body: bytes, level: int) -> tuple[Shortened, Any]:
    """A body without what is too large in it, and what it holds, as ``_plain`` says."""
    shortened = Shortened(body, level, texts=True)
    value = _plain(shortened.body)
    if value is None and shortened.has_texts:
        shortened = Shortened(body, level)
        value = _plain(shortened.body)
    return shortened, value


def _plain(body: bytes) -> Any:
    """What a body holds in which nothing is odd, read in a quarter of the time; ``None`` for others."""
    if _LONG_NUMBER in body.translate(_DIGITS):
        # It would be read as a float, and no two seeds of 128 bits would differ.
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


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


def _value(written: str) -> Any:
    try:
        return _DECODER.decode(written)
    except RecursionError:
        shallow, cuts = _shallow(written)
    except ValueError:
        return Broken("something that is no JSON")
    try:
        return _decoder(lambda number: cuts.get(number) or decimal_number(number)).decode(shallow)
    except (ValueError, RecursionError):
        return Broken("something that is no JSON")


def _shallow(written: str) -> tuple[str, dict[str, Cut]]:
    """A value without what is nested too deeply, and what stands for that by the number in its place."""
    kept: list[str] = []
    cuts: dict[str, Cut] = {}
    depth = start = end = 0
    for found in _MARKS.finditer(written):
        mark = found.group()
        if mark in "[{":
            depth += 1
            if depth == DEEPEST + 2:
                start = found.start()
        elif mark in "]}":
            if depth == DEEPEST + 2:
                instead = f"0.0e-{len(cuts):07d}"
                what = f"what is nested deeper than {DEEPEST} levels"
                cuts[instead] = Cut("…", what, written[start : found.end()])
                kept += (written[end:start], instead)
                end = found.end()
            depth -= 1
    return "".join((*kept, written[end:])), cuts


def _parts(written: str) -> Iterator[str]:
    """What stands between the commas of an array.

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
