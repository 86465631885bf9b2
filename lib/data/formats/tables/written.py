"""Numbers and times as programs write them into cells."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

BLANKS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "None", "-", "--")
"""What stands for nothing. NaN is not among them: it is a value that was logged."""

_MOST_LETTERS = 64
"""No number or time is longer; a text of a million letters is not looked at."""
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_PERCENT = re.compile(r"([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s?%")
_TENSOR = re.compile(r"tensor\(\s*([^\s,()]+)(?:,[^()]*)?\)")
_SCALED = re.compile(r"([+-]?\d+(?:\.\d+)?)\s?([kKM])")
_TIMES = {"k": 1e3, "K": 1e3, "M": 1e6}
_DURATION = re.compile(r"(?:(?:(\d+) days?, )?(\d+):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)")


def number_of(word: str, decimal_comma: bool = False) -> float | None:
    """The number that a text states; ``None`` if it states none. Percent stay percent, durations become seconds.

    "1.5k" and "2M" are thousands and millions, as people and programs write steps and tokens.

    Args:
        word: The text.
        decimal_comma: A comma stands before the fraction and not between thousands.

    Example:
        >>> [number_of(word) for word in ("1e-4", " nan", "1,234", "10.00%", "3 days, 17:51:32", "01:05", "1.5k", "x")]
        [0.0001, nan, 1234.0, 10.0, 323492.0, 65.0, 1500.0, None]
    """
    if len(word) > _MOST_LETTERS or not word.isascii():
        return None
    word = word.strip()
    plain = _plain(word)
    if plain is not None:
        return plain
    if "," in word and decimal_comma and _DECIMAL_COMMA.fullmatch(word):
        return float(word.replace(",", "."))
    if "," in word and not decimal_comma and _THOUSANDS.fullmatch(word):
        return float(word.replace(",", ""))
    if found := _PERCENT.fullmatch(word) or _TENSOR.fullmatch(word):
        return _plain(found[1])
    if found := _SCALED.fullmatch(word):
        # "1.1k" is 1,100, which its product of floats is not.
        return round(float(found[1]) * _TIMES[found[2]], 6)
    if found := _DURATION.fullmatch(word):
        days, hours, minutes, seconds = found.groups()
        return int(days or 0) * 86_400.0 + int(hours or 0) * 3_600 + int(minutes) * 60 + float(seconds)
    return None


def are_numbers(words: Collection[str], decimal_comma: bool = False) -> bool:
    """Whether each of the texts states a number, as ``number_of`` reads it, or stands for nothing.

    Example:
        >>> are_numbers(["1", " NA", "5%"]), are_numbers(["1", "one"])
        (True, False)
    """
    different = set(words)
    together = "".join(different)
    if together.isascii() and "_" not in together and max(map(len, different), default=0) <= _MOST_LETTERS:
        try:
            # Most are plain, and then they need not be looked at one by one.
            list(map(float, {word.strip() for word in different}.difference(BLANKS)))
        except ValueError:
            pass
        else:
            return True
    return all(word.strip() in BLANKS or number_of(word, decimal_comma) is not None for word in different)


def _plain(word: str) -> float | None:
    # Python would take 1_000, which is a name where a program writes it.
    if "_" in word:
        return None
    try:
        return float(word)
    except ValueError:
        return None


def seconds_of(word: str) -> float | None:
    """Unix seconds of a written date and time; one without a zone counts as UTC. ``None`` if it is none.

    Example:
        >>> seconds_of("2026-01-02T00:00:01Z"), seconds_of("soon")
        (1767312001.0, None)
    """
    if len(word) > _MOST_LETTERS:
        return None
    try:
        when = datetime.fromisoformat(word.strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def has_decimal_comma(words: list[str]) -> bool:
    """Whether the fractions in some cells stand behind a comma: some look so, and none stands behind a dot.

    Example:
        >>> has_decimal_comma(["1", "0,25"]), has_decimal_comma(["1,000", "0.5"])
        (True, False)
    """
    dotted = any("." in word and _plain(word.strip()) is not None for word in words)
    return not dotted and any(_DECIMAL_COMMA.fullmatch(word.strip()) for word in words)
