"""Runs with curves as a test says, and what the checks come to about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lib.core.checks.check import Check, Group, NotFound, Outcome, Result
from lib.core.checks.registry import checks_of
from lib.core.checks.results import Results
from lib.core.checks.subject import Subject
from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.core.facts.findings import Finding
from lib.core.facts.runs import RunStatus, RunSummary


def run_of(**facts) -> RunSummary:
    return RunSummary(**{"run_id": "run", "name": "run", "status": RunStatus.COMPLETED} | facts)


def curves_of(every: int = 10, elapsed=None, rows=None, unread=(), **series) -> RunCurves:
    """Curves of ``metric=values``, a value every so many steps, or of ``metric=(steps, values)``."""
    made = {}
    for metric, given in series.items():
        steps, values = given if isinstance(given, tuple) else (np.arange(1, len(given) + 1) * every, given)
        blank = np.full(len(values), np.nan)
        seconds = blank if elapsed is None else np.asarray(elapsed, dtype=np.float64)
        made[metric] = complete_curve(np.asarray(steps), np.asarray(values, dtype=np.float64), blank, seconds)
    return RunCurves("run", MappingProxyType(made), tuple(unread), rows)


def result_of(code: str, run: RunSummary | None = None, now=None, **series) -> Result:
    """What one check comes to about curves of ``metric=values``."""
    return checks_of(run or run_of(), curves_of(**series), now=now).of(code)


def falling(count: int, first: int = 10, every: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Steps and train losses that fall without two of them being equal."""
    return np.arange(count) * every + first, 2.0 - np.arange(count) / (2.0 * count)


def thinned(curve: MetricCurve) -> MetricCurve:
    """Every third point of a curve, as a source that reduces it would send them."""
    kept = curve.where(slice(None, None, 3))
    return replace(kept, logged=len(curve), lost=curve.lost, median=float(np.nanmedian(curve.value)))


def results_with(findings: Sequence[Finding], events: Mapping[str, int] | None = None) -> Results:
    """Results of checks that found just these; what touches the verdict is about the data."""
    events = events or {}

    def result(each: Finding) -> Result:
        group = Group.DATA if each.touches_verdict else Group.HEALTH
        check = Check(each.code, each.code.capitalize(), group, (each.severity,), look=_never)
        return Result(check, Outcome.FOUND, each.sentence, (each,), events.get(each.code, 1), 1)

    return Results(tuple(result(each) for each in findings))


def _never(subject: Subject) -> NotFound:
    raise AssertionError(f"This check of {subject.run.run_id} is not made.")
