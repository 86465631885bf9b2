"""How sure a verdict is: as sure as the gravest objection allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core.facts.limits import Count
from lib.core.ranking.decision import Decision
from lib.core.verdict.objection_kinds import Objection, Sureness, cap_of

# fmt: off
MANY_DOUBTS = Count(3, "Many doubts",
    "So many objections that each leave a verdict fairly sure make it unsure: one may be tolerated, and three at once"
    " leave little that was not questioned.")
# fmt: on


@dataclass(frozen=True, slots=True)
class Surety:
    """How sure a verdict is, and why.

    Attributes:
        level: How sure.
        because: The codes of the objections that made it no surer.
    """

    level: Sureness
    because: tuple[str, ...] = ()


def sureness_of(decision: Decision, objections: Sequence[Objection]) -> Surety:
    """Say how sure a verdict is.

    It starts from sure, every objection lowers it to its cap (``cap_of``) at most, and ``MANY_DOUBTS`` of those that
    leave it fairly sure make it unsure; so a further objection never makes it surer.

    Args:
        decision: The verdict.
        objections: Of ``lib.core.verdict.objections.objections_to``, to the same.
    """
    if decision.recommendation.winner is None:
        return Surety(Sureness.CANNOT_TELL)
    return Surety(*lowered([objection.code for objection in objections]))


def lowered(codes: Sequence[str]) -> tuple[Sureness, tuple[str, ...]]:
    """How sure a verdict with these objections is, and which of them made it no surer, in the order given."""
    level = max((cap_of(code) for code in codes), key=lambda cap: cap.rank, default=Sureness.SURE)
    doubts = tuple(code for code in codes if cap_of(code) is Sureness.FAIRLY_SURE)
    if level in (Sureness.FAIRLY_SURE, Sureness.LIKELY) and len(doubts) >= MANY_DOUBTS:
        return Sureness.UNSURE, doubts
    if level is Sureness.SURE:
        return level, ()
    return level, tuple(code for code in codes if cap_of(code) is level)
