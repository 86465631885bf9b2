"""By which metric runs are ranked: what they chose by themselves, else a loss that measures fit, else a reward."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from lib.core.config.effective import effective
from lib.core.config.setting import value_of
from lib.core.curves.evidence import measured, of_training
from lib.core.curves.lost_ends import of_trained
from lib.core.curves.metric_curves import NO_CURVE, MetricCurve, RunCurves
from lib.core.facts.metrics import Better, is_of_evaluations
from lib.core.facts.runs import RunSummary, eval_losses_of
from lib.core.facts.values import finite, text, whole
from lib.core.gap.plausibility import no_measure
from lib.core.noise.estimate import Fitted, fitted
from lib.core.ranking.metric_names import (
    EVAL_LOSS,
    EVAL_REWARD,
    REWARD,
    direction_in,
    follows_from_loss,
    is_candidate,
    is_loss,
    is_reward,
    named_set,
)


class Basis(StrEnum):
    """Why a metric decides."""

    CHOSEN = "chosen"
    OWN_CHOICE = "own_choice"
    EVAL_LOSS = "eval_loss"
    NAMED_SET = "named_set"
    EVAL_REWARD = "eval_reward"
    TRAIN_REWARD = "train_reward"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A metric that may decide.

    Attributes:
        metric: Its name.
        better: Its direction; ``None`` where it is not known.
        run_ids: Who logged it, in alphabetical order.
        measures: What it measures is the quality of a model; a loss of reinforcement, or one below 0, does not.
    """

    metric: str
    better: Better | None
    run_ids: tuple[str, ...]
    measures: bool = True


@dataclass(frozen=True, slots=True)
class Deciding:
    """The metric that decides among some runs.

    Attributes:
        metric: ``None`` where none does.
        better: Its direction; ``None`` where it is not known, and then it ranks nothing.
        basis: Why this one.
        candidates: All evaluation metrics that a run logged, the most logged first.
    """

    metric: str | None
    better: Better | None
    basis: Basis
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)

    @property
    def is_loss(self) -> bool:
        """Whether the composite of eval loss and gap ranks."""
        return self.metric is not None and is_loss(self.metric)

    @property
    def follows_from_loss(self) -> bool:
        """Whether it compares only where losses do."""
        return self.metric is not None and follows_from_loss(self.metric)

    @property
    def is_reward(self) -> bool:
        """Whether it is a reward."""
        return self.metric is not None and is_reward(self.metric)

    @property
    def sign(self) -> float:
        """What its values are multiplied by so that lower is better."""
        return -1.0 if self.better == "higher" else 1.0


EVAL_LOSS_DECIDES = Deciding(EVAL_LOSS, "lower", Basis.EVAL_LOSS)


def deciding_of(facts: Sequence[RunMetrics], by: str | None = None, direction: Better | None = None) -> Deciding:
    """The metric that decides among runs whose values mean the same.

    Args:
        facts: Of those that may be ranked, in any order.
        by: A metric that somebody chose; where none of the runs logged it the rules choose.
        direction: Its direction, where somebody says it; of a metric that the rules choose only where neither the
            runs nor its name tell.
    """
    logged: dict[str, list[str]] = {}
    for one in facts:
        for metric in one.metrics:
            logged.setdefault(metric, []).append(one.run.run_id)
    candidates = tuple(
        Candidate(
            metric,
            _direction(metric, facts),
            tuple(sorted(ids)),
            not follows_from_loss(metric) or _measures_fit(facts, metric),
        )
        for metric, ids in sorted(logged.items(), key=lambda item: (-len(item[1]), item[0]))
        if metric != REWARD
    )
    if by is not None and by in logged:
        said = None if is_loss(by) else direction
        return Deciding(by, said or _direction(by, facts), Basis.CHOSEN, candidates)
    for basis, rule in _RULES.items():
        first = _most_logged(rule(facts), logged)
        if first is not None:
            return Deciding(first, _direction(first, facts) or direction, basis, candidates)
    return Deciding(None, None, Basis.NONE, candidates)


def may_rank(curves: RunCurves, metric: str) -> bool:
    """Whether a run may be ranked by a metric of its curves: an evaluation measured it, or it is the reward."""
    return is_candidate(metric) and len(points_of(curves, metric)) > 0


def points_of(curves: RunCurves, metric: str) -> MetricCurve:
    """The finite values of a metric by which a run may be ranked: measured ones, of steps above 0."""
    return of_training(measured(curves, metric)).finite()


def best_of(candidate: Candidate, run: RunSummary, curves: RunCurves | None) -> float | None:
    """The best value of a metric that a run logged; ``None`` where it has none, or nobody knows what is better."""
    points = points_of(curves or RunCurves(run.run_id), candidate.metric)
    if candidate.better is None or run.run_id not in candidate.run_ids:
        return None
    if len(points):
        return float(points.value.max() if candidate.better == "higher" else points.value.min())
    return next((found for value in eval_losses_of(run) if (found := finite(value)) is not None), None)


