"""What is said about what would flip the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from lib.core.ranking.decision import Decision
from lib.core.ranking.flip import WeightInterval
from lib.core.verdict.changes import ways_to_win
from lib.core.verdict.reasons import why_alone
from lib.core.verdict.seeds import settings_flip


def flip_sentences(decision: Decision, labels: Mapping[str, str]) -> tuple[str, ...]:
    """For which eval weights the recommended run stays, and what the runner-up lacks; () without one."""
    flip, rival = decision.flip, decision.recommendation.runner_up
    if decision.recommendation.winner is None:
        return ()
    settings = decision.lead.settings
    if settings is not None:
        return (settings_flip(settings, decision.deciding),)
    if rival is None or flip.runner_up is None:
        return (f"Nothing can flip the verdict: {why_alone(decision)}.",)
    weight = decision.recommendation.policy.eval_weight
    weights = () if flip.interval is None else _weights(flip.interval, weight, labels)
    name, ways = labels[rival.run_id], ways_to_win(decision)
    if not ways:
        return (*weights, f"Neither its eval loss nor its gap alone would make runner-up {name} win.")
    return (*weights, *(f"Runner-up {name} needs {way} to win." for way in ways))


def _weights(interval: WeightInterval, weight: float, labels: Mapping[str, str]) -> Iterator[str]:
    if interval.below is None and interval.above is None:
        yield "It stays first whatever the weights are."
        return
    # Rounded so that what the sentences promise holds of the numbers that they show.
    low, high = math.ceil(interval.low * 1000.0) / 10.0, math.floor(interval.high * 1000.0) / 10.0
    now = weight * 100.0
    yield f"It stays first for eval weights from {min(low, now):.4g}% to {max(high, now):.4g}%; it is {now:.4g}%."
    if interval.below is not None:
        yield f"Below {math.floor(interval.low * 1000.0) / 10.0:.4g}%, {labels[interval.below]} would win."
    if interval.above is not None:
        yield f"Above {math.ceil(interval.high * 1000.0) / 10.0:.4g}%, {labels[interval.above]} would win."
