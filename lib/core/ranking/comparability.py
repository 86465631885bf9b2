"""Which runs' eval losses mean the same and may be ranked against each other.

Every aspect of a pair of runs has one of three outcomes: the same, different, or cannot tell. What is not
recorded is neither the same nor different.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.runs import RunSummary
from lib.core.ranking.comparability_aspects import ASPECTS, Aspect, AspectResult
from lib.core.ranking.comparability_facts import NOT_RECORDED, Outcome, RunFacts, facts_of

__all__ = ["Comparability", "ComparabilityClass", "Outcome", "Pair", "comparability_of", "relative_improvement"]


@dataclass(frozen=True, slots=True)
class Pair:
    """How two runs compare.

    Attributes:
        run_ids: The two, in alphabetical order.
        aspects: What was compared; aspects that mean nothing for the methods of both are absent.
    """

    run_ids: tuple[str, str]
    aspects: tuple[AspectResult, ...]

    @property
    def outcome(self) -> Outcome:
        """Of all aspects whose difference makes losses incomparable."""
        outcomes = {result.outcome for result in self.aspects if result.decides}
        if Outcome.DIFFERENT in outcomes:
            return Outcome.DIFFERENT
        return Outcome.CANNOT_TELL if Outcome.CANNOT_TELL in outcomes else Outcome.SAME

    def having(self, outcome: Outcome) -> tuple[AspectResult, ...]:
        """The aspects with an outcome, cautions included."""
        return tuple(result for result in self.aspects if result.outcome is outcome)


@dataclass(frozen=True, slots=True)
class ComparabilityClass:
    """Runs that may be ranked against each other.

    Attributes:
        run_ids: In alphabetical order.
        unsure: Aspects of which it cannot be told for every pair in it that they are the same.
        cautions: Aspects in which some pair differs without that making the losses incomparable.
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
        sentences: What is known to differ, for people, without names of runs; the decisive first.
        unsure_sentence: What is not recorded well enough to tell whether runs are comparable; "" for nothing.
    """

    classes: tuple[ComparabilityClass, ...] = ()
    pairs: tuple[Pair, ...] = ()
    sentences: tuple[str, ...] = ()
    unsure_sentence: str = ""

    def class_of(self, run_id: str) -> ComparabilityClass:
        """The class that a run is in.

        Raises:
            KeyError: If the run was not among those compared.
        """
        for each in self.classes:
            if run_id in each.run_ids:
                return each
        raise KeyError(run_id)

    def pair_of(self, first: str, second: str) -> Pair:
        """What was found out about two runs, named in either order.

        Raises:
            KeyError: If they are not two of those compared.
        """
        wanted = tuple(sorted((first, second)))
        for pair in self.pairs:
            if pair.run_ids == wanted:
                return pair
        raise KeyError(wanted)


def comparability_of(runs: Sequence[RunSummary]) -> Comparability:
    """Sort runs into classes whose eval losses mean the same.

    Two runs are in one class where no other run tells them apart: the runs that each is known to differ from
    are the same ones. That is an equivalence relation whatever is recorded; within a class no pair is known
    to differ. A run that does not say enough stands beside the classes that it might belong to, when these
    differ, and with everybody when nobody differs.

    Args:
        runs: Different runs, in any order.
    """
    facts = {run.run_id: facts_of(run) for run in sorted(runs, key=lambda run: run.run_id)}
    pairs = tuple(
        Pair((first, second), compare(facts[first], facts[second])) for first, second in combinations(facts, 2)
    )
    apart: dict[str, set[str]] = {run_id: set() for run_id in facts}
    for pair in pairs:
        if pair.outcome is Outcome.DIFFERENT:
            first, second = pair.run_ids
            apart[first].add(second)
            apart[second].add(first)
    together: dict[frozenset[str], list[str]] = {}
    for run_id, others in apart.items():
        together.setdefault(frozenset(others), []).append(run_id)
    classes = [_class(run_ids, pairs) for run_ids in together.values()]
    return Comparability(
        tuple(sorted(classes, key=lambda each: (-len(each.run_ids), each.run_ids))),
        pairs,
        _sentences(pairs),
        _unsure_sentence(pairs),
    )


def compare(first: RunFacts, second: RunFacts) -> tuple[AspectResult, ...]:
    """The outcome of every aspect that matters for the methods of two runs."""
    return tuple(result for aspect in ASPECTS if (result := aspect.compare(first, second)) is not None)


def relative_improvement(curve: MetricCurve, real: np.ndarray) -> float | None:
    """By which share of its own first evaluation a run lowered its eval loss: ``(first - best) / first``.

    The only number that may stand beside runs of different classes, labelled as what it is: it says how far
    each run came from its own start, and depends on how well the base model did and on how early the first
    evaluation was. It is not a ranking of the models.

    Args:
        curve: Eval loss.
        real: Which points are measurements (``lib.core.curves.series.real_evaluations``), shape (n,), bool.

    Returns:
        0 to 1; ``None`` where there are not two measured evaluations, where the first is not finite or not
        above 0, and where the best is below 0: such losses have no zero to measure a share from.
    """
    values = curve.value[real]
    if len(values) < 2 or not np.isfinite(values[0]) or values[0] <= 0.0:
        return None
    best = float(values[np.isfinite(values)].min())
    return None if best < 0.0 else float((values[0] - best) / values[0])


def _class(run_ids: Sequence[str], pairs: Sequence[Pair]) -> ComparabilityClass:
    inside = [result for pair in pairs if set(pair.run_ids) <= set(run_ids) for result in pair.aspects]
    return ComparabilityClass(
        tuple(sorted(run_ids)),
        _aspects(result for result in inside if result.outcome is Outcome.CANNOT_TELL),
        _aspects(result for result in inside if result.outcome is Outcome.DIFFERENT),
    )


def _aspects(results: Iterable[AspectResult]) -> tuple[Aspect, ...]:
    found = {result.aspect for result in results}
    return tuple(aspect for aspect in ASPECTS if aspect in found)


def _sentences(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """A sentence for every aspect in which some pair differs, or has two values that may mean the same."""
    decisive, cautious, doubtful = [], [], []
    for aspect in ASPECTS:
        results = [result for pair in pairs for result in pair.aspects if result.aspect is aspect]
        differing = [result for result in results if result.outcome is Outcome.DIFFERENT]
        doubted = [
            result
            for result in results
            if result.outcome is Outcome.CANNOT_TELL
            and NOT_RECORDED not in result.shown
            and result.shown[0] != result.shown[1]
        ]
        subject = f"{aspect.title[0].lower()}{aspect.title[1:]}"
        said = f"Different {subject} ({_values(differing)}): {aspect.why}, so"
        if any(result.decides for result in differing):
            decisive.append(f"{said} these eval losses cannot be compared.")
        elif differing:
            cautious.append(f"{said} compare these eval losses with care.")
        elif doubted:
            doubtful.append(f"It cannot be told whether the {subject} is the same ({_values(doubted)}).")
    return (*decisive, *cautious, *doubtful)


def _values(results: Sequence[AspectResult]) -> str:
    return ", ".join(sorted({text for result in results for text in result.shown}))


def _unsure_sentence(pairs: Sequence[Pair]) -> str:
    open_pairs = [pair for pair in pairs if pair.outcome is Outcome.CANNOT_TELL]
    unsure = _aspects(result for pair in open_pairs for result in pair.having(Outcome.CANNOT_TELL) if result.decides)
    if not unsure:
        return ""
    named = ", ".join(aspect.title[0].lower() + aspect.title[1:] for aspect in unsure)
    return f"Not recorded well enough to tell whether it is the same in all of these runs: {named}."
