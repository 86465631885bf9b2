"""How often "winner or tie" is right, on simulated runs whose true losses are known.

    python -m bench.ties [--selections 400]

Prints three tables: selections whose true losses are equal (how often a winner is called), selections of random
differences (how often the set holds the truly best run), and how often a winner is found by how far it is ahead, in
standard errors of the difference of two runs. Some settings break the model: noise that lasts from one evaluation to
the next, noise that falls during the run, and runs of which some are ten times as noisy as others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import NO_CURVE, RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.ranking.tie import TieKind, TieVerdict, verdict_on

STEPS_BETWEEN = 50
SCALE = 1.0
NOISES = (0.002, 0.01, 0.05)
COUNTS = (6, 10, 20, 50, 100)
LEADS = (0, 1, 2, 3, 4, 6, 8, 12)


@dataclass(frozen=True)
class Setting:
    """One kind of selection: which curves, and which noise they have."""

    name: str
    families: tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...]
    correlation: float = 0.0
    falls: bool = False
    loudest: float = 1.0


def decaying(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Falls to the end."""
    return SCALE * np.exp(-rng.uniform(2.0, 6.0) * t)


def u_shaped(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Falls fast to a minimum and rises: overfitting."""
    best = rng.uniform(0.1, 0.6)
    return SCALE * (0.3 * np.exp(-2.0 * t / best) + rng.uniform(0.2, 0.5) * t)


def plateau(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Falls early and stays."""
    return SCALE * np.exp(-rng.uniform(10.0, 30.0) * t)


FAMILIES = (decaying, u_shaped, plateau)
SETTINGS = (
    *(Setting(family.__name__.replace("_", "-"), (family,)) for family in FAMILIES),
    Setting("mixed", FAMILIES),
    Setting("mixed, noise falls to a fifth", FAMILIES, falls=True),
    Setting("mixed, some runs 10 times as noisy", FAMILIES, loudest=10.0),
    Setting("mixed, autocorrelation 0.3", FAMILIES, correlation=0.3),
    Setting("mixed, autocorrelation 0.6", FAMILIES, correlation=0.6),
)


def simulated(
    losses: Sequence[float], count: int, noise: float, setting: Setting, rng: np.random.Generator
) -> dict[str, RunCurves]:
    """Runs whose lowest true eval losses are ``losses``, evaluated ``count`` times each."""
    t = np.arange(1, count + 1) / count
    runs = {}
    for number, loss in enumerate(losses):
        trend = setting.families[rng.integers(len(setting.families))](t, rng)
        loudness = rng.choice([1.0, setting.loudest])
        deviation = loudness * noise * (1.0 - 0.8 * t if setting.falls else np.ones(count))
        value = loss + trend - trend.min() + deviation * _fluctuations(count, setting.correlation, rng)
        steps = (np.arange(1, count + 1) * STEPS_BETWEEN).astype("int64")
        unknown = np.full(count, np.nan)
        runs[f"run-{number}"] = curves_with(f"run-{number}", steps, value, unknown)
    return runs


def curves_with(run_id: str, steps: np.ndarray, value: np.ndarray, unknown: np.ndarray) -> RunCurves:
    """A run with an eval curve and nothing else."""
    evals = complete_curve(steps, value, unknown, unknown)
    return RunCurves(run_id, MappingProxyType({"eval_loss": evals, "train_loss": NO_CURVE}))


def judged(runs: dict[str, RunCurves]) -> TieVerdict:
    """The verdict on simulated runs."""
    return verdict_on(runs, [RunSummary(run_id=run_id, name=run_id, status=RunStatus.COMPLETED) for run_id in runs])


def _fluctuations(count: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    found = rng.standard_normal(count)
    for i in range(1, count):
        found[i] = correlation * found[i - 1] + np.sqrt(1.0 - correlation**2) * found[i]
    return found


def equal_selections(setting: Setting, count: int, selections: int, seed: int = 0) -> Iterator[TieVerdict]:
    """Verdicts on selections of 2 to 5 runs with the same true loss."""
    rng = np.random.default_rng((seed, count))
    for number in range(selections):
        losses = [1.0] * int(rng.integers(2, 6))
        yield judged(simulated(losses, count, NOISES[number % len(NOISES)], setting, rng))


def false_winners(setting: Setting, count: int, selections: int, seed: int = 0) -> float:
    """How often a winner is called among runs that are truly equal."""
    kinds = [verdict.kind for verdict in equal_selections(setting, count, selections, seed)]
    return kinds.count(TieKind.WINNER) / len(kinds)


def best_held(setting: Setting, count: int, selections: int, seed: int = 1) -> float:
    """How often the set holds the truly best run; differences are 0 to 4 times the noise."""
    rng = np.random.default_rng((seed, count))
    held = 0
    for number in range(selections):
        noise = NOISES[number % len(NOISES)]
        losses = 1.0 + noise * rng.uniform(0.0, rng.uniform(0.0, 4.0), int(rng.integers(2, 6)))
        verdict = judged(simulated(losses, count, noise, setting, rng))
        held += f"run-{int(np.argmin(losses))}" in verdict.best_set
    return held / selections


def winners_found(setting: Setting, count: int, runs: int, lead: float, selections: int, seed: int = 2) -> float:
    """How often the best run is the winner when it leads all others by so many standard errors of a difference."""
    rng = np.random.default_rng((seed, count, runs))
    found = 0
    for number in range(selections):
        noise = NOISES[number % len(NOISES)]
        losses = [1.0] + [1.0 + lead * np.sqrt(2.0) * noise] * (runs - 1)
        found += judged(simulated(losses, count, noise, setting, rng)).best_set == ("run-0",)
    return found / selections


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selections", type=int, default=400, help="simulated selections in each cell")
    selections = parser.parse_args().selections
    head = "".join(f"{count:>8}" for count in COUNTS)
    for title, measure in (
        ("winner called among equal runs (at most 5 %)", false_winners),
        ("set holds the truly best run (at least 90 %)", best_held),
    ):
        print(f"\n{title}\n{'evaluations of each run':36}{head}")
        for setting in SETTINGS:
            print(f"{setting.name:36}" + "".join(f"{measure(setting, count, selections):8.1%}" for count in COUNTS))
    print(f"\nwinner found, by its lead in standard errors\n{'':36}" + "".join(f"{lead:>8}" for lead in LEADS))
    mixed = SETTINGS[3]
    for runs in (2, 5):
        for count in COUNTS:
            cells = (winners_found(mixed, count, runs, lead, selections) for lead in LEADS)
            print(f"{f'{runs} runs, {count} evaluations':36}" + "".join(f"{cell:8.1%}" for cell in cells))


if __name__ == "__main__":
    main()
