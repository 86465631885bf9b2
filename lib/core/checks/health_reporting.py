"""Whether a run reported without a break: a silent running one, and gaps between the rows of any."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from lib.core.checks.health_checks import FINDINGS_LISTED, POINTS_NEEDED, Check, Subject
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.findings import Severity
from lib.core.facts.liveness import STALLED_S, is_stalled, silent_for
from lib.core.facts.runs import RunStatus, RunSummary

GAP_RATIO = 10.0
"""A gap is at least so many typical intervals between rows, and at least ``STALLED_S``."""

GAP_EVALUATION_RATIO = 3.0
"""Beside an evaluation, it is so many of the longer intervals there: evaluating takes its time."""

GAP_EVALUATION_QUANTILE = 0.75
"""Of the two intervals beside an evaluation only one holds it: a typical one that does is at this quantile."""

GAP_RHYTHM = 0.05
"""Where more than this share of the intervals are so long, they are the run's rhythm, such as checkpoints."""


def stalled(run: RunSummary, curves: RunCurves, now: datetime | None) -> Check:
    """Look whether a running run has fallen silent."""
    subject = Subject("stalled", "Stalled", run.run_id)
    if run.status is not RunStatus.RUNNING:
        return subject.not_found(f"The run is not running (status {run.status_text}).", 1)
    if now is None:
        return subject.cannot_tell("the time of now was not given.")
    silence = silent_for(run, now)
    if silence is None:
        return subject.cannot_tell("the run never said when it last reported.")
    if not is_stalled(run, now):
        return subject.not_found(f"The run reported {_duration(silence)} ago.", 1)
    last = max((int(curve.step[-1]) for curve in curves.curves.values() if len(curve)), default=run.current_step)
    finding = subject.finding(
        Severity.WARNING,
        (last, last),
        {"metric": "train_loss", "silent_s": silence, "limit_s": STALLED_S},
        f"The run says that it is running and has not reported for {_duration(silence)}"
        + (f", last at step {last}." if last is not None else "."),
    )
    return subject.found((finding,), 1)


def reporting_gaps(curves: RunCurves) -> Check:
    """Look for breaks between rows. The first step is that of the last row before the break."""
    subject = Subject("reporting_gap", "Reporting gaps", curves.run_id)
    metric = _best_timed(curves)
    if metric is None:
        return subject.cannot_tell("no row has a time.")
    curve = curves.get(metric)
    if not curve.is_complete:
        return subject.cannot_tell("only the reduced curves were read, which lack most rows.")
    timed = np.isfinite(curve.elapsed_s)
    steps, intervals = curve.step[timed], np.diff(curve.elapsed_s[timed])
    if len(steps) < POINTS_NEEDED:
        return subject.cannot_tell(f"{len(steps)} rows have a time; {POINTS_NEEDED} are needed.")
    typical = float(np.median(intervals))
    gaps = np.flatnonzero(intervals > _limits(steps, intervals, curves.get("eval_loss")))
    if not len(gaps) or len(gaps) > max(1.0, GAP_RHYTHM * len(intervals)):
        return subject.not_found(f"Rows come every {_duration(typical)} or so, without a break.", len(intervals))
    listed = np.sort(gaps[np.argsort(-intervals[gaps], kind="stable")[:FINDINGS_LISTED]])
    findings = tuple(
        subject.finding(
            Severity.INFO,
            (steps[at], steps[at + 1]),
            {"metric": metric, "gap_s": float(intervals[at]), "typical_s": typical},
            f"Nothing was logged for {_duration(intervals[at])} between step {steps[at]} and step {steps[at + 1]}; "
            f"rows come every {_duration(typical)} or so.",
        )
        for at in listed
    )
    return subject.found(findings, len(intervals), len(gaps))


def _best_timed(curves: RunCurves) -> str | None:
    """The metric with the most points that have a time; train loss before others of as many."""
    timed = {
        metric: int(np.isfinite(curve.elapsed_s).sum())
        for metric, curve in sorted(curves.curves.items(), key=lambda item: item[0] != "train_loss")
    }
    best = max(timed, key=timed.__getitem__, default=None)
    return best if best is not None and timed[best] else None


def _limits(steps: np.ndarray, intervals: np.ndarray, evaluations: MetricCurve) -> np.ndarray:
    """From how many seconds on each interval is a gap."""
    limits = np.full(len(intervals), GAP_RATIO * np.median(intervals))
    # An evaluation at step e takes its time before the row of e is written, or after it.
    first = np.searchsorted(evaluations.step, steps[:-1], side="left")
    beside = np.searchsorted(evaluations.step, steps[1:], side="right") > first
    if beside.any():
        usual = np.quantile(intervals[beside], GAP_EVALUATION_QUANTILE)
        limits[beside] = np.maximum(limits[beside], GAP_EVALUATION_RATIO * usual)
    return np.maximum(limits, STALLED_S)


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.3g} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"
