"""What a check of a run's health says: found, not found, or cannot tell because."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.metrics import metric_of

POINTS_NEEDED = 24
"""Finite points below which a train curve is not judged: fewer cannot tell a trend from its noise."""

LARGEST = 1e150
"""Squares of greater values are infinite."""

LARGE = 1e5
"""Losses from here on are shown with an exponent."""

FINDINGS_LISTED = 20
"""A check lists at most so many findings, the greatest: a curve of a million points may have thousands."""


class Outcome(StrEnum):
    """What a check came to."""

    FOUND = "found"
    NOT_FOUND = "not found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one run.

    Attributes:
        code: What was looked for; findings of the check have the same code.
        title: The same for people.
        outcome: What it came to.
        sentence: What was found, what was looked at, or why it cannot be told.
        findings: In the order of their steps; empty unless found.
        events: How many there are in all; ``findings`` lists at most ``FINDINGS_LISTED``.
        judged: How many points could be judged; 0 where it cannot be told.
    """

    code: str
    title: str
    outcome: Outcome
    sentence: str
    findings: tuple[Finding, ...] = ()
    events: int = 0
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check looks for, and in which run.

    Attributes:
        code: Stable name of the check and of its findings.
        title: For people.
        run_id: The run.
    """

    code: str
    title: str
    run_id: str

    def cannot_tell(self, why: str) -> Check:
        return Check(self.code, self.title, Outcome.CANNOT_TELL, f"Cannot tell: {why}")

    def not_found(self, sentence: str, judged: int) -> Check:
        return Check(self.code, self.title, Outcome.NOT_FOUND, sentence, judged=judged)

    def found(self, findings: tuple[Finding, ...], judged: int, events: int | None = None) -> Check:
        """Found ``findings``, the most severe of which speaks for all."""
        events = len(findings) if events is None else events
        worst = max(findings, key=lambda finding: list(Severity).index(finding.severity))
        more = f" And {events - 1:,} more." if events > 1 else ""
        return Check(self.code, self.title, Outcome.FOUND, worst.sentence + more, findings, events, judged)

    def finding(
        self,
        severity: Severity,
        steps: tuple[int, int | None],
        evidence: Mapping[str, float | int | str],
        sentence: str,
    ) -> Finding:
        """A finding of this subject, from the first to the last of ``steps``; these may be the same."""
        first, last = (None if step is None else int(step) for step in steps)
        return Finding(self.code, severity, self.run_id, first, last if last != first else None, evidence, sentence)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The finite points of a complete curve.

    Attributes:
        step: Shape (n,), int64, increasing.
        value: Shape (n,), float64, finite.
    """

    step: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.step)


def finite_points(curve: MetricCurve) -> Points:
    """The points of a curve that are numbers."""
    keep = np.isfinite(curve.value)
    return Points(curve.step, curve.value) if keep.all() else Points(curve.step[keep], curve.value[keep])


def why_not(curves: RunCurves, metric: str, needed: int = POINTS_NEEDED) -> str | None:
    """Why a curve cannot be judged, as the end of a sentence; ``None`` where it can.

    A reduced curve keeps every extreme and loses how many points lie between them.
    """
    curve, title = curves.get(metric), metric_of(metric).title
    title = title if title.startswith("GPU") else title.lower()
    if metric in curves.unread:
        return f"the {title} was not read."
    if not len(curve):
        return f"the {title} was not logged."
    if not curve.is_complete:
        return f"only the reduced curve of the {title} was read."
    finite = len(curve) - curve.lost
    if finite < needed:
        return f"the {title} has {finite} finite points; {needed} are needed."
    return why_too_large(curve.value, title)


def why_too_large(values: np.ndarray, title: str) -> str | None:
    """Why values cannot be computed with, as the end of a sentence; ``None`` where they can."""
    largest = np.abs(values).max(where=np.isfinite(values), initial=0.0)
    return f"the {title} reaches {largest:.3g}, which is too large to compute with." if largest > LARGEST else None


def shown(loss: float) -> str:
    """A loss as sentences show it.

    Example:
        >>> shown(0.32931), shown(-123456789.0)
        ('0.3293', '-1.23e+08')
    """
    return f"{loss:.4f}" if abs(loss) < LARGE else f"{loss:.3g}"


def changes_sign(values: np.ndarray) -> bool:
    """Whether values lie on both sides of 0, or are all 0: a share of them then means nothing."""
    return bool(values.min() < 0.0 < values.max() or (values == 0.0).all())
