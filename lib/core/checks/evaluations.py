"""Checks of a run's evaluations: made as planned, to the end, without holes, not repeated, and no rebound."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import (
    LARGE,
    LARGEST,
    OF_INTERVALS,
    TOLERATED_INTERVALS,
    CannotTell,
    Subject,
    computable,
    shown,
)
from lib.core.checks.train_curve import NEIGHBOURS, gaps
from lib.core.config.tree import leaves
from lib.core.curves.evidence import measured
from lib.core.curves.intervals import typical_interval
from lib.core.curves.robust import decimals_of, noise_of
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.values import finite, text
from lib.core.text.phrases import counted

# fmt: off
EVALUATION_POINTS = Count(3, "Evaluation points", "Evaluations from which on their interval can be told.")
EVALUATIONS_NEEDED = Count(4, "Evaluations needed", "Fewer evaluations say nothing about their noise.")
REBOUND_RISE = Limit(0.03, "Rebound rise",
    "A rebound is at least this share of the best eval loss: evaluations of one run repeat to 1 % or better.")
REBOUND_SDS = Limit(5.0, "Rebound SDs",
    "And so many standard deviations of the evaluations' noise; the lowest of some is below their mean.")
FIRST_EVALUATIONS = Count(3, "First evaluations",
    'Evaluations from which on the first may be the best of a run that only got worse: all others are above it by'
    ' "rebound rise".')
SAME_EVALUATIONS = Count(3, "Same evaluations", "Equal evaluations in a row: measured ones hardly ever agree.")
SAME_ROUNDED = Count(5, "Same rounded", "And so many where they were rounded to fewer than five decimals.")
SAME_STEPS = Limit(20.0, "Same steps",
    "Rounded evaluations that change by at most so many of their last decimals may well agree.")
# fmt: on

COARSE_DECIMALS, LEAST_DECIMALS = 4, 3
"""Trainers round to four decimals; with fewer than three, evaluations agree as they come."""


@check(
    "Eval rebound",
    Group.HEALTH,
    Severity.WARNING,
    metrics=("eval_loss",),
    limits=(LARGEST, LARGE, EVALUATIONS_NEEDED, FIRST_EVALUATIONS, REBOUND_RISE, REBOUND_SDS),
)
def eval_rebound(subject: Subject) -> Found | NotFound | CannotTell:
    """An eval loss that ended above its best. The first step is that of the best evaluation.

    The end is the lower one of the last two evaluations: one that is out of line is no rebound. An eval loss that
    was best at its first evaluation and above it ever since needs no end: it only got worse. What is measured at
    step 0 is the base model's and no best.
    """
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    curve = subject.curve("eval_loss")
    computable(curve.value, "eval loss")
    known = measured(subject.curves, "eval_loss").finite()
    known = known.where(known.step > 0)
    steps, values = known.step, known.value
    if len(values) >= FIRST_EVALUATIONS and values[1:].min() > values[0] + REBOUND_RISE * abs(values[0]):
        said = (
            f"Eval loss is best at its first evaluation, {shown(float(values[0]))} at step {steps[0]:,}, and"
            f" {_range(values[1:])} ever since, up to step {steps[-1]:,}."
        )
        first, end = float(values[0]), float(values[-1])
        return found(said, steps[0], steps[-1], metric="eval_loss", best=first, end=end)
    if len(values) < EVALUATIONS_NEEDED:
        return CannotTell(
            f"the eval loss has {len(values)} finite values; {EVALUATIONS_NEEDED} are needed to know its noise"
        )
    at = int(np.argmin(values))
    best, last, noise = float(values[at]), float(values[-1]), _evaluation_noise(values, at)
    limit = best + max(REBOUND_RISE * abs(best), REBOUND_SDS * noise)
    if last <= limit or (at < len(values) - 2 and values[-2] <= limit):
        return NotFound(f"Eval loss ends at {shown(last)}; its best is {shown(best)} at step {steps[at]:,}.")
    if at == len(values) - 2:
        return CannotTell(
            f"only the last evaluation ({shown(last)}, step {steps[-1]:,}) is above the best one ({shown(best)})"
        )
    said = f"Eval loss rises from its best {shown(best)} at step {steps[at]:,} to {shown(last)} at step {steps[-1]:,}."
    return found(said, steps[at], steps[-1], metric="eval_loss", best=best, end=last, noise=noise)


def _range(values: np.ndarray) -> str:
    lowest, highest = shown(float(values.min())), shown(float(values.max()))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _evaluation_noise(values: np.ndarray, at: int) -> float:
    """Standard deviation of the evaluations' noise, from what no fall to the best at ``at`` and rise from it explains.

    The lower one of two estimates. Second differences (``noise_of``) take the bend of a short curve for noise.
    Moves against the fall and the rise do not: of normal noise alone, half of all moves ``d`` go each way, and
    the mean of ``d**2`` over one half, counted over all, is the noise's variance.
    """
    moves = np.diff(values)
    against = np.concatenate((moves[:at].clip(min=0.0), -moves[at:].clip(max=0.0)))
    return float(min(noise_of(values), math.sqrt(np.mean(against**2))))


@check(
    "Identical evaluations", Group.HEALTH, Severity.WARNING, metrics=("eval_loss", "train_loss"),
    limits=(SAME_EVALUATIONS, SAME_ROUNDED, SAME_STEPS), touches=True,
)  # fmt: skip
def identical_evaluations(subject: Subject) -> Found | NotFound | CannotTell:
    """Evaluations in a row that agree to the last decimal while the train loss moves: always of the same weights."""
    if subject.no_measure is not None:
        return CannotTell(subject.no_measure)
    real = subject.evaluations.finite()
    if len(real) < SAME_EVALUATIONS:
        return CannotTell(f"the eval loss has {len(real)} finite evaluations; {SAME_EVALUATIONS} are needed")
    starts = np.concatenate(([0], np.flatnonzero(real.value[1:] != real.value[:-1]) + 1))
    lengths = np.diff(starts, append=len(real))
    longest = int(lengths.argmax())
    begin, many = int(starts[longest]), int(lengths[longest])
    if many < SAME_EVALUATIONS:
        return NotFound(f"At most {counted(many, 'evaluation')} in a row {'is' if many == 1 else 'are'} the same.")
    first, last, value = int(real.step[begin]), int(real.step[begin + many - 1]), float(real.value[begin])
    decimals = decimals_of(real.value)
    if decimals <= COARSE_DECIMALS:
        moves = np.abs(np.diff(real.value))
        moves = moves[moves > 0.0]
        coarse = len(moves) > 0 and float(np.median(moves)) <= SAME_STEPS * 10.0**-decimals
        if coarse or many < SAME_ROUNDED or decimals < LEAST_DECIMALS:
            return CannotTell(f"evaluations agree, which {decimals} decimals may explain")
    train = subject.curves.get("train_loss").finite()
    # The first of them may be of the last step at which something moved.
    inside = train.value[(train.step >= int(real.step[begin + 1])) & (train.step <= last)]
    if len(inside) < 2:
        return CannotTell("evaluations agree, and no train loss says whether the model moved")
    if (inside == inside[0]).all():
        return NotFound("Evaluations agree while the train loss stands still.")
    said = (
        f"{many} evaluations in a row are exactly {value:.6g}, from step {first:,} to step {last:,}, while the train"
        " loss moves: they are always of the same weights, or the model does not change."
    )
    return found(said, first, last, metric="eval_loss", value=value, evaluations=many)


@check(
    "Gap in the evaluations",
    Group.DATA,
    Severity.WARNING,
    metrics=("eval_loss",),
    limits=(*OF_INTERVALS, NEIGHBOURS),
    touches=True,
)
def evaluation_gap(subject: Subject) -> Found | NotFound | CannotTell:
    """Stretches of a run in which several evaluations in a row are missing."""
    real = subject.evaluations
    return gaps(real, typical_interval(real), "eval loss")


@check("Repeated eval losses", Group.DATA, Severity.INFO, metrics=("eval_loss",))
def stale_evaluations(subject: Subject) -> Found | NotFound | CannotTell:
    """Eval losses that only repeat the last one."""
    curve = subject.complete("eval_loss")
    real = subject.evaluations
    repeats = len(curve) - len(real)
    if not repeats:
        return NotFound(f"All {counted(len(curve), 'eval loss', 'eval losses')} are measurements.")
    repeated = np.setdiff1d(curve.step, real.step)
    said = (
        f"{repeats:,} of {len(curve):,} eval losses repeat the one before, first at step {repeated[0]:,}: they are not"
        " measurements, and are not counted as such."
    )
    return found(said, int(repeated[0]), int(repeated[-1]), repeats=repeats)


@check("Evaluations absent", Group.DATA, Severity.WARNING, metrics=("eval_loss",), touches=True, of_stated=True)
def evaluations_absent(subject: Subject) -> Found | NotFound | CannotTell:
    """No eval loss at all although the configuration plans evaluations."""
    run, last = subject.run, subject.evidence.last_step
    if "eval_loss" in subject.curves.unread:
        return CannotTell("the eval loss was not read")
    if many := len(subject.curves.get("eval_loss")):
        return NotFound(f"{counted(many, 'eval loss', 'eval losses')} were logged.")
    plan = _plan(run.config)
    if plan is None:
        return CannotTell("the configuration does not say whether evaluations were planned")
    planned, every = plan
    if not planned:
        return NotFound("No eval loss was logged, and none was planned.")
    if last is None or (every is not None and last < every):
        return NotFound("No eval loss was logged; the run did not come to its first evaluation.")
    when = "" if every is None else f" every {every:,.4g} optimizer steps"
    said = f"The configuration plans evaluations{when}, and no eval loss was logged up to step {last:,}."
    return found(said, last=last)


def _plan(config: Mapping[str, object]) -> tuple[bool, float | None] | None:
    """Whether evaluations were planned, and every how many steps; ``None`` where that is not said."""
    stated: dict[str, object] = {}
    for path, value, _ in leaves(config):
        # A trainer's state repeats its defaults, used or not.
        if path[0] != "trainer_state":
            stated.setdefault(str(path[-1]).lower(), value)
    strategy = text(stated.get("eval_strategy", stated.get("evaluation_strategy")))
    every = finite(stated.get("eval_steps"))
    # A share of all steps is no number of steps.
    steps = every if every is not None and every >= 1.0 and not math.isinf(every) else None
    if strategy is not None:
        word = strategy.lower().rsplit(".", 1)[-1]
        return (word not in ("no", "none", "false"), steps if word == "steps" else None)
    if stated.get("do_eval") is False or every == 0.0:
        return False, None
    return (True, steps) if every is not None and every > 0.0 else None


@check(
    "Evaluations end early",
    Group.DATA,
    Severity.WARNING,
    metrics=("eval_loss",),
    limits=(*OF_INTERVALS, EVALUATION_POINTS),
    touches=True,
)
def evaluations_end_early(subject: Subject) -> Found | NotFound | CannotTell:
    """The evaluations end long before the run does."""
    last = subject.evidence.last_step
    real = subject.evaluations
    interval = typical_interval(real, EVALUATION_POINTS)
    if interval is None or last is None:
        return CannotTell("there are too few evaluations, or at no regular interval of steps")
    last_eval = int(real.step[-1])
    missing = (last - last_eval) / interval
    if missing <= TOLERATED_INTERVALS:
        return NotFound(f"The last evaluation is at step {last_eval:,}, the last row at step {last:,}.")
    said = (
        f"The evaluations end at step {last_eval:,} and the run at step {last:,}: about {int(missing):,} of them, one"
        f" every {interval:,.4g} steps, are missing at the end."
    )
    return found(said, last_eval, last, missing=int(missing), interval=interval)
