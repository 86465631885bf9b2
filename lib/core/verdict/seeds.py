"""What is said where settings are compared, between seeds, and one of them wins."""

from __future__ import annotations

from lib.core.noise.best_set import Compared
from lib.core.ranking.deciding import Deciding
from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import RunScore
from lib.core.text.precision import rough
from lib.core.verdict.metric_words import difference_words


def settings_ahead(nearest: Compared, deciding: Deciding) -> str:
    """How far the settings of the recommended run are ahead of the nearest others."""
    ahead, within = difference_words(nearest, deciding), rough(nearest.within)
    return (
        f"Settings are compared, not single runs: between seeds, its own are {ahead} ahead of the next;"
        f" up to {within} would be noise."
    )


def settings_flip(nearest: Compared, deciding: Deciding) -> str:
    """What would turn that."""
    behind, within = difference_words(nearest, deciding), rough(nearest.within)
    return f"Settings are compared: between seeds the next are {behind} behind; up to {within} would be a tie."


def settings_behind(other: RunScore, decision: Decision) -> str:
    """How far the settings of a run are behind those that win, as a part of a sentence."""
    if other.run_id in decision.recommendation.settings:
        return "another seed of the recommended settings"
    compared = decision.contest.compared(other.run_id, decision.recommendation.run_id or "")
    if compared is None:
        return "its settings are others"
    return f"its settings are {difference_words(compared, decision.deciding)} behind, between seeds"
