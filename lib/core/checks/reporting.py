"""Whether a run reported without a break: a silent running one, and gaps between the rows of any."""

from __future__ import annotations

import numpy as np

from lib.core.checks.check import FINDINGS_LISTED, Found, Group, NotFound, Seen, check, found
from lib.core.checks.subject import CannotTell, Subject
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.liveness import STALLED_S, silent_for
from lib.core.facts.runs import RunStatus

# fmt: off
GAP_RATIO = Limit(10.0, "Gap ratio",
    'A gap is at least so many typical intervals between rows, and at least "stalled (seconds)".')
GAP_EVALUATION_RATIO = Limit(3.0, "Gap evaluation ratio",
    "Beside an evaluation, it is so many of the longer intervals there: evaluating takes its time.")
GAP_EVALUATION_QUANTILE = Limit(0.75, "Gap evaluation quantile",
    "Of the two intervals beside an evaluation only one holds it: a typical one that does is at this quantile.")
GAP_RHYTHM = Limit(0.05, "Gap rhythm",
    "Where more than this share of the intervals are so long, they are the run's rhythm, such as checkpoints.")
ROWS_NEEDED = Count(8, "Rows needed", "Rows with a time below which there is no typical interval to speak of.")
# fmt: on


@check("Stalled", Group.HEALTH, Severity.WARNING, metrics=("train_loss",), limits=(STALLED_S,))
def stalled(subject: Subject) -> Found | NotFound | CannotTell:
    """A run that says it is running and has fallen silent, for longer than it ever did before."""
    run, now, rows = subject.run, subject.now, subject.curves.rows
    if run.status is not RunStatus.RUNNING:
        return NotFound(f"The run is not running (status {run.status_text}).")
    if now is None:
        return CannotTell("the time of now was not given")
    silence = silent_for(run, now)
    if silence is None:
        return CannotTell("the run never said when it last reported")
    if rows is not None and rows.last_written_us is not None:
        silence = min(silence, max(0.0, now.timestamp() - rows.last_written_us / 1e6))
    waits = np.diff(subject.curves.get("train_loss").elapsed_s)
    limit = max(float(STALLED_S), float(waits[np.isfinite(waits)].max(initial=0.0)))
    if silence < limit:
        return NotFound(f"The run reported {_duration(silence)} ago.")
    last = run.current_step if subject.evidence.last_step is None else subject.evidence.last_step
    said = f"The run says that it is running and has not reported for {_duration(silence)}" + (
        f", last at step {last:,}." if last is not None else "."
    )
    return found(said, last, metric="train_loss", silent_s=silence, limit_s=limit)


@check(
    "Reporting gaps", Group.HEALTH, Severity.INFO, metrics=("train_loss", "eval_loss"),
    limits=(FINDINGS_LISTED, ROWS_NEEDED, STALLED_S,
            GAP_RATIO, GAP_EVALUATION_RATIO, GAP_EVALUATION_QUANTILE, GAP_RHYTHM),
)  # fmt: skip
def reporting_gap(subject: Subject) -> Found | NotFound | CannotTell:
    """Breaks between rows. The first step is that of the last row before the break."""
    metric = _best_timed(subject.curves)
    if metric is None:
        return CannotTell("no row has a time")
    curve = subject.curves.get(metric)
    if not curve.is_complete:
        return CannotTell("only the reduced curves were read, which lack most rows")
    timed = np.isfinite(curve.elapsed_s)
    steps, intervals = curve.step[timed], np.diff(curve.elapsed_s[timed])
    if len(steps) < ROWS_NEEDED:
        return CannotTell(f"{len(steps)} rows have a time; {ROWS_NEEDED} are needed")
    typical = float(np.median(intervals))
    gaps = np.flatnonzero(intervals > _limits(steps, intervals, subject.curves.get("eval_loss")))
    if not len(gaps) or len(gaps) > max(1.0, GAP_RHYTHM * len(intervals)):
        return NotFound(f"Rows come every {_duration(typical)} or so, without a break.")
    listed = np.sort(gaps[np.argsort(-intervals[gaps], kind="stable")[:FINDINGS_LISTED]])
    usual = f"rows come every {_duration(typical)} or so"
    seen = []
    for at in listed:
        first, last, wait = int(steps[at]), int(steps[at + 1]), float(intervals[at])
        said = f"Nothing was logged for {_duration(wait)} between step {first:,} and step {last:,}; {usual}."
        seen.append(Seen(said, first, last, {"metric": metric, "gap_s": wait, "typical_s": typical}))
    return Found(tuple(seen), len(gaps))


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
    limits = np.full(len(intervals), max(STALLED_S, GAP_RATIO * float(np.median(intervals))))
    # An evaluation at step e takes its time before the row of e is written, or after it.
    first = np.searchsorted(evaluations.step, steps[:-1], side="left")
    beside = np.searchsorted(evaluations.step, steps[1:], side="right") > first
    if beside.any():
        usual = np.quantile(intervals[beside], GAP_EVALUATION_QUANTILE)
        limits[beside] = np.maximum(limits[beside], GAP_EVALUATION_RATIO * usual)
    return limits


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.3g} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"
