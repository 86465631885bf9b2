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
    joined = join([series(*part) for part in parts])
    found = list(zip(joined.series.step.tolist(), joined.series.value.tolist(), strict=True))
    assert (found, joined.replaced, joined.voided) == (expected, replaced, voided)
    for column in (joined.series.at, joined.series.epoch):
        assert column is None or len(column) == len(found)
