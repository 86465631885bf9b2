"""Checks of a run's rows as they were written: all there, in order, on a steady clock, with finite values."""

from __future__ import annotations

import numpy as np

from lib.core.checks.passport_check import REDUCED, Check, Subject, cannot_tell, counted, fine
from lib.core.facts.findings import Severity
from lib.core.facts.liveness import STALLED_S
from lib.core.facts.metrics import metric_of
from lib.core.text import formatting

EPOCH_SLACK = 0.011
"""Epochs that a later step may be behind: some writers round epochs to two decimals, up or down."""

PAUSE_INTERVALS = 50.0
"""Typical times between two rows from which on a wait is a pause: evaluations and checkpoints take a few."""

PAUSE_S = STALLED_S
"""Seconds that a pause has at least; below it nobody would call a running run silent."""

PAUSE_OVER_USUAL = 5.0
"""A pause is also so many times the longest usual wait: evaluations are long, but about equally long."""

MOST_PAUSES = 3
"""So many of the longest waits may be pauses, the next one is usual: what comes more often is how the run works."""

FEW_EVALUATIONS = MOST_PAUSES + 2
"""So many evaluations do not show how long one takes: waits that hold one are then not judged."""

VERDICT_METRICS = ("eval_loss", "train_loss")
"""What the score of a run is made of."""


def rows_missing(subject: Subject) -> Check:
    """Fewer rows came than the source counted."""
    code, rows = "rows_missing", subject.curves.rows
    if because := subject.without_rows():
        return cannot_tell(code, because, touches=True)
    if rows.expected is None:
        return cannot_tell(code, "the source does not say how many rows there are", touches=True)
    if rows.received >= rows.expected:
        return fine(code, f"All {counted(rows.expected, 'row')} were read.")
    return subject.found(
        code,
        Severity.CRITICAL,
        f"Only {rows.received:,} of {counted(rows.expected, 'row')} were read: curves, minima and last values are those"
        " of a part of the run.",
        touches=True,
        received=rows.received,
        expected=rows.expected,
    )


def rows_unplaced(subject: Subject) -> Check:
    """Rows whose step is null, negative or no whole number."""
    code, rows = "rows_unplaced", subject.curves.rows
    if because := subject.without_rows():
        return cannot_tell(code, because)
    if not rows.unplaced:
        return fine(code, "Every row has a step.")
    were = "was" if rows.unplaced == 1 else "were"
    return subject.found(
        code,
        Severity.WARNING,
        f"{counted(rows.unplaced, 'row')} of {rows.received:,} had no whole step from 0 on and {were} left out.",
        touches=True,
        rows=rows.unplaced,
    )


def values_rewritten(subject: Subject) -> Check:
    """Values that were written again for the same step."""
    code, rows = "values_rewritten", subject.curves.rows
    if because := subject.without_rows():
        return cannot_tell(code, because, touches=True)
    if not rows.rewritten:
        return fine(code, "No step has two values of one metric.")
    judged = [metric for metric in VERDICT_METRICS if metric in rows.rewritten_metrics]
    titles = ", ".join(metric_of(metric).title.lower() for metric in rows.rewritten_metrics[:4])
    more = f" and {len(rows.rewritten_metrics) - 4} more" if len(rows.rewritten_metrics) > 4 else ""
    return subject.found(
        code,
        Severity.WARNING if judged else Severity.INFO,
        f"{counted(rows.rewritten, 'value')} came again for the same step, first at step {rows.rewritten_step:,}"
        f" ({titles}{more}). The value written last is shown.",
        step=rows.rewritten_step,
        touches=bool(judged),
        values=rows.rewritten,
        metrics=", ".join(rows.rewritten_metrics),
    )


def steps_backwards(subject: Subject) -> Check:
    """Steps that go backwards in the order of writing."""
    code, rows = "steps_backwards", subject.curves.rows
    if because := subject.without_rows():
        return cannot_tell(code, because)
    if not rows.order_known and (not rows.timed or rows.clock_backwards):
        why = "goes back" if rows.timed else "is not recorded"
        return cannot_tell(code, f"only the clock tells in which order the rows were written, and it {why}")
    if not rows.backwards:
        return fine(code, "Steps never go backwards.")
    reading = (
        "as after a resumption from a checkpoint"
        if rows.rewritten
        else "with no value replaced, as when rows are sent out of order"
    )
    return subject.found(
        code,
        Severity.INFO,
        f"Steps go backwards {counted(rows.backwards, 'time')}, first to step {rows.backwards_step:,}, {reading}.",
        step=rows.backwards_step,
        times=rows.backwards,
    )


