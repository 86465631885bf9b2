"""Checks of what is stored about a run against what its rows say: losses, learning rate, throughput, steps."""

from __future__ import annotations

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import OF_ENDS, OF_INTERVALS, REDUCED, CannotTell, Subject
from lib.core.config.effective import effective_batch
from lib.core.curves.evidence import FLOAT32_ROUNDING, STORED_DECIMALS, stored_differs
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite
from lib.core.text import formatting

# fmt: off
LOW_RATE_SHARE = Limit(0.5, "Low rate share",
    "Share of the highest logged learning rate below which the stored one is not the configured one: schedules end at"
    " a tenth of it or less.")
RATE_TOLERANCE = Limit(0.01, "Rate tolerance",
    "Share by which a stored learning rate may be above the last logged one and be the same, rounded.")
SPEED_TOLERANCE = Limit(0.2, "Speed tolerance",
    "Share by which two throughputs may differ and be the same: one is a mean, the other a median.")
# fmt: on


@check("Log missing", Group.DATA, Severity.CRITICAL, touches=True)
def log_missing(subject: Subject) -> Found | NotFound | CannotTell:
    """A run that trained and has no rows."""
    run = subject.run
    evidence = subject.evidence
    if evidence.last_step is not None:
        return NotFound(f"Rows were logged from step {evidence.first_step:,} to step {evidence.last_step:,}.")
    if subject.curves.unread:
        return CannotTell("not every metric was read")
    if run.status is not RunStatus.COMPLETED and not run.current_step:
        return NotFound("No rows were logged; the run is not known to have trained.")
    said = "No rows were logged although the run trained: nothing that is stored about it can be checked."
    return found(said)


@check("Stored best eval loss", Group.DATA, Severity.WARNING, metrics=("eval_loss",), touches=True, of_stated=True)
def stored_best_loss(subject: Subject) -> Found | NotFound | CannotTell:
    """The stored best eval loss is not the lowest one logged."""
    stored, lowest = finite(subject.run.best_eval_loss), subject.evidence.best_eval_loss
    if stored is None:
        return CannotTell("the run stores no finite best eval loss")
    if lowest is None:
        subject.curve("eval_loss")
        return CannotTell("no finite eval loss was logged")
    said = stored_differs(subject.run, subject.evidence)
    if said is None:
        return NotFound(f"The stored best eval loss is the lowest logged one, {formatting.loss(lowest)}.")
    reading = (
        "A checkpoint rule may have chosen it." if stored > lowest else "The evaluation that gave it is not in the log."
    )
    said = f"{said} {reading}"
    return found(said, subject.evidence.best_step, stored=stored, lowest=lowest)


@check("Stored best step", Group.DATA, Severity.INFO, metrics=("eval_loss",))
def stored_best_step(subject: Subject) -> Found | NotFound | CannotTell:
    """The stored best step is not one at which the best eval loss was logged."""
    stored, best = subject.run.best_step, subject.evidence.best_step
    if stored is None:
        return CannotTell("the run stores no best step")
    if best is None:
        subject.curve("eval_loss")
        return CannotTell("no finite eval loss was logged")
    curve, lowest = subject.curves.get("eval_loss"), subject.evidence.best_eval_loss
    there = curve.value[curve.step == stored]
    # A checkpoint rule may have chosen another evaluation, which is then a matter of the stored loss.
    claimed = [lowest, finite(subject.run.best_eval_loss)]
    if stored == best or any(
        abs(there[0] - loss) <= 0.5 * 10.0**-STORED_DECIMALS + FLOAT32_ROUNDING * abs(loss)
        for loss in claimed
        if loss is not None and len(there)
    ):
        return NotFound(f"The stored best eval loss was logged at the stored best step {stored:,}.")
    logged = f"{formatting.loss(there[0])} was logged" if len(there) else "no evaluation was logged"
    said = (
        f"The stored best step is {stored:,}, where {logged}; the lowest eval loss {formatting.loss(lowest)} is at step"
        f" {best:,}."
    )
    return found(said, best, stored=stored, best=best)


