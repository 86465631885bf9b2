"""What all checks of one run came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from lib.core.checks.check import Group, Outcome, Result
from lib.core.facts.findings import Finding, Severity

SERIOUS = (Severity.CRITICAL, Severity.WARNING)
"""What somebody should look at; the rest is worth knowing."""

SIGNS: Mapping[Severity, str] = MappingProxyType({Severity.CRITICAL: "✖", Severity.WARNING: "⚠", Severity.INFO: "●"})
"""One character for each severity, the most severe first; the characters differ in shape, not only in colour."""

_ORDER = {severity: place for place, severity in enumerate(SIGNS)}


class Confidence(StrEnum):
    """How far the data bear a verdict about a run, best first."""

    UNDIMINISHED = "undiminished"
    LOWERED = "lowered"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Results:
    """What all checks of one run came to: one result for each check, in the order of the checks."""

    results: tuple[Result, ...]

    def of(self, code: str) -> Result:
        """What the check with this code came to.

        Raises:
            KeyError: If there is none.
        """
        for result in self.results:
            if result.check.code == code:
                return result
        raise KeyError(f"No check is called {code!r}; there are {[result.check.code for result in self.results]}.")

    def having(self, outcome: Outcome, group: Group) -> tuple[Result, ...]:
        """The results of one group that are this outcome."""
        return tuple(each for each in self.results if each.outcome is outcome and each.check.group is group)

    def findings_in(self, group: Group) -> tuple[Finding, ...]:
        """The findings of one group, in the order of ``findings``."""
        return _ordered(result for result in self.results if result.check.group is group)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All, the most severe first, then by step; those of the whole run before the others."""
        return _ordered(self.results)

    @property
    def unlisted(self) -> int:
        """Further events that were counted and are not listed."""
        return sum(result.events - len(result.findings) for result in self.results)

    @property
    def serious(self) -> tuple[Finding, ...]:
        """The findings that somebody should look at."""
        return tuple(finding for finding in self.findings if finding.severity in SERIOUS)

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the most severe first; zeros are left out."""
        found = [finding.severity for result in self.results for finding in result.findings]
        return {severity: many for severity in SIGNS if (many := found.count(severity))}

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """The findings that lower the confidence in a verdict about this run, in the order of the checks.

        They touch what it rests on, and are more than habits of writers that the app allows for (INFO).
        """
        findings = (finding for result in self.results for finding in result.findings)
        return tuple(each for each in findings if each.touches_verdict and each.severity in SERIOUS)

    @property
    def confidence(self) -> Confidence:
        """Low with a critical doubt, lowered with any other, else undiminished; what was not checked lowers nothing."""
        severities = {finding.severity for finding in self.doubts}
        if Severity.CRITICAL in severities:
            return Confidence.LOW
        return Confidence.LOWERED if severities else Confidence.UNDIMINISHED


def _ordered(results: Iterable[Result]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            (finding for result in results for finding in result.findings),
            key=lambda each: (_ORDER[each.severity], -1 if each.step is None else each.step),
        )
    )


def counted(counts: Mapping[Severity, int]) -> str:
    """Counts by severity, in signs.

    Example:
        >>> counted({Severity.CRITICAL: 1, Severity.INFO: 12})
        '✖1 ●12'
    """
    return " ".join(f"{SIGNS[severity]}{count:,}" for severity, count in counts.items())
