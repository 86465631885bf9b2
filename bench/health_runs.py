"""Simulated training runs, clean or with one planted trouble, of which kind, size and first step are known.

Clean runs vary in length, logging interval, shape of the loss, noise, schedule and machine; see ``clean_run``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve
from lib.core.facts.runs import RunStatus, RunSummary

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SIZES = ("small", "middle", "large")
SCHEDULES = ("cosine", "linear", "constant")


@dataclass
class Simulation:
    """A run while it is made; arrays of one value for each logged step, unless said otherwise.

    Attributes:
        rng: Where all its chance comes from.
        every: Steps between logged ones; ``step`` has them.
        floor: The train loss without noise; ``noise`` is its standard deviation.
        rate: Learning rate; ``schedule`` names its shape.
        norm: Gradient norm, log-normal with ``norm_spread`` about ``norm_level``.
        limit: Configured clipping.
        speed: Throughput, tokens per second; ``seconds`` is the time between logged rows.
        memory: Allocated GPU memory, GB.
        eval_at: Positions of the evaluations in the other arrays; ``eval_loss`` and ``eval_noise`` go with them.
    """

    rng: np.random.Generator
    every: int
    step: np.ndarray
    schedule: str
    floor: np.ndarray
    noise: float
    loss: np.ndarray
    rate: np.ndarray
    norm_level: np.ndarray
    norm_spread: float
    norm: np.ndarray
    limit: float
    speed_level: float
    speed: np.ndarray
    seconds: np.ndarray
    memory: np.ndarray
    eval_at: np.ndarray
    eval_loss: np.ndarray
    eval_noise: float
    status: RunStatus = RunStatus.COMPLETED
    silent_s: float = 5.0

    def built(self) -> tuple[RunSummary, RunCurves]:
        elapsed = np.concatenate(([0.0], np.cumsum(self.seconds)))

        def curve(values: np.ndarray, at: np.ndarray | slice = slice(None)) -> MetricCurve:
            step = self.step[at]
            return complete_curve(step, np.asarray(values), step / self.step[-1], elapsed[at])

        curves = {
            "train_loss": curve(self.loss),
            "eval_loss": curve(self.eval_loss, self.eval_at),
            "learning_rate": curve(self.rate),
            "grad_norm": curve(self.norm),
            "tokens_per_second": curve(self.speed),
            "gpu_memory_allocated_gb": curve(self.memory),
        }
        run = RunSummary(
            run_id="run",
            name="run",
            status=self.status,
            updated_at=NOW - timedelta(seconds=self.silent_s),
            config={"training": {"max_grad_norm": self.limit}},
        )
        return run, RunCurves("run", MappingProxyType(curves))


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A run with one trouble.

    Attributes:
        code: The finding that it must give.
        step: The true first step; ``None`` where the finding has none.
        interval: Steps between neighbouring points of the metric that it is in.
        length: Steps of the run.
    """

    run: RunSummary
    curves: RunCurves
    code: str
    step: int | None
    interval: int
    length: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble.

    Attributes:
        code: The finding that it must give.
        sizes: Of the small, middle and large one, in the unit that ``size_unit`` says.
        tolerance: How far the finding's first step may be off, as a share of the run's length; beside
            it one interval is always allowed. 0 for what begins at once.
        plant: Puts it in, and returns the position of its first point.
        fewest: Runs are at least so many points long.
    """

    code: str
    sizes: tuple[float, float, float]
    size_unit: str
    tolerance: float
    plant: Callable[[Simulation, float], int]
    fewest: int = 60


def simulate(
    seed: int, fewest: int = 60, lengths: tuple[int, int] = (60, 2000), schedules: tuple[str, ...] = SCHEDULES
) -> Simulation:
    """A clean run: loss still falling at its end, nothing odd.

    Args:
        seed: Where all its chance comes from.
        fewest: It is at least so many points long.
        lengths: Of the shortest and the longest runs otherwise; short ones are as frequent as long ones.
        schedules: One of these sets its learning rate.
    """
    rng = np.random.default_rng(seed)
    n = int(max(fewest, round(lengths[0] * (lengths[1] / lengths[0]) ** rng.random())))
    every = int(rng.choice([1, 5, 10, 50]))
    x = np.arange(n) / n
    end = rng.uniform(0.3, 1.5)
    start = end + rng.uniform(1.0, 4.5)
    if rng.random() < 0.5:
        decay = np.exp(-x / rng.uniform(0.2, 0.8))
    else:
        decay = (1.0 + x * rng.choice([10, 30, 100])) ** -rng.uniform(0.3, 0.5)
    floor = end + (start - end) * (decay - decay[-1] * 0.5)
    noise = float(rng.choice([0.005, 0.02, 0.05])) * float(np.median(floor))
    loss = np.abs(floor + rng.normal(0.0, noise, n))
    schedule = str(rng.choice(schedules))
    shapes = {
        "cosine": 0.5 * (1.0 + np.cos(np.pi * x)),
        "linear": 1.0 - x,
        "constant": np.ones(n),
        "warm-up, stable, decay": np.minimum(1.0, (1.0 - x) / 0.2),
    }
    warm = rng.uniform(0.01, 0.1)
    rate = 2e-4 * np.minimum(1.0, (x + 1.0 / n) / warm) * shapes[schedule]
    spread = float(rng.choice([0.1, 0.25, 0.5]))
    norm_level = rng.uniform(0.3, 2.0) * (1.0 + 3.0 * np.exp(-x / 0.02))
    norm = norm_level * np.exp(rng.normal(0.0, spread, n))
    count = int(rng.integers(5, 30))
    eval_at = np.unique(np.linspace(n // count, n - 1, count).astype(int))
    eval_noise = float(rng.choice([0.001, 0.003, 0.01]))
    eval_loss = 1.1 * floor[eval_at] * (1.0 + rng.normal(0.0, eval_noise, len(eval_at)))
    speed_level = float(rng.uniform(1e3, 1e5))
    speed = speed_level * (1.0 + rng.normal(0.0, rng.choice([0.01, 0.05]), n))
    speed[:2] *= 0.4
    dipped = eval_at[: max(1, n // 10)]
    speed[dipped] *= rng.uniform(0.2, 0.8)
    seconds = rng.uniform(2.0, 60.0) * np.exp(rng.normal(0.0, 0.1, n - 1))
    seconds[np.minimum(eval_at, n - 2)] += rng.uniform(10.0, 900.0)
    memory = rng.uniform(8.0, 70.0) * (1.0 - 0.2 * np.exp(-x / 0.01)) * (1.0 + rng.normal(0, rng.choice([0, 0.01]), n))
    return Simulation(
        rng, every, (np.arange(n) + 1) * every, schedule, floor, noise, loss, rate, norm_level, spread, norm,
        4.0 * float(np.median(norm)), speed_level, speed, seconds, memory, eval_at, eval_loss, eval_noise,
        status=RunStatus.RUNNING if rng.random() < 0.2 else RunStatus.COMPLETED,
    )  # fmt: skip


def _somewhere(run: Simulation, low: float, high: float) -> int:
    return int(len(run.step) * run.rng.uniform(low, high))


def _loss_spike(run: Simulation, size: float) -> int:
    at = max(15, _somewhere(run, 0.1, 0.98))
    run.loss[at] = run.floor[at] + size * max(run.noise, 0.04 * run.floor[at])
    return at


def _gradient_spike(run: Simulation, size: float) -> int:
    at = max(15, _somewhere(run, 0.1, 0.98))
    run.norm[at] = run.norm_level[at] * np.exp(size * max(run.norm_spread, 0.2))
    return at


def _divergence_jump(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.3, 0.8)
    run.loss[at:] += (size - 1.0) * run.floor[at]
    return at


def _divergence_ramp(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.3, 0.7)
    away = np.arange(len(run.loss) - at)
    run.loss[at:] += (run.floor[at] - run.floor[at:]) + (size - 1.0) * run.floor[at] * away / away[-1]
    return at


def _nonfinite(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.1, 0.8)
    bad = run.rng.choice([np.nan, np.inf])
    series = (run.loss, run.norm)[int(run.rng.integers(2))]
    series[at : at + int(size)] = bad
    return at


def _plateau(run: Simulation, size: float) -> int:
    """The last ``size`` of the steps with a high learning rate are flat, and all after them."""
    high = np.flatnonzero(run.rate >= 0.5 * run.rate.max())[-1]
    at = int(high * (1.0 - size))
    run.loss[at:] += run.floor[at] - run.floor[at:]
    return at


def _eval_rebound(run: Simulation, size: float) -> int:
    count = len(run.eval_at)
    at = int(run.rng.integers(1, max(2, int(0.6 * count))))
    best, away = run.eval_loss[at], np.arange(1, count - at)
    noise = 1.0 + run.rng.normal(0.0, run.eval_noise, count - at - 1)
    run.eval_loss[at + 1 :] = best * (1.0 + size * away / away[-1]) * noise
    return int(run.eval_at[at])


def _clipping(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.0, 0.3)
    run.limit = 4.0 * float(np.median(run.norm))
    grown = run.limit * np.exp(size * run.norm_spread) / run.norm_level[at:]
    run.norm[at:] *= np.maximum(1.0, grown)
    return at


def _pinned(run: Simulation, size: float) -> int:
    """Norms logged after clipping, at a limit that ``size`` of them reach from some step on."""
    at = _somewhere(run, 0.0, 0.2)
    run.limit = float(np.quantile(run.norm[at:], 1.0 - size))
    run.norm = np.minimum(run.norm, run.limit)
    return int(np.flatnonzero(run.norm == run.limit)[0])


def _throughput(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.3, 0.75)
    run.speed[at:] *= 1.0 - size
    return at


def _memory(run: Simulation, size: float) -> int:
    at = _somewhere(run, 0.1, 0.5)
    away = np.arange(len(run.memory) - at)
    run.memory[at:] += size * run.memory[at] * away / away[-1]
    return at


def _stalled(run: Simulation, size: float) -> int:
    run.status, run.silent_s = RunStatus.RUNNING, size
    return len(run.step) - 1


def _gap(run: Simulation, size: float) -> int:
    usual = np.quantile(run.seconds, 0.95)
    at = _somewhere(run, 0.05, 0.95)
    run.seconds[at] = size * max(usual, 300.0)
    return at


KINDS: dict[str, Kind] = {
    "loss spike": Kind("loss_spike", (5.0, 10.0, 20.0), "sd or 4 %", 0.0, _loss_spike),
    "gradient spike": Kind("gradient_spike", (5.0, 9.0, 14.0), "log sd", 0.0, _gradient_spike),
    "divergence, jump": Kind("divergence", (1.3, 2.0, 10.0), "x loss", 0.0, _divergence_jump),
    "divergence, ramp": Kind("divergence", (1.3, 2.0, 10.0), "x loss", 0.1, _divergence_ramp),
    "NaN or infinity": Kind("nonfinite_value", (1.0, 3.0, 50.0), "points", 0.0, _nonfinite),
    "plateau": Kind("plateau", (0.5, 0.65, 0.8), "of high rate", 0.1, _plateau, 1000),
    "eval rebound": Kind("eval_rebound", (0.02, 0.1, 0.5), "of best", 0.05, _eval_rebound),
    "clipping, norms above": Kind("clipping_saturation", (0.5, 1.5, 3.0), "log sd over", 0.02, _clipping),
    "clipping, norms pinned": Kind("clipping_saturation", (0.25, 0.6, 0.95), "share", 0.0, _pinned),
    "throughput decay": Kind("throughput_decay", (0.15, 0.3, 0.6), "drop", 0.0, _throughput),
    "memory creep": Kind("memory_creep", (0.05, 0.15, 0.5), "rise", 0.1, _memory),
    "stalled": Kind("stalled", (500.0, 1200.0, 86400.0), "s", 0.0, _stalled),
    "reporting gap": Kind("reporting_gap", (1.5, 5.0, 50.0), "x slow interval", 0.0, _gap),
}


def clean_run(seed: int) -> tuple[RunSummary, RunCurves]:
    """A run in which nothing is to be found."""
    return simulate(seed).built()


def planted_run(kind: str, size: int, seed: int) -> Planted:
    """A run with one trouble of ``KINDS``.

    Args:
        kind: Its name.
        size: Position in ``SIZES``.
        seed: The run is otherwise the one of this seed, or a longer one where the kind needs it.
    """
    made, about = simulate(seed, KINDS[kind].fewest), KINDS[kind]
    made = replace(made, rng=np.random.default_rng([seed, size]))
    first = about.plant(made, about.sizes[size])
    run, curves = made.built()
    interval = made.every
    if about.code == "eval_rebound":
        interval = int(np.diff(made.step[made.eval_at]).max())
    return Planted(run, curves, about.code, int(made.step[first]), interval, int(made.step[-1]))
