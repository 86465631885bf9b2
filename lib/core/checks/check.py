"""One check of a run: what it looks for, what it needs, its limits, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lib.core.checks.subject import CannotTell, Subject
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.limits import AnyLimit, Count
from lib.core.text.log_units import by_unit

# fmt: off
FINDINGS_LISTED = Count(20, "Findings listed",
    "A check lists at most so many findings, the greatest: a curve of a million points may have thousands.")
# fmt: on

Evidence = Mapping[str, float | int | str]


class Group(StrEnum):
    """What a check is about: each has a part of the page Run health."""

    HEALTH = "health"
    STABILITY = "stability"
    DATA = "data passport"


class Outcome(StrEnum):
    """What a check came to."""

    FOUND = "found"
    NOT_FOUND = "not found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a check saw; the attributes are those of a finding.

    Attributes:
        severity: The check's first one, where ``None``.
        touches_verdict: As the check's, where ``None``.
    """

    sentence: str
    step: int | None = None
    extent: int | None = None
    evidence: Evidence = field(default_factory=dict)
    severity: Severity | None = None
    touches_verdict: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A check saw something: at least one thing, in the order of steps.

    Attributes:
        events: How many things there are; ``None``: all of them are listed.
    """

    seen: tuple[Seen, ...]
    events: int | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """A check saw nothing, also where it has no object (a running run has no end yet).

    Attributes:
        sentence: What was looked at.
        evidence: The numbers that this rests on, by name.
    """

    sentence: str
    evidence: Evidence = field(default_factory=dict)


def found(
    sentence: str,
    step: int | None = None,
    extent: int | None = None,
    *,
    severity: Severity | None = None,
    touches_verdict: bool | None = None,
    **evidence: float | int | str,
) -> Found:
    """A check saw one thing."""
    return Found((Seen(sentence, step, extent, evidence, severity, touches_verdict),))


Look = Callable[[Subject], Found | NotFound | CannotTell]
"""Gives what a check came to. ``CannotTell`` may be raised too, as it is by a subject that lacks what is asked for."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for in every run.

    Attributes:
        code: Stable name; its findings have the same.
        title: A few words for people.
        group: The part of the page that it belongs to.
        severities: Those that its findings may have, the most severe first.
        look: Does it.
        metrics: The metrics that it needs, keys of ``lib.core.facts.metrics.METRICS``.
        limits: The numbers that decide, with their reasons.
        touches_verdict: Its findings put into doubt what a recommendation rests on: the eval loss, the train loss
            of the gap, or the status. False for what only charts and tables show.
        of_stated: It holds what is stated of the run against its curves: where nothing is, nothing was missed.
    """

    code: str
    title: str
    group: Group
    severities: tuple[Severity, ...]
    look: Look
    metrics: tuple[str, ...] = ()
    limits: tuple[AnyLimit, ...] = ()
    touches_verdict: bool = False
    of_stated: bool = False

    def of(self, subject: Subject) -> Result:
        """What the check comes to for one run; in its sentences a step is an epoch where the log counts these."""
        try:
            came = self.look(subject)
        except CannotTell as cannot:
            came = cannot
        match came:
            case CannotTell(because=because):
                return Result(self, Outcome.CANNOT_TELL, by_unit(f"Cannot tell, because {because}.", subject.run))
            case NotFound(sentence, evidence):
                return Result(self, Outcome.NOT_FOUND, by_unit(sentence, subject.run), evidence=evidence)
            case Found(seen, events):
                findings = tuple(self._finding(each, subject) for each in seen)
                many = len(findings) if events is None else events
                worst = most_severe(findings)
                said = worst.sentence + and_more(many)
                return Result(self, Outcome.FOUND, said, findings, many, worst.evidence)

    def _finding(self, seen: Seen, subject: Subject) -> Finding:
        step, extent = (None if step is None else int(step) for step in (seen.step, seen.extent))
        touches = self.touches_verdict if seen.touches_verdict is None else seen.touches_verdict
        severity, said = seen.severity or self.severities[0], by_unit(seen.sentence, subject.run)
        return Finding(self.code, severity, step, None if extent == step else extent, seen.evidence, said, touches)


@dataclass(frozen=True, slots=True)
class Result:
    """What one check of one run came to.

    Attributes:
        check: The check.
        outcome: Found, not found, or cannot tell.
        sentence: What was found, what was looked at, or why it cannot be told. Plain text without the run's name.
        findings: In the order of their steps; empty unless found.
        events: How many there are in all; ``findings`` lists at most ``FINDINGS_LISTED``.
        evidence: The numbers that the sentence rests on, by name.
    """

    check: Check
    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...] = ()
    events: int = 0
    evidence: Evidence = field(default_factory=dict)

    @property
    def because(self) -> str:
        """Why it cannot be told, as a sentence's end; the whole sentence for the other outcomes."""
        return self.sentence.removeprefix("Cannot tell, because ")


def check(
    title: str,
    group: Group,
    *severities: Severity,
    metrics: tuple[str, ...] = (),
    limits: tuple[AnyLimit, ...] = (),
    touches: bool = False,
    of_stated: bool = False,
) -> Callable[[Look], Check]:
    """Make a check of the function below; its name is the check's code.

    The arguments are attributes of ``Check``; ``touches`` is its ``touches_verdict``.
    """

    def made(look: Look) -> Check:
        return Check(look.__name__, title, group, severities, look, metrics, limits, touches, of_stated)

    return made


def most_severe(findings: Sequence[Finding]) -> Finding:
    """The first one of the most severe."""
    return max(findings, key=lambda finding: list(Severity).index(finding.severity))


def and_more(many: int) -> str:
    """What follows the first of so many findings; "" where it is the only one."""
    return f" And {many - 1:,} more." if many > 1 else ""
