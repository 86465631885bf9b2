"""Checks of a run's status and stored times against each other and against its rows."""

from __future__ import annotations

import numpy as np

from lib.core.checks.passport_check import Check, Subject, cannot_tell, fine
from lib.core.facts.findings import Severity
from lib.core.facts.liveness import STALLED_S, silent_for
from lib.core.facts.runs import RunStatus
from lib.core.text import formatting

QUEUE_S = 600.0
"""Seconds from the stored start to the first row from which on they include a queue: loading a large model and
its data takes minutes."""

QUEUE_SHARE = 0.1
"""Share of the duration that this wait also has: below it no comparison of durations is turned round."""

OUTSIDE_S = 1800.0
"""Seconds that rows may lie outside the stored start and end: the shortest mistake in a time zone is half an hour,
and the last rows may be sent late."""

FULL = 0.999
"""Progress from which on nothing is left to do; percentages are rounded."""

ENDED = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


def end_not_recorded(subject: Subject) -> Check:
    """A run that ended, without a moment at which it did."""
    code, run, rows = "end_not_recorded", subject.run, subject.curves.rows
    if run.status not in ENDED:
        return fine(code, "The run has not ended.")
    if run.completed_at is not None:
        return fine(code, f"The run ended at {formatting.exact_date(run.completed_at)}.")
    if run.started_at is None and not (rows is not None and rows.timed):
        return cannot_tell(code, "the source records no times of this run")
    return subject.found(
        code,
        Severity.INFO,
        f"The run is {run.status.value}, and no moment of its end is recorded: its duration is taken to its last sign"
        " of life.",
    )


def ends_before_start(subject: Subject) -> Check:
    """A run that ended before it started."""
    code, started, ended = "ends_before_start", subject.run.started_at, subject.run.completed_at
    if started is None or ended is None:
        return cannot_tell(code, f"no moment of its {'start' if started is None else 'end'} is recorded")
    if ended >= started:
        return fine(code, "The run ended after it started.")
    return subject.found(
        code,
        Severity.WARNING,
        f"The run ended {formatting.duration((started - ended).total_seconds())} before it started, by its own times.",
        seconds=(started - ended).total_seconds(),
    )


def silent_while_running(subject: Subject) -> Check:
    """A run that says it is running and no longer writes."""
    code, run, rows = "silent_while_running", subject.run, subject.curves.rows
    if run.status is not RunStatus.RUNNING:
        return fine(code, "The run does not say that it is running.")
    silence = None if subject.now is None else silent_for(run, subject.now)
    if silence is None:
        return cannot_tell(code, "its last sign of life is not recorded")
    if rows is not None and rows.last_written_us is not None:
        silence = min(silence, max(0.0, subject.now.timestamp() - rows.last_written_us / 1e6))
    waits = np.diff(subject.curves.get("train_loss").elapsed_s)
    waits = waits[waits > 0.0]
    longest = float(waits.max()) if len(waits) else 0.0
    if silence < max(STALLED_S, longest):
        return fine(code, f"The run last reported {formatting.duration(silence)} ago.")
    return subject.found(
        code,
        Severity.WARNING,
        f"The run says it is running, and has not reported for {formatting.duration(silence)}.",
        step=subject.evidence.last_step,
        seconds=silence,
    )


def failed_at_the_end(subject: Subject) -> Check:
    """A run that failed or was cancelled with nothing left to do."""
    code, run = "failed_at_the_end", subject.run
    if run.status not in (RunStatus.FAILED, RunStatus.CANCELLED):
        return fine(code, "The run neither failed nor was cancelled.")
    last = subject.evidence.last_step
    reached = max((step for step in (run.current_step, last) if step is not None), default=None)
    if run.progress is None and (reached is None or not run.total_steps):
        return cannot_tell(code, "the run does not say how far it came", touches=True)
    done = run.progress or 0.0
    if reached is not None and run.total_steps:
        done = max(done, reached / run.total_steps)
    if done < FULL:
        return fine(code, f"The run had come to {formatting.percent(done)} when it was {run.status.value}.")
    return subject.found(
        code,
        Severity.WARNING,
        f"The run is {run.status.value} although all of its steps were done; it is left out of the ranking.",
        step=reached,
        touches=True,
        progress=done,
    )


def duration_includes_queueing(subject: Subject) -> Check:
    """The stored start lies long before the first row."""
    code, started, rows = "duration_includes_queueing", subject.run.started_at, subject.curves.rows
    if started is None:
        return cannot_tell(code, "no moment of its start is recorded")
    if rows is None or rows.first_written_us is None:
        return cannot_tell(code, subject.without_rows() or "no row has a timestamp")
    wait = rows.first_written_us / 1e6 - started.timestamp()
    span = (rows.last_written_us - rows.first_written_us) / 1e6
    # The steps before the first row took their time as well.
    first, last = subject.evidence.first_step, subject.evidence.last_step
    logging = span * first / (last - first) if last > first else 0.0
    if wait - logging <= max(QUEUE_S, QUEUE_SHARE * (wait + span)):
        return fine(code, f"The first row came {formatting.duration(max(wait, 0.0))} after the start.")
    return subject.found(
        code,
        Severity.INFO,
        f"The first row came {formatting.duration(wait)} after the recorded start: the duration includes queueing or"
        f" start-up. From first to last row it is {formatting.duration(span)}.",
        wait_s=wait,
        logged_s=span,
    )


def rows_outside_run(subject: Subject) -> Check:
    """Rows stamped before the stored start or after the stored end."""
    code, run, rows = "rows_outside_run", subject.run, subject.curves.rows
    if run.started_at is None and run.completed_at is None:
        return cannot_tell(code, "neither start nor end of the run is recorded")
    if rows is None or rows.first_written_us is None:
        return cannot_tell(code, subject.without_rows() or "no row has a timestamp")
    early = 0.0 if run.started_at is None else run.started_at.timestamp() - rows.first_written_us / 1e6
    late = 0.0 if run.completed_at is None else rows.last_written_us / 1e6 - run.completed_at.timestamp()
    if max(early, late) <= OUTSIDE_S:
        return fine(code, "All rows were written between the start and the end of the run.")
    which = (
        f"{formatting.duration(early)} before its start"
        if early >= late
        else (f"{formatting.duration(late)} after its end")
    )
    return subject.found(
        code,
        Severity.INFO,
        f"Rows are stamped up to {which}, as recorded: the run was resumed, or two clocks disagree.",
        before_s=max(early, 0.0),
        after_s=max(late, 0.0),
    )
