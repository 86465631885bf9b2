"""Winner or tie: which runs may have the lowest true eval loss, as far as the noise of their evaluations tells.

Every run whose loss is not credibly above the loss of another stays in the set of those that may be the best. The
idea is that of multiple comparisons with the best (Hsu, "Simultaneous confidence intervals for all distances from the
best", Annals of Statistics 1981) and of the model confidence set (Hansen, Lunde and Nason, "The model confidence set",
Econometrica 2011); each comparison is Welch's t with moderated variances (Smyth, "Linear models and
empirical Bayes methods", SAGMB 2004) and a Bonferroni correction.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.limits import Limit
from lib.core.facts.runs import RunSummary, eval_loss_of
from lib.core.ranking.eval_noise import EvalNoise, noise_of, student_t_quantile
from lib.core.ranking.repeats import seed_of
from lib.core.ranking.scoring import TIE_DECIMALS

# fmt: off
LEVEL = Limit(0.90, "Level", "The set holds the truly best run at least so often.")
WINNER_ERROR_SHARE = Limit(0.5, "Winner error share",
    "Among runs that are truly equal a winner is called in at most this share of 1 - level: a false winner ends the"
    " search, a tie too many costs one more look.")
SHARED_FREEDOM = Limit(4.0, "Shared freedom",
    "Weight, in degrees of freedom, of the mean square noise of all runs in that of each: six evaluations alone tell"
    " noise so badly that hardly any lead would be found. The error rates hold even where some runs are ten times as"
    " noisy as others.")
# fmt: on


class TieKind(StrEnum):
    """The verdict."""

    WINNER = "winner"
    TIE = "tie"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run's true eval loss as far as it is known.

    Attributes:
        run_id: The run.
        loss: Best estimate of the lowest true eval loss, nats.
        error: Its standard error, nats.
        freedom: Degrees of freedom of ``error``.
    """

    run_id: str
    loss: float
    error: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Beaten:
    """The run that another one loses to most clearly.

    Attributes:
        by: The better run.
        behind: How far the estimate is above that of ``by``, nats.
        within: What would be within the noise, nats.
    """

    by: str
    behind: float
    within: float


@dataclass(frozen=True, slots=True)
class TieVerdict:
    """Which runs may have the lowest true eval loss.

    Attributes:
        kind: ``WINNER`` only where ``best_set`` has one member.
        best_set: Runs that cannot be told from the best: lowest estimate first, ``undecided`` ones last.
        undecided: Runs with an eval loss but without a noise estimate; each may be the best.
        noises: What each run's own curve says.
        estimates: What the comparison rests on, of the runs that have a noise estimate.
        beaten: What each run with an estimate that is not in the set loses to, by run id.
        level: The set holds the truly best run at least so often.
        seeds: Degrees of freedom of the seed-to-seed spread in ``estimates``; 0 where it is not in there.
    """

    kind: TieKind
    best_set: tuple[str, ...]
    undecided: tuple[str, ...]
    noises: Mapping[str, EvalNoise] = field(repr=False)
    estimates: Mapping[str, Estimate] = field(repr=False)
    beaten: Mapping[str, Beaten] = field(repr=False)
    level: float
    seeds: int


