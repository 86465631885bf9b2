"""Values as text for people: one form per kind of value, the same in cards, tables, charts and sentences.

Every function shows ``None`` as ``NOT_RECORDED``, and what was logged as NaN or infinite as just that.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta

from lib.core.facts.foreign import closed
from lib.core.facts.values import moment as as_moment
from lib.core.facts.values import number

NOT_RECORDED = "–"
ELLIPSIS = "…"
GAP_DECIMALS = 9
"""Differences are rounded to this many decimals first: 0.8 - 0.7 - 0.1 is 0, not -2.8e-17."""
LOSS_SPEC = ".4f"
"""Of a metric that is a loss: its values are shown as ``loss`` shows them."""
LARGE = 1e6
"""From here on a loss with four decimals is a row of digits that nobody reads."""
HUGE = 1e15
"""From here on a count has more digits than a float can hold."""
SECONDS_BELOW = 600
"""Durations shorter than this (in seconds) are told apart by their seconds."""
# Not strftime: its month names depend on the locale of the process.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZERO_WIDTH_JOINER = "\u200d"


def loss(value: float | None) -> str:
    """Four decimals; scientific where four decimals would say nothing.

    Example:
        >>> loss(0.32931), loss(0.0), loss(3e-6), loss(float("nan"))
        ('0.3293', '0.0000', '3e-6', 'NaN')
    """
    return _shown(value, lambda parsed: _four_decimals(parsed, ""))


def signed(value: float | None) -> str:
    """A difference: four decimals, always with its sign.

    Example:
        >>> signed(0.0490392), signed(-0.3), signed(0.8 - 0.7 - 0.1)
        ('+0.0490', '-0.3000', '+0.0000')
    """
    return _shown(value, lambda parsed: _four_decimals(round(parsed, GAP_DECIMALS) + 0.0, "+"))


def scientific(value: float | None) -> str:
    """Three significant digits without trailing zeros.

    Example:
        >>> scientific(0.0002), scientific(1.5e-5), scientific(1.2345e-4), scientific(0)
        ('2e-4', '1.5e-5', '1.23e-4', '0')
    """

    def show(parsed: float) -> str:
        mantissa, exponent = f"{parsed:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if parsed else "0"

    return _shown(value, show)


def figure(value: float | None, spec: str = ".4g") -> str:
    """Any other number, by a format specification such as ``Metric.spec``; scientific where that gives but digits.

    Example:
        >>> figure(1234.5, ",.3f"), figure(1e25, ",.3f"), figure(2e9, ",.0f")
        ('1,234.500', '1e25', '2,000,000,000')
    """
    return _shown(value, lambda parsed: format(parsed, spec) if _can_be_read(parsed, spec) else scientific(parsed))


def _can_be_read(value: float, spec: str) -> bool:
    if not spec.endswith("f"):
        return True
    return abs(value) < (HUGE if spec.endswith(".0f") else LARGE * 1e3)


def shower(spec: str) -> Callable[[float | None], str]:
    """What writes values of a metric with this ``spec``: losses and powers of ten as ``loss`` and ``scientific`` do."""
    if spec == LOSS_SPEC:
        return loss
    return scientific if spec.endswith("e") else lambda value: figure(value, spec)


def points(value: float | None) -> str:
    """Points of a score: two decimals."""
    return figure(value, ".2f")


def told_apart(first: float, second: float, decimals: int = 2) -> tuple[str, str]:
    """Two numbers with at least ``decimals`` decimals, and as many as they need to look different.

    Example:
        >>> told_apart(59.3576, 79.7408), told_apart(1.00001, 1.00002), told_apart(3.0, 3.0)
        (('59.36', '79.74'), ('1.00001', '1.00002'), ('3.00', '3.00'))
        >>> told_apart(1e25, 1.5)
        ('1e25', '1.5000')
    """
    if max(abs(first), abs(second)) >= LARGE:
        short = loss(first), loss(second)
        if short[0] != short[1] or first == second:
            return short
    for places in range(decimals, 10):
        texts = f"{first:.{places}f}", f"{second:.{places}f}"
        if texts[0] != texts[1]:
            return texts
    return f"{first:.{decimals}f}", f"{second:.{decimals}f}"


def count(n: int | float | None) -> str:
    """A whole number with thousands separators.

    Example:
        >>> count(13500), count(0), count(None) == NOT_RECORDED
        ('13,500', '0', True)
    """
    return f"{n:,}" if isinstance(n, int) else figure(n, ",.0f")


def place(x: float) -> str:
    """A position on an axis: whole ones in full, others with six significant digits.

    Example:
        >>> place(1234567.0), place(0.5)
        ('1,234,567', '0.5')
    """
    return count(x) if x == int(x) else f"{x:,.6g}"


def percent(share: float | None) -> str:
    """A share of 1 in whole percent; 0% only for nothing, 100% only for all.

    Example:
        >>> percent(0.741), percent(0.001), percent(0.999), percent(0), percent(1)
        ('74%', '<1%', '>99%', '0%', '100%')
    """

    def show(parsed: float) -> str:
        if 0.0 < parsed <= 0.005:
            return "<1%"
        return ">99%" if 0.995 <= parsed < 1.0 else f"{parsed:.0%}"

    return _shown(share, show)


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units that matter, rounded to the nearest.

    Example:
        >>> duration(45), duration(90), duration(721), duration(12_000), duration(187_000)
        ('45 s', '1 min 30 s', '12 min', '3 h 20 min', '2 d 4 h')
    """

    def show(parsed: float) -> str:
        if parsed < 0:
            return "-" + show(-parsed)
        if 0 < parsed < 0.5:
            return "<1 s"
        seconds, minutes, hours = (math.floor(parsed / unit + 0.5) for unit in (1, 60, 3600))
        if seconds < SECONDS_BELOW:
            return _units(seconds, 60, "min", "s")
        return _units(minutes, 60, "h", "min") if minutes < 1440 else _units(hours, 24, "d", "h")

    return _shown(seconds, show)


