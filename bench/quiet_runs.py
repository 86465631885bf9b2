"""Simulated runs that fail quietly: nothing stops, and nothing is learned, or not what the numbers say.

Clean ones are those of ``bench.health_runs``, 20 to 20,000 points long, on three schedules; some are gentle
fine-tunings that fall by a few percent, some were evaluated before training, some logged with four decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from bench.health_runs import Simulation, simulate
from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary

SCHEDULES = ("cosine", "warm-up, stable, decay", "constant")
LENGTHS = (20, 20_000)

Run = tuple[RunSummary, RunCurves]
Plant = Callable[[Simulation, float], None]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A kind of quiet failure.

    Attributes:
        code: The check that must find it.
        sizes: Small, middle and large, in the unit that ``unit`` says.
        plant: Puts it into a run.
        without: Metrics that such a run does not log.
        lengths: Points of its shortest and its longest runs.
        evaluations: It has at least so many.
        before: What was measured before training, by the size; ``None``: nothing need be.
    """

    code: str
    sizes: tuple[float, float, float]
    unit: str
    plant: Plant
    without: tuple[str, ...] = ()
    lengths: tuple[int, int] = LENGTHS
    evaluations: int = 0
    before: Callable[[Simulation, float], float] | None = None


def _clean(seed: int, lengths: tuple[int, int] = LENGTHS, evaluations: int = 0) -> Simulation:
    made = simulate(seed, lengths[0], lengths, SCHEDULES)
    random = np.random.default_rng([seed, 1])
    if random.random() < 0.3:
        # A gentle fine-tuning: most of what is learned is learned at once.
        share = random.uniform(0.1, 0.4)
        for values in (made.loss, made.floor):
            values[:] = values.min() + share * (values - values.min())
        made.eval_loss = made.eval_loss.min() + share * (made.eval_loss - made.eval_loss.min())
        made.noise *= share
    if len(made.eval_at) < evaluations:
        made.eval_at = np.unique(np.linspace(0, len(made.step) - 1, min(evaluations, len(made.step))).astype(int))
        noise = 1.0 + random.normal(0.0, made.eval_noise, len(made.eval_at))
        made.eval_loss = 1.1 * made.floor[made.eval_at] * noise
    made.status = RunStatus.COMPLETED
    return made


def _built(made: Simulation, without: tuple[str, ...], seed: int, before: float | None = None) -> Run:
    run, curves = made.built()
    random = np.random.default_rng([seed, 2])
    kept = {metric: curve for metric, curve in curves.curves.items() if metric not in without}
    evals = kept["eval_loss"]
    if before is None and random.random() < 0.2 and not np.isnan(evals.value).all():
        before = 1.2 * float(np.nanmax(evals.value))
    if before is not None:
        columns = zip((0, before, 0.0, 0.0), evals.columns, strict=True)
        kept["eval_loss"] = complete_curve(*(np.insert(column, 0, first) for first, column in columns))
    if random.random() < 0.5:
        kept = {metric: _rounded(metric, curve) for metric, curve in kept.items()}
    return run, RunCurves("run", MappingProxyType(kept))


def _rounded(metric: str, curve: MetricCurve) -> MetricCurve:
    return replace(curve, value=np.round(curve.value, 4)) if metric == "train_loss" else curve


def _dead(made: Simulation, size: float, loss: float | None, norm: float) -> None:
    at = min(int(len(made.step) * (1.0 - size)), len(made.step) - 3)
    made.loss[at:] = made.loss[at] if loss is None else loss
    made.norm[at:] = norm
    later = made.eval_at >= at
    made.eval_loss[later] = float(made.eval_loss[made.eval_at < at][-1]) if not later.all() else 1.2


def _never_learns(made: Simulation, size: float) -> None:
    level, n = float(np.median(made.floor)), len(made.loss)
    fall = 1.0 - size * np.linspace(0.0, 1.0, n)
    made.loss[:] = level * fall + made.rng.normal(0.0, made.noise, n)
    noise = made.rng.normal(0.0, 0.002, len(made.eval_at))
    made.eval_loss[:] = 1.1 * level * (fall[made.eval_at] if size < 0.0 else 1.0) * (1.0 + noise)


def _rate_zero(made: Simulation, size: float) -> None:
    made.rate[-max(1, int(size * len(made.rate))) :] = 0.0


