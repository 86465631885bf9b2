"""Measured values with the digits that their noise allows, no more: one rule for panel, lists, tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from lib.core.facts.values import finite
from lib.core.text.formatting import GAP_DECIMALS, LARGE, loss, scientific

UNKNOWN_DECIMALS = 4
"""Decimals of values whose noise is not known."""
SMALL = 1e-3
"""Values nearer to 0 are written with a power of ten."""
MOST_DECIMALS = 9
MINUS = "\N{MINUS SIGN}"
"""Before a difference; values have the one that can be typed."""


def decimals_for(values: Iterable[float | None], errors: Iterable[float | None] = ()) -> int:
    """How many decimals values have that stand together, 0 to ``MOST_DECIMALS``.

    A step of the last digit is at most twice their typical standard error, so that rounding adds nothing to speak of;
    no value is all zeros for the noise of a larger one; and no digit is shown that none of them was logged with.

    Args:
        values: What is shown.
        errors: Their standard errors, as far as they are known; 0 counts as not known.

    Example:
        >>> decimals_for([0.8501, 0.8707], [0.0019, 0.001]), decimals_for([0.43], [1e-4]), decimals_for([0.5123])
        (3, 2, 4)
        >>> decimals_for([0.0125, 3.4567], [0.2]), decimals_for([0.2778], [0.4])
        (2, 1)
    """
    known = [error for each in errors if (error := finite(each)) is not None and error > 0.0]
    wanted = math.ceil(-math.log10(2.0 * median(known))) if known else UNKNOWN_DECIMALS
    values = list(values)
    logged = max((_logged_decimals(each) for each in values), default=0)
    sizes = [abs(size) for each in values if (size := finite(each)) and abs(size) >= SMALL]
    shown = -math.floor(math.log10(min(sizes))) if sizes else 0
    return max(0, min(max(wanted, shown), logged, MOST_DECIMALS))


def measured(value: float | None, error: float | None = None) -> str:
    """One value, by its own standard error.

    Example:
        >>> measured(0.91834, 0.0006), measured(12.7, 4.0), measured(1.12e-5), measured(0.5), measured(1e25)
        ('0.918', '13', '1.12e-5', '0.5', '1e25')
    """
    return to_decimals(value, decimals_for([value], [error]))


def together(values: Sequence[float | None], errors: Iterable[float | None] = ()) -> tuple[str, ...]:
    """Values that stand together, with as many decimals each.

    Example:
        >>> together([0.8501, 0.98743], [0.0019, 0.001])
        ('0.850', '0.987')
    """
    decimals = decimals_for(values, errors)
    return tuple(to_decimals(each, decimals) for each in values)


def rough(value: float) -> str:
    """A size of which two digits mean something, such as a noise.

    Example:
        >>> rough(0.02424), rough(153.2), rough(1e25), rough(0.0), rough(1.12e-5)
        ('0.024', '150', '1e25', '0', '1.1e-5')
    """
    if not value or not math.isfinite(value):
        return to_decimals(value, 0)
    value = float(f"{value:.1e}")
    return to_decimals(value, min(max(1 - math.floor(math.log10(abs(value))), 0), MOST_DECIMALS))


def to_decimals(value: float | None, decimals: int, sign: str = "") -> str:
    """A value with so many decimals; scientific where they would show nothing of it, or digits that nobody reads.

    Args:
        value: What is shown; what is not finite, or not recorded, as everywhere.
        decimals: How many.
        sign: "+" for a difference.

    Example:
        >>> to_decimals(1.12e-5, 3), to_decimals(0.0, 2), to_decimals(0.8 - 0.7 - 0.1, 3, "+")
        ('1.12e-5', '0.00', '+0.000')
    """
    parsed = finite(value)
    if parsed is None:
        return loss(value)
    # -0.0 + 0.0 is 0.0: a minus sign before nothing is noise.
    parsed = (round(parsed, GAP_DECIMALS) if sign else parsed) + 0.0
    size = abs(parsed)
    if size >= LARGE or (0.0 < size < SMALL and (round(parsed, decimals) == 0.0 or decimals > UNKNOWN_DECIMALS)):
        return (sign if parsed > 0.0 else "") + scientific(parsed)
    return f"{parsed:{sign}.{decimals}f}"


def signed(value: float, show: Callable[[float], str]) -> str:
    """A difference with its sign, a typographic minus among them; none of nothing.

    Args:
        value: Finite.
        show: Writes its size.

    Example:
        >>> signed(0.0123, rough), signed(1e-4, rough), signed(0.0, rough)
        ('+0.012', '+1e-4', '0')
    """
    return ("+" if value > 0.0 else MINUS if value < 0.0 else "") + show(abs(value))


def _logged_decimals(value: float | None) -> int:
    """How many decimals a value was logged with."""
    parsed = finite(value)
    if parsed is None:
        return 0
    text = repr(abs(parsed))
    if "e" in text:
        return MOST_DECIMALS
    return len(text.partition(".")[2].rstrip("0"))