def relative_date(moment: datetime | None, now: datetime) -> str:
    """How long before ``now``, or the date (with its year) from a week on and in the future.

    Days are counted by the calendar, in UTC.
    """
    then, today = as_moment(moment), as_moment(now)
    if then is None or today is None:
        return NOT_RECORDED
    age = today - then
    # Clocks of two machines differ: what was written a moment "from now" has just happened.
    if abs(age) < timedelta(minutes=1):
        return "just now"
    if timedelta(0) < age < timedelta(hours=1):
        return f"{age // timedelta(minutes=1)} min ago"
    if timedelta(0) < age < timedelta(days=1):
        return f"{age // timedelta(hours=1)} h ago"
    days = (today.date() - then.date()).days
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if 1 < days < 7 else day(then)


def day(moment: datetime | None) -> str:
    """The day in UTC, such as "12 Nov 2026"."""
    then = as_moment(moment)
    return NOT_RECORDED if then is None else f"{then.day} {_MONTHS[then.month - 1]} {then.year}"


def exact_date(moment: datetime | None) -> str:
    """The minute in UTC, such as "2026-11-12 14:03 UTC"."""
    then = as_moment(moment)
    return NOT_RECORDED if then is None else f"{then.date().isoformat()} {then:%H:%M} UTC"


def shorten(text: str, limit: int) -> str:
    """Cut ``text`` to at most ``limit`` code points, the last of which is then an ellipsis.

    A letter is never parted from its accents, nor an emoji from its modifiers.

    Raises:
        ValueError: If ``limit`` is below 1.

    Example:
        >>> shorten("llama-3.1-8b-instruct", 12), shorten("gpt", 12)
        ('llama-3.1-8…', 'gpt')
    """
    if limit < 1:
        raise ValueError(f"A limit of at least 1 character is needed, got {limit!r}.")
    if len(text) <= limit:
        return text
    cut = text[: _boundary(text, limit - 1, -1)].rstrip()
    if len(closed(cut)) >= limit:
        # Room for the end of what was cut inside an isolate.
        cut = text[: _boundary(text, limit - 1 - (len(closed(cut)) - len(cut)), -1)].rstrip()
    return closed(cut) + ELLIPSIS


def shorten_middle(text: str, limit: int, tail: int) -> str:
    """Cut ``text`` to at most ``limit`` code points, of which about the last ``tail`` are its end.

    Blanks and middle dots beside the ellipsis go; the room they leave is the beginning's.

    Example:
        >>> shorten_middle("llama-3.1-8b · lr 2e-4 · r 16", 14, 7)
        'llama-3.1…r 16'
    """
    if len(text) <= limit:
        return text
    end = closed(text[_boundary(text, len(text) - tail, +1) :].lstrip(" ·"))
    head = text[: _boundary(text, limit - 1 - len(end), -1)].rstrip(" ·")
    if len(closed(head)) + len(end) >= limit:
        head = text[: _boundary(text, limit - 1 - len(end) - (len(closed(head)) - len(head)), -1)].rstrip(" ·")
    return f"{closed(head)}{ELLIPSIS}{end}"


def _shown(value: float | None, show: Callable[[float], str]) -> str:
    parsed = number(value)
    if parsed is None:
        return NOT_RECORDED
    if math.isnan(parsed):
        return "NaN"
    if math.isinf(parsed):
        return "∞" if parsed > 0 else "-∞"
    # -0.0 + 0.0 is 0.0: a minus sign before nothing is noise.
    return show(parsed + 0.0)


def _four_decimals(value: float, sign: str) -> str:
    if value and (abs(value) < 5e-5 or abs(value) >= LARGE):
        return (sign if value > 0 else "") + scientific(value)
    return f"{value:{sign}.4f}"


def _units(amount: int, per: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, per)
    parts = [f"{whole} {large}"] if whole else []
    return " ".join([*parts, f"{rest} {small}"] if rest or not parts else parts)


def _boundary(text: str, at: int, step: int) -> int:
    """The place at or (by ``step``) before or after ``at`` where ``text`` may be cut."""
    at = min(max(at, 0), len(text))
    while 0 < at < len(text) and (_extends(text[at]) or text[at - 1] == _ZERO_WIDTH_JOINER):
        at += step
    return at


def _extends(character: str) -> bool:
    """Tell whether a character belongs to the one before it."""
    return (
        unicodedata.category(character).startswith("M")
        or character == _ZERO_WIDTH_JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\udc00" <= character <= "\udfff"
    )
