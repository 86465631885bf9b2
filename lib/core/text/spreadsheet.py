"""Text for spreadsheets: a cell that would be taken for a formula is kept from running."""

from __future__ import annotations

from lib.core.facts.foreign import END_OF_ISOLATE, ISOLATE
from lib.core.facts.values import finite

_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def inert(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are.

    A name that is isolated stands alone in its cell: programs that look for it find it without what isolates it.

    Example:
        >>> inert("=1+1"), inert("-0.5"), inert("-lr")
        ("'=1+1", '-0.5', "'-lr")
    """
    if cell.startswith(ISOLATE) and cell.find(END_OF_ISOLATE) == len(cell) - 1:
        cell = cell[1:-1]
    starts_formula = cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(_FORMULA_STARTS)
    return f"'{cell}" if starts_formula and finite(cell) is None else cell
