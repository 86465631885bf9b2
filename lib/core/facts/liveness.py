"""Whether a run that says it is running still gives signs of life."""

from __future__ import annotations

from datetime import datetime

from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunStatus, RunSummary

# fmt: off
STALLED_S = Limit(600.0, "Stalled (seconds)",
    "A running run that has not reported for so long, in seconds, is stalled: trainers log every few seconds, and an"
    " evaluation or a checkpoint takes minutes.")
# fmt: on


def silent_for(run: RunSummary, now: datetime) -> float | None:
    """Seconds since a running run last reported, at least 0; ``None`` where it is not running or never said."""
    if run.status is not RunStatus.RUNNING or run.updated_at is None:
        return None
    return max(0.0, (now - run.updated_at).total_seconds())


def is_stalled(run: RunSummary, now: datetime) -> bool:
    """Whether a running run has not reported for ``STALLED_S``."""
    silence = silent_for(run, now)
    return silence is not None and silence >= STALLED_S
