"""Random series with one planted extreme each, and whether it is in what the browser gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bench.run_files import BEGAN_US, run_id, run_table
from lib.charts.datasets import chart_data
from lib.charts.drawn import Curve, View
from lib.core.curves.axes import Axis, place
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import RunSummary

METRICS = ("train_loss", "learning_rate", "grad_norm", "tokens_per_second", "gpu_memory_allocated_gb")
"""Each run has five series: metrics that are reduced (evaluations never are)."""

AXES = (Axis.STEP, Axis.EPOCH, Axis.HOURS)
WIDTHS = (3, 50, 90, 120, 400)
"""Buckets: those of the app's charts, and narrower and wider ones."""
SMOOTHINGS = (0.0, 0.9)


@dataclass(frozen=True, slots=True)
class PlantedRun:
    """A run, and the step and the value of each series' extreme."""

    run_id: str
    table: pa.Table
    extremes: dict[str, tuple[int, float]]


def planted_runs(count: int, longest: int, seed: int = 0) -> Iterator[PlantedRun]:
    """So many runs of five series each, of 5 to ``longest`` rows."""
    for number in range(count):
        random = np.random.default_rng((seed, number))
        rows = int(np.exp(random.uniform(np.log(5.0), np.log(longest))))
        step = np.cumsum(random.integers(1, random.choice([2, 3, 20]), rows)) - 1
        # Some epochs repeat, since they are rounded; some clocks go back.
        epoch = (3.0 * (step + 1) / (step[-1] + 1)).round(int(random.choice([1, 3, 12])))
        seconds = np.cumsum(random.exponential(1.0, rows)) + (random.random(rows) < 0.01) * random.choice([0.0, -300.0])
        values, extremes = {}, {}
        for metric in METRICS:
            values[metric], at = _series(random, rows)
            extremes[metric] = int(step[at]), float(values[metric][at])
        table = run_table(number, step, epoch, BEGAN_US + (1e6 * seconds).astype("int64"), values)
        yield PlantedRun(run_id(number), table, extremes)


def _series(random: np.random.Generator, rows: int) -> tuple[np.ma.MaskedArray, int]:
    """Values with nulls, NaN and infinities among them, and where the extreme is."""
    kind = random.integers(5)
    noise = random.normal(0.0, 1.0, rows)
    if kind == 0:
        values = np.full(rows, 2.5)
    elif kind == 1:
        values = np.cumsum(noise)
    elif kind == 2:
        values = noise.round()
    elif kind == 3:
        values = np.where(np.arange(rows) < rows // 2, noise, 1.25)
    else:
        values = 2.0 * np.exp(-3.0 * np.arange(rows) / rows) + 0.05 * noise
    at = int(random.choice([0, rows - 1, *random.integers(0, rows, 8)]))
    height = random.choice([1e-9, 0.1, 10.0, 1e6])
    extreme = values.max() + height if random.random() < 0.5 else values.min() - height
    odd = random.random(rows) < random.choice([0.0, 0.02, 0.5])
    values[odd] = random.choice([np.nan, np.nan, np.inf, -np.inf], rows)[odd]
    values[at] = extreme
    null = random.random(rows) < random.choice([0.0, 0.1, 0.5])
    null[at] = False
    return np.ma.masked_array(values, null), at


def lost(curves: RunCurves | None, run: PlantedRun, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Name the series whose extreme the browser does not get, in some width, axis or smoothing."""
    if curves is None:
        return [f"{run.run_id}: no curves"]
    missing = []
    for axis in AXES:
        placing = place(curves, axis, RunSummary(run_id=run.run_id, name="planted"))
        held = {metric: curves.get(metric) for metric in METRICS}
        at = {metric: int(np.searchsorted(held[metric].step, run.extremes[metric][0])) for metric in METRICS}
        placed = {metric: placing(curve) for metric, curve in held.items()}
        drawn = [Curve(metric, 0, placed[metric], held[metric].value, ".3g") for metric in METRICS]
        for width in widths:
            for smoothing in SMOOTHINGS:
                shown = chart_data(drawn, View("x", smoothing=smoothing, buckets=width, hover_positions=2))
                lines = {name: shown.tables["lines"][name].to_numpy() for name in ("x", "y", "curve", "faint")}
                for number, metric in enumerate(METRICS):
                    raw = (lines["curve"] == number) & (lines["faint"] == (smoothing > 0))
                    there = raw & (lines["y"] == run.extremes[metric][1])
                    found = at[metric] < len(held[metric]) and lines["x"][there] == placed[metric][at[metric]]
                    if not np.any(found):
                        missing.append(f"{run.run_id} {metric}: {axis}, {width} buckets, smoothing {smoothing}")
    return missing
