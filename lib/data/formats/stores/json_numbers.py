"""The numbers of many small JSON objects with mostly the same keys, as columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

NON_FINITE = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
"""How JSON that knows no such numbers spells them."""
MOST_DEPTH = 32
"""Levels of objects in objects."""

_NUMBERS = {int, float}


def parsed_rows(rows: Sequence[bytes]) -> list[dict[str, Any] | None]:
    """Objects of texts; ``None`` for what is no JSON object."""
    try:
        # One call for all is twice as fast as one for each.
        found = json.loads(b"[" + b",".join(rows) + b"]")
    except (ValueError, RecursionError):
        found = []
    if len(found) != len(rows):
        found = [_parsed(row) for row in rows]
    return [each if isinstance(each, dict) else None for each in found]


def number_columns(objects: Sequence[dict[str, Any] | None]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The numbers of objects, by key.

    Objects in objects are joined with dots; those that state their ``_type`` (pictures, tables) have no numbers.
    Null, booleans, lists and texts are none, but for texts that stand for what is not finite.

    Yields:
        Key, each once; which objects, shape (n,), int64, ascending; values, shape (n,), float64.
    """
    parts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for key, where, values in _pieces(objects):
        if len(where):
            parts.setdefault(key, []).append((where, values))
    for key, pieces in parts.items():
        where, values = (np.concatenate(column) for column in zip(*pieces, strict=True))
        order = np.argsort(where, kind="stable")
        yield key, where[order], values[order]


def _pieces(objects: Sequence[dict[str, Any] | None]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    # Objects with the same keys in the same order are turned to columns at once.
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, each in enumerate(objects):
        if each:
            alike.setdefault(tuple(each), []).append(place)
    for keys, places in alike.items():
        group = [each for place in places if (each := objects[place]) is not None]
        columns = list(zip(*[each.values() for each in group], strict=True))
        where = np.array(places, dtype=np.int64)
        for key, column in zip(keys, columns, strict=True):
            kinds = set(map(type, column))
            if kinds <= _NUMBERS:
                yield key, *_numbers(column, where)
            elif dict in kinds:
                yield from _nested(key, column, where)
            elif kinds & {int, float, str}:
                yield key, *_mixed(column, where)


def flat(value: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """Objects in an object, joined with dots.

    Example:
        >>> flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3, "picture": {"_type": "image", "width": 9}})
        {'a.b': 1, 'a.c.d': 2, 'e': 3}
    """
    found: dict[str, Any] = {}
    for key, each in value.items():
        if not isinstance(each, dict):
            found[before + key] = each
        elif "_type" not in each and depth < MOST_DEPTH:
            found |= flat(each, f"{before}{key}.", depth + 1)
    return found


def _parsed(row: bytes) -> Any:
    try:
        return json.loads(row)
    except (ValueError, RecursionError):
        return None


def _nested(key: str, column: Sequence[Any], where: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    yield key, *_mixed(column, where)
    inner = [flat({key: each}) if isinstance(each, dict) else None for each in column]
    for name, places, values in _pieces(inner):
        yield name, where[places], values


def _numbers(column: Sequence[Any], where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        return where, np.array(column, dtype=np.float64)
    except OverflowError:
        return _mixed(column, where)


def _mixed(column: Sequence[Any], where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.full(len(column), np.nan)
    known = np.zeros(len(column), dtype=bool)
    for place, value in enumerate(column):
        number = _number(value)
        if number is not None:
            numbers[place], known[place] = number, True
    return where[known], numbers[known]


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return NON_FINITE.get(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        # It was logged, and is larger than any number that is counted with.
        return np.inf if value > 0 else -np.inf
