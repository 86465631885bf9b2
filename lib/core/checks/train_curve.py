"""Checks of a run's train curve: begun and ended in time, without holes, measured and not repeated."""

from __future__ import annotations

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import OF_ENDS, OF_INTERVALS, REDUCED, TOLERATED_INTERVALS, CannotTell, Subject
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.series import REPEAT_SHARE
from lib.core.curves.train_window import NOT_FINITE, window_before
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunStatus
from lib.core.gap.plausibility import MULTIPLE_LEAST, MULTIPLE_WITHIN, Doubt, Implausible, implausible, scale_of
from lib.core.text import formatting
from lib.core.text.phrases import counted

# fmt: off
NEIGHBOURS = Count(3, "Neighbours",
    "Intervals on each side that a gap must stand out from: a logging interval may change in the middle of a run.")
STALE_POINTS = Count(6, "Stale points",
    "Equal train losses in a row from which on they are repeats: with four decimals, two that are measured agree once"
    " in a hundred times or less, and so many never.")
COARSE_STEPS = Limit(3.0, "Coarse steps",
    "A loss that typically changes by at most so many of its last decimals may well stand still.")
COARSE_WINDOW = Count(50, "Coarse window",
    "Points on each side of a stretch that show how much the loss typically changes.")
FRESH_SHARE = Limit(0.9, "Fresh share",
    "Share of different values among stretches of equal ones from which on each value was repeated; rounded losses"
    " come back to the same values instead.")
# fmt: on


@check(
    "Gap in the train loss", Group.DATA, Severity.WARNING, metrics=("train_loss",), limits=(*OF_INTERVALS, NEIGHBOURS)
)
def logging_gap(subject: Subject) -> Found | NotFound | CannotTell:
    """Stretches of a run in which several train losses in a row are missing."""
    return gaps(subject.complete("train_loss"), subject.interval, "train loss")


def gaps(curve: MetricCurve, interval: float | None, title: str) -> Found | NotFound | CannotTell:
    """The gaps of a complete curve that is called ``title``; several points in a row are missing in each."""
    if interval is None:
        return CannotTell(f"the {title} has too few points, or no regular interval of steps")
    differences = np.diff(curve.step)
    wide = np.flatnonzero(differences > TOLERATED_INTERVALS * interval)
    if len(wide):
        padded = np.pad(differences.astype(np.float64), NEIGHBOURS, constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)[wide]
        local = np.fmax(_middle(around[:, :NEIGHBOURS]), _middle(around[:, NEIGHBOURS + 1 :]))
        wide = wide[differences[wide] > TOLERATED_INTERVALS * local]
    if not len(wide):
        return NotFound(f"No gap in the {title}, which comes every {interval:,.4g} steps.")
    first = int(wide[0])
    missing = int(np.round(differences[wide] / interval - 1.0).sum())
    after, before = int(curve.step[first]), int(curve.step[first + 1])
    said = (
        f"{counted(len(wide), 'gap')} in the {title}: about {counted(missing, 'point')} missing, where one comes every"
        f" {interval:,.4g} steps; the first between steps {after:,} and {before:,}."
    )
    begin, end = min(after + round(interval), before), max(before - round(interval), after)
    return found(said, begin, end, gaps=len(wide), missing=missing, interval=interval)


