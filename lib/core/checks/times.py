"""Checks of a run's status and stored times against each other and against its rows."""

from __future__ import annotations

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import CannotTell, Subject
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunStatus
from lib.core.text import formatting

# fmt: off
QUEUE_S = Limit(600.0, "Queue (seconds)",
    "Seconds from the stored start to the first row from which on they include a queue: loading a large model and its"
    " data takes minutes.")
QUEUE_SHARE = Limit(0.1, "Queue share",
    "Share of the duration that this wait also has: below it no comparison of durations is turned round.")
OUTSIDE_S = Limit(1800.0, "Outside (seconds)",
    "Seconds that rows may lie outside the stored start and end: the shortest mistake in a time zone is half an hour,"
    " and the last rows may be sent late.")
FULL = Limit(0.999, "Full", "Progress from which on nothing is left to do; percentages are rounded.")
# fmt: on

ENDED = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


@check("End not recorded", Group.DATA, Severity.INFO)
def end_not_recorded(subject: Subject) -> Found | NotFound | CannotTell:
    """A run that ended, without a moment at which it did."""
    run, rows = subject.run, subject.curves.rows
    if run.status not in ENDED:
        return NotFound("The run has not ended.")
    if run.completed_at is not None:
        return NotFound(f"The run ended at {formatting.exact_date(run.completed_at)}.")
    if run.started_at is None and not (rows is not None and rows.timed):
        return CannotTell("the source records no times of this run")
    said = (
        f"The run is {run.status.value}, and no moment of its end is recorded: its duration is taken to its last sign"
        " of life."
    )
    return found(said)


@check("Ends before it starts", Group.DATA, Severity.WARNING)
def ends_before_start(subject: Subject) -> Found | NotFound | CannotTell:
    """A run that ended before it started."""
    started, ended = subject.run.started_at, subject.run.completed_at
    if started is None or ended is None:
        return CannotTell(f"no moment of its {'start' if started is None else 'end'} is recorded")
    if ended >= started:
        return NotFound("The run ended after it started.")
    said = (
        f"The run ended {formatting.duration((started - ended).total_seconds())} before it started, by its own times."
    )
    return found(said, seconds=(started - ended).total_seconds())


@check("Failed at the end", Group.DATA, Severity.WARNING, limits=(FULL,), touches=True)
def failed_at_the_end(subject: Subject) -> Found | NotFound | CannotTell:
    """A run that failed or was cancelled with nothing left to do."""
    run = subject.run
    if run.status not in (RunStatus.FAILED, RunStatus.CANCELLED):
        return NotFound("The run neither failed nor was cancelled.")
    last = subject.evidence.last_step
    reached = max((step for step in (run.current_step, last) if step is not None), default=None)
    if run.progress is None and (reached is None or not run.total_steps):
        return CannotTell("the run does not say how far it came")
    done = run.progress or 0.0
    if reached is not None and run.total_steps:
        done = max(done, reached / run.total_steps)
    if done < FULL:
        return NotFound(f"The run had come to {formatting.percent(done)} when it was {run.status.value}.")
    said = f"The run is {run.status.value} although all of its steps were done; it is left out of the ranking."
    return found(said, reached, progress=done)


@check("Duration includes queueing", Group.DATA, Severity.INFO, limits=(QUEUE_S, QUEUE_SHARE))
def duration_includes_queueing(subject: Subject) -> Found | NotFound | CannotTell:
    """The stored start lies long before the first row."""
    started = subject.run.started_at
    if started is None:
        return CannotTell("no moment of its start is recorded")
    first_row, last_row = subject.written_s
    wait, span = first_row - started.timestamp(), last_row - first_row
    # The steps before the first row took their time as well. Rows may hold no value at all.
    first, last = subject.evidence.first_step or 0, subject.evidence.last_step or 0
    logging = span * first / (last - first) if last > first else 0.0
    if wait - logging <= max(QUEUE_S, QUEUE_SHARE * (wait + span)):
        return NotFound(f"The first row came {formatting.duration(max(wait, 0.0))} after the start.")
    said = (
        f"The first row came {formatting.duration(wait)} after the recorded start: the duration includes queueing or"
        f" start-up. From first to last row it is {formatting.duration(span)}."
    )
    return found(said, wait_s=wait, logged_s=span)


@check("Rows outside of the run", Group.DATA, Severity.INFO, limits=(OUTSIDE_S,))
def rows_outside_run(subject: Subject) -> Found | NotFound | CannotTell:
    """Rows stamped before the stored start or after the stored end."""
    run = subject.run
    if run.started_at is None and run.completed_at is None:
        return CannotTell("neither start nor end of the run is recorded")
    first_row, last_row = subject.written_s
    early = 0.0 if run.started_at is None else run.started_at.timestamp() - first_row
    late = 0.0 if run.completed_at is None else last_row - run.completed_at.timestamp()
    if max(early, late) <= OUTSIDE_S:
        return NotFound("All rows were written between the start and the end of the run.")
    border = "before its start" if early >= late else "after its end"
    which = f"{formatting.duration(max(early, late))} {border}"
    said = f"Rows are stamped up to {which}, as recorded: the run was resumed, or two clocks disagree."
    return found(said, before_s=max(early, 0.0), after_s=max(late, 0.0))
