"""The values of settings: when two are equal, and how one is shown.

Missing, null, zero and the text "null" are four things, and look like four things.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from lib.core.facts.foreign import enclosed, spelled_out
from lib.core.facts.values import number, whole

SHOWN_CHARACTERS = 300
"""Longer text is cut where it is shown, and says so: real configurations carry whole vocabularies."""

PLAIN_LIMIT = 1e6
"""Numbers from here on are shown in scientific notation, as their digits can no longer be counted."""

PLAIN_FLOOR = 1e-3
"""Numbers below are shown in scientific notation, as their zeros can no longer be counted."""


class Sentinel(Enum):
    """What stands in the place of a value, and how it is shown. Falsy, and equal to nothing else."""

    MISSING = "not set"
    """The run does not have the setting: neither a value nor null."""
    MASKED = "•••• (set)"
    """The run has a secret there."""

    def __repr__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return False


MISSING = Sentinel.MISSING
MASKED = Sentinel.MASKED

_QUOTED = {"", "null", "true", "false", *(sentinel.value.lower() for sentinel in Sentinel)}
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "half": "float16", "fp32": "float32", "float": "float32"}
_LIST_SYNTAX = re.compile(r"[,\[\]]")


class Comparison(Enum):
    """How the values of one parameter are compared."""

    VALUE = "by typed value, lists by element and in order"
    TEXT = "text as text: the version 1.10 is not 1.1"
    SET = "lists without their order; text is split at commas"
    BITS = "by bits: 4, 4bit and 4-bit are one"
    DTYPE = "number types: bf16, bfloat16 and torch.bfloat16 are one"


EXACT_DIGITS, FEW_DIGITS = 15, 12
"""A float holds so many decimal digits exactly; a number that has no more than so many of them was meant to."""

Comparable = tuple[Hashable, ...]
"""A value as ``comparable`` gives it."""


def comparable(value: Any, comparison: Comparison = Comparison.VALUE) -> Comparable:
    """Return something hashable that is equal for exactly those values that count as equal.

    Numbers are equal by value, whole or not, and so is text that is a number ("2e-4" and 0.0002). NaN
    equals NaN, and numbers that differ by nothing but a rounding error (``settled``) are equal. Booleans
    equal neither numbers nor text: a program that reads the text "false" takes it for true. Null equals
    only null, and missing only missing.

    Example:
        >>> comparable("2e-4") == comparable(0.0002), comparable(1) == comparable(True)
        (True, False)
        >>> comparable(["v", "q"], Comparison.SET) == comparable("q, v", Comparison.SET)
        True
    """
    if comparison is Comparison.SET and (items := _members(value)) is not None:
        return ("set", frozenset(map(comparable, items)))
    if comparison is Comparison.BITS and (bits := _bits(value)) is not None:
        return ("bits", bits)
    if comparison is Comparison.DTYPE and isinstance(value, str):
        name = value.strip().lower().removeprefix("torch.")
        return ("text", _DTYPES.get(name, name))
    if isinstance(value, list | tuple):
        return ("list", tuple(comparable(item, comparison) for item in value))
    if isinstance(value, Mapping):
        pairs = ((str(key), comparable(item, comparison)) for key, item in value.items())
        return ("mapping", tuple(sorted(pairs, key=repr)))
    if value is None or isinstance(value, Sentinel | bool):
        return (type(value).__name__, repr(value))
    if isinstance(value, str) and comparison is Comparison.TEXT:
        return ("text", value)
    parsed = _exact(value)
    if parsed is not None:
        return ("number", "nan") if parsed != parsed else ("number", settled(parsed))
    return ("text", value) if isinstance(value, str) else (type(value).__name__, str(value))


def settled(value: int | float) -> int | float:
    """A number without the rounding error of the arithmetic that it came from; every other one as it is.

    Example:
        >>> settled(3 * 1e-4), settled(0.1 + 0.2), settled(1 / 3), settled(12345678901234567)
        (0.0003, 0.3, 0.3333333333333333, 12345678901234567)
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    mantissa = f"{value:.{EXACT_DIGITS - 1}e}"
    digits = mantissa.partition("e")[0].lstrip("-").replace(".", "").rstrip("0")
    return float(mantissa) if len(digits) <= FEW_DIGITS else value


