"""Clean runs as a trainer writes them, row by row, for planting defects into.

They vary in what real ones vary in: length, logging and evaluation interval, schedule, precision of the losses,
epochs (fractional, rounded, whole or none), timestamps or none, evaluations in rows of their own or not; and in
habits that look like defects and are none (``HABITS``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from lib.core.checks.registry import checks_of
from lib.core.checks.results import Results
from lib.core.curves.metric_curves import RunCurves, tidy_curve
from lib.core.curves.row_facts import UNKNOWN_US, row_facts
from lib.core.facts.runs import RunStatus, RunSummary

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
HABITS = ("interval changes", "late evaluations", "unsteady clock", "sparse evaluations", "continued", "checkpoints")
"""A coarser logging interval from the middle on; evaluations whose rows come after the next train rows; timestamps
out of order by parts of a second; evaluations ever farther apart; steps that go on where another run ended; a
checkpoint now and then that takes minutes."""

METRICS = ("train_loss", "eval_loss", "learning_rate", "grad_norm", "samples_per_second")


@dataclass(slots=True)
class SimulatedRun:
    """Rows in the order in which they were written, and what is stored about the run.

    Attributes:
        step, epoch: Shape (n,), float64; NaN for null.
        written_us: Shape (n,), int64; ``UNKNOWN_US`` for null.
        values: By metric, shape (n,), float64.
        logged: By metric, shape (n,), bool: where the value is not null.
        facts: Fields of ``RunSummary``.
        interval: Steps between two train rows.
        with_ids: The rows have ids that grow with each.
        expected: How many rows the source says there are.
        now: When the run is looked at.
    """

    step: np.ndarray
    epoch: np.ndarray
    written_us: np.ndarray
    values: dict[str, np.ndarray]
    logged: dict[str, np.ndarray]
    facts: dict[str, Any]
    interval: int
    with_ids: bool
    now: datetime
    expected: int | None = None

    @property
    def run(self) -> RunSummary:
        """What is stored about the run."""
        return RunSummary(run_id="r", name="simulated", **self.facts)

    def take(self, rows: np.ndarray) -> SimulatedRun:
        """These rows, in this order."""
        return replace(
            self,
            step=self.step[rows],
            epoch=self.epoch[rows],
            written_us=self.written_us[rows],
            values={metric: values[rows] for metric, values in self.values.items()},
            logged={metric: logged[rows] for metric, logged in self.logged.items()},
            facts=dict(self.facts),
        )

    def rows_of(self, metric: str) -> np.ndarray:
        """The rows that have a value of a metric."""
        return np.flatnonzero(self.logged[metric])

    def curves(self) -> RunCurves:
        """What a source makes of the rows: the last value in the order of time and id wins."""
        ids = np.arange(len(self.step)) if self.with_ids else None
        facts = row_facts(self.step, self.written_us, self.logged, ids=ids, expected=self.expected)
        timed = self.written_us != UNKNOWN_US
        origin = self.written_us[timed].min() if timed.any() else 0
        elapsed = np.where(timed, (self.written_us - origin) / 1e6, np.nan)
        order = np.lexsort((np.arange(len(self.step)), self.written_us))
        curves = {}
        for metric, logged in self.logged.items():
            rows = order[(logged & np.isfinite(self.step))[order]]
            if len(rows):
                columns = (self.values[metric][rows], self.epoch[rows], elapsed[rows])
                curves[metric] = tidy_curve(self.step[rows].astype(np.int64), *columns)
        return RunCurves("r", MappingProxyType(curves), rows=facts if len(self.step) else None)

    def checks(self) -> Results:
        """What all checks of the run come to."""
        return checks_of(self.run, self.curves(), now=self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a clean run must be like; ``None`` for whatever comes."""

    evaluated: bool | None = None
    timed: bool | None = None
    epochs: str | None = None
    status: RunStatus | None = None
    points: tuple[int, int] = (40, 1500)
    evaluations: int = 3
    throughput: bool | None = None
    batch: tuple[int, ...] = (1, 4, 8, 16, 64)
    decimals: tuple[int, ...] = (3, 4, 6, 16)