def clock_backwards(subject: Subject) -> Check:
    """A clock that was set back."""
    code, rows = "clock_backwards", subject.curves.rows
    if because := subject.without_rows():
        return cannot_tell(code, because)
    if not rows.timed:
        return cannot_tell(code, "no row has a timestamp")
    if not rows.clock_backwards:
        return fine(code, "Timestamps never go backwards.")
    rewritten_eval = "eval_loss" in rows.rewritten_metrics
    sentence = (
        f"The clock goes backwards {counted(rows.clock_backwards, 'time')}, by up to"
        f" {formatting.duration(rows.clock_back_s)}, first at step {rows.clock_step:,}. Elapsed times and durations"
        " are wrong from there on."
    )
    return subject.found(
        code,
        Severity.WARNING,
        sentence + (" So may be which of two eval losses of one step was the later." if rewritten_eval else ""),
        step=rows.clock_step,
        touches=rewritten_eval,
        times=rows.clock_backwards,
        seconds=rows.clock_back_s or 0.0,
    )


def clock_pause(subject: Subject) -> Check:
    """Times between two train losses that are far longer than usual."""
    code, curve = "clock_pause", subject.curves.get("train_loss")
    if because := subject.unseen("train_loss", "train loss"):
        return cannot_tell(code, because)
    if not curve.is_complete:
        return cannot_tell(code, REDUCED)
    timed = np.isfinite(curve.elapsed_s)
    steps, waits = curve.step[timed], np.diff(curve.elapsed_s[timed])
    if len(waits) <= 2 * MOST_PAUSES:
        return cannot_tell(code, "too few rows have a timestamp")
    if waits.max() <= PAUSE_S:
        return fine(code, f"No wait between two train losses is longer than {formatting.duration(waits.max())}.")
    usual = float(np.median(waits))
    longest_usual = float(np.partition(waits, -1 - MOST_PAUSES)[-1 - MOST_PAUSES])
    limit = max(PAUSE_S, PAUSE_INTERVALS * usual, PAUSE_OVER_USUAL * longest_usual)
    evaluations = subject.curves.get("eval_loss").step
    holds_evaluation = np.searchsorted(evaluations, steps[1:], "right") > np.searchsorted(evaluations, steps[:-1])
    if len(evaluations) <= FEW_EVALUATIONS:
        waits = np.where(holds_evaluation, usual, waits)
    pauses = np.flatnonzero(waits > limit)
    if not len(pauses):
        return fine(code, f"No wait between two train losses stands out; the typical one is {usual:,.3g} s.")
    first, longest = int(pauses[0]), float(waits[pauses].max())
    return subject.found(
        code,
        Severity.INFO,
        f"{counted(len(pauses), 'pause')} in the log, the longest of {formatting.duration(longest)} where"
        f" {usual:,.3g} s are typical; the first before step {steps[first + 1]:,}. The run was held up or resumed, or"
        " its clock was set forward; elapsed times include it.",
        step=int(steps[first + 1]),
        pauses=len(pauses),
        longest_s=longest,
        typical_s=usual,
    )


def epochs_backwards(subject: Subject) -> Check:
    """Epochs that go down while steps go up."""
    code, told, complete = "epochs_backwards", 0, True
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
        return subject.found(
            code,
            Severity.WARNING,
            f"The epoch falls from {before:g} to {after:g} at step {step:,}: steps or epochs were counted anew there."
            " Curves over epochs fold back.",
            step=step,
            before=before,
            after=after,
        )
    if told < 2:
        return cannot_tell(code, "no epochs were logged with the losses")
    return fine(code, "Epochs never fall.") if complete else cannot_tell(code, REDUCED)


def nonfinite_values(subject: Subject) -> Check:
    """NaN and infinities."""
    code, lost = "nonfinite_values", subject.evidence.nonfinite
    if not subject.curves.curves:
        return cannot_tell(code, "no metric was read or logged", touches=True)
    if not lost:
        unread = " that was read" if subject.curves.unread else ""
        return fine(code, f"Every logged value{unread} is finite.")
    steps = []
    for metric in lost:
        curve = subject.curves.get(metric)
        odd = curve.step[~np.isfinite(curve.value)]
        steps += [int(odd[0])] if len(odd) else []
    judged = any(metric in lost for metric in VERDICT_METRICS)
    amounts = ", ".join(f"{metric_of(metric).title.lower()} {count:,}" for metric, count in sorted(lost.items()))
    first = min(steps) if steps else None
    where = "" if first is None else f", first at step {first:,}"
    return subject.found(
        code,
        Severity.CRITICAL if judged else Severity.WARNING,
        f"Values that are NaN or infinite: {amounts}{where}.",
        step=first,
        touches=judged,
        **{metric: int(count) for metric, count in lost.items()},
    )