class RunMetrics:
    """What one run says about its metrics.

    Attributes:
        run: The run.
        points: Of each metric that may decide and has any, ``points_of`` its curve.
        metrics: All that may decide.
        fits: Its loss measures how well it fits the data.
        named: The metric that it says to have chosen its best checkpoint by.
        greater: Whether more of that is better, where it says so.
        best_metric: The best value of it.
        told: The metrics that equal ``best_metric`` at the step of the best checkpoint.
    """

    def __init__(self, run: RunSummary, curves: RunCurves) -> None:
        self.run = run
        self._curves = curves
        names = (*curves.curves, *curves.unread)
        found = {metric: points_of(curves, metric) for metric in curves.curves if is_candidate(metric)}
        self.points = {metric: points for metric, points in found.items() if len(points)}
        self.metrics = list(self.points)
        if EVAL_LOSS not in curves.curves and any(finite(value) is not None for value in eval_losses_of(run)):
            self.metrics.append(EVAL_LOSS)
        self.fits = no_measure(run, names) is None
        settings = effective(run)
        named = text(value_of(settings, "metric_for_best_model"))
        self.named = None if named is None else named if is_of_evaluations(named) else f"eval_{named}"
        greater = value_of(settings, "greater_is_better")
        if isinstance(greater, str):
            greater = {"true": True, "false": False}.get(greater.strip().casefold())
        self.greater = greater if isinstance(greater, bool) else None
        self.best_metric = finite(run.extra.get("best_metric"))
        self.told = self._told_by_best()
        self._fitted: dict[tuple[str, float], Fitted | None] = {}

    def values(self, metric: str) -> np.ndarray:
        """Of its points, shape (n,)."""
        return self.points.get(metric, NO_CURVE).value

    def fitted(self, metric: str, sign: float) -> Fitted | None:
        """The noise model on its points, their values multiplied by ``sign``, so that lower is better.

        What was evaluated after a training had died tells nothing of the noise, and is left out.
        """
        if (metric, sign) not in self._fitted:
            points = of_trained(self._curves, self.points.get(metric, NO_CURVE))
            self._fitted[metric, sign] = fitted(points.step.astype(np.float64), sign * points.value)
        return self._fitted[metric, sign]

    def goes_below_zero(self, metric: str) -> bool:
        """Whether a value is below 0."""
        values = self.values(metric)
        if len(values):
            return bool(values.min() < 0.0)
        return any((finite(value) or 0.0) < 0.0 for value in eval_losses_of(self.run))

    def _told_by_best(self) -> frozenset[str]:
        if self.best_metric is None:
            return frozenset()
        step = self._best_step()
        found = set()
        for metric, points in self.points.items():
            at = points.value if step is None else points.value[points.step == step]
            extremes = points.value.min(), points.value.max()
            if any(_is(value, self.best_metric) for value in at) and any(_is(v, self.best_metric) for v in extremes):
                found.add(metric)
        return frozenset(found)

    def _best_step(self) -> int | None:
        recorded = whole(self.run.extra.get("best_global_step"))
        if recorded is not None:
            return recorded
        path = self.run.best_checkpoint_path
        numbers = re.findall(r"\d+", re.split(r"[\\/]", path.rstrip("\\/"))[-1]) if path else []
        return int(numbers[-1]) if numbers else None


def _is(value: float, other: float) -> bool:
    return math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12)


def _own_choice(facts: Sequence[RunMetrics]) -> list[str]:
    """What the runs chose by themselves, where all that say so name the same; none for a loss that measures nothing."""
    told = [
        frozenset(("perplexity" if one.named == "eval_perplexity" else one.named,))
        if one.named is not None
        else one.told
        for one in facts
    ]
    # A run may leave several open, as where values have two digits: what all have in common is meant.
    said = frozenset.intersection(*each) if (each := [one for one in told if one]) else frozenset()
    # A trainer can choose by what stands at the top of a report, not by what is nested in it.
    said = frozenset(name for name in said if "/" not in name) or said
    if len(said) != 1 or (follows_from_loss(next(iter(said))) and not all(one.fits for one in facts)):
        return []
    return list(said)


def _eval_loss(facts: Sequence[RunMetrics]) -> list[str]:
    return [EVAL_LOSS] if _measures_fit(facts, EVAL_LOSS) else []


def _named_sets(facts: Sequence[RunMetrics]) -> list[str]:
    names = sorted({metric for one in facts for metric in one.metrics if named_set(metric) is not None})
    return [metric for metric in names if _measures_fit(facts, metric)]


def _measures_fit(facts: Sequence[RunMetrics], metric: str) -> bool:
    return all(one.fits for one in facts) and not any(one.goes_below_zero(metric) for one in facts)


_RULES: Mapping[Basis, Callable[[Sequence[RunMetrics]], Iterable[str]]] = {
    Basis.OWN_CHOICE: _own_choice,
    Basis.EVAL_LOSS: _eval_loss,
    Basis.NAMED_SET: _named_sets,
    Basis.EVAL_REWARD: lambda facts: [EVAL_REWARD],
    Basis.TRAIN_REWARD: lambda facts: [REWARD],
}
"""What each rule gives, in the order in which they are asked."""


def _most_logged(metrics: Iterable[str], logged: Mapping[str, Sequence[str]]) -> str | None:
    """That of these which most runs logged; of several such the first."""
    return max((each for each in metrics if each in logged), key=lambda each: len(logged[each]), default=None)


def _direction(metric: str, facts: Sequence[RunMetrics]) -> Better | None:
    """As recorded; else as the best of the runs show it; else as the name tells. Losses are ranked as losses."""
    if is_loss(metric):
        return "lower"
    recorded = {one.greater for one in facts if one.named == metric and one.greater is not None}
    if len(recorded) == 1:
        return "higher" if recorded.pop() else "lower"
    shown: Counter[Better] = Counter()
    for one in facts:
        if one.best_metric is None or (one.named or metric) != metric or metric not in one.told:
            continue
        values = one.values(metric)
        if values.min() < values.max():
            shown["higher" if _is(float(values.max()), one.best_metric) else "lower"] += 1
    if len(shown) == 1:
        return next(iter(shown))
    return direction_in(metric)
