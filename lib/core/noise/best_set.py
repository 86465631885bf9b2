"""Which of several runs may have the lowest true value, as far as the noise of their evaluations tells.

Every run whose value is not credibly above that of another stays in the set of those that may be the best: multiple
comparisons with the best (Hsu, "Simultaneous confidence intervals for all distances from the best", Annals of
Statistics 1981), each with Bonferroni's correction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations
from types import MappingProxyType

from scipy.special import stdtrit

from lib.core.facts.limits import Limit
from lib.core.noise.estimate import PARABOLA_POINTS, Estimate, Fitted, estimates_of_fits, fitted
from lib.core.noise.pairs import Basis, Difference, difference
from lib.core.noise.settled import ROUNDING
from lib.core.noise.smoothing import Floats

# fmt: off
LEVEL = Limit(0.90, "Level",
    "The set holds the truly best run at least so often.")
# fmt: on

# fmt: off
WINNER_ERROR_SHARE = Limit(0.5, "Winner error share",
    "Among runs that are truly equal a winner is called in at most this share of 1 - level: a false winner "
    "ends the search, a tie too many costs one more look.")
# fmt: on

# fmt: off
FEW_ERROR_SHARE = Limit(0.15, "Few error share",
    "The same where a run has 3 to 5 evaluations: whether their noise lasts from one to the next cannot be "
    "told from so few, and it makes up to three times as many false winners.")
# fmt: on


class Outcome(StrEnum):
    """What the set says."""

    WINNER = "winner"
    TIE = "tie"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Beaten:
    """Why a run is out: the clearest of its defeats.

    Attributes:
        by: Index of the run that is better; of a configuration, its run with the lowest estimate.
        difference: How far this one is above it.
        within: What would be within the noise.
    """

    by: int
    difference: Difference
    within: float

    @property
    def excess(self) -> float:
        """How far the difference is beyond the noise."""
        return self.difference.value - self.within


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of two runs.

    Attributes:
        difference: How far the first is above the second.
        within: What would be within the noise.
        quantile: How many standard errors that is.
    """

    difference: Difference
    within: float
    quantile: float


@dataclass(frozen=True, slots=True)
class BestSet:
    """Which runs may have the lowest true value. Runs are named by their index.

    Attributes:
        outcome: ``WINNER`` only where ``members`` are one run, or the runs of one configuration.
        members: Runs that cannot be told from the best: lowest estimate first, ``undecided`` ones last.
        undecided: Runs with too few finite evaluations; each may be the best.
        estimates: Of each run; ``None`` without enough finite evaluations.
        beaten: Why each of the others is out.
        compared: How far the first of two runs is above the second, and what is within the noise; both ways round.
            Runs of one configuration are not compared where configurations are.
        level: The set holds the truly best at least so often.
        seed_freedom: Degrees of freedom of the spread between seeds where configurations were compared; 0 where runs
            were.
        few: The comparison rests on a run with 3 to 5 evaluations: the outcome is likely at most, never sure.
    """

    outcome: Outcome
    members: tuple[int, ...]
    undecided: tuple[int, ...]
    estimates: tuple[Estimate | None, ...] = field(repr=False)
    beaten: Mapping[int, Beaten] = field(repr=False)
    compared: Mapping[tuple[int, int], Compared] = field(repr=False)
    level: float
    seed_freedom: int
    few: bool

    @property
    def bases(self) -> frozenset[Basis]:
        """What the errors of the comparisons were taken from."""
        return frozenset(one.difference.basis for one in self.compared.values())


def best_set(
    curves: Sequence[tuple[Floats, Floats]], repeats: Sequence[Hashable] | None = None, level: float = LEVEL
) -> BestSet:
    """Say which of these runs may have the lowest true value: ``best_of`` their curves.

    Args:
        curves: Steps and values of each run, lower is better, as for ``lib.core.noise.estimate.fitted``.
        repeats: As for ``best_of``.
        level: The same.

    Raises:
        ValueError: If the level, the number of configurations or the steps are not as they should be.
    """
    return best_of([fitted(*curve) for curve in curves], repeats, level)


