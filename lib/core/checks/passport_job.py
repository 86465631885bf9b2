"""Checks of what is stored about a run against what its rows say: losses, learning rate, throughput, steps."""

from __future__ import annotations

from lib.core.checks.passport_check import REDUCED, Check, Subject, cannot_tell, fine
from lib.core.config.effective import effective_batch
from lib.core.curves.evidence import FLOAT32_ROUNDING, STORED_DECIMALS, stored_differs
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus
from lib.core.facts.values import finite
from lib.core.text import formatting

LOW_RATE_SHARE = 0.5
"""Share of the highest logged learning rate below which the stored one is not the configured one: schedules end
at a tenth of it or less."""

RATE_TOLERANCE = 0.01
"""Share by which a stored learning rate may be above the last logged one and be the same, rounded."""

SPEED_TOLERANCE = 0.2
"""Share by which two throughputs may differ and be the same: one is a mean, the other a median."""


def log_missing(subject: Subject) -> Check:
    """A run that trained and has no rows."""
    code, run = "log_missing", subject.run
    evidence = subject.evidence
    if evidence.last_step is not None:
        return fine(code, f"Rows were logged from step {evidence.first_step:,} to step {evidence.last_step:,}.")
    if subject.curves.unread:
        return cannot_tell(code, "not every metric was read", touches=True)
    if run.status is not RunStatus.COMPLETED and not run.current_step:
        return fine(code, "No rows were logged; the run is not known to have trained.")
    return subject.found(
        code,
        Severity.CRITICAL,
        "No rows were logged although the run trained: nothing that is stored about it can be checked.",
        touches=True,
    )


def stored_best_loss(subject: Subject) -> Check:
    """The stored best eval loss is not the lowest one logged."""
    code, stored, lowest = "stored_best_loss", finite(subject.run.best_eval_loss), subject.evidence.best_eval_loss
    if stored is None:
        return cannot_tell(code, "the run stores no finite best eval loss")
    if lowest is None:
        why = subject.unseen("eval_loss", "eval loss") or "no finite eval loss was logged"
        return cannot_tell(code, why, touches=True)
    said = stored_differs(subject.run, subject.evidence)
    if said is None:
        return fine(code, f"The stored best eval loss is the lowest logged one, {formatting.loss(lowest)}.")
    reading = (
        "A checkpoint rule may have chosen it." if stored > lowest else "The evaluation that gave it is not in the log."
    )
    return subject.found(
        code,
        Severity.WARNING,
        f"{said} {reading}",
        step=subject.evidence.best_step,
        touches=True,
        stored=stored,
        lowest=lowest,
    )


def stored_best_step(subject: Subject) -> Check:
    """The stored best step is not one at which the best eval loss was logged."""
    code, stored, best = "stored_best_step", subject.run.best_step, subject.evidence.best_step
    if stored is None:
        return cannot_tell(code, "the run stores no best step")
    if best is None:
        return cannot_tell(code, subject.unseen("eval_loss", "eval loss") or "no finite eval loss was logged")
    curve, lowest = subject.curves.get("eval_loss"), subject.evidence.best_eval_loss
    there = curve.value[curve.step == stored]
    # A checkpoint rule may have chosen another evaluation, which is then a matter of the stored loss.
    claimed = [lowest, finite(subject.run.best_eval_loss)]
    if stored == best or any(
        abs(there[0] - loss) <= 0.5 * 10.0**-STORED_DECIMALS + FLOAT32_ROUNDING * abs(loss)
        for loss in claimed
        if loss is not None and len(there)
    ):
        return fine(code, f"The stored best eval loss was logged at the stored best step {stored:,}.")
    logged = f"{formatting.loss(there[0])} was logged" if len(there) else "no evaluation was logged"
    return subject.found(
        code,
        Severity.INFO,
        f"The stored best step is {stored:,}, where {logged}; the lowest eval loss {formatting.loss(lowest)} is at step"
        f" {best:,}.",
        step=best,
        stored=stored,
        best=best,
    )


