"""Lines that differ in nothing but their numbers are understood once: then their numbers are only picked out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from lib.data.formats.text.counters import Found, found_in, is_by_value
from lib.data.formats.text.values import Named

MAX_SHAPES = 4_096
"""A program's lines have some dozens of shapes, with all lengths of their numbers; other text has no end of them."""

_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_FRACTION = re.compile(r"\.\d+(?:[eE][-+]?\d+)?")
_DIGIT = re.compile(r"\d")
_ALIKE = str.maketrans("123456789", "000000000")

Pick = tuple[int, float]
"""Which number of a line, and what to multiply it with."""


@dataclass(slots=True)
class _Plan:
    """Where in a line of some shape each number stands."""

    count: int
    head: str
    counters: list[tuple[str, int, int]] = field(default_factory=list)
    epoch: tuple[int, float, int] | None = None
    clock: Pick | None = None
    names: list[str] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    numbered: list[str] = field(default_factory=list)
    """Names with digits, which other lines of the shape need not have."""


class Shapes:
    """``found_in``, which remembers shapes of lines."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan | bool] = {}

    def found_in(self, text: str) -> Found | None:
        """As the function of that name, for many lines."""
        shape = _FRACTION.sub(".", text).translate(_ALIKE)
        plan = self._plans.get(shape)
        if plan is None:
            found = found_in(text)
            if len(self._plans) < MAX_SHAPES:
                self._plans[shape] = _remembered(text, found)
            return found
        if plan is False:
            return None
        if plan is True or (picked := _picked(plan, text)) is None:
            return found_in(text)
        return picked


def _remembered(text: str, found: Found | None) -> _Plan | bool:
    if is_by_value(text):
        return True
    return plan_of(text, found) if found is not None else False


def plan_of(text: str, found: Found) -> _Plan | bool:
    """How to pick the numbers of a line; ``True`` where it must be read each time."""
    places = {match.span(): index for index, match in enumerate(_NUMBER.finditer(text))}
    if _DIGIT.search(found.head):
        return True
    ordered = list(places)
    plan = _Plan(len(ordered), found.head)

    def of(named: Named) -> int:
        return places.get((named.at, named.end), -1)

    def total_of(named: Named, at: int) -> int:
        """The number behind a counter's stroke, which is the next one; -1 where there is none."""
        return at + 1 if named.total is not None and at + 1 < len(ordered) else -1

    for role in ("step", "part"):
        if (named := found.said.get(role)) is not None:
            at = of(named)
            if at < 0 or named.scale != 1 or _is_total_scaled(named, total_of(named, at), text):
                return True
            if not text[named.at : named.end].isdigit() or named.end - named.at > 15:
                return True
            plan.counters.append((role, at, total_of(named, at)))
    if (named := found.said.get("epoch")) is not None:
        if (at := of(named)) < 0 or _is_total_scaled(named, total_of(named, at), text):
            return True
        plan.epoch = (at, named.scale, total_of(named, at))
    if (named := found.said.get("clock")) is not None:
        if named.is_clock or (at := of(named)) < 0:
            return True
        plan.clock = (at, named.scale)
    for (name, value), named in zip(found.values, found.metrics, strict=True):
        at = of(named)
        if at < 0 and math.isfinite(value):
            return True
        plan.names.append(name)
        if _DIGIT.search(name):
            plan.numbered.append(named.name)
        # What is spelled as a word is the same in all lines of the shape.
        plan.picks.append((at, named.scale) if at >= 0 else (-1, value))
    return plan


def _is_total_scaled(named: Named, at: int, text: str) -> bool:
    """Whether the total behind a number is written as "40k": then it is not the number that stands there."""
    return at >= 0 and float(_NUMBER.findall(text)[at]) != named.total


def _picked(plan: _Plan, text: str) -> Found | None:
    numbers = _NUMBER.findall(text)
    if len(numbers) != plan.count:
        return None
    begin = 0
    for name in plan.numbered:
        begin = text.find(name, begin) + len(name)
        if begin < len(name):
            return None
    found = Found(plan.head)
    for role, at, total in plan.counters:
        whole = int(numbers[at])
        of = int(numbers[total]) if total >= 0 else 0
        if total >= 0 and not of:
            return None
        if role == "step":
            found.step, found.total = whole, of
        else:
            found.part, found.parts = whole, of
    if plan.epoch is not None:
        at, scale, total = plan.epoch
        found.epoch = float(numbers[at]) * scale
        if total >= 0:
            found.epochs = float(numbers[total])
    if plan.clock is not None:
        found.clock = float(numbers[plan.clock[0]]) * plan.clock[1]
    found.values = [
        (name, float(numbers[at]) * scale if at >= 0 else scale)
        for name, (at, scale) in zip(plan.names, plan.picks, strict=True)
    ]
    return found
