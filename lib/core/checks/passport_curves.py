"""Checks of a run's train curve: begun and ended in time, without holes, measured and not repeated."""

from __future__ import annotations

import numpy as np

from lib.core.checks.passport_check import (
    REDUCED,
    TOLERATED_INTERVALS,
    Check,
    Subject,
    cannot_tell,
    counted,
    fine,
)
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.series import REPEAT_SHARE
from lib.core.facts.findings import Severity
from lib.core.facts.runs import RunStatus

NEIGHBOURS = 3
"""Intervals on each side that a gap must stand out from: a logging interval may change in the middle of a run."""

STALE_POINTS = 6
"""Equal train losses in a row from which on they are repeats: with four decimals, two that are measured agree once
in a hundred times or less, and so many never."""

COARSE_STEPS = 3.0
"""A loss that typically changes by at most so many of its last decimals may well stand still."""

COARSE_WINDOW = 50
"""Points on each side of a stretch that show how much the loss typically changes."""

FRESH_SHARE = 0.9
"""Share of different values among stretches of equal ones from which on each value was repeated; rounded losses
come back to the same values instead."""


def logging_gap(subject: Subject) -> Check:
    """Stretches of a run in which several train losses in a row are missing."""
    curve = subject.curves.get("train_loss")
    return gaps(subject, "logging_gap", curve, subject.interval, "train_loss", "train loss", touches=False)


def gaps(
    subject: Subject, code: str, curve: MetricCurve, interval: float | None, metric: str, title: str, *, touches: bool
) -> Check:
    """The gaps of a curve that is called ``title``; several points in a row are missing in each."""
    if because := subject.unseen(metric, title):
        return cannot_tell(code, because, touches=touches)
    if not curve.is_complete:
        return cannot_tell(code, REDUCED, touches=touches)
    if interval is None:
        return cannot_tell(code, f"the {title} has too few points, or no regular interval of steps", touches=touches)
    differences = np.diff(curve.step)
    wide = np.flatnonzero(differences > TOLERATED_INTERVALS * interval)
    if len(wide):
        padded = np.pad(differences.astype(np.float64), NEIGHBOURS, constant_values=np.nan)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)[wide]
        local = np.fmax(_middle(around[:, :NEIGHBOURS]), _middle(around[:, NEIGHBOURS + 1 :]))
        wide = wide[differences[wide] > TOLERATED_INTERVALS * local]
    if not len(wide):
        return fine(code, f"No gap in the {title}, which comes every {interval:,.4g} steps.")
    first = int(wide[0])
    missing = int(np.round(differences[wide] / interval - 1.0).sum())
    after, before = int(curve.step[first]), int(curve.step[first + 1])
    return subject.found(
        code,
        Severity.WARNING,
        f"{counted(len(wide), 'gap')} in the {title}: about {counted(missing, 'point')} missing, where one comes every"
        f" {interval:,.4g} steps; the first between steps {after:,} and {before:,}.",
        step=min(after + round(interval), before),
        extent=max(before - round(interval), after),
        touches=touches,
        gaps=len(wide),
        missing=missing,
        interval=interval,
    )


