"""What is said of a difference to the baseline: short beside a value, and as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from lib.core.baseline.differences import Difference, Sense
from lib.core.facts.foreign import isolated
from lib.core.text.formatting import LOSS_SPEC, shower
from lib.core.text.precision import MINUS, signed, to_decimals

SAME = "same"
"""In the place of a difference of nothing."""
SENSES: Mapping[Sense, str] = MappingProxyType(
    {Sense.BETTER: "better", Sense.WORSE: "worse", Sense.LEVEL: "level", Sense.UNTOLD: "", Sense.NEITHER: ""}
)
"""The word behind a difference; "" for nothing."""
_WHY: Mapping[Sense, str] = MappingProxyType(
    {
        Sense.BETTER: "better, beyond the noise",
        Sense.WORSE: "worse, beyond the noise",
        Sense.LEVEL: "within the noise",
        Sense.UNTOLD: "too little is known of the noise",
        Sense.NEITHER: "",
    }
)
_LEAST_SHARE = 0.0005
"""Smaller ones are 0.0% when they are rounded."""
_WHOLE_FROM = 0.1
"""From here on a percentage has no decimals."""

Show = Callable[[float], str]


def shown_by(spec: str, decimals: int | None = None) -> Show:
    """What writes the size of a difference: as values of this format are, losses with so many decimals."""
    if spec == LOSS_SPEC and decimals is not None:
        return lambda size: to_decimals(size, decimals)
    return shower(spec)


def percent(share: float | None) -> str:
    """A share with its sign; "" where there is none, or it is too small to be said.

    Example:
        >>> percent(0.0321), percent(0.123), percent(0.0001), percent(None)
        ('+3.2%', '+12%', '', '')
    """
    if share is None or abs(share) < _LEAST_SHARE:
        return ""
    return signed(share, lambda size: f"{size:.0%}" if round(size, 3) >= _WHOLE_FROM else f"{size:.1%}")


def difference_words(found: Difference, show: Show) -> str:
    """A difference and its percentage, beside the value that it is of.

    Example:
        >>> difference_words(Difference(0.03, 0.032, Sense.WORSE), shown_by(LOSS_SPEC, 3))
        '+0.030 (+3.2%)'
    """
    if found.value == 0.0:
        return SAME
    share = percent(found.share)
    size = signed(found.value, show) + (" points" if found.in_points else "")
    return f"{size} ({share})" if share else size


def sensed(words: str, sense: Sense) -> str:
    """The same with what it means, as a word."""
    return " ".join(filter(None, (words, SENSES[sense])))


def difference_sentence(found: Difference, show: Show, name: str) -> str:
    """A difference for whoever cannot see it: its direction in words.

    Example:
        >>> difference_sentence(Difference(-0.03, -0.032, Sense.BETTER), shown_by(LOSS_SPEC, 3), "a")
        '0.030 (3.2%) lower than a: better, beyond the noise.'
    """
    if found.value == 0.0:
        return f"The same as {name}."
    share = percent(found.share).lstrip(f"+{MINUS}")
    size = show(abs(found.value)) + (" points" if found.in_points else "") + (f" ({share})" if share else "")
    why = f": {_WHY[found.sense]}" if _WHY[found.sense] else ""
    return f"{size} {'higher' if found.value > 0.0 else 'lower'} than {name}{why}."


def gone(name: str) -> str:
    """That the pinned baseline is no longer among the selected runs."""
    shown = isolated(name)
    return f"The baseline is not among the selected runs any more, so that no differences to it are shown ({shown})."
