"""One check of a data passport, and what the checks look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from lib.core.curves.evidence import RunEvidence
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.runs import RunSummary

REGULAR_TOLERANCE = 0.1
"""Differences of steps within this share of their median count as equal: trainers log at fixed intervals, and
round where the interval is a share of an epoch."""

REGULAR_SHARE = 0.5
"""Share of equal differences from which on there is a logging interval; below it, steps are spread too freely."""

REGULAR_POINTS = 5
"""Points needed to speak of an interval: with fewer, one gap would be a quarter of all that is known."""

EVALUATION_POINTS = 3
"""Evaluations from which on their interval can be told."""

TOLERATED_INTERVALS = 3.5
"""Intervals from which on points are missing. One or two may be lost, or not be logged at the ends of a run; the
half leaves room for rounding."""

LAST_POINTS = 5
"""Intervals at the end of a curve that show how often it was logged there."""

END_SHARE = 0.01
"""Share of all steps that the log of a run may lack at its end: planned totals are rounded per epoch."""

ROUGH_END_SHARE = 0.05
"""The same where the interval is not known: logs that are reduced have a hundred points or more. In between, nothing
can be told."""

REDUCED = "only the reduced curve was read"


class Outcome(StrEnum):
    """What came of a check."""

    FINE = "fine"
    FOUND = "found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One entry of the passport.

    Attributes:
        code: Stable name of the check, and of its finding.
        outcome: One of three. ``FINE`` also where the check has no object (a running run has no end yet).
        sentence: What was looked at and seen, or why that cannot be told. Plain text without the run's name.
        finding: What was found; ``None`` for the other outcomes.
        touches_verdict: A finding of this check puts into doubt what a recommendation rests on: the eval
            loss, the train loss of the gap, or the status. False for what only charts and tables show.
    """

    code: str
    outcome: Outcome
    sentence: str
    finding: Finding | None = None
    touches_verdict: bool = False


def fine(code: str, sentence: str) -> Check:
    """The check found nothing."""
    return Check(code, Outcome.FINE, sentence)


def cannot_tell(code: str, because: str, *, touches: bool = False) -> Check:
    """The check could not be made; ``because`` goes on after "Cannot tell, because "."""
    return Check(code, Outcome.CANNOT_TELL, f"Cannot tell, because {because}.", touches_verdict=touches)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A run and all that is known about it, as the checks see it.

    Attributes:
        run: As the source gave it, before the evidence corrects it.
        curves: All its curves, over the whole range of steps.
        evidence: From the same curves.
        now: ``None`` where the moment does not matter, or is not known.
        interval: The typical number of steps between two train losses, as ``typical_interval``.
        tolerance: Steps that the log may end before the run does: a few intervals, or the widest one of a log
            too short or too irregular to have a typical one; ``None`` where that is not known.
    """

    run: RunSummary
    curves: RunCurves
    evidence: RunEvidence
    now: datetime | None
    interval: float | None
    tolerance: float | None

    def lacks(self, steps: float, of: int) -> bool | None:
        """Whether a log that ends so many steps before a run of ``of`` steps lacks some; ``None``: cannot tell."""
        if steps <= max(self.tolerance or 0.0, END_SHARE * of):
            return False
        return True if self.tolerance is not None or steps > ROUGH_END_SHARE * of else None

    def found(
        self,
        code: str,
        severity: Severity,
        sentence: str,
        *,
        step: int | None = None,
        extent: int | None = None,
        touches: bool = False,
        **evidence: float | int | str,
    ) -> Check:
        """The check found something."""
        finding = Finding(code, severity, self.run.run_id, step, extent, evidence, sentence)
        return Check(code, Outcome.FOUND, sentence, finding, touches)

    def unseen(self, metric: str, title: str) -> str | None:
        """Why nothing can be said from a metric's curve; ``None`` where it has points."""
        if metric in self.curves.unread:
            return f"the {title} was not read"
        return None if len(self.curves.get(metric)) else f"no {title} was logged"

    def without_rows(self) -> str | None:
        """Why nothing can be said about the rows; ``None`` where they were seen."""
        if self.curves.rows is not None:
            return None
        # A reduced curve is worked out beside the rows, which never travel.
        return "the rows themselves were not seen" if self.curves.is_complete else REDUCED


def subject_of(run: RunSummary, curves: RunCurves, evidence: RunEvidence, now: datetime | None) -> Subject:
    """What the checks look at; the arguments are those of ``lib.core.checks.passport.passport_of``."""
    interval = typical_interval(curves.get("train_loss"))
    return Subject(run, curves, evidence, now, interval, _tolerance(curves, interval))


def _tolerance(curves: RunCurves, interval: float | None) -> float | None:
    curve = curves.get("train_loss") if len(curves.get("train_loss")) else curves.get("eval_loss")
    if not len(curve) or not curve.is_complete:
        return None
    differences = np.diff(curve.step, prepend=0)
    if interval is None:
        return float(differences.max())
    # Some runs log less often after a while.
    return TOLERATED_INTERVALS * max(interval, float(np.median(differences[-LAST_POINTS:])))


def typical_interval(curve: MetricCurve, points: int = REGULAR_POINTS) -> float | None:
    """The median difference of a curve's steps.

    Returns:
        ``None`` where the curve is reduced, has fewer than ``points`` points, or has no typical difference.
    """
    if not curve.is_complete or len(curve) < points:
        return None
    differences = np.diff(curve.step)
    median = float(np.median(differences))
    equal = np.abs(differences - median) <= max(REGULAR_TOLERANCE * median, 1.0 if median > 1.0 else 0.0)
    return median if equal.mean() >= REGULAR_SHARE else None


def counted(many: int, one: str, more: str | None = None) -> str:
    """A number and its noun.

    Example:
        >>> counted(1, "row"), counted(1200, "row"), counted(0, "time")
        ('1 row', '1,200 rows', '0 times')
    """
    return f"{many:,} {one if many == 1 else more or one + 's'}"
