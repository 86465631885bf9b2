"""A sweep of learning rates as a trainer leaves it: what was set stands in the folders' names only."""

from __future__ import annotations

import random
from pathlib import Path

from tests.app.harness import write_run

EVALUATIONS = 20
RATES = {
    # Learning rate: first, lowest and last eval loss, the evaluation of the lowest, last train loss.
    "3e-6": (0.45, 0.342, 0.342, 20, 0.293),
    "2e-5": (0.40, 0.332, 0.482, 3, 0.042),
    "3e-5": (0.39, 0.329, 0.542, 3, 0.020),
    "4e-5": (0.38, 0.331, 0.581, 2, 0.014),
    "1e-3": (0.48, 0.363, 0.363, 20, 0.324),
}
"""Slow ones end at their lowest, the others overfit: the lowest of all has the worst gap but one."""


def write_sweep(path: Path) -> Path:
    """Folders "8 3e-6" and so on: batch size and learning rate, as many train losses as evaluations."""
    noise = random.Random(8)
    for rate, (first, lowest, last, best, trained) in RATES.items():
        falling = [*(first + (lowest - first) * at / (best - 1) for at in range(best - 1)), lowest]
        rising = [lowest + (last - lowest) * at / (EVALUATIONS - best) for at in range(1, EVALUATIONS - best + 1)]
        evals = [loss if loss == lowest else loss + noise.uniform(0, 0.002) for loss in falling + rising]
        losses = [trained + (0.5 - trained) * 0.7**at for at in range(EVALUATIONS - 1)] + [trained]
        rates = [{"step": at, "learning_rate": float(rate) * (1 - at / EVALUATIONS)} for at in range(EVALUATIONS)]
        write_run(path / f"8 {rate}", losses, evals, rows=rates)
    return path
