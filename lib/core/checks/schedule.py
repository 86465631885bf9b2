"""Whether the learning rate went where a schedule goes: not to 0 long before the end, and not back up to its peak."""

from __future__ import annotations

import re

import numpy as np

from lib.core.checks.check import Found, Group, NotFound, check, found
from lib.core.checks.subject import LARGEST, CannotTell, Subject
from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.restarts import CYCLE_TOLERANCE, RATE_DECAYED, RATE_RETURNED, are_cycles, returns_of
from lib.core.curves.robust import stretches
from lib.core.facts.findings import Severity
from lib.core.facts.limits import Count, Limit
from lib.core.facts.values import finite, text

# fmt: off
RATE_POINTS = Count(5, "Rate points", "Fewer learning rates show no schedule.")
RATE_OFF = Limit(1e-8, "Rate off",
    "Share of the peak below which a learning rate moves nothing. A cosine is there for a ten-thousandth of a run.")
OFF_POINTS = Count(3, "Off points", "So many learning rates of 0 are more than the last ones of a schedule.")
OFF_SHARE = Limit(0.05, "Off share", "And at least this share of the points: less is lost by it than noise.")
RATE_COARSE = Limit(0.2, "Rate coarse",
    "Where this share of neighbours between peak and 0 is equal, the rate was rounded, and 0 may be a small one.")
# fmt: on

_CYCLIC = re.compile(r"restart|cycl|sgdr|triang|sawtooth|snapshot", re.IGNORECASE)


@check(
    "Learning rate 0", Group.HEALTH, Severity.WARNING, metrics=("learning_rate",), limits=(LARGEST, RATE_POINTS,
    RATE_OFF, OFF_POINTS, OFF_SHARE, RATE_COARSE),
)  # fmt: skip
def rate_zero(subject: Subject) -> Found | NotFound | CannotTell:
    """A learning rate of 0 long before the end, or throughout: what is trained then changes nothing.

    The last logged rate of a schedule is 0 as a rule, and so is the first of a warm-up.
    """
    points = subject.points("learning_rate", RATE_POINTS)
    steps, rates = points.step, np.abs(points.value)
    peak = float(rates.max())
    if peak == 0.0:
        said = f"Learning rate is 0 at all {len(points):,} logged steps."
        return found(said, steps[0], steps[-1], metric="learning_rate", points=len(points))
    starts, ends = stretches(rates <= RATE_OFF * peak)
    # A warm-up may begin with it; a layer that is thawed later logs its rate so, too.
    long = [
        (start, end)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        if start > 0 and end - start + 1 >= max(float(OFF_POINTS), OFF_SHARE * len(points))
    ]
    if not long:
        return NotFound(f"Learning rate is above 0 up to step {int(steps[rates > RATE_OFF * peak][-1]):,}.")
    start, end = long[0]
    if _is_coarse(rates[:start], peak):
        return CannotTell("the learning rate was logged with too few decimals to tell a small one from 0")
    for_good = end == len(points) - 1
    until = f"to the end, step {steps[end]:,}" if for_good else f"to step {steps[end]:,}"
    said = f"Learning rate is 0 from step {steps[start]:,} {until}: nothing was learned there."
    return found(said, steps[start], steps[end], metric="learning_rate", points=end - start + 1, peak=peak)


def _is_coarse(before: np.ndarray, peak: float) -> bool:
    decaying = before[int(np.argmax(before)) :]
    decaying = decaying[decaying < (1.0 - RATE_OFF) * peak]
    return len(decaying) > 1 and float((decaying[1:] == decaying[:-1]).mean()) >= RATE_COARSE


@check(
    "Learning rate restarted", Group.HEALTH, Severity.WARNING, Severity.INFO, metrics=("learning_rate",),
    limits=(LARGEST, RATE_POINTS, RATE_DECAYED, RATE_RETURNED, CYCLE_TOLERANCE),
)  # fmt: skip
def rate_restarted(subject: Subject) -> Found | NotFound | CannotTell:
    """A learning rate that had decayed and goes back up to near its peak, where the schedule has no cycles."""
    points = subject.points("learning_rate", RATE_POINTS)
    returns = returns_of(points.value)
    if not returns:
        return NotFound("Learning rate never comes back after it decayed.")
    times = f"{len(returns)} times" if len(returns) > 1 else "once"
    if _has_cycles(subject) or are_cycles(points.step, returns):
        return NotFound(f"Learning rate restarts {times}, as a schedule with cycles does.")
    low, high = returns[0]
    first, top = int(points.step[low]), int(points.step[high])
    resumed = subject.curves.rows is not None and subject.curves.rows.backwards > 0
    said = (
        f"Learning rate restarts {times}: it had decayed to {points.value[low]:.3g} at step {first:,}, and is back at"
        f" {points.value[high]:.3g} at step {top:,}"
    )
    said += "; the steps go back, as after a resumption." if resumed else ", as with a schedule that begins anew."
    severity = Severity.INFO if resumed else Severity.WARNING
    return found(said, int(points.step[low + 1]), top, severity=severity, metric="learning_rate", restarts=len(returns))


def _has_cycles(subject: Subject) -> bool:
    settings = effective(subject.run)
    named = " ".join(text(setting.value) or "" for key, setting in settings.items() if "sched" in key.lower())
    cycles = [finite(setting.value) for key, setting in settings.items() if key.lower().endswith("num_cycles")]
    scheduler = text(value_of(settings, "scheduler")) or ""
    return bool(_CYCLIC.search(f"{scheduler} {named}")) or any(each is not None and each > 1.0 for each in cycles)
