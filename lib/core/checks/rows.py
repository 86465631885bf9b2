"""Checks of a run's rows as they were written: all there, in order, on a steady clock."""

from __future__ import annotations

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import METRICS_NAMED, REDUCED, CannotTell, Subject, called
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Limit
from lib.core.text import formatting
from lib.core.text.phrases import counted, first_of

# fmt: off
EPOCH_SLACK = Limit(0.011, "Epoch slack",
    "Epochs that a later step may be behind: some writers round epochs to two decimals, up or down.")
# fmt: on

VERDICT_METRICS = ("eval_loss", "train_loss")
"""What the score of a run is made of."""


@check("Rows missing", Group.DATA, Severity.CRITICAL, touches=True)
def rows_missing(subject: Subject) -> Found | NotFound | CannotTell:
    """Fewer rows came than the source counted."""
    rows = subject.rows
    if rows.expected is None:
        return CannotTell("the source does not say how many rows there are")
    if rows.received >= rows.expected:
        return NotFound(f"All {counted(rows.expected, 'row')} were read.")
    said = (
        f"Only {rows.received:,} of {counted(rows.expected, 'row')} were read: curves, minima and last values are those"
        " of a part of the run."
    )
    return found(said, received=rows.received, expected=rows.expected)


@check("Rows and values left out", Group.DATA, Severity.WARNING, touches=True)
def rows_unplaced(subject: Subject) -> Found | NotFound | CannotTell:
    """Rows whose step is null, negative or no whole number."""
    rows = subject.rows
    if not rows.unplaced and not rows.unread:
        return NotFound("Every row has a step.")
    steps = f"{counted(rows.unplaced, 'row')} of {rows.received:,} without a whole step" if rows.unplaced else ""
    values = counted(rows.unread, "value that is no number", "values that are no numbers") if rows.unread else ""
    return found(f"{' and '.join(filter(None, (steps, values)))}: left out.", rows=rows.unplaced, values=rows.unread)


@check("Values written twice", Group.DATA, Severity.WARNING, Severity.INFO, touches=True)
def values_rewritten(subject: Subject) -> Found | NotFound | CannotTell:
    """Values that were written again for the same step."""
    rows = subject.rows
    if not rows.rewritten:
        return NotFound("No step has two values of one metric.")
    judged = [metric for metric in VERDICT_METRICS if metric in rows.rewritten_metrics]
    titles = first_of([called(metric) for metric in rows.rewritten_metrics], METRICS_NAMED)
    said = (
        f"{counted(rows.rewritten, 'value')} came again for the same step, first at step {rows.rewritten_step:,}"
        f" ({titles}). The value written last is shown."
    )
    severity = Severity.WARNING if judged else Severity.INFO
    return found(said, rows.rewritten_step, severity=severity, touches_verdict=bool(judged), values=rows.rewritten)


@check("Steps go backwards", Group.DATA, Severity.INFO)
def steps_backwards(subject: Subject) -> Found | NotFound | CannotTell:
    """Steps that go backwards in the order of writing."""
    rows = subject.rows
    if not rows.order_known and (not rows.timed or rows.clock_backwards):
        why = "goes back" if rows.timed else "is not recorded"
        return CannotTell(f"only the clock tells in which order the rows were written, and it {why}")
    if not rows.backwards:
        return NotFound("Steps never go backwards.")
    reading = (
        "as after a resumption from a checkpoint"
        if rows.rewritten
        else "with no value replaced, as when rows are sent out of order"
    )
    said = f"Steps go backwards {counted(rows.backwards, 'time')}, first to step {rows.backwards_step:,}, {reading}."
    return found(said, rows.backwards_step, times=rows.backwards)


@check("Clock goes backwards", Group.DATA, Severity.WARNING, touches=True)
def clock_backwards(subject: Subject) -> Found | NotFound | CannotTell:
    """A clock that was set back."""
    rows = subject.rows
    if not rows.timed:
        return CannotTell("no row has a timestamp")
    if not rows.clock_backwards:
        return NotFound("Timestamps never go backwards.")
    rewritten_eval = "eval_loss" in rows.rewritten_metrics
    sentence = (
        f"The clock goes backwards {counted(rows.clock_backwards, 'time')}, by up to"
        f" {formatting.duration(rows.clock_back_s)}, first at step {rows.clock_step:,}. Elapsed times and durations"
        " are wrong from there on."
    )
    said = sentence + (" So may be which of two eval losses of one step was the later." if rewritten_eval else "")
    return found(said, rows.clock_step, touches_verdict=rewritten_eval, times=rows.clock_backwards)


@check("Epochs go backwards", Group.DATA, Severity.WARNING, metrics=("train_loss", "eval_loss"), limits=(EPOCH_SLACK,))
def epochs_backwards(subject: Subject) -> Found | NotFound | CannotTell:
    """Epochs that go down while steps go up."""
    told, complete = 0, True
    at: list[tuple[int, float, float]] = []
    for metric in VERDICT_METRICS:
        curve = subject.curves.get(metric)
        known = np.isfinite(curve.epoch)
        steps, epochs = curve.step[known], curve.epoch[known]
        told, complete = max(told, len(epochs)), complete and curve.is_complete
        down = np.diff(epochs) < -EPOCH_SLACK
        if down.any():
            first = int(down.argmax())
            at.append((int(steps[first + 1]), float(epochs[first]), float(epochs[first + 1])))
    if at:
        step, before, after = min(at)
        said = (
            f"The epoch falls from {before:g} to {after:g} at step {step:,}: steps or epochs were counted anew there."
            " Curves over epochs fold back."
        )
        return found(said, step, severity=Severity.WARNING, before=before, after=after)
    if told < 2:
        return CannotTell("no epochs were logged with the losses")
    return NotFound("Epochs never fall.") if complete else CannotTell(REDUCED)
