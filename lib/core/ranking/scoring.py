"""Which run is recommended, and by which rule. Pure functions of the runs' values and a policy.

The composite of eval-loss points, relative to the lowest of the ranked runs, and expected gap points ranks; with a
metric other than a loss its best value does.

Everything that can be tuned stands in one ``ScoringPolicy``; every function takes it as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from lib.core.noise.lead import PointBands
from lib.core.ranking.deciding import EVAL_LOSS_DECIDES, Deciding
from lib.core.ranking.policy import DEFAULT_POLICY, GapBand, ScoringPolicy
from lib.core.ranking.values import RunValues

TIE_DECIMALS = 9
"""Scores and gaps are compared after rounding to so many decimals: 0.85 - 0.80 is 0.05, not 0.0499999."""


@dataclass(frozen=True, slots=True)
class RunScore:
    """The score of one ranked run. Points and total: 0 to 100, higher is better.

    Attributes:
        values: What it is worked out from.
        total: The composite; ``None`` where a metric other than a loss decides.
        loss_points: Of its eval loss; ``None`` likewise.
        gap_points: What is expected of its gap.
        gap_label: The band of the measured gap.
        never_better: It was measured before training, and never better since.
    """

    values: RunValues
    total: float | None
    loss_points: float | None
    gap_points: float
    gap_label: str
    never_better: bool = False

    @property
    def run_id(self) -> str:
        """The run."""
        return self.values.run_id

    @property
    def value(self) -> float:
        """The best of the deciding metric."""
        return self.values.value

    @property
    def eval_loss(self) -> float | None:
        """At the best step, nats."""
        return self.values.eval_loss

    @property
    def train_loss(self) -> float | None:
        """The mean up to the best step, nats; ``None`` when unknown."""
        return self.values.train_loss

    @property
    def gap(self) -> float | None:
        """Eval loss less train loss, both of the best step; ``None`` when unknown."""
        return self.values.gap


class LeftOut(StrEnum):
    """Why a run may not be recommended: its status, its end, the value that it lacks, or a run of the same training."""

    RUNNING = "running"
    QUEUED = "queued"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    BROKE_DOWN = "broke_down"
    DIED_LEVEL = "died_level"
    SAME_TRAINING = "same_training"
    NO_EVAL_LOSS = "no_eval_loss"
    NO_FINITE_EVAL_LOSS = "no_finite_eval_loss"
    BASE_ONLY = "base_only"
    NO_VALUE = "no_value"
    NO_METRIC = "no_metric"
    NO_DIRECTION = "no_direction"


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A run that may not be recommended.

    Attributes:
        code: Why.
        status_text: Its status, in the source's own words where these are not understood.
        detail: The metric that it lacks or whose direction is not known, the id of the run that stands for it, the
            step from which on its losses are no numbers, or the step or epoch at which its training broke down.
        logged: The evaluation metrics that it logged, where none of them decides.
    """

    run_id: str
    code: LeftOut
    status_text: str
    detail: str = ""
    logged: tuple[str, ...] = ()


