"""Who leads at an equal budget, and where the lead changes hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lib.core.budget.spent import ALL_REACHED, Budget, Kind, Spent, spent
from lib.core.curves.evidence import is_evaluation
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary
from lib.core.ranking.decision import Decision


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
class Course:
    """The best value so far of one run at the amounts of its evaluations.

    Attributes:
        run_id: Of the run.
        amount: Of each evaluation, ascending, shape (n,), n at least 1.
        best: The best value up to there, lower is better, shape (n,).
    """

    run_id: str
    amount: np.ndarray
    best: np.ndarray

    def until(self, last: float) -> Course:
        """The same up to an amount, which is not before the first evaluation."""
        known = self.amount <= last
        return Course(self.run_id, self.amount[known], self.best[known])

    def at(self, amounts: np.ndarray) -> np.ndarray:
        """The best so far at other amounts: on straight lines between evaluations, level after the last."""
        found: np.ndarray = np.interp(amounts, self.amount, self.best)
        return found

    @property
    def end(self) -> tuple[float, float]:
        """What its best value took, and that value."""
        return float(self.amount[self.best.argmin()]), float(self.best[-1])


@dataclass(frozen=True, slots=True)
class EqualBudget:
    """Runs compared at equal amounts of one kind.

    Attributes:
        kind: The kind.
        amount: At which they are compared.
        is_chosen: Somebody chose it; else it is the largest that all of the runs reached in their evaluations.
        values: The best value up to there, by run id, best first; empty where no run was evaluated by then.
        crossings: Where the lead changed hands before.
        derived: How the amount follows from what was logged, by run id.
        missing: Why a run has no place here, by run id.
        later: The amount at which a run was evaluated first, by run id, of those that were not by then.
        ended: The amount of a run's last evaluation, by run id, where that was before the budget was used up.
        front: The runs whose best value no other one had for as little, on its way too; cheapest first.
        courses: By how much each run improved on the way.
        sign: What the courses' values are multiplied by to be the metric's own.
    """

    kind: Kind
    amount: float
    is_chosen: bool
    values: Mapping[str, float]
    crossings: tuple[Crossing, ...]
    derived: Mapping[str, str]
    missing: Mapping[str, str]
    later: Mapping[str, float]
    ended: Mapping[str, float]
    front: tuple[str, ...]
    courses: tuple[Course, ...]
    sign: float

    @property
    def leader(self) -> str | None:
        """The run with the best value; the one that had it first where two have the same; ``None`` without any."""
        return next(iter(self.values), None)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest amount at which a run was evaluated."""
        return min(float(each.amount[0]) for each in self.courses), max(float(each.amount[-1]) for each in self.courses)


def equal_budgets(
    runs: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    decision: Decision,
    budget: Budget = ALL_REACHED,
) -> tuple[EqualBudget, ...]:
    """Compare the ranked runs by the deciding metric at equal amounts, in the order of ``Kind``.

    A kind of which fewer than two runs have a place is left out.

    Args:
        runs: The runs.
        curves: By run id.
        decision: About these runs.
        budget: At what amount of one kind, and what a GPU hour costs.
    """
    metric = decision.deciding.metric
    ranked = set(decision.ranked) if decision.has_main_class else set()
    known = [run for run in runs if run.run_id in ranked and run.run_id in curves]
    if metric is None or decision.deciding.better is None or len(known) < 2:
        return ()
    found = []
    for kind in Kind:
        ways = {run.run_id: spent(kind, run, curves[run.run_id], budget.price) for run in known}
        chosen = budget.at[1] if budget.at is not None and budget.at[0] is kind else None
        compared = _compared(kind, ways, curves, metric, decision.deciding.sign, chosen)
        found += [] if compared is None else [compared]
    return tuple(found)


def _compared(
    kind: Kind,
    ways: Mapping[str, Spent],
    curves: Mapping[str, RunCurves],
    metric: str,
    sign: float,
    chosen: float | None,
) -> EqualBudget | None:
    courses, derived, missing = [], {}, {}
    for run_id, way in ways.items():
        evaluations = curves[run_id].get(metric)
        evaluations = evaluations.where(is_evaluation(curves[run_id], metric))
        course = None if way.placing is None else _course(run_id, way.placing(evaluations), sign * evaluations.value)
        if course is None:
            missing[run_id] = way.why_not or "It was not evaluated."
            continue
        courses.append(course)
        if way.told:
            derived[run_id] = way.told
    if len(courses) < 2:
        return None
    amount = min(float(each.amount[-1]) for each in courses) if chosen is None else chosen
    there = [each.until(amount) for each in courses if each.amount[0] <= amount]
    at_last = {each.run_id: float(each.best[-1]) for each in there}
    crossings, leader = _crossings(there, amount) if there else ([], None)
    order_of = sorted(at_last, key=lambda run_id: (at_last[run_id], run_id != leader))
    return EqualBudget(
        kind=kind,
        amount=amount,
        is_chosen=chosen is not None,
        values={run_id: sign * at_last[run_id] for run_id in order_of},
        crossings=tuple(crossings),
        derived=derived,
        missing=missing,
        later={each.run_id: float(each.amount[0]) for each in courses if each.amount[0] > amount},
        ended={each.run_id: float(each.amount[-1]) for each in courses if each.amount[-1] < amount},
        front=tuple(_front(courses)),
        courses=tuple(courses),
        sign=sign,
    )


def _course(run_id: str, amounts: np.ndarray, values: np.ndarray) -> Course | None:
    amount = np.asarray(amounts, dtype=np.float64)
    usable = np.isfinite(amount) & (amount > 0) & np.isfinite(values)
    if not usable.any():
        return None
    order = np.argsort(amount[usable], kind="stable")
    return Course(run_id, amount[usable][order], np.minimum.accumulate(values[usable][order]))


def _crossings(courses: Sequence[Course], last: float) -> tuple[list[Crossing], str]:
    """Where another run has the strictly best value so far, and who has it at the end."""
    first = max(float(each.amount[0]) for each in courses)
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


def _front(courses: Sequence[Course]) -> Iterator[str]:
    """The runs whose best nobody had for less, nor a better one for as much, on the way too; the cheapest first."""
    for one in sorted(courses, key=lambda each: each.end):
        amount, best = one.end
        others = [each for each in courses if each is not one]
        if not any(
            np.any((other.amount <= amount) & (other.best <= best) & ((other.amount < amount) | (other.best < best)))
            for other in others
        ):
            yield one.run_id
