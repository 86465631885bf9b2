"""Which run is recommended, and by which rule. Pure functions of the runs and a policy.

Eval-loss points are ``100 * exp(-max(E, 0))``: for a loss in nats per token, the geometric-mean
probability that the model gives to a token of the evaluation set, in percent. They fall strictly with
E, never saturate, and need no other run. Gap points band ``gap = E - T``, the eval loss less the
train loss. The composite is their weighted sum.

Everything that can be tuned stands in one ``ScoringPolicy``; every function takes it as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, eval_losses_of, gap_of, train_loss_of

TIE_DECIMALS = 9
"""Composites and gaps are compared after rounding to this many decimals, so that binary floating
point decides neither a tie nor a band: 0.85 - 0.80 is 0.05, not 0.0499999."""


@dataclass(frozen=True, slots=True)
class GapBand:
    """One band of the gap. It holds the gaps below ``below`` that no earlier band holds."""

    below: float
    points: float
    label: str


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """The weights and bands. Weights are shares and sum to one.

    Raises:
        ValueError: If the weight is outside 0 to 1.
    """

    eval_weight: float = 0.70
    bands: tuple[GapBand, ...] = (
        GapBand(0.0, 40.0, "potential data leakage"),
        GapBand(0.05, 100.0, "excellent"),
        GapBand(0.1, 80.0, "good"),
        GapBand(0.2, 60.0, "moderate overfitting"),
        GapBand(math.inf, 30.0, "high overfitting"),
    )
    unknown_band: GapBand = GapBand(math.inf, 50.0, "unknown")

    def __post_init__(self) -> None:
        if not 0.0 <= self.eval_weight <= 1.0:
            raise ValueError(f"The eval-loss weight must be between 0 and 1, got {self.eval_weight!r}.")

    @property
    def gap_weight(self) -> float:
        """The share that the gap points have."""
        # 1 - 0.7 is 0.30000000000000004; the documented weight is 0.30.
        return round(1.0 - self.eval_weight, 12)


DEFAULT_POLICY = ScoringPolicy()


@dataclass(frozen=True, slots=True)
class RunScore:
    """The score of one eligible run. Points and total: 0 to 100, higher is better.

    Attributes:
        eval_loss: ``E``, nats.
        train_loss: ``T``, nats; ``None`` when unknown.
        gap: ``E - T``; ``None`` when either is unknown.
        total: The composite.
        completed_at: Of the run; the last tie-break but one.
    """

    run_id: str
    total: float
    loss_points: float
    gap_points: float
    eval_loss: float
    train_loss: float | None
    gap: float | None
    gap_label: str
    completed_at: datetime | None = None


class LeftOut(StrEnum):
    """Why a run may not be recommended: its status, or the eval loss that it lacks."""

    RUNNING = "running"
    QUEUED = "queued"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    NO_EVAL_LOSS = "no_eval_loss"
    NO_FINITE_EVAL_LOSS = "no_finite_eval_loss"


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A run that may not be recommended.

    Attributes:
        code: Why.
        status_text: Its status, in the source's own words where these are not understood.
    """

    run_id: str
    code: LeftOut
    status_text: str


class Rule(StrEnum):
    """What puts one run before another: the first of these in which they differ decides."""

    HIGHER_COMPOSITE = "higher_composite"
    LOWER_EVAL_LOSS = "lower_eval_loss"
    KNOWN_GAP = "known_gap"
    SMALLER_GAP = "smaller_gap"
    KNOWN_COMPLETION = "known_completion"
    EARLIER_COMPLETION = "earlier_completion"
    LOWER_ID = "lower_id"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The verdict about some runs.

    Attributes:
        scores: Of the eligible runs, best first.
        unscorable: The others with the reason of each, in the order given.
        policy: With which they were scored.
    """

    scores: tuple[RunScore, ...]
    unscorable: tuple[Unscorable, ...]
    policy: ScoringPolicy = DEFAULT_POLICY

    @property
    def run_id(self) -> str | None:
        """The recommended run; ``None`` when no run may be recommended."""
        return self.scores[0].run_id if self.scores else None

    @property
    def winner(self) -> RunScore | None:
        """The score of the recommended run."""
        return self.scores[0] if self.scores else None

    @property
    def runner_up(self) -> RunScore | None:
        """The score of the second-best run, if two are eligible."""
        return self.scores[1] if len(self.scores) > 1 else None

    @property
    def margin(self) -> float | None:
        """How many points the winner is ahead of the runner-up; ``None`` without a runner-up."""
        if self.winner is None or self.runner_up is None:
            return None
        return self.winner.total - self.runner_up.total


def band_of(gap: float | None, policy: ScoringPolicy = DEFAULT_POLICY) -> GapBand:
    """The band of a gap.

    Example:
        >>> band_of(0.85 - 0.80).label, band_of(-0.01).label, band_of(None).points
        ('good', 'potential data leakage', 50.0)
    """
    if gap is None:
        return policy.unknown_band
    rounded = round(gap, TIE_DECIMALS)
    return next(band for band in policy.bands if rounded < band.below or band is policy.bands[-1])


def score(run: RunSummary, policy: ScoringPolicy = DEFAULT_POLICY) -> RunScore | Unscorable:
    """Score one run, or say why it may not be recommended."""
    if run.status is not RunStatus.COMPLETED:
        return Unscorable(run.run_id, LeftOut(run.status.value), run.status_text)
    eval_loss = eval_loss_of(run)
    if eval_loss is None:
        logged = any(value is not None for value in eval_losses_of(run))
        code = LeftOut.NO_FINITE_EVAL_LOSS if logged else LeftOut.NO_EVAL_LOSS
        return Unscorable(run.run_id, code, run.status_text)
    gap = gap_of(run)
    band = band_of(gap, policy)
    loss_points = 100.0 * math.exp(-max(eval_loss, 0.0))
    total = policy.eval_weight * loss_points + policy.gap_weight * band.points
    return RunScore(
        run_id=run.run_id,
        total=total,
        loss_points=loss_points,
        gap_points=band.points,
        eval_loss=eval_loss,
        train_loss=train_loss_of(run),
        gap=gap,
        gap_label=band.label,
        completed_at=run.completed_at,
    )


def recommend(runs: Iterable[RunSummary], policy: ScoringPolicy = DEFAULT_POLICY) -> Recommendation:
    """Score every run and order the eligible ones, best first: the first one is recommended.

    The order depends neither on the order of ``runs`` nor on which others are among them.
    """
    results = [score(run, policy) for run in runs]
    scores = sorted((result for result in results if isinstance(result, RunScore)), key=_order)
    return Recommendation(tuple(scores), tuple(each for each in results if isinstance(each, Unscorable)), policy)


def deciding_rule(first: RunScore, second: RunScore) -> Rule:
    """What puts ``first`` before ``second``, or the reverse: two different runs."""
    both = zip(Rule, _order(first), _order(second), strict=True)
    return next(rule for rule, one, other in both if one != other)


def _order(result: RunScore) -> tuple[float, float, bool, float, bool, datetime, str]:
    """What scores are sorted by, one entry for each ``Rule``."""
    return (
        -round(result.total, TIE_DECIMALS),
        result.eval_loss,
        result.gap is None,
        0.0 if result.gap is None else round(abs(result.gap), TIE_DECIMALS),
        result.completed_at is None,
        result.completed_at or _NEVER,
        result.run_id,
    )


_NEVER = datetime.max.replace(tzinfo=UTC)
