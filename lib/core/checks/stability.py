"""How steadily a run trained: how much its loss varies near the end, and a level from that and other checks.

Shown beside the score and no part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from lib.core.checks.check import Found, Group, NotFound, Outcome, Result, and_more, check, found, most_severe
from lib.core.checks.losses import NONFINITE
from lib.core.checks.results import Results
from lib.core.checks.subject import CannotTell, Subject, changes_sign
from lib.core.facts.findings import Finding, Severity
from lib.core.facts.limits import Count, Limit

# fmt: off
END_SHARE = Limit(0.2, "End share", "The end of a run is this last share of its train-loss points.")
END_POINTS = Count(8, "End points", "The end holds at least so many points: a standard deviation of fewer says little.")
LOSS_POINTS = Count(2 * END_POINTS, "Loss points",
    "Runs with fewer train-loss points are not judged: their end would be most of the run.")
UNSTEADY_VARIATION = Limit(0.15, "Unsteady variation",
    "Loss variation at the end above which a run is unsteady. Real runs that went well have 0.003 to 0.08.")
UNSTABLE_VARIATION = Limit(0.5, "Unstable variation",
    "Loss variation at the end above which a run is unstable: the loss swings by half of its own size.")
UNSTABLE_SPIKES = Count(3, "Unstable spikes",
    'A run with at least so many spikes is unstable if they also make up "unstable spike share".')
UNSTABLE_SPIKE_SHARE = Limit(0.01, "Unstable spike share",
    "Spikes per judged gradient norm from which on a run is unstable.")
# fmt: on


@check(
    "Loss variation at the end",
    Group.STABILITY,
    Severity.CRITICAL,
    Severity.WARNING,
    metrics=("train_loss",),
    limits=(END_SHARE, END_POINTS, LOSS_POINTS, UNSTEADY_VARIATION, UNSTABLE_VARIATION),
)
def loss_variation(subject: Subject) -> Found | NotFound | CannotTell:
    """A train loss that swings near the end.

    Its variation is the standard deviation about its own linear trend over the last points, divided by the
    absolute value of their mean; that is no scale where the loss is 0 or has both signs there (GRPO).
    """
    points = subject.points("train_loss", LOSS_POINTS)
    first = len(points) - max(END_POINTS, math.ceil(END_SHARE * len(points)))
    steps, values = points.step[first:].astype(float), points.value[first:]
    if changes_sign(values):
        return CannotTell("the train loss is 0 or changes sign near the end, so its variation has no scale")
    # The ratio has no scale; dividing first keeps the squares of a diverged loss from overflowing.
    values = values / abs(values).max()
    mean = values.mean()
    away, step_away = values - mean, steps - steps.mean()
    residuals = away - step_away * (step_away @ away) / (step_away @ step_away)
    # Two degrees of freedom went into the line.
    variation = math.sqrt(float(residuals @ residuals) / (len(values) - 2)) / abs(float(mean))
    if variation <= UNSTEADY_VARIATION:
        said = f"Train loss varies by {variation:.1%} of its mean near the end."
        return NotFound(said, {"variation": variation})
    unstable = variation > UNSTABLE_VARIATION
    limit = float(UNSTABLE_VARIATION if unstable else UNSTEADY_VARIATION)
    severity = Severity.CRITICAL if unstable else Severity.WARNING
    begin, end = int(steps[0]), int(steps[-1])
    said = f"Train loss varies by {variation:.0%} of its mean about its trend, from step {begin:,} to step {end:,}."
    return found(said, begin, end, severity=severity, metric="train_loss", variation=variation, limit=limit)


class Steadiness(StrEnum):
    """How steadily a run trained, best first."""

    STEADY = "steady"
    UNSTEADY = "unsteady"
    UNSTABLE = "unstable"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Stability:
    """How steadily a run trained.

    Attributes:
        steadiness: The level.
        sentence: Why, for people.
        findings: What it rests on: NaN and infinity, divergence, gradient-norm spikes, loss variation. Of many
            spikes the greatest are listed.
        variation: Of the loss at the end; ``None`` where it cannot be told.
        spikes: How many spikes the gradient norm has; ``None`` where it cannot be told.
    """

    steadiness: Steadiness
    sentence: str
    findings: tuple[Finding, ...]
    variation: float | None
    spikes: int | None


def stability_of(results: Results) -> Stability:
    """Sum up the checks that concern how a run trained.

    Unstable: a non-finite loss, divergence, a loss variation above ``UNSTABLE_VARIATION``, or many spikes.
    Unsteady: a non-finite gradient norm, a spike, or a loss variation above ``UNSTEADY_VARIATION``.
    Cannot tell: none of these was found, and the train loss says too little.
    """
    nonfinite, diverged, spikes, variation = (
        results.of(code) for code in ("nonfinite_value", "divergence", "gradient_spike", "loss_variation")
    )
    trained = tuple(finding for finding in nonfinite.findings if finding.evidence.get("metric") in NONFINITE)
    # Those that all compared runs have are the data's (``lib.core.checks.common_spikes``).
    own = tuple(finding for finding in spikes.findings if finding.severity is not Severity.INFO)
    spikes = replace(spikes, findings=own, events=spikes.events - len(spikes.findings) + len(own))
    findings = (*trained, *diverged.findings, *spikes.findings, *variation.findings)
    values = float(spikes.evidence.get("judged", 0.0))
    many = spikes.events >= max(UNSTABLE_SPIKES, UNSTABLE_SPIKE_SHARE * values)
    if many or any(finding.severity is Severity.CRITICAL for finding in findings):
        steadiness = Steadiness.UNSTABLE
    elif findings:
        steadiness = Steadiness.UNSTEADY
    else:
        untold = variation.outcome is Outcome.CANNOT_TELL
        steadiness = Steadiness.CANNOT_TELL if untold else Steadiness.STEADY
    number = variation.evidence.get("variation")
    return Stability(
        steadiness,
        _sentence(findings, variation, spikes),
        findings,
        None if number is None else float(number),
        None if spikes.outcome is Outcome.CANNOT_TELL else spikes.events,
    )


def _sentence(findings: tuple[Finding, ...], variation: Result, spikes: Result) -> str:
    if findings:
        events = len(findings) - len(spikes.findings) + spikes.events
        return most_severe(findings).sentence + and_more(events)
    if variation.outcome is Outcome.CANNOT_TELL:
        return variation.sentence
    untold = f"{spikes.check.title}: " if spikes.outcome is Outcome.CANNOT_TELL else ""
    return f"{variation.sentence} {untold}{spikes.sentence}"
