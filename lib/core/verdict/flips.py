"""What is said about what would flip the verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from lib.core.ranking.decision import Decision
from lib.core.ranking.flip import RivalFlip, WeightInterval
from lib.core.ranking.flip_change import Change
from lib.core.ranking.scoring import RunScore
from lib.core.text import formatting
from lib.core.text.phrases import with_article
from lib.core.verdict.metric_words import apart, margin_words, metric_words
from lib.core.verdict.reasons import why_alone

_ARTICLES = {"eval loss": "an", "gap": "a"}
_SMALLER = {"eval loss": "lower eval loss", "gap": "smaller gap"}


def flip_sentences(decision: Decision, labels: Mapping[str, str]) -> tuple[str, ...]:
    """For which eval weights the recommended run stays, and what the runner-up lacks; () without one."""
    flip, rival, behind = decision.flip, decision.recommendation.runner_up, decision.recommendation.margin
    if decision.recommendation.winner is None:
        return ()
    if rival is None or behind is None or flip.runner_up is None:
        return (f"Nothing can flip the verdict: {why_alone(decision)}.",)
    weight = decision.recommendation.policy.eval_weight
    weights = () if flip.interval is None else _weights(flip.interval, weight, labels)
    return (*weights, _change(labels[rival.run_id], rival, decision, flip.runner_up))


def _weights(interval: WeightInterval, weight: float, labels: Mapping[str, str]) -> Iterator[str]:
    if interval.below is None and interval.above is None:
        yield "It stays the recommended run whatever the eval weight is."
        return
    # Rounded so that what the sentences promise holds of the numbers that they show.
    low, high = math.ceil(interval.low * 1000.0) / 10.0, math.floor(interval.high * 1000.0) / 10.0
    now = weight * 100.0
    yield (
        f"It stays the recommended run for eval weights from {min(low, now):.4g}% to {max(high, now):.4g}%;"
        f" the weight is {now:.4g}%."
    )
    if interval.below is not None:
        yield f"Below {math.floor(interval.low * 1000.0) / 10.0:.4g}%, {labels[interval.below]} would be."
    if interval.above is not None:
        yield f"Above {math.ceil(interval.high * 1000.0) / 10.0:.4g}%, {labels[interval.above]} would be."


def _change(name: str, rival: RunScore, decision: Decision, flip: RivalFlip) -> str:
    ahead = f"{margin_words(decision.recommendation)} behind"
    if flip.value is not None:
        beyond = "above" if decision.deciding.better == "higher" else "below"
        target, now = apart(flip.value.target, rival.value)
        words = metric_words(decision.deciding.metric)
        return f"The runner-up {name} ({ahead}) would win with {with_article(words)} {beyond} {target} (it has {now})."
    ways: list[str] = []
    if flip.eval_loss is not None:
        ways.append(f"with {_shown('eval loss', flip.eval_loss, rival.value)}, its train loss unchanged")
    if flip.gap is not None:
        ways.append(f"with {_shown('gap', flip.gap, rival.gap)}, its eval loss unchanged")
    if not ways:
        return f"Neither its eval loss nor its gap alone would make the runner-up {name} win ({ahead})."
    return f"The runner-up {name} ({ahead}) would win {', or '.join(ways)}."


def _shown(what: Literal["eval loss", "gap"], change: Change, present: float | None) -> str:
    band = f', in the gap band "{change.band}"' if change.crosses else ""
    if present is None:
        return f"{_ARTICLES[what]} {what} known to be about {formatting.loss(change.target)}{band}"
    if change.delta == 0.0:
        return f"any {_SMALLER[what]}{band}"
    target, now = apart(change.target, present)
    return f"{_ARTICLES[what]} {what} of about {target} (it has {now}){band}"
