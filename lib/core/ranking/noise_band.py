"""How far the noise of a ranking reaches: one number for all of its runs."""

from __future__ import annotations

import math

from lib.core.ranking.decision import Decision
from lib.core.ranking.scoring import lead_of


def noise_band(decision: Decision) -> float | None:
    """How far behind the first a ranked run may be by noise alone, in what ranks.

    Each comparison has a noise of its own (``Lead.within``). Said is the greatest of those that reach no run which is
    told apart, and at least as far as the last run that is level: so runs inside the band are level, and others are
    not, wherever their order allows that.

    Returns:
        In points or in the deciding metric, finite and at least 0; ``None`` where no noise is known, or where settings
        are compared instead of single runs.
    """
    lead, scores = decision.lead, decision.recommendation.scores
    within = {run_id: size for run_id, size in lead.within.items() if math.isfinite(size)}
    if decision.recommendation.settings or not within:
        return None
    behind = {each.run_id: lead_of(scores[0], each) for each in scores}
    level = [behind[run_id] for run_id in decision.tied if math.isfinite(behind[run_id])]
    apart = [behind[run_id] for run_id in within if run_id not in (*decision.tied, *lead.never_better)]
    nearest = min(apart, default=math.inf)
    reaching = [size for size in within.values() if size < nearest] or [min(within.values())]
    return max(0.0, *reaching, *level)
