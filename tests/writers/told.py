"""What a program is told to log, and what of it a reader has to give back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lib.data.formats.logged import LoggedRun

NAN, INF = math.nan, math.inf
FINISHED, FAILED, KILLED = "finished", "failed", "killed"

Row = tuple[int | None, dict[str, float | str]]
Points = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Session:
    """What one process logs of one run.

    Attributes:
        run: The run's name.
        rows: Step, and what is logged at it at once; texts are logged as the program logs texts. ``None`` is no step:
            the program is not told one.
        config: Hyperparameters.
        options: What only some programs know; said where they are. With ``media``, what is no number is logged too.
        end: How it ends; a program that is killed is killed by the system, and the last of its process.
        resumes: Whether it goes on with the run of this name.
    """

    run: str
    rows: list[Row]
    config: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    end: str = FINISHED
    resumes: bool = False


CONFIG = {"learning_rate": 2e-4, "lora_r": 16, "optimizer": "adamw", "run_note": "für übung"}
NESTED = {**CONFIG, "model": {"name": "tiny", "layers": 2}}

HARD: list[Row] = [
    (0, {"eval/accuracy": 0.0, "eval/loss": 3.5}),
    *((step, {"train/loss": 3 - math.sqrt(step) / 7, "train/lr": 1e-4 / step}) for step in range(1, 41)),
    (40, {"eval/accuracy": 1 / 3, "eval/loss": 2.25}),
    (41, {"train/loss": NAN, "train/lr": 1e-7}),
    (42, {"train/loss": INF, "train/lr": 0.0}),
    (43, {"train/loss": -INF, "train/lr": -0.0}),
    (44, {"train/loss": 5, "a/b/c/d": 1.5, "übung/Genauigkeit": 0.25, "損失": 1e-30}),
    (45, {"train/loss": 0.1, "a/b/c/d": NAN, "übung/Genauigkeit": 0.75, "損失": -1e30, "note": "halfway: 50 %"}),
    # A count of tokens, as whole numbers that no double or no int64 holds.
    (46, {"tokens": 2**53 + 1}),
    (47, {"tokens": 2**62}),
    (48, {"tokens": 10**30}),
    (1_000_000_000, {"train/loss": 0.0625}),
]
"""What goes wrong: zeros, what is not finite, gaps, names in other scripts, whole numbers, far steps, a text."""

AGAIN: list[Row] = [
    *((step, {"train/loss": 4 / (1 + step)}) for step in range(10)),
    (9, {"train/loss": 0.5, "eval/loss": 0.625}),
    (9, {"train/loss": 0.375}),
    *((step, {"train/loss": 4 / (1 + step)}) for step in range(10, 20)),
]
"""A step that is logged more than once."""


def training(first: int, last: int, scale: float = 1.0) -> list[Row]:
    """Steps of a training, with an evaluation at every tenth."""
    return [
        (
            step,
            {"train/loss": scale * 3 / math.sqrt(step), **({"eval/loss": scale * 4 / step} if step % 10 == 0 else {})},
        )
        for step in range(first, last + 1)
    ]


def _many(count: int) -> list[Row]:
    """Many steps, of which no two values are alike."""
    values = np.random.default_rng(7).normal(size=(count, 2)).tolist()
    return [(step, {"train/loss": loss, "train/grad_norm": norm}) for step, (loss, norm) in enumerate(values, 1)]


FIRST, SECOND = training(1, 30), training(25, 45, 0.5)
"""A training, and the process that goes on from its checkpoint at step 24."""
MANY = _many(20_000)
LONG = training(1, 2_000)


def sessions_of(config: Mapping[str, Any]) -> list[Session]:
    """What every program logs into one place, the hard run with this configuration; the last is killed."""
    return [
        Session("hard", HARD, config),
        Session("again", AGAIN),
        Session("resumed", FIRST),
        Session("resumed", SECOND, resumes=True),
        Session("failed", training(1, 20), end=FAILED),
        Session("many", MANY),
        Session("killed", LONG, end=KILLED),
    ]


def points(rows: Iterable[Row]) -> Points:
    """The points of each metric, in the order in which they were logged; rows without a step are counted from 0."""
    found: Points = {}
    for place, (given, values) in enumerate(rows):
        step = place if given is None else given
        for name, value in values.items():
            if not isinstance(value, str):
                found.setdefault(name, []).append((step, float(value)))
    return found


def replaced(earlier: Points, later: Points) -> Points:
    """The points of a run where steps that a later process has anew are the later's."""
    found = {}
    for name in earlier | later:
        anew = {step for step, _ in later.get(name, [])}
        found[name] = [point for point in earlier.get(name, []) if point[0] not in anew] + later.get(name, [])
    return found


def assert_begins(run: LoggedRun, expected: Points, of: type[np.floating] = np.float64) -> None:
    """A run has the first of these points, and at least one of each metric: what was written when it was killed."""
    assert sorted(run.series) == sorted(expected)
    assert_has(run, {name: expected[name][: len(series.step)] for name, series in run.series.items()}, of)


def assert_has(run: LoggedRun, expected: Points, of: type[np.floating] = np.float64) -> None:
    """A run has just these points, in this order; values are compared as what the format keeps of them."""
    assert sorted(run.series) == sorted(expected)
    for name, wanted in expected.items():
        series = run.series[name]
        steps, values = (np.array(column) for column in zip(*wanted, strict=True))
        assert series.step.tolist() == steps.tolist(), name
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(series.value.astype(of), values.astype(of), err_msg=name)