def _middle(differences: np.ndarray) -> np.ndarray:
    """The median of each row without its NaNs; 0 where there are only NaNs."""
    ordered = np.sort(differences, axis=1)
    known = np.isfinite(ordered).sum(axis=1)
    picked = ordered[np.arange(len(ordered)), np.maximum(known - 1, 0) // 2]
    return np.where(known > 0, picked, 0.0)


def _changes(value: np.ndarray) -> np.ndarray:
    """By how much neighbouring finite values differ, where they do."""
    changes = np.abs(np.diff(value[np.isfinite(value)]))
    return changes[changes > 0.0]


def begins_late(subject: Subject) -> Check:
    """The first train losses are missing."""
    code, curve = "begins_late", subject.curves.get("train_loss")
    if because := subject.unseen("train_loss", "train loss"):
        return cannot_tell(code, because)
    first = int(curve.step[0])
    if subject.run.resumed_from_run_id or subject.run.resumed_from_checkpoint:
        return fine(code, f"The log begins at step {first:,}; the run went on from another one's checkpoint.")
    if first <= 1:
        return fine(code, f"The log begins at step {first}.")
    if not curve.is_complete:
        return cannot_tell(code, REDUCED)
    interval = subject.interval
    if interval is None:
        return cannot_tell(code, "the train loss has too few points, or no regular interval of steps")
    if first <= TOLERATED_INTERVALS * interval:
        return fine(code, f"The log begins at step {first:,}, and goes on every {interval:,.4g} steps.")
    return subject.found(
        code,
        Severity.WARNING,
        f"The log begins at step {first:,} although a train loss comes every {interval:,.4g} steps: about"
        f" {round(first / interval) - 1:,} are missing at the start.",
        step=first,
        first=first,
        interval=interval,
    )


def ends_early(subject: Subject) -> Check:
    """The log of a completed run ends before its last planned step."""
    code, run, last = "ends_early", subject.run, subject.evidence.last_step
    if run.status is not RunStatus.COMPLETED:
        return fine(code, f"The run is not completed but {run.status_text}, and may end anywhere.")
    if not run.total_steps or run.total_steps < 0:
        return cannot_tell(code, "the run does not say how many steps were planned", touches=True)
    if last is None:
        return cannot_tell(code, "no step was logged", touches=True)
    lacks = subject.lacks(run.total_steps - last, run.total_steps)
    if lacks is None:
        return cannot_tell(code, REDUCED, touches=True)
    if not lacks:
        return fine(code, f"The log goes to step {last:,} of {run.total_steps:,}.")
    reached = run.current_step is not None and not subject.lacks(run.total_steps - run.current_step, run.total_steps)
    reading = "the end of the log is missing" if reached else "it stopped early, or its log was cut"
    return subject.found(
        code,
        Severity.WARNING,
        f"The run says completed, and its log ends at step {last:,} of {run.total_steps:,}: {reading}.",
        step=last,
        extent=run.total_steps,
        touches=True,
        last=last,
        planned=run.total_steps,
    )


def stale_train_loss(subject: Subject) -> Check:
    """Stretches of exactly equal train losses: a writer that repeats the last one it has."""
    code, curve = "stale_train_loss", subject.curves.get("train_loss")
    if because := subject.unseen("train_loss", "train loss"):
        return cannot_tell(code, because, touches=True)
    if not curve.is_complete:
        return cannot_tell(code, REDUCED, touches=True)
    value = curve.value
    changed = value[1:] != value[:-1]
    if np.count_nonzero(changed) > len(value) - STALE_POINTS:
        return fine(code, "No train loss is repeated.")
    starts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    lengths = np.diff(starts, append=len(value))
    # A loss of exactly 0 stays there, and is no sign of a writer.
    lengths = np.where(value[starts] == 0.0, 1, lengths)
    repeats = int((lengths - 1).sum())
    every = repeats > REPEAT_SHARE * len(value) and len(starts) >= STALE_POINTS
    every = every and len(np.unique(value[starts])) >= FRESH_SHARE * len(starts)
    long = np.flatnonzero(lengths >= (2 if every else STALE_POINTS))
    if not len(long):
        return fine(code, "No train loss is repeated.")
    longest = int(long[lengths[long].argmax()])
    if not every and _is_coarse(value, int(starts[longest]), int(lengths[longest])):
        return cannot_tell(code, "the train loss hardly changes within the decimals it was logged with", touches=True)
    first, last = int(starts[long[0]]), int(starts[long[-1]] + lengths[long[-1]] - 1)
    at_end = last == len(value) - 1
    return subject.found(
        code,
        Severity.WARNING if at_end else Severity.INFO,
        f"Exactly the same train loss stands up to {lengths[longest]:,} times in a row, first from step"
        f" {curve.step[first]:,} on: repeated by the writer, not measured"
        f"{'. So is the last one, which the gap is made of' if at_end else ''}.",
        step=int(curve.step[first + 1]),
        extent=int(curve.step[last]),
        touches=at_end,
        repeats=int((lengths[long] - 1).sum()),
        longest=int(lengths[longest]),
    )


def _is_coarse(value: np.ndarray, start: int, length: int) -> bool:
    """Whether the loss changes so little around a stretch that its decimals explain it."""
    every = _changes(value)
    around = (
        value[max(start - COARSE_WINDOW, 0) : start + 1],
        value[start + length - 1 : start + length + COARSE_WINDOW],
    )
    changes = np.concatenate([_changes(part) for part in around])
    return bool(len(changes)) and float(np.median(changes)) <= COARSE_STEPS * float(every.min())
