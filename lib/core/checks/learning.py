"""Whether a run learned at all: trainings that died, that never fell, or that never beat their base model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import LARGEST, CannotTell, Subject, computable, shown
from lib.core.curves.falls import (
    LEARNING_BLOCKS,
    LEARNING_ERRORS,
    LEARNING_HIDDEN,
    LEARNING_START,
    ONE_SIDED,
    fall_of,
)
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.robust import FULL_DECIMALS, decimals_of
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.runs import RunStatus
from lib.core.text.phrases import counted

# fmt: off
DEAD_POINTS = Count(3, "Dead points",
    "Equal train losses at the end from which on a training may be dead: measured ones hardly ever agree three times.")
CONSTANT_POINTS = Count(10, "Constant points",
    "Where no gradient norm says whether anything moves, a train loss that is not 0 is constant from so many on.")
CONSTANT_SHARE = Limit(0.1, "Constant share", "And over at least this share of the run.")
ROUNDED_STEPS = Limit(20.0, "Rounded steps",
    "A loss that was so many of its last decimals before it stood still, or moved by fewer, may only be rounded.")
FADED_SHARE = Limit(0.02, "Faded share",
    "A loss that had come down to this share of its start before it was 0 was fitted to the end, and is not dead.")
SAME_WITHIN = Limit(1e-4, "Same within",
    "Evaluations of one and the same model agree within this share: sums in another order differ by less.")
LEARNING_POINTS = Count(12, "Learning points", "Fewer train losses cannot tell a fall from their noise.")
LEARNED_EVAL = Limit(0.01, "Learned eval",
    "An eval loss that fell by this share has learned: evaluations of one run repeat to 1 % or better.")
LEARNING_EVALUATIONS = Count(5, "Learning evaluations",
    "Where there is no train loss, so many evaluations without a fall say that nothing was learned.")
STILL_WARMING = Limit(0.8, "Still warming", "A rate that first was at its peak after this share was warming up.")
HALF_DONE = Limit(0.5, "Half done", "A run that is not completed is judged when this share of its steps is done.")
# fmt: on


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Equal train losses up to the last one.

    Attributes:
        first, last: Its steps.
        before: The train losses before it.
        still: All gradient norms in it are 0 or not finite, though they had been measured; ``None``: not logged.
        moving: Evaluations in it differ, so that the model does move.
    """

    first: int
    last: int
    length: int
    value: float
    before: np.ndarray
    still: bool | None
    moving: bool


@check(
    "Training is dead", Group.HEALTH, Severity.CRITICAL, Severity.WARNING, metrics=("train_loss", "grad_norm",
    "eval_loss"), limits=(DEAD_POINTS, CONSTANT_POINTS, CONSTANT_SHARE, ROUNDED_STEPS, FADED_SHARE, SAME_WITHIN),
)  # fmt: skip
def dead_training(subject: Subject) -> Found | NotFound | CannotTell:
    """A train loss that is exactly 0, or constant, from some step to the end.

    A loss that came down to 0 within its decimals was fitted; one that is rounded coarsely may stand still.
    """
    train = subject.complete("train_loss").finite()
    if len(train) < DEAD_POINTS:
        return CannotTell(f"the train loss has {len(train)} finite points; {DEAD_POINTS} are needed")
    at_end = _stretch(subject, train)
    if at_end.length < DEAD_POINTS:
        return NotFound(f"Train loss changes up to step {at_end.last:,}.")
    if subject.no_measure is not None:
        return NotFound(f"Train loss stands still, which says nothing: {subject.no_measure}.")
    said, severity = _dead(at_end, len(train))
    if severity is None:
        return NotFound(said)
    return found(
        said,
        at_end.first,
        at_end.last,
        severity=severity,
        metric="train_loss",
        value=at_end.value,
        points=at_end.length,
    )


def _dead(at_end: _Stretch, points: int) -> tuple[str, Severity | None]:
    """What a stretch of equal train losses at the end means, and how bad it is."""
    zero = at_end.value == 0.0
    stays = "exactly 0" if zero else f"exactly {shown(at_end.value)}"
    dead = f"Training is dead from step {at_end.first:,} on: the train loss is {stays}"
    until = f"up to step {at_end.last:,}"
    if at_end.still and not at_end.moving:
        severity = Severity.WARNING if zero and _is_faded(at_end) else Severity.CRITICAL
        return f"{dead}, and the gradient norm is 0 or not a number, {until}.", severity
    if _is_rounded(at_end) or (zero and _is_faded(at_end)):
        return f"Train loss ends at {shown(at_end.value)}, as far as its decimals show.", None
    if zero and at_end.still is None and not at_end.moving and len(at_end.before):
        return f"{dead} {until}.", Severity.CRITICAL
    if zero:
        goes_on = "gradients" if at_end.still is False else "evaluations" if at_end.moving else ""
        while_ = f", while {goes_on} go on" if goes_on else ""
        return (
            f"The logged train loss is {stays} from step {at_end.first:,} on{while_}: not measured.",
            Severity.WARNING,
        )
    enough = at_end.length >= max(float(CONSTANT_POINTS), CONSTANT_SHARE * points)
    if at_end.still is None and not at_end.moving and enough:
        said = f"Train loss is {stays} from step {at_end.first:,} to step {at_end.last:,}"
        return f"{said}: training is dead, or the log repeats one value.", Severity.WARNING
    return f"Train loss is {stays} at the end, while other values go on.", None


