"""Eval losses as a share of each run's own first evaluation: how far each came, where the losses do not compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lib.charts.drawn import Curve
from lib.core.curves.evidence import measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.ranking.decision import Decision
from lib.core.ranking.metric_names import EVAL_LOSS

MODE = "relative"
"""What a link calls this choice of losses."""
SPEC = ".1%"
"""How one value is written."""

_HOW = {
    "train and eval": "eval marked, largest at its best · train pale",
    "eval": "eval, largest mark at its best",
    "train": "train",
    MODE: "eval loss in % of each run's own first evaluation",
}


def first_evaluation(curves: RunCurves) -> float | None:
    """The first measured eval loss; ``None`` where there is none above 0, so that nothing is a share of it."""
    values = measured(curves, EVAL_LOSS).value
    return float(values[0]) if len(values) and np.isfinite(values[0]) and values[0] > 0.0 else None


def of_first(curve: Curve, first: float) -> Curve:
    """A curve as a share of a value."""
    return replace(curve, y=curve.y / first, spec=SPEC)


def notes(decision: Decision) -> Mapping[str, str]:
    """What the loss chart shows, by the choice of losses; and whether that may be compared."""
    if not decision.other_classes:
        return {mode: f"{how} · lower is better" for mode, how in _HOW.items()}
    words = "not all of these losses compare" if decision.has_main_class else "these losses cannot be compared"
    return {mode: f"{how} · {words}" if mode == MODE else f"{words} · {how}" for mode, how in _HOW.items()}