def clean_run(random: np.random.Generator, traits: Traits | None = None) -> SimulatedRun:
    """A run without any defect.

    Args:
        random: What varies comes from here.
        traits: What does not vary. Without them the run may also have one of ``HABITS``.
    """
    habit = "" if traits is not None or random.random() < 0.5 else str(random.choice(HABITS))
    traits = traits or Traits()
    points = int(np.exp(random.uniform(*np.log(traits.points))))
    interval = int(random.choice([1, 2, 5, 10, 25, 50, 100]))
    total = points * interval + int(random.integers(0, interval))
    unfinished = (RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED)
    statuses = (*[RunStatus.COMPLETED] * 6, *unfinished)
    status = traits.status or statuses[int(random.integers(len(statuses)))]
    done = total if status is RunStatus.COMPLETED else int(total * random.uniform(0.75, 0.95))
    steps = np.arange(interval, done + 1, interval)
    if interval > 1 and random.random() < 0.5:
        steps = np.append(1, steps)
    if status is RunStatus.COMPLETED and steps[-1] != total and random.random() < 0.3:
        steps = np.append(steps, total)
    if random.random() < 0.3:
        # A row or two that were lost on the way.
        steps = np.delete(steps, random.integers(2, len(steps) - 2, size=int(random.integers(1, 3))))
    if habit == "interval changes":
        half = len(steps) // 2
        steps = np.append(steps[:half], steps[half :: int(random.integers(2, max(3, min(11, half // 4))))])
    evaluated = _either(random, traits.evaluated, 0.85)
    every = interval * max(1, int(len(steps) / random.uniform(traits.evaluations + 1, traits.evaluations * 4 + 1)))
    eval_steps = np.arange(every, done + 1, every) if evaluated else np.zeros(0, dtype=int)
    if habit == "sparse evaluations" and evaluated:
        eval_steps = np.unique(np.geomspace(every, done, 8).astype(int))
    timed = _either(random, traits.timed, 0.7)
    sim = _rows(random, steps, eval_steps, total, traits, timed)
    sim.interval = interval
    sim = _with_habit(random, sim, habit)
    _store(random, sim, status, (done, total), every * evaluated, traits)
    if habit == "continued":
        sim = sim.take(np.arange(int(random.integers(5, len(sim.step) // 2)), len(sim.step)))
        _store(random, sim, status, (done, total), every * evaluated, traits)
        sim.facts["resumed_from_run_id"] = "parent"
    return sim


def _with_habit(random: np.random.Generator, sim: SimulatedRun, habit: str) -> SimulatedRun:
    count, timed = len(sim.step), sim.written_us != UNKNOWN_US
    if habit == "unsteady clock":
        sim.written_us += timed * random.integers(-450_000, 450_000, count)
    if habit == "checkpoints":
        saved = np.arange(max(2, count // 12), count, max(2, count // 12))
        waits = np.zeros(count)
        waits[saved] = random.uniform(60.0, 900.0, len(saved))
        sim.written_us += (timed * np.cumsum(waits) * 1e6).astype(np.int64)
    if habit == "late evaluations":
        alone = sim.logged["eval_loss"] & ~sim.logged["train_loss"]
        written = np.sort(sim.written_us)
        sim = sim.take(np.argsort(np.arange(count) + 2.5 * alone, kind="stable"))
        sim.written_us = written
    return sim


def _either(random: np.random.Generator, wanted: bool | None, chance: float) -> bool:
    return bool(random.random() < chance) if wanted is None else wanted


def _rows(
    random: np.random.Generator, steps: np.ndarray, eval_steps: np.ndarray, total: int, traits: Traits, timed: bool
) -> SimulatedRun:
    train = _train_values(random, steps, total, _either(random, traits.throughput, 0.6))
    decimals = int(random.choice(traits.decimals))
    floor = random.uniform(0.2, 1.5)
    train["train_loss"] = np.round(train["train_loss"] + floor, decimals)
    rise = random.uniform(-0.05, 0.3) * (eval_steps / total) ** 2
    evals = floor + 0.1 + 1.5 * (1.0 + 20.0 * eval_steps / total) ** -0.5 + rise
    evals = np.round(evals + random.normal(0.0, 0.004, len(evals)), decimals)

    joined = random.random() < 0.3
    at = np.concatenate((steps, eval_steps))
    order = np.lexsort((np.arange(len(at)) >= len(steps), at))
    is_eval = order >= len(steps)
    step, count = at[order].astype(np.float64), len(at)
    values = {metric: np.full(count, np.nan) for metric in METRICS}
    logged = {metric: np.zeros(count, dtype=bool) for metric in METRICS}
    for metric, series in train.items():
        values[metric][~is_eval] = series
        logged[metric][~is_eval] = True
    values["eval_loss"][is_eval] = evals
    logged["eval_loss"][is_eval] = True
    seconds = random.uniform(0.5, 40.0)
    wait = seconds * np.diff(step, prepend=0.0) / np.median(np.diff(steps)) * random.lognormal(0.0, 0.1, count)
    wait += is_eval * random.uniform(1.0, 60.0) * seconds * random.lognormal(0.0, 0.1, count)
    start_s = BEGIN.timestamp() + random.uniform(20.0, 400.0)
    written = ((start_s + np.cumsum(wait)) * 1e6).astype(np.int64) if timed else np.full(count, UNKNOWN_US)
    sim = SimulatedRun(
        step=step,
        epoch=_epochs(random, step, total, traits.epochs),
        written_us=written,
        values=values,
        logged=logged,
        facts={},
        interval=1,
        with_ids=bool(random.random() < 0.5),
        now=BEGIN,
    )
    return _joined(sim, is_eval) if joined else sim


def _train_values(
    random: np.random.Generator, steps: np.ndarray, total: int, throughput: bool
) -> dict[str, np.ndarray]:
    done = steps / total
    warm = np.minimum(1.0, steps / max(1.0, 0.05 * total))
    shapes = {"cosine": 0.5 * (1.0 + np.cos(np.pi * done)), "linear": 1.0 - done, "constant": np.ones(len(steps))}
    peak = float(random.choice([1e-5, 2e-4, 1e-3]))
    values = {
        "train_loss": 2.0 * (1.0 + 20.0 * done) ** -0.5 + random.normal(0.0, 0.02, len(steps)),
        "learning_rate": peak * warm * shapes[str(random.choice(list(shapes)))],
        "grad_norm": random.lognormal(0.0, 0.3, len(steps)),
    }
    if throughput:
        values["samples_per_second"] = random.uniform(2.0, 50.0) * random.normal(1.0, 0.05, len(steps))
    return values


def _epochs(random: np.random.Generator, step: np.ndarray, total: int, kind: str | None) -> np.ndarray:
    epochs = step / total * float(random.integers(1, 6))
    kind = kind or str(random.choice(["fractional", "rounded", "whole", "none"]))
    match kind:
        case "rounded":
            return np.round(epochs, 2)
        case "whole":
            return np.floor(epochs)
        case "none":
            return np.full(len(epochs), np.nan)
    return epochs


def _joined(sim: SimulatedRun, is_eval: np.ndarray) -> SimulatedRun:
    """The eval loss in the train row of its step, where there is one."""
    twin = np.flatnonzero(is_eval[1:] & (sim.step[1:] == sim.step[:-1]))
    sim.values["eval_loss"][twin] = sim.values["eval_loss"][twin + 1]
    sim.logged["eval_loss"][twin] = True
    return sim.take(np.delete(np.arange(len(sim.step)), twin + 1))


def _store(
    random: np.random.Generator,
    sim: SimulatedRun,
    status: RunStatus,
    progress: tuple[int, int],
    every: int,
    traits: Traits,
) -> None:
    """What the job row of the run says, all of it true; ``every`` is 0 without evaluations."""
    (done, total), timed = progress, bool((sim.written_us != UNKNOWN_US).any())
    span = float(sim.written_us[-1] / 1e6 - BEGIN.timestamp()) if timed else 3600.0
    ended = BEGIN + timedelta(seconds=span + 30.0)
    losses = sim.values["eval_loss"][sim.rows_of("eval_loss")]
    rates = sim.values["learning_rate"][sim.rows_of("learning_rate")]
    speed = sim.values["samples_per_second"][sim.rows_of("samples_per_second")]
    batch = int(random.choice(traits.batch))
    training: dict[str, Any] = {"logging_steps": sim.interval, "eval_strategy": "steps" if every else "no"}
    if every:
        training["eval_steps"] = every
    known = timed or random.random() < 0.5
    sim.facts = {
        "status": status,
        "started_at": BEGIN if known else None,
        "completed_at": ended if known and status is not RunStatus.RUNNING else None,
        "updated_at": ended,
        "current_step": done,
        "total_steps": total,
        "progress": done / total,
        "learning_rate": float(rates.max()) if random.random() < 0.9 else None,
        "batch_size": batch,
        "gradient_accumulation_steps": 1,
        "num_gpus": 1,
        "samples_per_second": round(float(np.median(speed)), 3) if len(speed) else None,
        "config": {"training": training},
    }
    if len(losses) and random.random() < 0.9:
        rows = sim.rows_of("eval_loss")
        best = int(losses.argmin())
        sim.facts |= {"best_eval_loss": round(float(losses[best]), 4), "best_step": int(sim.step[rows[best]])}
    sim.now = ended + timedelta(seconds=60.0 if status is RunStatus.RUNNING else 86_400.0 * random.random())
    sim.expected = len(sim.step) if random.random() < 0.5 else None
