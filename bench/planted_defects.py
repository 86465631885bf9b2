"""Defects to plant into clean runs: each kind in a small, a middle and a large size where it has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from bench.simulated_runs import SimulatedRun, Traits, clean_run
from lib.core.runs import RunStatus

Plant = Callable[[SimulatedRun, np.random.Generator, Any], tuple[SimulatedRun, int | None]]
"""Takes a clean run and a size; gives the run with the defect, and its first step where it has one."""


ANY = Traits()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of defect.

    Attributes:
        code: The check that must find it.
        plant: Puts it into a run.
        sizes: Small, middle and large; a single one where the kind has no size.
        traits: What a run must be like to have it.
    """

    code: str
    plant: Plant
    sizes: tuple[Any, ...] = (None,)
    traits: Traits = ANY

    @property
    def middle(self) -> Any:
        """The size at which it must be found."""
        return self.sizes[len(self.sizes) // 2]


SIZE_NAMES = ("small", "middle", "large")


def planted(kind: Kind, size: Any, seed: int) -> tuple[SimulatedRun, int | None]:
    """A run with a defect of one kind and size, and the first step of the defect."""
    random = np.random.default_rng([seed, *kind.code.encode()])
    return kind.plant(clean_run(random, kind.traits), random, size)


def alarms(seed: int) -> list[str]:
    """The codes of what the passport of a clean run finds; each is a false alarm."""
    return [finding.code for finding in clean_run(np.random.default_rng(seed)).passport().findings]


def recognised(kind: Kind, size: Any, seed: int) -> tuple[bool, float | None]:
    """Whether a planted defect is found, and by how many logging intervals its first step is missed."""
    run, step = planted(kind, size, seed)
    found = next((finding for finding in run.passport().findings if finding.code == kind.code), None)
    if found is None or step is None:
        return found is not None, None
    return True, float("inf") if found.step is None else abs(found.step - step) / run.interval


def _some(amount: float, of: int, least: int = 1) -> int:
    """A number of things: whole ones as they are, a share of ``of`` where below 1."""
    return max(least, round(amount * of)) if amount < 1 else min(int(amount), of)


def _inside(random: np.random.Generator, count: int, length: int = 0) -> int:
    """A place in the middle part of ``count`` things, with ``length`` of them after it."""
    return int(random.integers(max(2, count // 5), max(3, count - length - max(2, count // 8))))


def rows_missing(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, None]:
    count = len(sim.step)
    sim.expected = count
    lost = random.choice(count, _some(size, count), replace=False)
    return sim.take(np.setdiff1d(np.arange(count), lost)), None


def rows_unplaced(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, None]:
    sim.step[random.choice(len(sim.step), _some(size, len(sim.step)), replace=False)] = random.choice(
        [np.nan, -1.0, 0.5]
    )
    return sim, None


def values_rewritten(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    start = int(random.integers(0, len(train) - _some(size, len(train) // 2)))
    again = train[start : start + _some(size, len(train) // 2)]
    run = sim.take(np.insert(np.arange(len(sim.step)), again + 1, again))
    return run, int(sim.step[again[0]])


def steps_backwards(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    count = len(sim.step)
    back = _some(size, count // 2) + 1
    at = int(random.integers(back + 1, count - 1))
    run = sim.take(np.concatenate((np.arange(at), np.arange(at - back, count))))
    if sim.facts["started_at"] is not None:
        run.written_us[at:] += max(0, run.written_us[at - 1] - run.written_us[at]) + 60_000_000
        run.facts["completed_at"] = None
    return run, int(sim.step[at - back])


def logging_gap(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    length = _some(size, len(train), least=6)
    start = _inside(random, len(train), length)
    lost = train[start : start + length]
    return sim.take(np.setdiff1d(np.arange(len(sim.step)), lost)), int(sim.step[lost[0]])


def begins_late(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    lost = _some(size, len(train), least=6)
    return sim.take(np.arange(train[lost], len(sim.step))), int(sim.step[train[lost]])


def ends_early(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    kept = len(sim.step) - _some(size, len(sim.step))
    run = sim.take(np.arange(kept))
    if random.random() < 0.5:
        run.facts["current_step"] = int(run.step[-1])
    return run, int(run.step[-1])


def stale_train_loss(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    length = _some(size, len(train) // 2)
    start = _inside(random, len(train), length)
    stretch = train[start : start + length + 1]
    sim.values["train_loss"][stretch] = sim.values["train_loss"][stretch[0]]
    return sim, int(sim.step[stretch[1]])


def each_repeated(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    fresh = np.arange(len(train)) // int(size) * int(size)
    sim.values["train_loss"][train] = sim.values["train_loss"][train[fresh]]
    return sim, int(sim.step[train[1]])


def evaluations_absent(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, None]:
    sim.logged["eval_loss"][:] = False
    return sim, None


def evaluations_end_early(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    evals = sim.rows_of("eval_loss")
    kept = evals[: len(evals) - _some(size, len(evals) - 3)]
    sim.logged["eval_loss"][evals[len(kept) :]] = False
    return sim, int(sim.step[kept[-1]])


def evaluation_gap(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    evals = sim.rows_of("eval_loss")
    length = _some(size, len(evals))
    start = int(random.integers(2, len(evals) - length - 1))
    lost = evals[start : start + length]
    sim.logged["eval_loss"][lost] = False
    return sim, int(sim.step[lost[0]])


def stale_evaluations(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    evals, losses = sim.rows_of("eval_loss"), sim.values["eval_loss"]
    steps = sim.step[evals]
    train = np.setdiff1d(sim.rows_of("train_loss"), evals)
    train = train[~np.isin(sim.step[train], steps)]
    last = np.searchsorted(steps, sim.step[train], "right") - 1
    behind = sim.step[train] - steps[np.maximum(last, 0)]
    repeated = (last >= 0) & (behind <= size * np.diff(steps).max())
    rows = train[repeated]
    losses[rows] = losses[evals[last[repeated]]]
    sim.logged["eval_loss"][rows] = True
    return sim, int(sim.step[rows[0]])


def clock_backwards(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    at = _inside(random, len(sim.step))
    wait = sim.written_us[at] - sim.written_us[at - 1]
    sim.written_us[at:] -= int(size * 1e6) + (wait if size >= 1.0 else 0)
    return sim, int(sim.step[at])


def clock_pause(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    at = int(train[_inside(random, len(train))])
    sim.written_us[at:] += int(size * 1e6)
    return sim, int(sim.step[at])


def nonfinite_values(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    metric = str(random.choice(["train_loss", "eval_loss", "grad_norm"]))
    rows = sim.rows_of(metric)
    lost = random.choice(rows, min(int(size), len(rows)), replace=False)
    sim.values[metric][lost] = random.choice([np.nan, np.inf, -np.inf])
    return sim, int(sim.step[lost].min())


def epochs_backwards(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    train = sim.rows_of("train_loss")
    place = _inside(random, len(train))
    at, before = int(train[place]), int(train[place - 1])
    sim.epoch[at:] -= size + sim.epoch[at] - sim.epoch[before]
    return sim, int(sim.step[at])


def stored_best_loss(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    evals = sim.rows_of("eval_loss")
    best = int(evals[sim.values["eval_loss"][evals].argmin()])
    sim.facts["best_eval_loss"] = sim.values["eval_loss"][best] + size * random.choice([-1.0, 1.0])
    return sim, int(sim.step[best])


def stored_best_step(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, int]:
    evals = sim.rows_of("eval_loss")
    losses = sim.values["eval_loss"][evals]
    best = int(losses.argmin())
    others = np.flatnonzero(losses > losses[best] + 1e-3)
    sim.facts |= {"best_eval_loss": float(losses[best]), "best_step": int(sim.step[evals[random.choice(others)]])}
    return sim, int(sim.step[evals[best]])


def stored_learning_rate(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, None]:
    rates = sim.values["learning_rate"][sim.rows_of("learning_rate")]
    sim.facts["learning_rate"] = float(rates.max()) * size
    return sim, None


def throughput_missing(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, None]:
    sim.facts["samples_per_second"] = None
    return sim, None


def throughput_is_steps(sim: SimulatedRun, random: np.random.Generator, size: int) -> tuple[SimulatedRun, None]:
    speed = sim.values["samples_per_second"][sim.rows_of("samples_per_second")]
    sim.facts |= {"batch_size": size, "samples_per_second": float(speed.mean()) / size}
    return sim, None


def current_step_differs(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    last = int(sim.step[-1])
    off = size * last if size < 1 else size * sim.interval
    sim.facts["current_step"] = round(last + off * random.choice([-1.0, 1.0]))
    return sim, last


def failed_at_the_end(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, int]:
    sim.facts["status"] = RunStatus.FAILED if random.random() < 0.5 else RunStatus.CANCELLED
    return sim, int(sim.step[-1])


def silent_while_running(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, int]:
    sim.now = sim.facts["updated_at"] + timedelta(seconds=size)
    return sim, int(sim.step[-1])


def end_not_recorded(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, None]:
    sim.facts["completed_at"] = None
    return sim, None


def ends_before_start(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, None]:
    sim.facts["completed_at"] = sim.facts["started_at"] - timedelta(seconds=size)
    return sim, None


def rows_outside_run(sim: SimulatedRun, random: np.random.Generator, size: float) -> tuple[SimulatedRun, None]:
    shift = timedelta(seconds=size) * random.choice([-1, 1])
    sim.facts |= {"started_at": sim.facts["started_at"] + shift, "completed_at": sim.facts["completed_at"] + shift}
    return sim, None


def duration_includes_queueing(
    sim: SimulatedRun, random: np.random.Generator, size: float
) -> tuple[SimulatedRun, None]:
    span = (sim.written_us[-1] - sim.written_us[0]) / 1e6
    sim.facts["started_at"] -= timedelta(seconds=900.0 + size * span if size < 10.0 else size)
    return sim, None


def log_missing(sim: SimulatedRun, random: np.random.Generator, size: None) -> tuple[SimulatedRun, None]:
    sim.expected = None
    return sim.take(np.zeros(0, dtype=int)), None


_TIMED = Traits(timed=True, status=RunStatus.COMPLETED)
_EVALUATED = Traits(evaluated=True, evaluations=5)
_MANY_EVALUATIONS = Traits(evaluated=True, evaluations=16, points=(150, 1500))
_FAST = Traits(throughput=True)
_LONG = Traits(points=(60, 1500))

KINDS: tuple[Kind, ...] = (
    Kind("rows_missing", rows_missing, (1, 0.03, 0.3)),
    Kind("rows_unplaced", rows_unplaced, (1, 5, 50)),
    Kind("values_rewritten", values_rewritten, (1, 10, 100)),
    Kind("steps_backwards", steps_backwards, (1, 10, 100)),
    Kind("logging_gap", logging_gap, (2, 6, 0.3), _LONG),
    Kind("begins_late", begins_late, (2, 6, 0.3), _LONG),
    Kind("ends_early", ends_early, (0.005, 0.15, 0.5), Traits(status=RunStatus.COMPLETED)),
    Kind("stale_train_loss", stale_train_loss, (3, 10, 50)),
    Kind("stale_train_loss", each_repeated, (2, 3, 8), Traits(points=(80, 1500), decimals=(6, 16))),
    Kind("evaluations_absent", evaluations_absent, traits=_EVALUATED),
    Kind("evaluations_end_early", evaluations_end_early, (1, 0.5, 0.9), _MANY_EVALUATIONS),
    Kind("evaluation_gap", evaluation_gap, (1, 4, 0.4), _MANY_EVALUATIONS),
    Kind("stale_evaluations", stale_evaluations, (0.2, 1.0, 1.0), Traits(evaluated=True, points=(150, 1500))),
    Kind("clock_backwards", clock_backwards, (0.5, 600.0, 86_400.0), _TIMED),
    Kind("clock_pause", clock_pause, (120.0, 21_600.0, 259_200.0), _TIMED),
    Kind("nonfinite_values", nonfinite_values, (1, 5, 50), _EVALUATED),
    Kind("epochs_backwards", epochs_backwards, (0.005, 0.5, 2.0), Traits(epochs="fractional")),
    Kind("stored_best_loss", stored_best_loss, (2e-5, 0.01, 0.2), _EVALUATED),
    Kind("stored_best_step", stored_best_step, traits=_EVALUATED),
    Kind("stored_learning_rate", stored_learning_rate, (0.8, 0.1, 0.0)),
    Kind("throughput_missing", throughput_missing, traits=_FAST),
    Kind("throughput_is_steps", throughput_is_steps, (2, 16, 128), _FAST),
    Kind("current_step_differs", current_step_differs, (1, 0.15, 0.5), _LONG),
    Kind("failed_at_the_end", failed_at_the_end, traits=Traits(status=RunStatus.COMPLETED)),
    Kind("silent_while_running", silent_while_running, (300.0, 7_200.0, 432_000.0), Traits(status=RunStatus.RUNNING)),
    Kind("end_not_recorded", end_not_recorded, traits=_TIMED),
    Kind("ends_before_start", ends_before_start, (1.0, 3_600.0, 259_200.0), _TIMED),
    Kind("rows_outside_run", rows_outside_run, (600.0, 7_200.0, 43_200.0), _TIMED),
    Kind("duration_includes_queueing", duration_includes_queueing, (120.0, 0.2, 5.0), _TIMED),
    Kind("log_missing", log_missing, traits=Traits(status=RunStatus.COMPLETED)),
)
