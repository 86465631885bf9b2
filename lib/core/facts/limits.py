"""Limits: numbers that decide what is said about runs, each with its reason.

They are plain numbers wherever they are used, and are printed with their reasons on the page of the ranking.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Self, TypeVar

N = TypeVar("N", bound=float)


class Limit(float):
    """A number with its reason.

    Attributes:
        title: What it is, in a few words.
        reason: What it means and why it is so, in sentences.
    """

    title: str
    reason: str

    def __new__(cls, value: float, title: str, reason: str) -> Self:
        made = super().__new__(cls, value)
        made.title, made.reason = title, reason
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[float, str, str]]:
        return type(self), (float(self), self.title, self.reason)


class Count(int):
    """A whole number with its reason; the attributes are those of ``Limit``."""

    title: str
    reason: str

    def __new__(cls, value: int, title: str, reason: str) -> Self:
        made = super().__new__(cls, value)
        made.title, made.reason = title, reason
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[int, str, str]]:
        return type(self), (int(self), self.title, self.reason)


class Limits(tuple[N, ...]):
    """Several numbers with one reason; the attributes are those of ``Limit``."""

    title: str
    reason: str

    def __new__(cls, values: Iterable[N], title: str, reason: str) -> Self:
        made = super().__new__(cls, values)
        made.title, made.reason = title, reason
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[N, ...], str, str]]:
        return type(self), (tuple(self), self.title, self.reason)


AnyLimit = Limit | Count | Limits[float] | Limits[int]


def shown(limit: AnyLimit) -> str:
    """The value as text.

    Example:
        >>> shown(Count(5000, "Blocks", "Enough.")), shown(Limits((0.25, 0.4), "Starts", "Both."))
        ('5,000', '0.25 / 0.4')
    """
    values = limit if isinstance(limit, Limits) else (limit,)
    return " / ".join(f"{value:,.12g}" for value in values)


def limits_of(*modules: ModuleType) -> tuple[AnyLimit, ...]:
    """The limits that modules have by name, each once, in the order of the modules and their lines."""
    values = (value for module in modules for value in vars(module).values())
    return distinct(value for value in values if isinstance(value, Limit | Count | Limits))


def distinct(limits: Iterable[AnyLimit]) -> tuple[AnyLimit, ...]:
    """Each limit at its first place; two of the same value are two."""
    return tuple({id(limit): limit for limit in limits}.values())
