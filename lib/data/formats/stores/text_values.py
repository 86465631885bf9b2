"""Hyperparameters that a program kept as text, as the values that were meant."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_LITERAL = 20_000
"""Characters; MLflow, which keeps parameters as text, allows 8,000."""

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)?\.\d+|(?:0|[1-9]\d*)\.?)(?:[eE][+-]?\d{1,3})?")
_WORDS = {"True": True, "False": False, "true": True, "false": False, "None": None, "null": None}
_NAMES = {
    "version",
    "versions",
    "commit",
    "hash",
    "sha",
    "revision",
    "rev",
    "id",
    "uuid",
    "name",
    "tag",
    "branch",
    "date",
}
"""Last words of keys whose values are names, though they may be made of digits: version 1.10 is not 1.1."""

# What a list or dict consists of as Python prints it, which JSON spells otherwise. A quote behind a backslash begins no
# text: without that each of many would be followed to the end.
_PART = re.compile(
    r"""'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|\\.|\b(?:True|False|None|nan|inf)\b|,\s*[\])}]|[()]""", re.DOTALL
)
_SPELLED = {"True": "true", "False": "false", "None": "null", "nan": "NaN", "inf": "Infinity", "(": "[", ")": "]"}


def value_of(text: str, key: str = "") -> Any:
    """What was meant by a text: a number, a boolean, ``None``, a list or a dict where it clearly is one.

    Otherwise, and where the key says that it is a name, the text as it is.

    Example:
        >>> value_of("0.001"), value_of("2e-5"), value_of("[0.9, 0.95]"), value_of("True"), value_of("None")
        (0.001, 2e-05, [0.9, 0.95], True, None)
        >>> value_of("007"), value_of("1.10", "torch_version"), value_of("12e4567"), value_of("(1, 'a')")
        ('007', '1.10', '12e4567', [1, 'a'])
    """
    bare = text.strip()
    if bare in _WORDS:
        return _WORDS[bare]
    if bare[:1] in "[({" and bare[-1:] in "])}" and 2 <= len(bare) <= MOST_LITERAL:
        return _literal(bare, text)
    if re.split(r"[^a-z]+", key.lower())[-1] in _NAMES:
        return text
    if _WHOLE.fullmatch(bare):
        return int(bare)
    if _DECIMAL.fullmatch(bare) and math.isfinite(parsed := float(bare)):
        return parsed
    return text


def _literal(bare: str, text: str) -> Any:
    for spelled in (bare, _PART.sub(_as_json, bare)):
        try:
            return json.loads(spelled)
        except (ValueError, RecursionError):
            continue
    return text


def _as_json(found: re.Match[str]) -> str:
    part = found[0]
    if part.startswith("'"):
        # Of the escapes that Python writes JSON knows all but that of the quote itself, and \x.
        inner = part[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inner}"'
    if part.startswith(","):
        return _SPELLED.get(part[-1], part[-1])
    return _SPELLED.get(part, part)