def _stretch(subject: Subject, train: MetricCurve) -> _Stretch:
    differs = np.flatnonzero(train.value != train.value[-1])
    begin = int(differs[-1]) + 1 if len(differs) else 0
    first, last = int(train.step[begin]), int(train.step[-1])
    still = subject.gradients_stand_still(first)
    evals = subject.curves.get("eval_loss").finite()
    later = evals.value[evals.step >= first]
    # Of the largest floats the spread is infinite, and an array would warn of that.
    moving = len(later) > 1 and float(later.max()) - float(later.min()) > SAME_WITHIN * float(np.abs(later).max())
    return _Stretch(first, last, len(train) - begin, float(train.value[-1]), train.value[:begin], still, moving)


def _is_faded(at_end: _Stretch) -> bool:
    """Whether the loss had come down to next to nothing before it was 0."""
    if not len(at_end.before):
        return False
    start, end = (float(np.median(np.abs(part))) for part in (at_end.before[:5], at_end.before[-5:]))
    return end <= FADED_SHARE * start or end <= ROUNDED_STEPS * 10.0 ** -decimals_of(at_end.before)


def _is_rounded(at_end: _Stretch) -> bool:
    """Whether the loss moved so little before that its decimals explain why it stands still."""
    if at_end.value == 0.0 or not len(at_end.before):
        return False
    decimals = decimals_of(np.append(at_end.before, at_end.value))
    if decimals == FULL_DECIMALS:
        return False
    moves = np.abs(np.diff(at_end.before[-50:]))
    return not len(moves) or float(np.median(moves)) <= ROUNDED_STEPS * 10.0**-decimals


@check(
    "Never learns",
    Group.HEALTH,
    Severity.WARNING,
    metrics=("train_loss", "eval_loss", "learning_rate"),
    limits=(LARGEST, LEARNING_POINTS, LEARNING_BLOCKS, LEARNING_ERRORS, LEARNING_HIDDEN, ONE_SIDED, LEARNING_START,
            LEARNED_EVAL, LEARNING_EVALUATIONS, HALF_DONE, STILL_WARMING),
)  # fmt: skip
def never_learns(subject: Subject) -> Found | NotFound | CannotTell:
    """Losses that nowhere fall beyond their noise, over the whole run."""
    run = subject.run
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    if run.resumed_from_run_id or run.resumed_from_checkpoint:
        return CannotTell("the run went on from a checkpoint, which may have learned all there is")
    evals = subject.curves.get("eval_loss").finite()
    computable(evals.value, "eval loss")
    first = float(evals.value[0]) if len(evals) else math.nan
    if len(evals) > 1 and first - float(evals.value.min()) >= LEARNED_EVAL * abs(first):
        return NotFound(f"Eval loss falls from {shown(first)} to {shown(float(evals.value.min()))}.")
    if not len(subject.curves.get("train_loss")) and "train_loss" not in subject.curves.unread:
        # All may have been learned before the first one.
        if len(evals) < LEARNING_EVALUATIONS or evals.step[0] > 0:
            return CannotTell("no train loss was logged, and too few evaluations or none before training")
        _begun_enough(subject)
        said = (
            f"No sign of learning: none of {counted(len(evals), 'evaluation')} is {LEARNED_EVAL:.0%} or more below the"
            f" first one, {shown(first)}."
        )
        return found(said, metric="eval_loss", first=first, lowest=float(evals.value.min()))
    points = subject.points("train_loss", LEARNING_POINTS)
    values = points.value
    if values.min() < 0.0 or not values.any():
        return CannotTell("the train loss is 0 or goes below it, so a fall of it has no scale")
    came = _fall(values)
    if isinstance(came, Found):
        _begun_enough(subject)
    return came


def _begun_enough(subject: Subject) -> None:
    """Do nothing.

    Raises:
        CannotTell: Where a run that is not completed is too young, or any is still in its warm-up.
    """
    run, rate = subject.run, subject.curves.get("learning_rate").finite().value
    early = not run.total_steps or (subject.evidence.last_step or 0) < HALF_DONE * run.total_steps
    if run.status is not RunStatus.COMPLETED and early:
        raise CannotTell("the run is not half done, as far as is known")
    # A constant rate has its peak from the end of its warm-up on.
    if len(rate) and np.argmax(rate >= rate.max()) >= STILL_WARMING * len(rate):
        raise CannotTell("the learning rate was still rising when the log ended")


def _fall(values: np.ndarray) -> Found | NotFound | CannotTell:
    came = fall_of(values)
    first, lowest, last = (shown(loss) for loss in (came.first, came.lowest, came.last))
    if came.fell:
        return NotFound(f"Train loss falls from {first} to {lowest}.")
    if came.fell is None:
        return CannotTell("the train loss is too noisy, or too short, to tell a small fall from none")
    said = (
        f"No sign of learning: the train loss does not fall beyond its noise over the whole run, {first} in its first"
        f" part and {last} in its last."
    )
    return found(said, metric="train_loss", first=came.first, last=came.last, noise=came.noise)


@check(
    "Base model not beaten",
    Group.HEALTH,
    Severity.WARNING,
    metrics=("eval_loss", "learning_rate"),
    limits=(HALF_DONE, STILL_WARMING),
)
def base_not_beaten(subject: Subject) -> Found | NotFound | CannotTell:
    """No evaluation is better than the one before training, at step 0."""
    subject.curve("eval_loss")
    base, best, step = subject.evidence.base_eval_loss, subject.evidence.best_eval_loss, subject.evidence.best_step
    if base is None:
        return NotFound("Nothing was evaluated before training, at step 0.")
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    if best is None or step is None:
        return CannotTell("nothing was evaluated after step 0")
    if best < base:
        return NotFound(f"Eval loss is {shown(base)} before training; its best is {shown(best)} at step {step:,}.")
    _begun_enough(subject)
    said = (
        f"Never better than before training: eval loss is {shown(base)} at step 0, and its best after that is"
        f" {shown(best)} at step {step:,}."
    )
    return found(said, 0, step, metric="eval_loss", base=base, best=best)
