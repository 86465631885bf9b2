"""The difference of one value to that of the baseline: how large, which share, and whether it is better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lib.core.facts.metrics import Better, metric_of
from lib.core.facts.values import finite
from lib.core.ranking.metric_names import is_share
from lib.core.verdict.metric_words import IN_PERCENT

LARGEST_SHARE = 10.0
"""From ten times the baseline on a percentage is a row of digits that nobody reads."""
_INTERVALS = frozenset(("learning_rate", "gap", "score"))
"""Values of which a share means nothing: powers of ten, differences, points."""


class Sense(StrEnum):
    """What a difference to the baseline says."""

    BETTER = "better"
    WORSE = "worse"
    LEVEL = "level"
    UNTOLD = "untold"
    """Its noise is not known."""
    NEITHER = "neither"
    """Neither more nor less of it is better, or there is none."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value less that of the baseline.

    Attributes:
        value: Finite, in the unit of both.
        share: As a share of the baseline's; ``None`` where that means nothing.
        sense: Whether it is better.
        in_points: It is one of percentages.
    """

    value: float
    share: float | None
    sense: Sense
    in_points: bool = False


def difference(
    value: float | None,
    base: float | None,
    better: Better | None = None,
    noise: float | None = 0.0,
    *,
    has_share: bool = True,
    in_points: bool = False,
) -> Difference | None:
    """A value less that of the baseline.

    Args:
        value: Of the run.
        base: Of the baseline.
        better: Which direction wins; ``None`` where neither does.
        noise: How far two that are the same may differ; ``None`` where nobody knows.
        has_share: A share of the baseline's means something, as far as both are above 0.
        in_points: The values are percentages.

    Returns:
        ``None`` where one of them is not there or no number.

    Example:
        >>> [difference(0.5, 1.0, "lower", noise).sense.value for noise in (0.05, 0.6, None)]
        ['better', 'level', 'untold']
    """
    one, other = finite(value), finite(base)
    if one is None or other is None or not math.isfinite(one - other):
        return None
    found = one - other
    share = found / other if has_share and not in_points and one > 0.0 and other > 0.0 else None
    if share is not None and not abs(share) < LARGEST_SHARE:
        share = None
    return Difference(found, share, _sense(found, better, noise), in_points)


def _sense(found: float, better: Better | None, noise: float | None) -> Sense:
    if better is None or found == 0.0:
        return Sense.NEITHER
    if noise is None:
        return Sense.UNTOLD
    if abs(found) <= noise:
        return Sense.LEVEL
    return Sense.BETTER if (found < 0.0) is (better == "lower") else Sense.WORSE


def has_share(metric: str) -> bool:
    """Whether a share of the baseline's value means something: not of powers of ten, scores, rewards and differences.

    Example:
        >>> [has_share(each) for each in ("eval_loss", "learning_rate", "eval_accuracy", "eval_reward", "duration")]
        [True, False, False, False, True]
    """
    return metric not in _INTERVALS and "reward" not in metric and not is_share(metric)


def is_percentage(metric: str, value: float | None) -> bool:
    """Whether a value of a metric is written in percent.

    Example:
        >>> is_percentage("gpu_utilization_percent", 0.5), is_percentage("eval_f1", 0.9), is_percentage("eval_f1", 81.0)
        (True, False, True)
    """
    return metric_of(metric).unit == "%" or (is_share(metric) and value is not None and value > IN_PERCENT)
