"""How often a winner is called, and is "sure", among equal runs whose single train losses scatter.

    OPENBLAS_NUM_THREADS=1 python -m bench.leads [--selections 400] [--processes 2]

Runs with one true eval curve and one true train curve, decided by the composite and judged as the page does it:
evaluations with a little noise, and train losses that scatter by so much from one to the next. All that the runs have
beside their curves is the same and recorded, so that nothing but the noise may keep a verdict from being sure. At most
5 % may be sure.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product, repeat

import numpy as np

from bench.noise import Random, Shape, exponential, plateau, power, u_shaped
from lib.core.curves.evidence import evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.noise.best_set import Outcome
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.verdict.assessment import assess
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.objection_kinds import Sureness
from lib.core.verdict.overview import overview_of

STEPS = 3_000
NOISE = 0.002
SEED = 30_000
BOUND = 0.05
NOW = datetime(2026, 3, 1, tzinfo=UTC)

CONFIG = {
    "method": "sft", "dataset": "corpus", "eval_split": 0.1, "base_model": "a model", "max_length": 2048,
    "packing": False, "completion_only_loss": True, "label_smoothing_factor": 0.0, "seed": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One kind of selections.

    Attributes:
        scatter: Standard deviation of a train loss about its trend.
        gap: True gap at the best step; the true eval loss there is 1.
        shape: Of the eval curve; the train curve is its falling part.
        runs: How many.
        train_points: Logged train losses.
        evaluations: Of each run.
    """

    scatter: float
    gap: float
    shape: Shape = power
    runs: int = 2
    train_points: int = 300
    evaluations: int = 30


CELLS = tuple(
    Cell(scatter, gap, shape, runs, points)
    for scatter, gap, shape, runs, points in product(
        (0.0, 0.02, 0.05, 0.1, 0.2),
        # In the middle of a band, and at edges.
        (0.02, 0.05, 0.08, 0.1, 0.2),
        (power, exponential, plateau, u_shaped),
        (2, 3, 5),
        # Of 300 the window of the train loss has up to 15, of 40 it has one or two.
        (40, 300),
    )
)


def selection(cell: Cell, rng: Random) -> tuple[list[RunSummary], dict[str, RunCurves]]:
    """Equal runs, whose lowest true eval loss is 1."""
    at = np.arange(1, STEPS + 1) / STEPS
    trend = cell.shape(at, rng)
    lowest = int(trend.argmin())
    train = np.minimum.accumulate(trend)
    truths = {"eval_loss": 1.0 + trend - trend[lowest], "train_loss": 1.0 - cell.gap + train - train[lowest]}
    summaries, curves = [], {}
    for number in range(cell.runs):
        run_id = f"run-{number}"
        found = {}
        for metric, count, deviation in (
            ("eval_loss", cell.evaluations, NOISE),
            ("train_loss", cell.train_points, cell.scatter),
        ):
            steps = (np.arange(1, count + 1) * (STEPS // count)).astype(np.int64)
            values = truths[metric][steps - 1] + rng.normal(0.0, deviation, count)
            nothing = np.full(count, np.nan)
            found[metric] = complete_curve(steps, values, nothing, nothing)
        curves[run_id] = RunCurves(run_id, found)
        config = {"training": CONFIG | {"learning_rate": 1e-4 * (1 + number)}}
        summaries.append(RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED, config=config))
    return summaries, curves


def said_of(runs: Sequence[RunSummary], curves: dict[str, RunCurves]) -> tuple[Outcome, Sureness]:
    """Whether the lead is beyond the noise, and how sure the verdict is."""
    seen, assessed = [], {}
    for stored in runs:
        own = curves[stored.run_id]
        evidence = evidence_of(own)
        seen.append(with_evidence(stored, evidence))
        assessed[stored.run_id] = assess(stored, seen[-1], own, evidence, NOW)
    decision = decide(seen, curves, DEFAULT_POLICY)
    overview = overview_of(grounds_of(decision, seen), seen, assessed)
    return decision.lead.outcome, overview.surety.level


def counts(cell: Cell, selections: int, seed: int = SEED) -> tuple[int, int]:
    """How many of so many selections have a lead beyond the noise, and of how many the verdict is sure."""
    key = seed, CELLS.index(cell) if cell in CELLS else len(CELLS)
    rng = np.random.default_rng(key)
    said = [said_of(*selection(cell, rng)) for _ in range(selections)]
    winners = sum(outcome is Outcome.WINNER for outcome, _ in said)
    return winners, sum(level is Sureness.SURE for _, level in said)


def main() -> None:
    """Print a table for each trait of the cells, by scatter: the cells that share it are counted together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selections", type=int, default=400, help="simulated selections in each row, at least")
    parser.add_argument("--processes", type=int, default=2, help="that share the work")
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulation")
    asked = parser.parse_args()
    each = -(-asked.selections // min(_fewest_alike(key) for _, key in TRAITS))
    with ProcessPoolExecutor(asked.processes) as pool:
        found = dict(zip(CELLS, pool.map(counts, CELLS, repeat(each), repeat(asked.seed), chunksize=4), strict=True))
    scatters = sorted({cell.scatter for cell in CELLS})
    worst = 0.0
    for title, key in TRAITS:
        print(f"\n{title:14}" + "".join(f"{f'sd {scatter:g}':>18}" for scatter in scatters))
        for trait in dict.fromkeys(map(key, CELLS)):
            line = f"{trait:14}"
            for scatter in scatters:
                cells = [cell for cell in CELLS if cell.scatter == scatter and key(cell) == trait]
                winners, sure = (sum(found[cell][what] for cell in cells) / (each * len(cells)) for what in (0, 1))
                line += f"{winners:9.1%} {sure:8.1%}"
                worst = max(worst, sure)
            print(line)
    print(
        f"\nWinner called, and sure. Worst {worst:.1%}, at most {BOUND:.0%}: {'holds' if worst <= BOUND else 'FAILS'}"
    )


TRAITS: tuple[tuple[str, Callable[[Cell], str]], ...] = (
    ("all", lambda cell: ""),
    ("true gap", lambda cell: f"{cell.gap:g}"),
    ("shape", lambda cell: cell.shape.__name__),
    ("runs", lambda cell: str(cell.runs)),
    ("train points", lambda cell: str(cell.train_points)),
)


def _fewest_alike(trait: Callable[[Cell], str]) -> int:
    """Of how many cells the smallest row is made."""
    found = [(cell.scatter, trait(cell)) for cell in CELLS]
    return min(map(found.count, found))


if __name__ == "__main__":
    main()
