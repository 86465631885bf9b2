"""Where the values of the loss chart lie, so that a browser can ignore outliers by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib.charts.bounds import bounds_of
from lib.charts.drawn import Curve, DrawnCurve
from lib.core.facts.metrics import metric_of
from lib.ui.charts.request import ChartRequest
from lib.ui.session import link


def bounds_by_mode(request: ChartRequest, curves: Sequence[Curve], drawn: Sequence[DrawnCurve]) -> dict[str, list[Any]]:
    """For each choice of losses: lowest and highest that are no outliers, how many are, of how many, and ``dwarfed``.

    Nothing of a chart that shows no loss.
    """
    if not {*request.metrics} <= {*link.LOSSES[link.LOSS_MODES[0]]}:
        return {}
    found = {}
    for mode, metrics in link.LOSSES.items():
        kinds = {metric_of(metric).evaluated for metric in metrics}
        bounds = bounds_of([each for curve, each in zip(curves, drawn, strict=True) if curve.evaluated in kinds])
        if bounds is not None:
            low, high = bounds.low, bounds.high
            if request.is_difference:
                # The baseline's own line is always there.
                low, high = min(low, 0.0), max(high, 0.0)
            found[mode] = [low, high, bounds.outside, bounds.points, bounds.dwarfed]
    return found
