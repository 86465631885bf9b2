"""How often a lead is called beyond the noise among equal runs whose single train losses scatter.

    OPENBLAS_NUM_THREADS=1 python -m bench.leads [--selections 200]

Two runs with the same true curves, decided by the composite as the page decides: evaluations with a little noise, and
train losses that scatter by so much from one to the next. At most 5 % may have a winner.
"""

from __future__ import annotations

import argparse

import numpy as np

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY

SCATTERS = (0.0, 0.02, 0.05, 0.1, 0.2)
GAPS = (0.02, 0.05, 0.08, 0.1, 0.2)
"""True gaps: in the middle of a band, and at edges."""
EVALUATIONS, TRAIN_POINTS, STEPS = 30, 300, 3_000
NOISE = 0.002
SEED = 30_000


def selection(
    gap: float, scatter: float, rng: np.random.Generator, runs: int = 2
) -> tuple[list[RunSummary], dict[str, RunCurves]]:
    """Equal runs with a true eval loss of 1 at their end."""
    summaries, curves = [], {}
    for number in range(runs):
        run_id = f"run-{number}"
        found = {}
        for metric, count, level, deviation in (
            ("eval_loss", EVALUATIONS, 1.0, NOISE),
            ("train_loss", TRAIN_POINTS, 1.0 - gap, scatter),
        ):
            steps = (np.arange(1, count + 1) * (STEPS // count)).astype(np.int64)
            values = level + 0.5 * np.exp(-8.0 * steps / STEPS) + rng.normal(0.0, deviation, count)
            nothing = np.full(count, np.nan)
            found[metric] = complete_curve(steps, values, nothing, nothing)
        curves[run_id] = RunCurves(run_id, found)
        summaries.append(RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED))
    return summaries, curves


def false_leads(gap: float, scatter: float, selections: int, seed: int = SEED) -> float:
    """How often one of two equal runs has a lead beyond the noise."""
    rng = np.random.default_rng((seed, round(1000 * gap), round(1000 * scatter)))
    found = [decide(*selection(gap, scatter, rng), DEFAULT_POLICY).lead.outcome for _ in range(selections)]
    return found.count(Outcome.WINNER) / selections


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selections", type=int, default=200, help="simulated selections in each cell")
    selections = parser.parse_args().selections
    print(f"{'true gap':10}" + "".join(f"{f'sd {scatter:g}':>9}" for scatter in SCATTERS))
    for gap in GAPS:
        print(f"{gap:<10g}" + "".join(f"{false_leads(gap, scatter, selections):9.1%}" for scatter in SCATTERS))


if __name__ == "__main__":
    main()
