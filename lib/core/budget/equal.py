"""Who leads at an equal budget, and where the lead changes hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.config.derived import EffectiveBatch
from lib.core.config.effective import effective_batch
from lib.core.curves.axes import Axis, place, why_not
from lib.core.curves.evidence import measured
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.ranking.decision import Decision

BUDGETS = (Axis.STEP, Axis.SAMPLES, Axis.TOKENS, Axis.HOURS)
"""What runs can be compared at equal amounts of."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the lead changes hands.

    Attributes:
        at: The budget at which it is seen: that of an evaluation.
        before, after: Ids of the runs that lead.
    """

    at: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class EqualBudget:
    """Runs compared at equal amounts of one kind.

    Attributes:
        axis: The kind.
        amount: The largest that all of the runs reached in their evaluations.
        values: The best value up to there, by run id, best first.
        crossings: Where the lead changed hands before.
        derived: How the amount follows from steps, by run id: of samples, by which batch.
        missing: Why a run has no place here, by run id.
        later: The amount at which a run was evaluated first, by run id, of those that were not by then.
        front: The runs that no other one beats in both: its best value, and the amount that it took.
    """

    axis: Axis
    amount: float
    values: Mapping[str, float]
    crossings: tuple[Crossing, ...]
    derived: Mapping[str, str]
    missing: Mapping[str, str]
    later: Mapping[str, float]
    front: tuple[str, ...]

    @property
    def leader(self) -> str:
        """The run with the best value; the one that had it first where two have the same."""
        return next(iter(self.values))


@dataclass(frozen=True, slots=True)
class _Course:
    """The best value so far of one run at the amounts of its evaluations, both of shape (n,), n at least 1."""

    run_id: str
    amount: np.ndarray
    best: np.ndarray

    def until(self, last: float) -> _Course:
        """The same up to an amount, which is not before the first evaluation."""
        known = self.amount <= last
        return _Course(self.run_id, self.amount[known], self.best[known])

    def at(self, amounts: np.ndarray) -> np.ndarray:
        """The best so far at other amounts: on straight lines between evaluations, level after the last."""
        found: np.ndarray = np.interp(amounts, self.amount, self.best)
        return found


def equal_budgets(
    runs: Sequence[RunSummary], curves: Mapping[str, RunCurves], decision: Decision
) -> tuple[EqualBudget, ...]:
    """Compare the ranked runs by the deciding metric at equal amounts, in the order of ``BUDGETS``.

    A kind of which fewer than two runs have a place is left out.

    Args:
        runs: The runs.
        curves: By run id.
        decision: About these runs.
    """
    metric, better = decision.deciding.metric, decision.deciding.better
    ranked = set(decision.ranked) if decision.has_main_class else set()
    known = [run for run in runs if run.run_id in ranked and run.run_id in curves]
    if metric is None or better is None or len(known) < 2:
        return ()
    sign = -1.0 if better == "higher" else 1.0
    batches = {run.run_id: effective_batch(run) for run in known}
    each = (_compared(axis, known, curves, batches, metric, sign) for axis in BUDGETS)
    return tuple(found for found in each if found is not None)


def _compared(
    axis: Axis,
    runs: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    batches: Mapping[str, EffectiveBatch],
    metric: str,
    sign: float,
) -> EqualBudget | None:
    courses, derived, missing = [], {}, {}
    for run in runs:
        own = curves[run.run_id]
        batch = batches[run.run_id]
        placing = place(own, axis, run, batch.effective)
        evaluations = measured(own, metric)
        amount = np.empty(0) if placing is None else np.asarray(placing(evaluations), dtype=np.float64)
        usable = np.isfinite(amount) & (amount > 0) & np.isfinite(evaluations.value) if len(amount) else amount > 0
        if not usable.any():
            missing[run.run_id] = why_not(axis) or "It was not evaluated."
            continue
        order = np.argsort(amount[usable], kind="stable")
        best = np.minimum.accumulate(sign * evaluations.value[usable][order])
        courses.append(_Course(run.run_id, amount[usable][order], best))
        if axis is Axis.SAMPLES and batch.source:
            derived[run.run_id] = batch.source
    if len(courses) < 2:
        return None
    last = min(float(each.amount[-1]) for each in courses)
    later = {each.run_id: float(each.amount[0]) for each in courses if each.amount[0] > last}
    there = [each.until(last) for each in courses if each.run_id not in later]
    at_last = {each.run_id: float(each.best[-1]) for each in there}
    crossings, leader = _crossings(there, max(float(each.amount[0]) for each in there), last)
    order_of = sorted(at_last, key=lambda run_id: (at_last[run_id], run_id != leader))
    return EqualBudget(
        axis=axis,
        amount=last,
        values={run_id: sign * at_last[run_id] for run_id in order_of},
        crossings=tuple(crossings),
        derived=derived,
        missing=missing,
        later=later,
        front=tuple(_front(courses)),
    )


def _crossings(courses: Sequence[_Course], first: float, last: float) -> tuple[list[Crossing], str]:
    """Where another run has the strictly best value so far, and who has it at the end."""
    amounts = np.unique(np.concatenate([each.amount for each in courses]))
    amounts = amounts[(amounts >= first) & (amounts <= last)]
    best = np.vstack([each.at(amounts) for each in courses])
    leading, found = int(best[:, 0].argmin()), []
    for at, column in zip(amounts, best.T, strict=True):
        other = int(column.argmin())
        if column[other] < column[leading]:
            found.append(Crossing(float(at), courses[leading].run_id, courses[other].run_id))
            leading = other
    return found, courses[leading].run_id


def _front(courses: Sequence[_Course]) -> Iterator[str]:
    """The runs on the Pareto front of quality and amount, the cheapest first."""
    ends = {each.run_id: (float(each.amount[each.best.argmin()]), float(each.best[-1])) for each in courses}
    for run_id, (amount, best) in sorted(ends.items(), key=lambda each: each[1]):
        if not any(
            cost <= amount and value <= best and (cost, value) != (amount, best)
            for other, (cost, value) in ends.items()
            if other != run_id
        ):
            yield run_id