def best_of(
    curves: Sequence[Fitted | None], repeats: Sequence[Hashable] | None = None, level: float = LEVEL
) -> BestSet:
    """Say which of these runs may have the lowest true value.

    A run is out when its estimate is above that of another by more than ``comparison_quantile`` standard errors of the
    difference (``lib.core.noise.pairs``). The verdict is then about these runs as they were trained.

    Where ``repeats`` name at least two configurations, of which at least one has two runs, their means are compared:
    a difference has to exceed what the spread of the runs of one configuration, pooled over all, allows for, and what
    their evaluations leave open, each with its own degrees of freedom. The verdict is then about the configurations,
    and ``members`` are all runs of those that stay.

    Args:
        curves: Of each run, lower is better; ``None`` where it has too few finite values.
        repeats: The configuration of each run: runs with the same one differ in nothing but the seed. One training
            that is there twice is no repeat.
        level: Above 0, below 1.

    Raises:
        ValueError: If the level or the number of configurations is not as it should be.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"A level is above 0 and below 1, got {level!r}.")
    if repeats is not None and len(repeats) != len(curves):
        raise ValueError(f"{len(curves)} runs have {len(repeats)} configurations.")
    estimates = tuple(estimates_of_fits(curves))
    known = {run: one for run, one in enumerate(estimates) if one is not None}
    camps = _camps(known, len(curves), repeats)
    judged = [camp for camp in camps if camp[0] in known]
    undecided = tuple(sorted(run for camp in camps if camp[0] not in known for run in camp))
    seed_freedom = sum(len(camp) - 1 for camp in judged)
    seed_variance = _seed_variance(judged, known, seed_freedom) if seed_freedom else 0.0

    def apart(camp: tuple[int, ...], other: tuple[int, ...]) -> Compared:
        def judge(found: Difference, few: bool) -> Compared:
            quantile = comparison_quantile(found.freedom, len(camps), level, few)
            return Compared(found, quantile * found.error, quantile)

        few = any(_is_few(known[run]) for run in (*camp, *other))
        if not seed_freedom:
            return judge(difference(known[camp[0]], known[other[0]]), few)
        seeds, evaluations = _between(camp, other, known, seed_variance, seed_freedom)
        return max(judge(seeds, few=False), judge(evaluations, few), key=lambda one: one.within)

    compared = _compared(judged, apart)
    beaten = _beaten(judged, compared, known)
    staying = sum(camp[0] not in beaten for camp in judged)
    outcome = Outcome.TIE if staying > 1 else Outcome.CANNOT_TELL if undecided or len(judged) < 2 else Outcome.WINNER
    members = sorted((run for camp in judged for run in camp if run not in beaten), key=lambda run: known[run].value)
    few = any(map(_is_few, known.values()))
    return BestSet(
        outcome=outcome,
        members=(*members, *undecided),
        undecided=undecided,
        estimates=estimates,
        beaten=MappingProxyType(beaten),
        compared=MappingProxyType(compared),
        level=level,
        seed_freedom=seed_freedom,
        few=few,
    )


def comparison_quantile(freedom: float, contenders: int, level: float = LEVEL, few: bool = False) -> float:
    """The quantile of Student's t that one comparison among ``contenders`` has to exceed.

    Each comparison errs with ``e / k``, ``e = (1 - level) * WINNER_ERROR_SHARE`` (``FEW_ERROR_SHARE`` where ``few``).
    The best is compared with k - 1 others, so it is left out with less than e. Among k equal ones "only this one
    remains" needs one given comparison to err, for k choices of the one: a false winner has at most e.
    """
    error = (1.0 - level) * (FEW_ERROR_SHARE if few else WINNER_ERROR_SHARE) / max(contenders, 2)
    return float(stdtrit(max(freedom, 1.0), 1.0 - error))


def _is_few(one: Estimate) -> bool:
    return one.evaluations < PARABOLA_POINTS


def _camps(known: Mapping[int, Estimate], count: int, repeats: Sequence[Hashable] | None) -> list[tuple[int, ...]]:
    """What is compared: each run for itself, or the runs of each configuration.

    Configurations are those of runs with an estimate, as long as there is one: their means are compared.
    """
    alone: list[tuple[int, ...]] = [(run,) for run in range(count)]
    if repeats is None:
        return alone
    groups: dict[Hashable, list[int]] = {}
    for run in range(count):
        groups.setdefault(repeats[run], []).append(run)
    camps = [tuple([run for run in runs if run in known] or runs) for runs in groups.values()]
    judged = [camp for camp in camps if camp[0] in known]
    return camps if len(judged) > 1 and max(map(len, judged)) > 1 else alone


def _compared(
    judged: Sequence[tuple[int, ...]], apart: Callable[[tuple[int, ...], tuple[int, ...]], Compared]
) -> dict[tuple[int, int], Compared]:
    """The comparison of every two runs of different camps, both ways round."""
    compared: dict[tuple[int, int], Compared] = {}
    for camp, other in combinations(judged, 2):
        one = apart(camp, other)
        back = replace(one, difference=replace(one.difference, value=-one.difference.value))
        compared |= {(run, rival): one for run in camp for rival in other}
        compared |= {(rival, run): back for run in camp for rival in other}
    return compared


def _beaten(
    judged: Sequence[tuple[int, ...]], compared: Mapping[tuple[int, int], Compared], known: Mapping[int, Estimate]
) -> dict[int, Beaten]:
    """The clearest defeat of each run that is out."""
    beaten: dict[int, Beaten] = {}
    for camp, other in combinations(judged, 2):
        worse, better = (camp, other) if compared[camp[0], other[0]].difference.value > 0.0 else (other, camp)
        found = compared[worse[0], better[0]]
        best = min(better, key=lambda run: known[run].value)
        defeat = Beaten(best, replace(found.difference, value=abs(found.difference.value)), found.within)
        clearest = beaten[worse[0]].excess if worse[0] in beaten else 0.0
        if defeat.excess > max(clearest, ROUNDING * abs(known[best].value)):
            beaten |= dict.fromkeys(worse, defeat)
    # Differences of pairs need not add up: where each is beaten by another they contradict each other.
    return beaten if any(camp[0] not in beaten for camp in judged) else {}


def _mean(camp: tuple[int, ...], known: Mapping[int, Estimate]) -> float:
    return sum(known[run].value for run in camp) / len(camp)


def _seed_variance(camps: Sequence[tuple[int, ...]], known: Mapping[int, Estimate], freedom: int) -> float:
    """The pooled variance of runs about the mean of their configuration: of seed and evaluations together."""
    return sum((known[run].value - _mean(camp, known)) ** 2 for camp in camps for run in camp) / freedom


def _between(
    camp: tuple[int, ...], other: tuple[int, ...], known: Mapping[int, Estimate], variance: float, freedom: int
) -> tuple[Difference, Difference]:
    """How far the mean of one configuration is above that of another, with two errors that both have to be exceeded.

    The first is that of seeds, with ``variance`` of a run: alone it keeps false winners to the level, whatever part of
    it the evaluations make. But two seeds of few may be next to each other by chance, so the second is that of the
    evaluations. Their variance is known from many more degrees of freedom: to put it in the place of a smaller
    ``variance``, with the few of that, would ask for twice the difference.
    """
    apart = _mean(camp, known) - _mean(other, known)
    seeds = math.sqrt(variance * (1.0 / len(camp) + 1.0 / len(other)))
    evaluations = math.hypot(*(known[run].error / len(each) for each in (camp, other) for run in each))
    least = min(known[run].freedom for run in (*camp, *other))
    return (
        Difference(apart, seeds, float(freedom), Basis.SEEDS),
        Difference(apart, evaluations, least, Basis.SEED_EVALUATIONS),
    )