def _middle(differences: np.ndarray) -> np.ndarray:
    """The median of each row without its NaNs; 0 where there are only NaNs."""
    ordered = np.sort(differences, axis=1)
    known = np.isfinite(ordered).sum(axis=1)
    picked: np.ndarray = ordered[np.arange(len(ordered)), np.maximum(known - 1, 0) // 2]
    picked[known == 0] = 0.0
    return picked


def _changes(value: np.ndarray) -> np.ndarray:
    """By how much neighbouring finite values differ, where they do."""
    changes = np.abs(np.diff(value[np.isfinite(value)]))
    changed: np.ndarray = changes[changes > 0.0]
    return changed


@check("Log begins late", Group.DATA, Severity.WARNING, metrics=("train_loss",), limits=(*OF_INTERVALS,))
def begins_late(subject: Subject) -> Found | NotFound | CannotTell:
    """The first train losses are missing."""
    curve = subject.curve("train_loss")
    first = int(curve.step[0])
    if subject.run.resumed_from_run_id or subject.run.resumed_from_checkpoint:
        return NotFound(f"The log begins at step {first:,}; the run went on from another one's checkpoint.")
    if first <= 1:
        return NotFound(f"The log begins at step {first:,}.")
    subject.complete("train_loss")
    interval = subject.interval
    if interval is None:
        return CannotTell("the train loss has too few points, or no regular interval of steps")
    if first <= TOLERATED_INTERVALS * interval:
        return NotFound(f"The log begins at step {first:,}, and goes on every {interval:,.4g} steps.")
    said = (
        f"The log begins at step {first:,} although a train loss comes every {interval:,.4g} steps: about"
        f" {round(first / interval) - 1:,} are missing at the start."
    )
    return found(said, first, first=first, interval=interval)


@check(
    "Log ends early",
    Group.DATA,
    Severity.WARNING,
    metrics=("train_loss",),
    limits=(*OF_INTERVALS, *OF_ENDS),
    touches=True,
    of_stated=True,
)
def ends_early(subject: Subject) -> Found | NotFound | CannotTell:
    """The log of a completed run ends before its last planned step."""
    run, last = subject.run, subject.evidence.last_step
    if run.status is not RunStatus.COMPLETED:
        return NotFound(f"The run is not completed but {run.status_text}, and may end anywhere.")
    if not run.total_steps or run.total_steps < 0:
        return CannotTell("the run does not say how many steps were planned")
    if last is None:
        return CannotTell("no step was logged")
    lacks = subject.lacks(run.total_steps - last, run.total_steps)
    if lacks is None:
        return CannotTell(REDUCED)
    if not lacks:
        return NotFound(f"The log goes to step {last:,} of {run.total_steps:,}.")
    if run.ended_early and last >= (run.current_step or 0):
        return NotFound(f"Training was ended on purpose at step {last:,} of {run.total_steps:,}.")
    reached = run.current_step is not None and not subject.lacks(run.total_steps - run.current_step, run.total_steps)
    reading = "the end of the log is missing" if reached else "it stopped early, or its log was cut"
    said = f"The run says completed, and its log ends at step {last:,} of {run.total_steps:,}: {reading}."
    return found(said, last, run.total_steps, last=last, planned=run.total_steps)


@check(
    "Implausible train loss", Group.DATA, Severity.WARNING, metrics=("train_loss", "eval_loss"),
    limits=(MULTIPLE_WITHIN, MULTIPLE_LEAST), touches=True,
)  # fmt: skip
def implausible_train_loss(subject: Subject) -> Found | NotFound | CannotTell:
    """A train loss that cannot be a mean loss beside the eval loss of the same step, so that it makes no gap."""
    best, step = subject.evidence.best_eval_loss, subject.evidence.best_step
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    if best is None or step is None:
        return CannotTell("no finite eval loss is logged to compare the train loss with")
    window = window_before(subject.complete("train_loss"), step)
    if isinstance(window, str) and window != NOT_FINITE:
        return CannotTell(window)
    mean = None if isinstance(window, str) else window.mean
    doubt = implausible(mean, best, scale_of(subject.run))
    if doubt is None:
        return NotFound(f"At the best evaluation, step {step:,}, train and eval loss are of one size.")
    said = _implausible_sentence(doubt, mean, best, step)
    return found(said, step, metric="train_loss", eval_loss=best, code=doubt.code.value)


def _implausible_sentence(doubt: Doubt, mean: float | None, best: float, step: int) -> str:
    at = f"before the best evaluation, step {step:,}"
    if doubt.code is Implausible.NO_VALUE:
        return f"No train loss just {at}, is a finite number."
    if doubt.code is Implausible.ZERO:
        return f"The logged train loss is exactly 0 {at}: it was not measured."
    begun = f"The logged train loss, {formatting.loss(mean)} {at}, is"
    if doubt.code is Implausible.MULTIPLE:
        return f"{begun} about {doubt.factor} times the eval loss, {formatting.loss(best)}: a sum over {doubt.over}."
    return f"{begun} above that of guessing any token of the vocabulary: a sum, no mean."


@check(
    "Repeated train losses",
    Group.DATA,
    Severity.WARNING,
    Severity.INFO,
    metrics=("train_loss",),
    limits=(STALE_POINTS, COARSE_STEPS, COARSE_WINDOW, FRESH_SHARE),
    touches=True,
)
def stale_train_loss(subject: Subject) -> Found | NotFound | CannotTell:
    """Stretches of exactly equal train losses: a writer that repeats the last one it has."""
    curve = subject.complete("train_loss")
    value = curve.value
    changed = value[1:] != value[:-1]
    if np.count_nonzero(changed) > len(value) - STALE_POINTS:
        return NotFound("No train loss is repeated.")
    starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    lengths = np.diff(starts, append=len(value))
    # A loss of exactly 0 stays there, and is no sign of a writer.
    lengths = np.where(value[starts] == 0.0, 1, lengths)
    repeats = int((lengths - 1).sum())
    every = repeats > REPEAT_SHARE * len(value) and len(starts) >= STALE_POINTS
    every = every and len(np.unique(value[starts])) >= FRESH_SHARE * len(starts)
    long = np.flatnonzero(lengths >= (2 if every else STALE_POINTS))
    if not len(long):
        return NotFound("No train loss is repeated.")
    longest = int(long[lengths[long].argmax()])
    if not every and _is_coarse(value, int(starts[longest]), int(lengths[longest])):
        return CannotTell("the train loss hardly changes within the decimals it was logged with")
    first, last = int(starts[long[0]]), int(starts[long[-1]] + lengths[long[-1]] - 1)
    at_end = last == len(value) - 1
    if at_end and subject.gradients_stand_still(int(curve.step[first + 1])):
        return NotFound("Train loss stands still with its gradients: it was measured.")
    said = (
        f"Exactly the same train loss stands up to {lengths[longest]:,} times in a row, first from step"
        f" {curve.step[first]:,} on: repeated by the writer, not measured"
        f"{'. So is the last one, which the gap is made of' if at_end else ''}."
    )
    begin, end = curve.step[first + 1], curve.step[last]
    severity = Severity.WARNING if at_end else Severity.INFO
    return found(said, begin, end, severity=severity, touches_verdict=at_end, longest=int(lengths[longest]))


def _is_coarse(value: np.ndarray, start: int, length: int) -> bool:
    """Whether the loss changes so little around a stretch that its decimals explain it."""
    every = _changes(value)
    around = (
        value[max(start - COARSE_WINDOW, 0) : start + 1],
        value[start + length - 1 : start + length + COARSE_WINDOW],
    )
    changes = np.concatenate([_changes(part) for part in around])
    return bool(len(changes)) and float(np.median(changes)) <= COARSE_STEPS * float(every.min())
