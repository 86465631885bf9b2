"""Text for spreadsheets: a cell that would be taken for a formula is kept from running."""

from __future__ import annotations

from lib.core.facts.values import finite

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def inert(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are.

    Example:
        >>> inert("=1+1"), inert("-0.5"), inert("-lr")
        ("'=1+1", '-0.5', "'-lr")
    """
    starts_formula = cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(_FORMULA_STARTS)
    return f"'{cell}" if starts_formula and finite(cell) is None else cell