def stored_learning_rate(subject: Subject) -> Check:
    """The stored learning rate is what the schedule came to, not what was configured."""
    code, stored = "stored_learning_rate", finite(subject.run.learning_rate)
    peak = subject.evidence.peak_learning_rate
    if stored is None:
        return cannot_tell(code, "the run stores no learning rate")
    if peak is None:
        return cannot_tell(code, subject.unseen("learning_rate", "learning rate") or "no finite one was logged")
    if stored >= LOW_RATE_SHARE * peak:
        return fine(code, f"The stored learning rate is {formatting.scientific(stored)}.")
    rates = subject.curves.get("learning_rate").value
    last = finite(rates[-1]) if len(rates) else None
    # The job row may be written a few steps after the last metrics row, further down the schedule.
    is_last = last is not None and stored <= (1.0 + RATE_TOLERANCE) * last
    return subject.found(
        code,
        Severity.INFO,
        f"The stored learning rate, {formatting.scientific(stored)}, is"
        f" {'the one scheduled last' if is_last else 'not the configured one'}; the highest logged one is"
        f" {formatting.scientific(peak)}.",
        stored=stored,
        peak=peak,
    )


def throughput_missing(subject: Subject) -> Check:
    """No throughput is stored although the rows have it."""
    code, stored = "throughput_missing", finite(subject.run.samples_per_second)
    median = subject.evidence.median_samples_per_second
    if stored is not None:
        return fine(code, f"A throughput is stored, {stored:,.3g} samples/s.")
    if median is None:
        return cannot_tell(code, "neither the run nor its rows state samples per second")
    return subject.found(
        code,
        Severity.INFO,
        f"The run stores no samples per second; the median of its rows is {median:,.3g}.",
        median=median,
    )


def throughput_is_steps(subject: Subject) -> Check:
    """What is stored as samples per second are optimizer steps per second."""
    code, stored = "throughput_is_steps", finite(subject.run.samples_per_second)
    if stored is None or stored <= 0.0:
        return cannot_tell(code, "the run stores no samples per second")
    batch = effective_batch(subject.run).effective
    if batch is None:
        return cannot_tell(code, "the effective batch size is not known")
    if batch < 2:
        return fine(code, "A step is one sample.")
    evidence = subject.evidence
    median = evidence.median_samples_per_second
    if median is not None and median > 0.0:
        steps = median / batch
    elif evidence.duration_s and evidence.last_step > evidence.first_step:
        steps = (evidence.last_step - evidence.first_step) / evidence.duration_s
    else:
        return cannot_tell(code, "the rows state neither samples per second nor times")
    if not abs(stored / steps - 1.0) <= SPEED_TOLERANCE:
        return fine(code, f"The stored {stored:,.3g} samples/s are not steps per second ({steps:,.3g}).")
    return subject.found(
        code,
        Severity.WARNING,
        f"The stored {stored:,.3g} samples per second are optimizer steps per second: with {batch:,} samples per step"
        f" the rows give {steps * batch:,.3g} samples per second.",
        stored=stored,
        batch=batch,
        samples_per_second=steps * batch,
    )


def current_step_differs(subject: Subject) -> Check:
    """The stored current step is not where the log ends."""
    code, run, last = "current_step_differs", subject.run, subject.evidence.last_step
    if run.current_step is None:
        return cannot_tell(code, "the run stores no current step")
    if last is None:
        return cannot_tell(code, "no step was logged")
    differs = subject.lacks(abs(run.current_step - last), max(run.current_step, last))
    if differs is None:
        return cannot_tell(code, REDUCED)
    if not differs:
        return fine(code, f"The stored current step is {run.current_step:,}, the last logged one {last:,}.")
    lacks = run.current_step > last
    return subject.found(
        code,
        Severity.WARNING if lacks else Severity.INFO,
        f"The stored current step is {run.current_step:,} and the last logged one {last:,}: "
        + ("the end of the log is missing." if lacks else "the stored one was not kept up to date."),
        step=last,
        touches=lacks,
        stored=run.current_step,
        last=last,
    )
