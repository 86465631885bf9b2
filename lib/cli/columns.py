"""Tables in a terminal: how many of its cells a text takes, and texts below each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def cells(text: str) -> int:
    """How many cells of a terminal a text takes.

    Example:
        >>> cells("run-1"), cells("客服"), cells("cafe\u0301"), cells("\u2068\u05d0\u2069")
        (5, 4, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_cells, text))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """The lines of a table.

    Args:
        heads: The header.
        rows: Texts, as many in each as there are heads.
        right: Whether a column stands to the right, as numbers do.
    """
    widths = [max(map(cells, column)) for column in zip(heads, *rows, strict=True)]
    lines = []
    for row in (heads, *rows):
        padded = [_padded(*each) for each in zip(row, widths, right, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return lines


def _padded(text: str, width: int, is_right: bool) -> str:
    blanks = " " * (width - cells(text))
    return blanks + text if is_right else text + blanks


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