@check(
    "Stored learning rate",
    Group.DATA,
    Severity.INFO,
    metrics=("learning_rate",),
    limits=(LOW_RATE_SHARE, RATE_TOLERANCE),
)
def stored_learning_rate(subject: Subject) -> Found | NotFound | CannotTell:
    """The stored learning rate is what the schedule came to, not what was configured."""
    stored = finite(subject.run.learning_rate)
    peak = subject.evidence.peak_learning_rate
    if stored is None:
        return CannotTell("the run stores no learning rate")
    if peak is None:
        subject.curve("learning_rate")
        return CannotTell("no finite one was logged")
    if stored >= LOW_RATE_SHARE * peak:
        return NotFound(f"The stored learning rate is {formatting.scientific(stored)}.")
    rates = subject.curves.get("learning_rate").value
    last = finite(rates[-1]) if len(rates) else None
    # The job row may be written a few steps after the last metrics row, further down the schedule.
    is_last = last is not None and stored <= (1.0 + RATE_TOLERANCE) * last
    said = (
        f"The stored learning rate, {formatting.scientific(stored)}, is"
        f" {'the one scheduled last' if is_last else 'not the configured one'}; the highest logged one is"
        f" {formatting.scientific(peak)}."
    )
    return found(said, stored=stored, peak=peak)


@check("Throughput not stored", Group.DATA, Severity.INFO, metrics=("samples_per_second",))
def throughput_missing(subject: Subject) -> Found | NotFound | CannotTell:
    """No throughput is stored although the rows have it."""
    stored = finite(subject.run.samples_per_second)
    median = subject.evidence.median_samples_per_second
    if stored is not None:
        return NotFound(f"A throughput is stored, {stored:,.3g} samples/s.")
    if median is None:
        return CannotTell("neither the run nor its rows state samples per second")
    said = f"The run stores no samples per second; the median of its rows is {median:,.3g}."
    return found(said, median=median)


@check("Throughput in steps", Group.DATA, Severity.WARNING, metrics=("samples_per_second",), limits=(SPEED_TOLERANCE,))
def throughput_is_steps(subject: Subject) -> Found | NotFound | CannotTell:
    """What is stored as samples per second are optimizer steps per second."""
    stored = finite(subject.run.samples_per_second)
    if stored is None or stored <= 0.0:
        return CannotTell("the run stores no samples per second")
    batch = effective_batch(subject.run).effective
    if batch is None:
        return CannotTell("the effective batch size is not known")
    if batch < 2:
        return NotFound("A step is one sample.")
    evidence = subject.evidence
    median = evidence.median_samples_per_second
    if median is not None and median > 0.0:
        steps = median / batch
    elif evidence.duration_s and (done := (evidence.last_step or 0) - (evidence.first_step or 0)):
        steps = done / evidence.duration_s
    else:
        return CannotTell("the rows state neither samples per second nor times")
    if not abs(stored / steps - 1.0) <= SPEED_TOLERANCE:
        return NotFound(f"The stored {stored:,.3g} samples/s are not steps per second ({steps:,.3g}).")
    said = (
        f"The stored {stored:,.3g} samples per second are optimizer steps per second: with {batch:,} samples per step"
        f" the rows give {steps * batch:,.3g} samples per second."
    )
    return found(said, stored=stored, batch=batch, samples_per_second=steps * batch)


@check(
    "Stored current step",
    Group.DATA,
    Severity.WARNING,
    Severity.INFO,
    metrics=("train_loss",),
    limits=(*OF_INTERVALS, *OF_ENDS),
    touches=True,
    of_stated=True,
)
def current_step_differs(subject: Subject) -> Found | NotFound | CannotTell:
    """The stored current step is not where the log ends."""
    run, last = subject.run, subject.evidence.last_step
    if run.current_step is None:
        return CannotTell("the run stores no current step")
    if last is None:
        return CannotTell("no step was logged")
    differs = subject.lacks(abs(run.current_step - last), max(run.current_step, last))
    if differs is None:
        return CannotTell(REDUCED)
    if not differs:
        return NotFound(f"The stored current step is {run.current_step:,}, the last logged one {last:,}.")
    lacks = run.current_step > last
    said = f"The stored current step is {run.current_step:,} and the last logged one {last:,}: " + (
        "the end of the log is missing." if lacks else "the stored one was not kept up to date."
    )
    severity = Severity.WARNING if lacks else Severity.INFO
    return found(said, last, severity=severity, touches_verdict=lacks, stored=run.current_step, last=last)
