"""How sure a verdict is: as sure as the gravest objection allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core.facts.limits import Count
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import TIE_DECIMALS
from lib.core.text.phrases import first_of
from lib.core.verdict.metric_words import difference_words, margin_words
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
        sentence: For people.
        because: The codes of the objections that made it no surer.
    """

    level: Sureness
    sentence: str
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
        return Surety(Sureness.CANNOT_TELL, "There is nothing to be sure of: no run can be recommended.")
    level, because = lowered([objection.code for objection in objections])
    titles = {objection.code: objection.count or objection.title for objection in objections}
    causes = list(dict.fromkeys(titles[code] for code in because))
    return Surety(level, _sentence(decision, level, first_of(causes, MANY_DOUBTS)), because)


def lowered(codes: Sequence[str]) -> tuple[Sureness, tuple[str, ...]]:
    """How sure a verdict with these objections is, and which of them made it no surer, in the order given."""
    level = max((cap_of(code) for code in codes), key=lambda cap: cap.rank, default=Sureness.SURE)
    doubts = tuple(code for code in codes if cap_of(code) is Sureness.FAIRLY_SURE)
    if level in (Sureness.FAIRLY_SURE, Sureness.LIKELY) and len(doubts) >= MANY_DOUBTS:
        return Sureness.UNSURE, doubts
    if level is Sureness.SURE:
        return level, ()
    return level, tuple(code for code in codes if cap_of(code) is level)


def _sentence(decision: Decision, level: Sureness, said: str) -> str:
    share = f"{decision.contest.best.level:.0%}"
    if level is Sureness.CANNOT_TELL:
        if not decision.has_main_class:
            return "Which of them is better cannot be told: what they were measured by means different things."
        if len(decision.ranked) == 1:
            return "There is nothing to compare it with."
        return "Whether its lead is more than noise cannot be told."
    lead = decision.recommendation.margin or 0.0
    margin = margin_words(decision.recommendation)
    if level is Sureness.TIE:
        if round(lead, TIE_DECIMALS) == 0.0:
            return "The scores are equal."
        return f"The lead of {margin} is within the noise ({share} level)."
    start = f"The lead of {margin} is beyond the noise ({share} level)"
    if decision.lead.settings is not None:
        ahead = difference_words(decision.lead.settings, decision.deciding)
        start = f"Its settings are {ahead} ahead between seeds, beyond the noise ({share} level)"
    elif decision.lead.outcome is not Outcome.WINNER or decision.lead.never_better:
        start = "It is the best of the ranked runs"
    return f"{start}, but: {said}." if said else f"{start}, and nothing that was checked casts doubt on it."
