"""What items of W&B's history, summary and configuration hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_MOST_LEVELS = 8


def path_of(item: Any) -> list[str]:
    """The names that lead to an item."""
    names = list(item.nested) or [item.key]
    return [each.decode("utf-8", "replace") for each in names]


def value_of(item: Any) -> Any:
    """What an item holds: written as JSON, or of one of the types that newer schemas have."""
    kind = item.WhichOneof("one")
    if kind in ("flag", "whole", "number"):
        return getattr(item, kind)
    if kind == "text":
        return item.text.decode("utf-8", "replace")
    text = item.other if kind == "other" else item.json
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""How numbers that JSON does not know are written as texts."""


def numbers(name: str, value: Any, levels: int = _MOST_LEVELS) -> Iterator[tuple[str, float]]:
    """The numbers in a value, with dotted names; pictures, tables and the like (``_type``) have none.

    Example:
        >>> list(numbers("eval", {"loss": 0.5, "by": {"x": 1, "y": "NaN"}, "name": "a", "ok": True}))
        [('eval.loss', 0.5), ('eval.by.x', 1.0), ('eval.by.y', nan)]
    """
    if isinstance(value, dict):
        if levels and "_type" not in value:
            for key, each in value.items():
                yield from numbers(f"{name}.{key}" if name else str(key), each, levels - 1)
    elif isinstance(value, str):
        if value in _WORDS:
            yield name, _WORDS[value]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            yield name, float(value)
        except OverflowError:
            return
