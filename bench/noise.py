"""How often the set of the best is right, on simulated curves whose true values are known, beside what it must reach.

    OPENBLAS_NUM_THREADS=1 python -m bench.noise [--selections 400] [--processes 2] [--cells]

A cell is one kind of noise, one shape of the trend and one number of evaluations; selections are of 2 to 5 runs where
nothing else is said, and differ in the size of the noise (0.2, 1 and 5 % of what the curve falls by). Leads are in
standard deviations of one evaluation. ``--cells`` prints every cell.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product, repeat
from statistics import mean
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib.core.noise.best_set import BestSet, Outcome, best_set

Floats = NDArray[np.float64]
Random = np.random.Generator

STEPS_BETWEEN = 50
SIZES = (0.002, 0.01, 0.05)
COUNTS = (6, 10, 20, 50, 200)
SEED = 20_000


def power(t: Floats, rng: Random) -> Floats:
    """Falls like a power of the steps, to the end."""
    return (1.0 + rng.uniform(20.0, 60.0) * t) ** -rng.uniform(0.4, 0.8)


def exponential(t: Floats, rng: Random) -> Floats:
    """Falls to a limit that it nearly reaches."""
    return np.exp(-rng.uniform(3.0, 6.0) * t)


def plateau(t: Floats, rng: Random) -> Floats:
    """Falls early and stays."""
    return np.exp(-rng.uniform(10.0, 30.0) * t)


def u_shaped(t: Floats, rng: Random) -> Floats:
    """Falls fast to a minimum and rises: overfitting."""
    best = rng.uniform(0.3, 0.6)
    return 0.8 * np.exp(-4.0 * t / best) + rng.uniform(0.2, 0.4) * np.maximum(t - 0.5 * best, 0.0) ** 1.5


def warmed_up(t: Floats, rng: Random) -> Floats:
    """Stays while the rate warms up, then falls."""
    warm = rng.uniform(0.05, 0.15)
    return np.where(t < warm, 1.0 - 0.1 * t / warm, 0.9 * np.exp(-rng.uniform(3.0, 8.0) * (t - warm)))


Shape = Callable[[Floats, Random], Floats]
SHAPES: tuple[Shape, ...] = (power, exponential, plateau, u_shaped, warmed_up)
FALLING: tuple[Shape, ...] = (power, exponential, plateau, warmed_up)


def autocorrelated(white: Floats, phi: float) -> Floats:
    """AR(1) noise of unit variance from white noise of unit variance."""
    found = white.copy()
    for i in range(1, len(found)):
        found[i] = phi * found[i - 1] + np.sqrt(1.0 - phi**2) * found[i]
    return found


NOISES: dict[str, Callable[[Random, int], Floats]] = {
    "gaussian": lambda rng, count: rng.standard_normal(count),
    "t3": lambda rng, count: rng.standard_t(3.0, count) / np.sqrt(3.0),
    "heteroscedastic": lambda rng, count: rng.standard_normal(count) * np.linspace(1.0, 0.2, count),
    "AR 0.3": lambda rng, count: autocorrelated(rng.standard_normal(count), 0.3),
    "AR 0.6": lambda rng, count: autocorrelated(rng.standard_normal(count), 0.6),
    "AR 0.9": lambda rng, count: autocorrelated(rng.standard_normal(count), 0.9),
}
"""Of unit variance; that of the heteroscedastic falls from the first evaluation on."""

USUAL = ("gaussian", "t3", "heteroscedastic", "AR 0.3")


@dataclass(frozen=True)
class Cell:
    """One kind of selections, and what is counted in them.

    Attributes:
        counted: ``winner``: a winner is called; ``first``: the first run (configuration), which leads, is called;
            ``held``: the truly best run is in the set.
        runs: How many; 0 for 2 to 5.
        lead: Of the first run, in standard deviations of one evaluation (of seeds, with ``repeats``); ``None`` for
            random differences.
        shared: The part of the noise's variance that all runs have in common.
        unlearned: Evaluations before the others of a model that had not learned yet.
        repeats: Runs of each configuration.
        loudest: Some runs are so many times as noisy.
        alike: All runs have one trend; else each has its own of the shape.
        seed_deviation: Of repeats, in standard deviations of one evaluation.
    """

    shape: Shape
    noise: str = "gaussian"
    count: int = 20
    counted: Literal["winner", "first", "held"] = "winner"
    runs: int = 0
    lead: float | None = 0.0
    shared: float = 0.0
    unlearned: int = 0
    repeats: tuple[int, ...] = ()
    loudest: float = 1.0
    alike: bool = False
    seed_deviation: float = 1.0

    @property
    def title(self) -> str:
        """What is special about it."""
        extra = [
            f"{self.lead:g} ahead" if self.lead else "",
            f"shared {self.shared:g}" if self.shared else "",
            f"{self.unlearned} unlearned" if self.unlearned else "",
            "+".join(map(str, self.repeats)),
            f"seed sd {self.seed_deviation:g}" if self.repeats else "",
            "alike" if self.alike else "",
        ]
        return " ".join([self.shape.__name__, self.noise, str(self.count), *filter(None, extra)])


def curves_of(cell: Cell, values: Sequence[float], size: float, rng: Random) -> list[tuple[Floats, Floats]]:
    """Curves whose lowest true values are ``values``, with noise of a standard deviation of ``size``."""
    t = np.arange(1, cell.count + 1) / cell.count
    noise = NOISES[cell.noise]
    common = noise(rng, cell.count)
    curves = []
    trend = cell.shape(t, rng)
    for value in values:
        trend = trend if cell.alike else cell.shape(t, rng)
        own = np.sqrt(cell.shared) * common + np.sqrt(1.0 - cell.shared) * noise(rng, cell.count)
        evaluated = value + trend - trend.min() + float(rng.choice([1.0, cell.loudest])) * size * own
        curves.append((np.arange(1.0, cell.count + 1.0) * STEPS_BETWEEN, evaluated))
    return curves


def before_learning(curve: tuple[Floats, Floats], count: int, rng: Random) -> tuple[Floats, Floats]:
    """The curve with so many evaluations before it, of a model that had not learned yet."""
    first = rng.uniform(6.0, 10.0) + 0.1 * rng.standard_normal(count)
    return np.arange(1.0, count + len(curve[0]) + 1.0) * STEPS_BETWEEN, np.concatenate((first, curve[1]))


def selections_of(cell: Cell, selections: int, seed: int) -> Iterator[tuple[list[float], BestSet]]:
    """True values and what is said of them."""
    # The curves are the same with and without evaluations before learning.
    rng = np.random.default_rng((seed, zlib.crc32(replace(cell, unlearned=0).title.encode())))
    early = np.random.default_rng((seed, cell.unlearned))
    for number in range(selections):
        size = SIZES[number % len(SIZES)]
        runs = cell.runs or int(rng.integers(2, 6))
        repeats = None
        if cell.repeats:
            repeats = [camp for camp, count in enumerate(cell.repeats) for _ in range(count)]
            offsets = [0.0 if camp == 0 else float(cell.lead or 0.0) for camp in repeats]
            values = [1.0 + cell.seed_deviation * size * (offset + float(rng.standard_normal())) for offset in offsets]
        elif cell.lead is None:
            values = (1.0 + size * rng.uniform(0.0, rng.uniform(0.0, 4.0), runs)).tolist()
        else:
            values = [1.0] + [1.0 + cell.lead * size] * (runs - 1)
        curves = [before_learning(curve, cell.unlearned, early) for curve in curves_of(cell, values, size, rng)]
        yield values, best_set(curves, repeats)


def rate_of(cell: Cell, selections: int, seed: int = SEED) -> float:
    """How often what the cell counts is so."""
    found = 0
    for values, said in selections_of(cell, selections, seed):
        if cell.counted == "held":
            found += int(np.argmin(values)) in said.members
        else:
            won = said.outcome is Outcome.WINNER
            found += won and (cell.counted == "winner" or 0 in said.members)
    return found / selections


@dataclass(frozen=True)
class Row:
    """Cells that a bound is for: on each of them, and on their average.

    Attributes:
        against: Cells whose rates are taken off; none by default.
    """

    title: str
    cells: tuple[Cell, ...]
    each: float | None = None
    average: float | None = None
    at_least: bool = False
    against: tuple[Cell, ...] = ()

    def said(self, rates: Sequence[float]) -> str:
        """Worst and mean with their bounds, and whether they hold."""
        worst, average = (min if self.at_least else max)(rates), mean(rates)
        sign, word = (-1.0, "at least") if self.at_least else (1.0, "at most")
        bounds = [(worst, self.each), (average, self.average)]
        failed = any(bound is not None and sign * rate > sign * bound for rate, bound in bounds)
        said = [f"{word} {bound:.0%}" if bound is not None else "" for _, bound in bounds]
        state = "" if self.each is None and self.average is None else "FAILS" if failed else "holds"
        return f"{self.title:52}{worst:8.1%} {said[0]:14}{average:8.1%} {said[1]:14}{len(rates):5}  {state}"


def cells_of(shapes: Sequence[Shape], noises: Sequence[str], counts: Sequence[int], like: Cell) -> tuple[Cell, ...]:
    """``like`` with each of the shapes, kinds of noise and numbers of evaluations."""
    return tuple(
        replace(like, shape=shape, noise=noise, count=count) for shape, noise, count in product(shapes, noises, counts)
    )


EQUAL = Cell(power)
AHEAD = Cell(power, counted="first", runs=2, lead=2.0)
ONLY = ("gaussian",)


def rows() -> list[Row]:
    """The table."""
    loud, alike, held = replace(EQUAL, loudest=10.0), replace(EQUAL, alike=True), Cell(power, counted="held", lead=None)
    found = [
        Row("false winner: gaussian, t3, heteroscedastic, AR 0.3", cells_of(SHAPES, USUAL, COUNTS, EQUAL), 0.07, 0.04),
        Row("false winner: the same, all runs of one trend", cells_of(SHAPES, USUAL, (10, 50), alike), 0.07, 0.04),
        Row("false winner: some runs 10 times as noisy", cells_of(SHAPES, ONLY, (6, 20), loud), 0.07, 0.04),
        Row("false winner: AR 0.6", cells_of(SHAPES, ("AR 0.6",), COUNTS, EQUAL), 0.10, 0.06),
        Row("false winner: AR 0.6, all runs of one trend", cells_of(SHAPES, ("AR 0.6",), (10, 50), alike), 0.10, 0.06),
        Row("false winner: AR 0.9 (a slow drift counts as real)", cells_of(SHAPES, ("AR 0.9",), (10, 50), EQUAL)),
        Row(
            "set holds the best, up to AR 0.6",
            cells_of(SHAPES, (*USUAL, "AR 0.6"), (6, 20, 50), held),
            each=0.88,
            at_least=True,
        ),
        Row("2 sigma called, 20 evaluations", cells_of(SHAPES, ONLY, (20,), AHEAD), average=0.38, at_least=True),
        Row("2 sigma called, 30 evaluations", cells_of(SHAPES, ONLY, (30,), AHEAD), 0.58, at_least=True),
        Row("2 sigma called, 50 evaluations", cells_of(SHAPES, ONLY, (50,), AHEAD), 0.75, at_least=True),
    ]
    for shared, bound in ((0.5, 0.60), (0.9, 0.90)):
        cells = cells_of(FALLING, ONLY, (20,), replace(AHEAD, shared=shared))
        found.append(Row(f"2 sigma called, 20 evaluations, shared noise {shared}", cells, bound, at_least=True))
        cells = cells_of(SHAPES, ONLY, (10, 20), replace(EQUAL, shared=shared))
        found.append(Row(f"false winner, shared noise {shared}", cells, 0.07, 0.04))
    without = cells_of(SHAPES, ONLY, (20,), AHEAD)
    for unlearned in (1, 3):
        cells = cells_of(SHAPES, ONLY, (20,), replace(AHEAD, unlearned=unlearned))
        title = f"2 sigma called, {unlearned} before learning, less without"
        found.append(Row(title, cells, -0.10, at_least=True, against=without))
    for repeats, bound in (((2, 2), 0.40), ((3, 2), 0.65)):
        name = f"{repeats[0]} + {repeats[1]} repeats"
        for deviation in (3.0, 1.0):
            seeds = Cell(power, counted="first", lead=4.0, repeats=repeats, seed_deviation=deviation)
            equal = replace(seeds, counted="winner", lead=0.0)
            what = f"{name}, seed sd {deviation:g}"
            found += [
                Row(f"4 seed sd called, {what}", cells_of(SHAPES, ONLY, (20, 50), seeds), bound, at_least=True),
                Row(f"false winner, {what}", cells_of(SHAPES, ONLY, (6, 20), equal), 0.07, 0.05),
            ]
    few = cells_of((power, plateau, u_shaped), (*USUAL, "AR 0.6"), (3, 4, 5), EQUAL)
    likely = cells_of((plateau,), ONLY, (3, 4, 5), replace(AHEAD, lead=8.0))
    return [
        *found,
        Row("false winner, 3 to 5 evaluations", few, 0.02),
        Row("8 sigma likely, 3 to 5 evaluations, plateau", likely, at_least=True),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selections", type=int, default=400, help="simulated selections in each cell")
    parser.add_argument("--processes", type=int, default=2, help="that share the work")
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulation")
    parser.add_argument("--cells", action="store_true", help="print every cell too")
    asked = parser.parse_args()
    print(f"{'':52}{'worst':>8} {'bound':14}{'mean':>8} {'bound':14}{'cells':>5}")
    with ProcessPoolExecutor(asked.processes) as pool:
        for row in rows():
            cells = row.cells + row.against
            rates = list(pool.map(rate_of, cells, repeat(asked.selections), repeat(asked.seed)))
            if row.against:
                rates = [rate - other for rate, other in zip(rates, rates[len(row.cells) :], strict=False)]
            print(row.said(rates), flush=True)
            if asked.cells:
                for cell, rate in zip(row.cells, rates, strict=True):
                    print(f"    {cell.title:48}{rate:8.1%}")


if __name__ == "__main__":
    main()
