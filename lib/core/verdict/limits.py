"""The limits that decide what is said about runs, by the headings that they are printed under."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lib.core.checks import common_spikes
from lib.core.checks.check import Group
from lib.core.checks.registry import limits_in
from lib.core.checks.stability import UNSTABLE_SPIKE_SHARE, UNSTABLE_SPIKES
from lib.core.curves import lost_ends, robust, series, train_window
from lib.core.facts import liveness
from lib.core.facts.limits import AnyLimit, distinct, limits_of
from lib.core.gap import negative_gap, overfitting
from lib.core.noise import best_set, estimate, pairs, settled
from lib.core.noise import train_window as train_noise
from lib.core.ranking import values
from lib.core.verdict import lowest_loss, objections, sureness

LIMITS: Mapping[str, tuple[AnyLimit, ...]] = MappingProxyType(
    {
        "Values that rank": limits_of(values, lost_ends),
        "Winner or tie": distinct(limits_of(best_set, estimate, settled, pairs, train_noise)),
        "Objections and sureness": limits_of(lowest_loss, objections, sureness),
        # How long a silence is has a heading of its own.
        "Run health": tuple(
            limit
            for limit in distinct((*limits_in(Group.HEALTH), *limits_of(common_spikes, robust)))
            if limit is not liveness.STALLED_S
        ),
        "Silence of a running run": limits_of(liveness),
        "Stability": distinct((*limits_in(Group.STABILITY), UNSTABLE_SPIKES, UNSTABLE_SPIKE_SHARE)),
        "Overfitting at matched steps": limits_of(overfitting, train_window, negative_gap),
        "Data passport": limits_in(Group.DATA),
        "Curves and repeated evaluations": limits_of(series),
    }
)
"""All that are printed, by heading."""
