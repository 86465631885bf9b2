from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.logged import Series
from lib.data.formats.resumed import join


def series(steps, value, at=None) -> Series:
    return Series(
        np.array(steps, np.int64),
        np.full(len(steps), value),
        None,
        None if at is None else at + np.arange(len(steps), dtype=float),
    )


@pytest.mark.parametrize(
    ("parts", "expected", "replaced", "voided"),
    [
        ([], [], 0, 0),
        ([([1, 2, 2], 1.0, 0)], [(1, 1), (2, 1), (2, 1)], 0, 0),
        ([([1, 2, 3], 1.0, 0), ([3, 4], 2.0, 9)], [(1, 1), (2, 1), (3, 2), (4, 2)], 1, 0),
        ([([1, 2, 5], 1.0, 0), ([3, 4], 2.0, 9)], [(1, 1), (2, 1), (5, 1), (3, 2), (4, 2)], 0, 0),
        # Begun again from the first step.
        ([([1, 2, 3], 1.0, 0), ([1, 2], 2.0, 9)], [(1, 2), (2, 2)], 0, 3),
        # Two processes that log the same at the same time.
        ([([1, 2, 3], 1.0, 0), ([1, 2], 2.0, 1)], [(3, 1), (1, 2), (2, 2)], 2, 0),
        ([([5], 1.0, None), ([6], 2.0, 4)], [(5, 1), (6, 2)], 0, 0),
    ],
)
def test_what_holds_of_several_parts(parts, expected, replaced, voided) -> None:
    joined = join([{"loss": series(*part)} for part in parts])
    assert (points(joined, "loss"), joined.replaced, joined.voided) == (expected, replaced, voided)
    assert len(joined.notes()) == (replaced > 0) + (voided > 0)
    for each in joined.series.values():
        assert each.epoch is None
        assert each.at is None or len(each.at) == len(expected)


def points(joined, name) -> list[tuple[int, float]]:
    each = joined.series.get(name)
    return [] if each is None else list(zip(each.step.tolist(), each.value.tolist(), strict=True))


def test_a_model_that_is_evaluated_afterwards_at_step_0_takes_nothing_away() -> None:
    first = {"val": series([0, 5, 9], 1.0, 0), "loss": series([1, 2], 1.0, 0)}
    joined = join([first, {"val": series([0], 2.0, 50)}])
    assert points(joined, "val") == [(5, 1.0), (9, 1.0), (0, 2.0)]
    assert len(points(joined, "loss")) == 2


def test_a_metric_with_a_counter_of_its_own_is_no_training_anew() -> None:
    first = {"loss": series([1, 2, 3], 1.0, 0), "own": series([0, 1], 1.0, 0)}
    joined = join([first, {"loss": series([3, 4], 2.0, 50), "own": series([0, 1], 2.0, 50)}])
    assert points(joined, "loss") == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]


def test_metrics_that_the_new_training_has_not_logged_stay() -> None:
    joined = join([{"a": series([1, 2], 1.0, 0), "b": series([2], 1.0, 0)}, {"a": series([1, 2], 2.0, 50)}])
    assert (points(joined, "a"), points(joined, "b")) == ([(1, 2.0), (2, 2.0)], [(2, 1.0)])