def verdict_on(
    curves: Mapping[str, RunCurves],
    runs: Sequence[RunSummary],
    repeats: Mapping[str, Hashable] | None = None,
    level: float = LEVEL,
) -> TieVerdict:
    """Say which of these runs may have the lowest true eval loss.

    A run is out when its estimate is above that of another one by more than ``q * sqrt(e1**2 + e2**2)``, where q is
    the Student t quantile (``comparison_quantile``) with the degrees of freedom of Welch ("The generalization of
    'Student's' problem", Biometrika 1947). Without ``repeats`` the errors ``e`` are those of single evaluations
    (``eval_noise.moderated``) and the verdict is about these runs as they were trained. With repeats,
    the spread of runs that differ in nothing but the seed is put in place of smaller errors, for all runs alike, with
    its own degrees of freedom; the verdict is then about their configurations.

    Args:
        curves: By run id, with ``eval_loss`` and ``train_loss``; runs may lack.
        runs: The runs to judge, of whatever status, all comparable; in any order.
        repeats: A group for each run; runs of one group have the same configuration and different seeds.
        level: Above 0, below 1.

    Raises:
        ValueError: If the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"A level is above 0 and below 1, got {level!r}.")
    noises = {run.run_id: noise_of(curves.get(run.run_id) or RunCurves(run.run_id)) for run in runs}
    own = [
        Estimate(run_id, noise.expected, noise.noise, noise.freedom)
        for run_id, noise in noises.items()
        if noise.noise is not None and noise.expected is not None
    ]
    spread, seeds = seed_spread(own, _independent(runs, repeats or {}))
    estimates = sorted(
        (_with_seeds(one, spread, seeds) for one in moderated(own)), key=lambda one: (one.loss, one.run_id)
    )
    undecided = sorted(
        run.run_id
        for run in runs
        if noises[run.run_id].noise is None and (noises[run.run_id].lowest is not None or eval_loss_of(run) is not None)
    )
    contenders = len(estimates) + len(undecided)
    losers = {one.run_id: _beaten(one, estimates, contenders, level) for one in estimates}
    beaten = {run_id: found for run_id, found in losers.items() if found is not None}
    unbeaten = [one.run_id for one in estimates if one.run_id not in beaten]
    kind = TieKind.CANNOT_TELL if undecided or contenders < 2 else TieKind.WINNER
    if len(unbeaten) > 1:
        kind = TieKind.TIE
    return TieVerdict(
        kind=kind,
        best_set=(*unbeaten, *undecided),
        undecided=tuple(undecided),
        noises=noises,
        estimates={one.run_id: one for one in estimates},
        beaten=beaten,
        level=level,
        seeds=seeds,
    )


def comparison_quantile(freedom: float, contenders: int, level: float = LEVEL) -> float:
    """The t quantile that one comparison among ``contenders`` (at least 2) runs has to exceed.

    Each comparison errs with ``e / k``, ``e = (1 - level) * WINNER_ERROR_SHARE``. The best run is compared with
    k - 1 others, so it is left out with less than e. Among k equal runs "only this one remains" needs one given
    comparison to err, for k choices of the one: a false winner has at most e.
    """
    error = (1.0 - level) * WINNER_ERROR_SHARE / max(contenders, 2)
    return student_t_quantile(1.0 - error, freedom)


def welch_freedom(first: Estimate, second: Estimate) -> float:
    """Degrees of freedom of the error of a difference (Welch 1947; Satterthwaite 1946)."""
    squares = first.error**2, second.error**2
    if not sum(squares):
        return first.freedom + second.freedom
    return sum(squares) ** 2 / (squares[0] ** 2 / first.freedom + squares[1] ** 2 / second.freedom)


def moderated(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates, each variance drawn towards the mean variance of all.

    ``(d e**2 + d0 m) / (d + d0)`` with d + d0 degrees of freedom, where m is the mean of all ``e**2`` and d0 is
    ``SHARED_FREEDOM`` or what the other runs have together, if that is less (Smyth 2004, with a fixed d0).
    """
    total = sum(one.freedom for one in estimates)
    mean_square = sum(one.error**2 for one in estimates) / max(len(estimates), 1)
    found = []
    for one in estimates:
        shared = min(SHARED_FREEDOM, total - one.freedom)
        freedom = one.freedom + shared
        error = math.sqrt((one.freedom * one.error**2 + shared * mean_square) / freedom)
        found.append(Estimate(one.run_id, one.loss, error, freedom))
    return found


def seed_spread(estimates: Sequence[Estimate], repeats: Mapping[str, Hashable]) -> tuple[float, int]:
    """The pooled standard deviation of runs of one group about the mean of their group, nats.

    Returns:
        It, and its degrees of freedom: runs less groups. ``(0.0, 0)`` where no group has two runs.
    """
    groups: dict[Hashable, list[float]] = {}
    for one in estimates:
        if one.run_id in repeats:
            groups.setdefault(repeats[one.run_id], []).append(one.loss)
    repeated = [np.array(losses) for losses in groups.values() if len(losses) > 1]
    freedom = sum(len(losses) - 1 for losses in repeated)
    if not freedom:
        return 0.0, 0
    squares = sum(float(((losses - losses.mean()) ** 2).sum()) for losses in repeated)
    return math.sqrt(squares / freedom), freedom


def _independent(runs: Sequence[RunSummary], repeats: Mapping[str, Hashable]) -> dict[str, Hashable]:
    """``repeats`` without the second run of one group and seed: the same training done twice tells nothing of seeds."""
    found: dict[str, Hashable] = {}
    seen = set()
    for run in sorted(runs, key=lambda run: run.run_id):
        key = repeats.get(run.run_id), seed_of(run)
        if run.run_id in repeats and (key[1] is None or key not in seen):
            seen.add(key)
            found[run.run_id] = repeats[run.run_id]
    return found


def _with_seeds(one: Estimate, spread: float, seeds: int) -> Estimate:
    """The seed-to-seed spread holds the noise of the evaluations already; by chance it may come out below it."""
    return Estimate(one.run_id, one.loss, max(one.error, spread), float(seeds)) if seeds else one


def _beaten(one: Estimate, others: Sequence[Estimate], contenders: int, level: float) -> Beaten | None:
    clearest, beaten = 0.0, None
    for other in others:
        within = comparison_quantile(welch_freedom(one, other), contenders, level) * math.hypot(one.error, other.error)
        excess = round(one.loss - other.loss - within, TIE_DECIMALS)
        if excess > clearest:
            clearest, beaten = excess, Beaten(other.run_id, one.loss - other.loss, within)
    return beaten