class Rule(StrEnum):
    """What puts one run before another: the first of these in which they differ decides."""

    BETTER = "better"
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
        scores: Of the ranked runs, best first.
        unscorable: The others with the reason of each, in the order given.
        policy: With which they were scored.
        deciding: By which metric.
        settings: The ranked runs of the configuration that wins, where configurations are compared and one does; their
            first is recommended, whichever run is first of all.
    """

    scores: tuple[RunScore, ...]
    unscorable: tuple[Unscorable, ...]
    policy: ScoringPolicy = DEFAULT_POLICY
    deciding: Deciding = EVAL_LOSS_DECIDES
    settings: frozenset[str] = frozenset()

    @property
    def run_id(self) -> str | None:
        """The recommended run; ``None`` when no run may be recommended."""
        return None if self.winner is None else self.winner.run_id

    @property
    def winner(self) -> RunScore | None:
        """The score of the recommended run."""
        return next((each for each in self.scores if not self.settings or each.run_id in self.settings), None)

    @property
    def runner_up(self) -> RunScore | None:
        """The best score of the other runs, if there are any; where ``settings`` won, of other settings."""
        own = self.settings or {self.run_id}
        return next((each for each in self.scores if each.run_id not in own), None)

    @property
    def margin(self) -> float | None:
        """How far the winner is ahead of the runner-up: in points, or in the deciding metric.

        ``None`` without one, and where ``settings`` won: scores of single runs say nothing of that.
        """
        winner, runner_up = self.winner, self.runner_up
        return None if winner is None or runner_up is None or self.settings else lead_of(winner, runner_up)

    @property
    def gaps_count(self) -> bool:
        """Whether the gap is a part of the score: not where that of every run is unknown, or no loss decides."""
        return self.deciding.is_loss and any(each.gap is not None for each in self.scores)


def lead_of(first: RunScore, second: RunScore) -> float:
    """How far one run is ahead of another that is behind it: in points, or in the deciding metric."""
    if first.total is None or second.total is None:
        return abs(first.value - second.value)
    return first.total - second.total


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


def gap_label(values: RunValues, policy: ScoringPolicy = DEFAULT_POLICY) -> str:
    """The label of the measured gap."""
    if values.gap is not None and round(values.gap, TIE_DECIMALS) < 0.0 and values.is_explained:
        return policy.explained_label
    return band_of(values.gap, policy).label


def point_bands(values: RunValues, policy: ScoringPolicy = DEFAULT_POLICY) -> PointBands:
    """The points by gap of a run: what lies below 0 of a gap that is explained, or was not below 0, counts in full."""
    edges = tuple(band.below for band in policy.bands[:-1])
    points = [band.points for band in policy.bands]
    is_negative = values.gap is not None and round(values.gap, TIE_DECIMALS) < 0.0
    if edges[0] == 0.0 and (values.is_explained or not is_negative):
        points[0] = max(points)
    return PointBands(edges, tuple(points))


def gap_points(values: RunValues, policy: ScoringPolicy = DEFAULT_POLICY) -> float:
    """The expected points of a gap that is normal around the measured one."""
    if values.gap is None:
        return policy.unknown_band.points
    return point_bands(values, policy).expected(values.gap, values.gap_error)


def loss_points(eval_loss: float, lowest: float, policy: ScoringPolicy = DEFAULT_POLICY) -> float:
    """The points of an eval loss where ``lowest``, at least 0, is that of the best run.

    Example:
        >>> round(loss_points(0.001, 0.0))
        82
    """
    ratio = (lowest + policy.loss_offset) / (max(eval_loss, 0.0) + policy.loss_offset)
    return 100.0 * ratio**policy.loss_power


def composite(points: float, of_gap: float, policy: ScoringPolicy, *, gaps_count: bool) -> float:
    """The composite of two parts; the eval-loss points alone where no gap is known."""
    return policy.eval_weight * points + policy.gap_weight * of_gap if gaps_count else points


def lowest_loss(values: Iterable[RunValues]) -> float:
    """The eval loss that earns 100 points."""
    return min((max(each.eval_loss, 0.0) for each in values if each.eval_loss is not None), default=0.0)


def ranked(
    values: Sequence[RunValues], deciding: Deciding = EVAL_LOSS_DECIDES, policy: ScoringPolicy = DEFAULT_POLICY
) -> tuple[RunScore, ...]:
    """Score runs against each other, best first. The order does not depend on that of ``values``."""
    lowest = lowest_loss(values)
    gaps_count = any(each.gap is not None for each in values)
    scores = []
    for each in values:
        of_gap, total, points = gap_points(each, policy), None, None
        if deciding.is_loss:
            points = loss_points(each.value, lowest, policy)
            total = composite(points, of_gap, policy, gaps_count=gaps_count)
        never_better = each.base is not None and deciding.sign * each.base <= deciding.sign * each.value
        scores.append(RunScore(each, total, points, of_gap, gap_label(each, policy), never_better))
    return tuple(sorted(scores, key=lambda score: _order(score.values, score.total, deciding)))


def first_among(others: Sequence[RunValues], policy: ScoringPolicy) -> Callable[[RunValues], bool]:
    """Whether a run would be the first of ``ranked`` with these others, where an eval loss decides.

    To be asked often, of one run with many values: what the others have is worked out once.
    """
    lowest, gaps_count = lowest_loss(others), any(each.gap is not None for each in others)
    of_gaps = [gap_points(each, policy) for each in others]

    def is_first(run: RunValues) -> bool:
        least, count = min(lowest, lowest_loss((run,))), gaps_count or run.gap is not None

        def total(values: RunValues, of_gap: float) -> float:
            return composite(loss_points(values.value, least, policy), of_gap, policy, gaps_count=count)

        own = total(run, gap_points(run, policy))
        rounded = round(own, TIE_DECIMALS)
        for other, of_gap in zip(others, of_gaps, strict=True):
            theirs = total(other, of_gap)
            ahead = rounded - round(theirs, TIE_DECIMALS)
            if ahead < 0.0 or (
                ahead == 0.0 and _order(other, theirs, EVAL_LOSS_DECIDES) < _order(run, own, EVAL_LOSS_DECIDES)
            ):
                return False
        return True

    return is_first


def deciding_rule(first: RunScore, second: RunScore, deciding: Deciding = EVAL_LOSS_DECIDES) -> Rule:
    """What puts ``first`` before ``second``, or the reverse: two different runs."""
    one, other = (_order(score.values, score.total, deciding) for score in (first, second))
    return next(rule for rule, mine, theirs in zip(Rule, one, other, strict=True) if mine != theirs)


def _order(
    values: RunValues, total: float | None, deciding: Deciding
) -> tuple[float, float, bool, float, bool, datetime, str]:
    """What runs are sorted by, one entry for each ``Rule``; ``total`` as in ``RunScore``."""
    return (
        round(deciding.sign * values.value if total is None else -total, TIE_DECIMALS),
        math.inf if values.eval_loss is None else values.eval_loss,
        values.gap is None,
        0.0 if values.gap is None else round(abs(values.gap), TIE_DECIMALS),
        values.completed_at is None,
        values.completed_at or _NEVER,
        values.run_id,
    )


_NEVER = datetime.max.replace(tzinfo=UTC)
