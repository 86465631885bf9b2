"""Which runs' evaluations mean the same, so that they may be ranked against each other.

Two runs agree in an aspect, differ in it, or it cannot be told. What is not recorded is neither the same nor
different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

import numpy as np

from lib.core.aspects.facts import Agreement, Compared, RunFacts, facts_of
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.remember import Kept, Remember
from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability_aspects import Aspect, compare

NO_CURVES: Mapping[str, RunCurves] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Pair:
    """How two runs compare.

    Attributes:
        run_ids: The two, in alphabetical order.
        aspects: What was compared; aspects that mean nothing for the methods of both, or for what is compared, are
            absent.
    """

    run_ids: tuple[str, str]
    aspects: Mapping[Aspect, Compared]

    @property
    def agreement(self) -> Agreement:
        """In all aspects whose difference makes the runs incomparable."""
        found = {each.agreement for each in self.aspects.values() if each.decides}
        if Agreement.DIFFERENT in found:
            return Agreement.DIFFERENT
        return Agreement.CANNOT_TELL if Agreement.CANNOT_TELL in found else Agreement.SAME

    def having(self, agreement: Agreement) -> dict[Aspect, Compared]:
        """The aspects with this agreement, cautions included."""
        return {aspect: each for aspect, each in self.aspects.items() if each.agreement is agreement}

    @property
    def but_for_loss(self) -> Pair:
        """The same two by the aspects that matter whatever metric is compared (``Aspect.of_loss``)."""
        return self.counting(loss=False, reward=False)

    def counting(self, *, loss: bool, reward: bool) -> Pair:
        """The same two without the aspects that matter only for a loss, or only for a reward, where none decides."""
        counts = {
            aspect: each
            for aspect, each in self.aspects.items()
            if (loss or not aspect.of_loss) and (reward or not aspect.of_reward)
        }
        return Pair(self.run_ids, counts)

    @property
    def decisive(self) -> dict[Aspect, Compared]:
        """What makes the two incomparable."""
        return {aspect: each for aspect, each in self.having(Agreement.DIFFERENT).items() if each.decides}


@dataclass(frozen=True, slots=True)
class ComparabilityClass:
    """Runs that may be ranked against each other.

    Attributes:
        run_ids: In alphabetical order.
        unsure: Aspects of which it cannot be told for every pair in it that they are the same.
        cautions: Aspects in which some pair differs without that making them incomparable.
    """

    run_ids: tuple[str, ...]
    unsure: tuple[Aspect, ...] = ()
    cautions: tuple[Aspect, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparability:
    """The classes of some runs, and what was found out about every pair.

    Attributes:
        classes: The largest first, then by the first id. No pair inside one is known to differ.
        pairs: Every two runs.
    """

    classes: tuple[ComparabilityClass, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def class_of(self, run_id: str) -> ComparabilityClass:
        """The class that a run is in.

        Raises:
            KeyError: If the run was not among those compared.
        """
        return {member: each for each in self.classes for member in each.run_ids}[run_id]

    @property
    def but_for_loss(self) -> Comparability:
        """The same runs by the aspects that matter whatever metric is compared (``Aspect.of_loss``)."""
        run_ids = sorted(run_id for each in self.classes for run_id in each.run_ids)
        return classed(run_ids, [pair.but_for_loss for pair in self.pairs])


class Pairs:
    """What is found out about every two of some runs, each looked at once, when it is first asked for.

    Args:
        runs: Different runs.
        curves: What they logged, by run id; runs may lack. The names of the metrics say what method was run, and the
            times of evaluations how many examples these had.
        remember: Keeps what was found out.
    """

    def __init__(
        self,
        runs: Iterable[RunSummary],
        curves: Mapping[str, RunCurves] = NO_CURVES,
        remember: Remember | None = None,
    ) -> None:
        self._runs = {run.run_id: run for run in runs}
        self._curves = curves
        self._remember = remember or Kept()

    def of(self, first: str, second: str) -> Pair:
        """What is found out about two of the runs."""
        run_ids = (first, second) if first < second else (second, first)
        return self._remember(
            run_ids, "aspects", (), lambda: Pair(run_ids, compare(*(self._facts_of(run_id) for run_id in run_ids)))
        )

    def among(self, run_ids: Iterable[str]) -> tuple[Pair, ...]:
        """The same for every two of some of them."""
        return tuple(self.of(first, second) for first, second in combinations(sorted(run_ids), 2))

    def _facts_of(self, run_id: str) -> RunFacts:
        return self._remember((run_id,), "facts", (), lambda: facts_of(self._runs[run_id], self._curves.get(run_id)))


def comparability_of(
    runs: Sequence[RunSummary], curves: Mapping[str, RunCurves] = NO_CURVES, *, of_loss: bool = True
) -> Comparability:
    """Sort runs into classes whose evaluations mean the same.

    Two runs are in one class where no other run tells them apart: the runs that each is known to differ from
    are the same ones. That is an equivalence relation whatever is recorded; within a class no pair is known
    to differ. A run that does not say enough stands beside the classes that it might belong to, when these
    differ, and with everybody when nobody differs.

    Args:
        runs: Different runs, in any order.
        curves: As for ``Pairs``.
        of_loss: Losses are compared; else aspects that only matter for a loss (``Aspect.of_loss``) are left out.
    """
    run_ids = sorted(run.run_id for run in runs)
    found = classed(run_ids, Pairs(runs, curves).among(run_ids))
    return found if of_loss else found.but_for_loss


def classed(run_ids: Iterable[str], pairs: Sequence[Pair]) -> Comparability:
    """The classes of runs by what is known of every pair of them.

    Args:
        run_ids: In alphabetical order.
        pairs: Every two of them.
    """
    pairs = tuple(pairs)
    differing: dict[str, set[str]] = {run_id: set() for run_id in run_ids}
    for pair in pairs:
        if pair.agreement is Agreement.DIFFERENT:
            first, second = pair.run_ids
            differing[first].add(second)
            differing[second].add(first)
    together: dict[frozenset[str], list[str]] = {}
    for run_id, others in differing.items():
        together.setdefault(frozenset(others), []).append(run_id)
    classes = [_class(members, pairs) for members in together.values()]
    return Comparability(tuple(sorted(classes, key=lambda each: (-len(each.run_ids), each.run_ids))), pairs)


def relative_improvement(evaluations: MetricCurve) -> float | None:
    """By which share of its own first evaluation a run lowered its eval loss: ``(first - best) / first``.

    The only number that may stand beside runs of different classes, labelled as what it is: it says how far
    each run came from its own start, and depends on how well the base model did and on how early the first
    evaluation was. It is not a ranking of the models.

    Args:
        evaluations: Eval losses that are measurements (``lib.core.curves.evidence.measured``).

    Returns:
        0 to 1; ``None`` where there are not two measured evaluations, where the first is not finite or not
        above 0, and where the best is below 0: such losses have no zero to measure a share from.
    """
    values = evaluations.value
    if len(values) < 2 or not np.isfinite(values[0]) or values[0] <= 0.0:
        return None
    best = float(values[np.isfinite(values)].min())
    return None if best < 0.0 else float((values[0] - best) / values[0])


def _class(run_ids: Sequence[str], pairs: Sequence[Pair]) -> ComparabilityClass:
    inside = [pair for pair in pairs if set(pair.run_ids) <= set(run_ids)]
    unsure, cautions = (
        tuple(aspect for aspect in Aspect if any(aspect in pair.having(agreement) for pair in inside))
        for agreement in (Agreement.CANNOT_TELL, Agreement.DIFFERENT)
    )
    return ComparabilityClass(tuple(sorted(run_ids)), unsure, cautions)
