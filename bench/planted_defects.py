"""Defects planted into simulated runs: each function spoils a clean run and says where its defect begins.

``size`` is a count where it is at least 1 and a share below, seconds for what concerns clocks, and otherwise what
the defect is measured in.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bench.simulated_runs import SimulatedRun
from lib.core.facts.runs import RunStatus


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


def implausible_train_loss(sim: SimulatedRun, random: np.random.Generator, size: int) -> tuple[SimulatedRun, None]:
    """A trainer that adds up accumulated batches, or processes, instead of averaging them."""
    sim.facts[str(random.choice(["gradient_accumulation_steps", "num_gpus"]))] = size
    sim.values["train_loss"] *= size
    return sim, None


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