def _restarted(made: Simulation, size: float) -> None:
    """The schedule begins anew, with its warm-up, and comes to a share of its peak."""
    peak, n = float(made.rate.max()), len(made.rate)
    at = int(n * made.rng.uniform(0.3, 0.75))
    left = np.linspace(0.0, 1.0, n - at)
    made.rate[at:] = size * peak * np.minimum(1.0, left / 0.1) * (1.0 - 0.5 * left)


def _growth(made: Simulation, size: float) -> None:
    made.norm *= np.exp(np.log(size) * np.linspace(0.0, 1.0, len(made.norm)))


def _identical(made: Simulation, size: float) -> None:
    count = int(size)
    at = int(made.rng.integers(0, len(made.eval_loss) - count + 1))
    made.eval_loss[at : at + count] = made.eval_loss[at]


def _best_at_first(made: Simulation, size: float) -> None:
    count = len(made.eval_loss) - 1
    rise = 1.0 + (size - 1.0) * made.rng.uniform(0.4, 1.0, count)
    made.eval_loss[1:] = made.eval_loss[0] * rise


def _diverged(made: Simulation, size: float) -> None:
    at = int(len(made.loss) * made.rng.uniform(0.4, 0.7))
    made.loss[at:] += (size - 1.0) * made.floor[at]


def _spiked(made: Simulation, size: float) -> None:
    at = int(made.rng.integers(len(made.norm) // 2, len(made.norm)))
    made.norm[at] = size * float(np.median(made.norm))


QUIET: Mapping[str, Quiet] = MappingProxyType(
    {
        "dead, gradients 0": Quiet("dead_training", (0.05, 0.3, 0.7), "of the run", lambda m, s: _dead(m, s, 0.0, 0.0)),
        "dead, gradients NaN": Quiet(
            "dead_training", (0.05, 0.3, 0.7), "of the run", lambda m, s: _dead(m, s, 0.0, np.nan)
        ),
        "dead, no gradients logged": Quiet(
            "dead_training", (0.05, 0.3, 0.7), "of the run", lambda m, s: _dead(m, s, 0.0, 0.0), ("grad_norm",)
        ),
        "constant, gradients 0": Quiet(
            "dead_training", (0.05, 0.3, 0.7), "of the run", lambda m, s: _dead(m, s, None, 0.0)
        ),
        "never learns": Quiet("never_learns", (0.02, 0.0, -0.1), "fall", _never_learns,
                              before=lambda m, s: float(m.eval_loss[0])),
        "base not beaten": Quiet(
            "base_not_beaten", (0.001, 0.03, 0.3), "worse", lambda m, s: None,
            before=lambda m, s: float(m.eval_loss.min()) / (1.0 + s),
        ),
        "learning rate 0": Quiet("rate_zero", (0.03, 0.25, 0.6), "of the run", _rate_zero),
        "learning rate restarted": Quiet("rate_restarted", (0.6, 0.9, 1.0), "of peak", _restarted),
        "gradient norm grows": Quiet("gradient_growth", (2.0, 8.0, 50.0), "times", _growth),
        "identical evaluations": Quiet("identical_evaluations", (2, 4, 8), "in a row", _identical, evaluations=10),
        "best at first evaluation": Quiet("eval_rebound", (1.02, 1.15, 1.8), "times", _best_at_first),
        "divergence, few points": Quiet("divergence", (1.5, 4.0, 15.0), "times", _diverged, lengths=(10, 23)),
        "gradient spike, few points": Quiet("gradient_spike", (3.0, 15.0, 60.0), "times", _spiked, lengths=(10, 23)),
    }
)  # fmt: skip
"""The kinds, by name."""


def quiet_run(kind: str, size: int, seed: int) -> Run:
    """A run with one quiet failure of ``QUIET``; ``size`` is 0 to 2."""
    about = QUIET[kind]
    made = _clean(seed, about.lengths, about.evaluations)
    made.rng = np.random.default_rng([seed, size, 3])
    about.plant(made, about.sizes[size])
    before = None if about.before is None else about.before(made, about.sizes[size])
    return _built(made, about.without, seed, before)


def clean_quiet_run(seed: int) -> Run:
    """A run in which nothing is to be found."""
    return _built(_clean(seed), (), seed)
