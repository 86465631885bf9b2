"""What would make the runner-up win, in words: the same wherever it is said."""

from __future__ import annotations

from typing import Literal

from lib.core.ranking.decision import Decision
from lib.core.ranking.flip_change import Change
from lib.core.text import formatting
from lib.core.text.phrases import with_article
from lib.core.verdict.metric_words import apart, metric_words

_ARTICLES = {"eval loss": "an", "gap": "a"}
_SMALLER = {"eval loss": "lower eval loss", "gap": "smaller gap"}


def ways_to_win(decision: Decision, *, with_bands: bool = False) -> tuple[str, ...]:
    """With which smallest change the runner-up would win, the other numbers unchanged, as ends of a sentence.

    That of its eval loss goes before that of its gap; () where neither alone helps, and without a runner-up.

    Args:
        decision: Who is ahead of whom.
        with_bands: Name the gap band that the runner-up would be in, where it is another one.
    """
    flip, rival = decision.flip.runner_up, decision.recommendation.runner_up
    if flip is None or rival is None:
        return ()
    if flip.value is not None:
        beyond = "above" if decision.deciding.better == "higher" else "below"
        target, now = apart(flip.value.target, rival.value)
        return (f"with {with_article(metric_words(decision.deciding.metric))} {beyond} {target} (it has {now})",)
    ways: list[str] = []
    if flip.eval_loss is not None:
        ways.append(f"with {_shown('eval loss', flip.eval_loss, rival.value, with_bands)}, its train loss unchanged")
    if flip.gap is not None:
        ways.append(f"with {_shown('gap', flip.gap, rival.gap, with_bands)}, its eval loss unchanged")
    return tuple(ways)


def _shown(what: Literal["eval loss", "gap"], change: Change, present: float | None, with_band: bool) -> str:
    band = f', in the gap band "{change.band}"' if with_band and change.crosses else ""
    if present is None:
        return f"{_ARTICLES[what]} {what} known to be about {formatting.loss(change.target)}{band}"
    if change.delta == 0.0:
        return f"any {_SMALLER[what]}{band}"
    target, now = apart(change.target, present)
    return f"{_ARTICLES[what]} {what} of about {target} (it has {now}){band}"
