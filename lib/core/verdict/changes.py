"""What would make another run win, in words: the same wherever it is said."""

from __future__ import annotations

import math
from typing import Literal

from lib.core.ranking.decision import Decision
from lib.core.ranking.flip_change import Change
from lib.core.ranking.scoring import ranked
from lib.core.text import formatting
from lib.core.text.precision import measured, rough
from lib.core.verdict.metric_words import apart, metric_name


def ways_to_win(decision: Decision) -> tuple[str, ...]:
    """The smallest changes that would each make the runner-up win, the other numbers unchanged: what it needs.

    That of its eval loss goes before that of its gap; () where neither alone helps, and without a runner-up.
    """
    flip, rival = decision.flip.runner_up, decision.recommendation.runner_up
    if flip is None or rival is None:
        return ()
    if flip.value is not None:
        word = "more" if decision.deciding.better == "higher" else "less"
        # At the same value a tie-break decides.
        return (f"over {_by(abs(flip.value.delta or 0.0))} {word} {metric_name(decision.deciding.metric)}",)
    ways: list[str] = []
    if flip.eval_loss is not None:
        ways.append(f"{_shown('eval loss', flip.eval_loss)} (train loss unchanged)")
    if flip.gap is not None:
        ways.append(f"{_shown('gap', flip.gap)} (eval loss unchanged)")
    return tuple(ways)


def _shown(what: Literal["eval loss", "gap"], change: Change) -> str:
    article = "an" if what == "eval loss" else "a"
    if change.delta is None:
        return f"{article} {what} known to be about {measured(change.target)}"
    word = ("lower" if what == "eval loss" else "smaller") if change.delta <= 0.0 else "higher"
    if change.delta == 0.0:
        return f"any {word} {what}"
    return f"{article} {what} {_by(abs(change.delta))} {word}"


def _by(size: float) -> str:
    """How far, rounded up to two digits, so that what is promised holds."""
    if not size:
        return "0"
    unit = 10.0 ** (math.floor(math.log10(size)) - 1)
    return rough(math.ceil(round(size / unit, 6)) * unit)


def if_completed(run_id: str, decision: Decision) -> tuple[str | None, str]:
    """What a run that is not finished would score beside what the recommended one then does, if it were first."""
    recommendation = decision.recommendation
    values = [each.values for each in recommendation.scores] + [decision.alongside[run_id]]
    found = ranked(values, recommendation.deciding, recommendation.policy)
    if found[0].run_id != run_id:
        return None, ""
    winner = next(each for each in found if each.run_id == recommendation.run_id)
    if found[0].total is None or winner.total is None:
        return apart(found[0].value, winner.value)
    return formatting.told_apart(found[0].total, winner.total)
