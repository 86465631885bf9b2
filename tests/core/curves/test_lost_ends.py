"""Where a training ended before its log did: losses that are no numbers to the end, and a model that stands still."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lib.core.curves.lost_ends import lost_from, of_trained, still_from
from lib.core.curves.metric_curves import MetricCurve, RunCurves, complete_curve

NAN, INF = math.nan, math.inf
TRAIN = {step: 2.0 - step / 100 for step in range(1, 21)}
EVALS = {5: 1.9, 10: 1.8, 15: 1.7, 20: 1.6}


def curve(points: dict[int, float]) -> MetricCurve:
    nothing = np.full(len(points), NAN)
    return complete_curve(np.array([*points], np.int64), np.array([*points.values()], np.float64), nothing, nothing)


def curves(train: dict[int, float], evals: dict[int, float]) -> RunCurves:
    return RunCurves("a", {"train_loss": curve(train), "eval_loss": curve(evals)})


def since(first: int, value: float, of: dict[int, float]) -> dict[int, float]:
    return {step: value if step >= first else known for step, known in of.items()}


@pytest.mark.parametrize(
    ("train", "evals", "expected"),
    [
        # What died.
        (since(12, NAN, TRAIN), since(12, NAN, EVALS), 12),
        (since(12, INF, TRAIN), since(12, -INF, EVALS), 12),
        (since(12, NAN, TRAIN), {5: 1.9, 10: 1.8}, 12),
        (since(12, NAN, TRAIN), since(12, 10.37, EVALS), 12),
        (since(16, NAN, TRAIN), since(16, 1e25, EVALS), 16),
        # The end came just after: an evaluation says it too.
        (since(20, NAN, TRAIN), since(20, NAN, EVALS), 20),
        ({10: 1.0}, {10: 1.5, 20: NAN, 30: NAN}, 20),
        # What did not.
        (TRAIN, EVALS, None),
        (TRAIN, since(12, NAN, EVALS), None),
        (since(20, NAN, TRAIN), EVALS, None),
        (since(20, NAN, TRAIN), {5: 1.9, 10: 1.8}, None),
        ({**TRAIN, 12: NAN, 13: NAN, 14: NAN}, EVALS, None),
        # A fault of the log: the model goes on to change.
        (since(1, NAN, TRAIN), EVALS, None),
        (since(12, NAN, TRAIN), EVALS, None),
        # A table whose last rows are of a test and a summary.
        ({**TRAIN, 21: NAN, 22: NAN, 23: NAN}, {**EVALS, 21: 1.5}, None),
        ({}, {}, None),
        ({}, EVALS, None),
        ({1: NAN}, {}, None),
    ],
)
def test_a_training_died_where_no_loss_is_a_number_to_the_end(train, evals, expected) -> None:
    assert lost_from(curves(train, evals)) == expected


def test_of_a_reduced_curve_the_lost_values_are_counted() -> None:
    ended = curve({1: 2.0, 5: 1.5, 20: NAN})
    reduced = MetricCurve(*ended.columns, logged=20, lost=9)
    assert lost_from(RunCurves("a", {"train_loss": ended})) is None
    assert lost_from(RunCurves("a", {"train_loss": reduced})) == 20


@pytest.mark.parametrize(
    ("train", "evals", "expected"),
    [
        (since(12, 0.0, TRAIN), since(12, 1.7, EVALS), 12),
        (since(12, 0.0, TRAIN), EVALS, None),
        (since(19, 0.0, TRAIN), since(12, 1.7, EVALS), None),
        (since(12, 0.0, TRAIN), {5: 1.9, 15: 1.7}, None),
        (TRAIN, since(12, 1.7, EVALS), None),
    ],
)
def test_a_model_stands_still_where_its_losses_do(train, evals, expected) -> None:
    known = curves(train, evals)
    assert still_from(known, known.get("eval_loss")) == expected


def test_a_score_that_repeats_beside_losses_that_move_is_measured_each_time() -> None:
    known, score = curves(since(12, 0.0, TRAIN), EVALS), curve({5: 0.5, 10: 0.75, 15: 1.0, 20: 1.0})
    assert still_from(known, score) is None
    assert len(of_trained(known, score)) == 4
    still = curves(since(12, 0.0, TRAIN), since(12, 1.7, EVALS))
    assert of_trained(still, score).step.tolist() == [5, 10, 15]


def test_what_was_evaluated_after_a_death_tells_nothing_of_the_noise() -> None:
    died = curves(since(12, NAN, TRAIN), since(12, 10.37, EVALS))
    assert of_trained(died, died.get("eval_loss")).step.tolist() == [5, 10]
    well = curves(TRAIN, EVALS)
    assert of_trained(well, well.get("eval_loss")) is well.get("eval_loss")
