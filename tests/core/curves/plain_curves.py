"""Curves of any values, and whether two are the same."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from lib.core.curves.metric_curves import (
    MetricCurve,
    complete_curve,
)

COLUMNS = ("step", "value", "epoch", "elapsed_s")


def plain(values) -> MetricCurve:
    """A curve of values at the steps 0, 7, 14 and so on."""
    values = np.array(values, "float64")
    return complete_curve(np.arange(len(values)) * 7, values, np.arange(len(values)) / 3, np.arange(len(values)) * 2.0)


def same(left: MetricCurve, right: MetricCurve) -> bool:
    return (left.logged, left.lost, left.median) == (right.logged, right.lost, right.median) and all(
        np.array_equal(getattr(left, name), getattr(right, name), equal_nan=True) for name in COLUMNS
    )


LONG = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf]), st.floats()), max_size=80
).map(plain)
