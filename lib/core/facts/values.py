"""Reading numbers and moments out of loosely typed values.

Null, zero, NaN and text that is not a number are four different things; these functions keep them apart.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

CLOCK_TEXT = re.compile(r"[+-]?[0-9]{9,19}(?:\.[0-9]{0,18})?")
"""A clock's number in a text. Fewer digits may be a date, 20260101; Python takes some with more for one."""


def number(value: Any) -> float | None:
    """Return ``value`` as a float; NaN and infinities stay what they are.

    ``None``, booleans, and text that is not a number give ``None``. Text that is a number
    ("0.5", "NaN", "-Infinity") is read as that number.

    Example:
        >>> number("2e-4"), number(0), number(None), number("n/a"), number(True)
        (0.0002, 0.0, None, None, None)
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        # "1_000" is a Python literal, not a number anybody logged.
        return None if isinstance(value, str) and "_" in value else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def finite(value: Any) -> float | None:
    """Return ``value`` as a finite float, else ``None``.

    Example:
        >>> finite("0.25"), finite(0.0), finite(float("nan")), finite("inf")
        (0.25, 0.0, None, None)
    """
    parsed = number(value)
    return parsed if parsed is not None and math.isfinite(parsed) else None


def whole(value: Any) -> int | None:
    """Return ``value`` as an integer if it is a finite whole number, else ``None``.

    Example:
        >>> whole("12"), whole(3.0), whole(2.5), whole(None)
        (12, 3, None, None)
    """
    parsed = finite(value)
    return int(parsed) if parsed is not None and parsed == int(parsed) else None


def text(value: Any) -> str | None:
    """Return ``value`` as text without surrounding white space; empty text is ``None``."""
    if value is None:
        return None
    found = str(value).strip()
    # The very same where there is none, which may know how much of it was cut.
    return value if found and isinstance(value, str) and found == value else found or None


def clock_unit(largest: float) -> float:
    """Seconds that one unit of a clock has: numbers of milliseconds and finer since 1970 stand far beyond others.

    Args:
        largest: The largest number that the clock shows.
    """
    if not math.isfinite(largest) or largest < 1e11:
        return 1.0
    return 1e-3 if largest < 1e14 else 1e-6 if largest < 1e17 else 1e-9


def moment(value: Any) -> datetime | None:
    """Return ``value`` as a UTC datetime, else ``None``.

    Accepts datetimes (naive ones are taken as UTC), ISO 8601 text, and numbers of seconds since 1970, or of
    milliseconds and finer where they are large; these may stand in a text.

    Example:
        >>> moment("2026-01-01T01:00:00+01:00").isoformat(), moment("1767225600000").isoformat(), moment("yesterday")
        ('2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', None)
    """
    if value is None:
        return None
    try:
        if isinstance(value, str) and not CLOCK_TEXT.fullmatch(value.strip()):
            parsed = datetime.fromisoformat(value.strip())
        elif isinstance(value, datetime):
            parsed = value
        elif (shown := finite(value)) is not None and abs(shown) < 2**63:
            return datetime.fromtimestamp(shown * clock_unit(abs(shown)), UTC)
        else:
            return None
        # NaT is a datetime by type, and cannot be compared with itself.
        if parsed != parsed:
            return None
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
