"""Every check, in the order in which they are told. A check is added by a function in one of the modules."""

from __future__ import annotations

from datetime import datetime
from types import ModuleType

from lib.core.checks import (
    evaluations,
    learning,
    losses,
    reporting,
    resources,
    rows,
    schedule,
    spikes,
    stability,
    stored_values,
    times,
    train_curve,
)
from lib.core.checks.check import Check, Group
from lib.core.checks.results import Results
from lib.core.checks.subject import Subject
from lib.core.curves.evidence import RunEvidence, evidence_of
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.limits import AnyLimit, distinct
from lib.core.facts.runs import RunSummary

MODULES: tuple[ModuleType, ...] = (
    learning, losses, spikes, schedule, resources, reporting, stability, rows, train_curve, evaluations,
    stored_values, times,
)  # fmt: skip
"""The modules with checks, in the order in which these are told."""

CHECKS: tuple[Check, ...] = tuple(each for module in MODULES for each in vars(module).values() if type(each) is Check)
"""Every check."""

METRICS_READ: tuple[str, ...] = tuple(dict.fromkeys(metric for each in CHECKS for metric in each.metrics))
"""The metrics that the checks look at."""


def limits_in(group: Group) -> tuple[AnyLimit, ...]:
    """The limits of the checks of a group, each once."""
    return distinct(limit for each in CHECKS if each.group is group for limit in each.limits)


def checks_of(
    run: RunSummary, curves: RunCurves, evidence: RunEvidence | None = None, now: datetime | None = None
) -> Results:
    """Look at one run in every way.

    Args:
        run: As the source gave it, before ``lib.core.curves.evidence.with_evidence``.
        curves: Its curves over its whole range of steps, reduced or not, of ``METRICS_READ`` at least.
        evidence: From these curves; worked out where ``None``.
        now: The present, to tell how long a running run has been silent; ``None`` leaves that open.

    Raises:
        ValueError: If the three are not about the same run.
    """
    evidence = evidence_of(curves) if evidence is None else evidence
    if not run.run_id == curves.run_id == evidence.run_id:
        raise ValueError(
            "Expected run, curves and evidence of one run, got"
            f" {run.run_id!r}, {curves.run_id!r} and {evidence.run_id!r}."
        )
    subject = Subject(run, curves, evidence, now)
    return Results(tuple(each.of(subject) for each in CHECKS))
