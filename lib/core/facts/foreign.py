"""Text that others wrote, made safe to stand beside our own: names, paths, values."""

from __future__ import annotations

import unicodedata

ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
"""What stands between them is laid out by itself, and does not turn around what stands beside it."""

_JOINERS = "\u200c\u200d"
"""Invisible, but part of how words of some scripts and some emojis are written."""
_FROM_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN"))


def isolated(text: str) -> str:
    r"""Foreign text without control characters; isolated where letters in it run from right to left.

    An override that turns the direction around would reach beyond the name, over the numbers beside it.

    Example:
        >>> isolated("run\u202e-1\u200b"), isolated("\u05d0") == ISOLATE + "\u05d0" + END_OF_ISOLATE
        ('run-1', True)
    """
    if text.isascii() and text.isprintable():
        return text
    plain = without_controls(text).replace(ISOLATE, "").replace(END_OF_ISOLATE, "")
    turns = any(unicodedata.bidirectional(character) in _FROM_RIGHT_TO_LEFT for character in plain)
    return f"{ISOLATE}{plain}{END_OF_ISOLATE}" if turns else plain


def without_controls(text: str) -> str:
    """Text without characters that cannot be seen and only steer; white space and ends of lines become blanks.

    Isolates stay: whole sentences have them around what is foreign in them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(filter(None, map(_visible, text)))


def spelled_out(text: str) -> str:
    r"""Text in which whatever cannot be seen and only steers is written out, so that two that differ look different.

    Example:
        >>> print(spelled_out("run\u202e-1\u200b"), spelled_out("two\nlines"))
        run\u202e-1\u200b two
        lines
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_spelled, text))


def _spelled(character: str) -> str:
    category = unicodedata.category(character)
    if category not in ("Cc", "Cf", "Zl", "Zp") or character in _JOINERS or character in "\n\r\t":
        return character
    return f"\\u{ord(character):04x}"


def closed(text: str) -> str:
    """A piece that was cut out of a text, with the begin or the end of each isolate that was cut through.

    Example:
        >>> closed(ISOLATE + "ab") == closed("ab" + END_OF_ISOLATE) == ISOLATE + "ab" + END_OF_ISOLATE
        True
    """
    if ISOLATE not in text and END_OF_ISOLATE not in text:
        return text
    depth = begins = 0
    for character in text:
        depth += (character == ISOLATE) - (character == END_OF_ISOLATE)
        begins, depth = (begins + 1, 0) if depth < 0 else (begins, depth)
    return ISOLATE * begins + text + END_OF_ISOLATE * depth


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    if character in _JOINERS or character in (ISOLATE, END_OF_ISOLATE):
        return character
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") else character
