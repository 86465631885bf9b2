"""Checks of a run's evaluations: made as planned, to the end, without holes, and not repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lib.core.checks.passport_check import (
    EVALUATION_POINTS,
    REDUCED,
    TOLERATED_INTERVALS,
    Check,
    Subject,
    cannot_tell,
    counted,
    fine,
    typical_interval,
)
from lib.core.checks.passport_curves import gaps
from lib.core.config.tree import leaves
from lib.core.curves.evidence import measured
from lib.core.facts.findings import Severity
from lib.core.facts.values import finite, text


def evaluation_gap(subject: Subject) -> Check:
    """Stretches of a run in which several evaluations in a row are missing."""
    curve = subject.curves.get("eval_loss")
    real = measured(subject.curves, "eval_loss") if curve.is_complete else curve
    return gaps(subject, "evaluation_gap", real, typical_interval(real), "eval_loss", "eval loss", touches=True)


def stale_evaluations(subject: Subject) -> Check:
    """Eval losses that only repeat the last one."""
    code, curve = "stale_evaluations", subject.curves.get("eval_loss")
    if because := subject.unseen("eval_loss", "eval loss"):
        return cannot_tell(code, because)
    if not curve.is_complete:
        return cannot_tell(code, REDUCED)
    real = measured(subject.curves, "eval_loss")
    repeats = len(curve) - len(real)
    if not repeats:
        return fine(code, f"All {counted(len(curve), 'eval loss', 'eval losses')} are measurements.")
    repeated = np.setdiff1d(curve.step, real.step)
    return subject.found(
        code,
        Severity.INFO,
        f"{repeats:,} of {len(curve):,} eval losses repeat the one before, first at step {repeated[0]:,}: they are not"
        " measurements, and are not counted as such.",
        step=int(repeated[0]),
        extent=int(repeated[-1]),
        repeats=repeats,
    )


def evaluations_absent(subject: Subject) -> Check:
    """No eval loss at all although the configuration plans evaluations."""
    code, run, last = "evaluations_absent", subject.run, subject.evidence.last_step
    if "eval_loss" in subject.curves.unread:
        return cannot_tell(code, "the eval loss was not read", touches=True)
    if many := len(subject.curves.get("eval_loss")):
        return fine(code, f"{counted(many, 'eval loss', 'eval losses')} were logged.")
    plan = _plan(run.config)
    if plan is None:
        return cannot_tell(code, "the configuration does not say whether evaluations were planned", touches=True)
    planned, every = plan
    if not planned:
        return fine(code, "No eval loss was logged, and none was planned.")
    if last is None or (every is not None and last < every):
        return fine(code, "No eval loss was logged; the run did not come to its first evaluation.")
    when = "" if every is None else f" every {every:,.4g} steps"
    return subject.found(
        code,
        Severity.WARNING,
        f"The configuration plans evaluations{when}, and no eval loss was logged up to step {last:,}.",
        touches=True,
        last=last,
    )


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


def evaluations_end_early(subject: Subject) -> Check:
    """The evaluations end long before the run does."""
    code, last = "evaluations_end_early", subject.evidence.last_step
    if because := subject.unseen("eval_loss", "eval loss"):
        return cannot_tell(code, because, touches=True)
    if not subject.curves.get("eval_loss").is_complete:
        return cannot_tell(code, REDUCED, touches=True)
    real = measured(subject.curves, "eval_loss")
    interval = typical_interval(real, EVALUATION_POINTS)
    if interval is None or last is None:
        return cannot_tell(code, "there are too few evaluations, or at no regular interval of steps", touches=True)
    last_eval = int(real.step[-1])
    missing = (last - last_eval) / interval
    if missing <= TOLERATED_INTERVALS:
        return fine(code, f"The last evaluation is at step {last_eval:,}, the last row at step {last:,}.")
    return subject.found(
        code,
        Severity.WARNING,
        f"The evaluations end at step {last_eval:,} and the run at step {last:,}: about {int(missing):,} of them, one"
        f" every {interval:,.4g} steps, are missing at the end.",
        step=last_eval,
        extent=last,
        touches=True,
        missing=int(missing),
        interval=interval,
    )