def show(
    value: Any,
    *,
    scientific: bool = False,
    comparison: Comparison = Comparison.VALUE,
    limit: int | None = SHOWN_CHARACTERS,
) -> str:
    """Return the text that stands for ``value``. It is plain text: whoever renders it escapes it.

    Numbers keep every digit (``settled``), and what cannot be seen is written out, so that two that differ look
    different; it is isolated where it runs from right to left. Text that could be taken for something else ("null",
    "true", "[1]") stands in quotes.

    Args:
        value: Any value of a setting, ``MISSING`` and ``MASKED`` among them.
        scientific: Always in scientific notation if it is a number, as learning rates are.
        comparison: ``SET`` shows the members in alphabetical order, ``TEXT`` leaves text as it is.
        limit: Cut what is longer than this many characters; ``None`` for never.

    Example:
        >>> show(0.0002), show(0.001, scientific=True), show(["q", "v"]), show(None), show("null")
        ('2e-4', '1e-3', '[q, v]', 'null', '"null"')
    """
    text = _shown(value, scientific, comparison)
    if limit is None:
        return enclosed(spelled_out(text))
    # Of megabytes only what is shown is looked at.
    spelled = spelled_out(text[:limit])
    count = max(len(text), len(spelled))
    if count <= limit:
        return enclosed(spelled)
    return f"{enclosed(spelled[:limit])}… (first {limit:,} of {count:,} characters)"


def _shown(value: Any, scientific: bool, comparison: Comparison) -> str:
    if isinstance(value, Sentinel):
        return value.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list | tuple):
        items = [_item(item, comparison) for item in value]
        return f"[{', '.join(sorted(items) if comparison is Comparison.SET else items)}]"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and comparison is Comparison.TEXT:
        return _text(value)
    parsed = _exact(value)
    if parsed is not None:
        return _numeral(parsed, scientific)
    return _text(str(value))


def _item(item: Any, comparison: Comparison) -> str:
    if isinstance(item, str) and _LIST_SYNTAX.search(item):
        return json.dumps(item, ensure_ascii=False)
    return _shown(item, False, comparison)


def _text(value: str) -> str:
    ambiguous = value.lower() in _QUOTED or value != value.strip() or value[0] in '"[{'
    return json.dumps(value, ensure_ascii=False) if ambiguous else value


def _numeral(value: int | float, scientific: bool) -> str:
    value = settled(value)
    if not math.isfinite(value):
        return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, float) and value.is_integer() and abs(value) < PLAIN_LIMIT:
        value = int(value)
    if value == 0:
        return "0"
    if isinstance(value, int) and not scientific:
        return str(value)
    if not scientific and PLAIN_FLOOR <= abs(value) < PLAIN_LIMIT:
        return repr(value)
    # The shortest digits that give the number back, written as mantissa and exponent.
    shortest = Decimal(repr(float(value))).normalize()
    first, *rest = map(str, shortest.as_tuple().digits)
    fraction = f".{''.join(rest)}" if rest else ""
    return f"{'-' if value < 0 else ''}{first}{fraction}e{shortest.adjusted()}"


def _exact(value: Any) -> int | float | None:
    """The number that ``value`` is. Whole numbers stay exact: a seed may have more digits than a float."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return int(value) if "_" not in value else None
    except ValueError:
        return number(value)


def _members(value: Any) -> Sequence[Any] | None:
    if isinstance(value, str):
        return [part for piece in value.split(",") if (part := piece.strip())]
    return value if isinstance(value, list | tuple) else None


def _bits(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if (bits := whole(value)) is not None:
        return bits
    found = re.fullmatch(r"\s*(?:int)?(\d+)(?:\.0)?[\s_-]*+(?:bits?)?\s*", str(value), re.IGNORECASE)
    return int(found.group(1)) if found else None
