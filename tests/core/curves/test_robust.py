from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.curves.robust import bend_of, densest_stretch, levels, noise_of, stretches


@given(mask=st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_densest_stretch_is_the_best_of_all_stretches(mask):
    mask = np.array(mask)
    worth = np.where(mask, 1, -1)
    first, last = densest_stretch(mask)
    best = max(worth[i : j + 1].sum() for i in range(len(mask)) for j in range(i, len(mask)))
    assert worth[first : last + 1].sum() == best


@given(mask=st.lists(st.booleans(), max_size=40))
def test_stretches_cover_just_what_is_true(mask):
    covered = np.zeros(len(mask), dtype=bool)
    for first, last in zip(*stretches(np.array(mask, dtype=bool)), strict=True):
        covered[first : last + 1] = True
    assert covered.tolist() == mask


@pytest.mark.parametrize("size", [300, 50_000])
def test_the_level_follows_a_line_and_its_deviation_is_that_of_the_noise(size):
    rng = np.random.default_rng(0)
    line = np.linspace(10.0, 5.0, size)
    level, deviation = levels(line + rng.normal(0.0, 0.1, size))
    inside = slice(size // 10, -size // 10)
    assert np.abs(level - line)[inside].max() < 0.1
    assert np.median(deviation) == pytest.approx(0.1 / 1.4826, rel=0.15)


def test_noise_is_told_from_a_slope():
    values = np.linspace(0.0, 100.0, 5000) + np.random.default_rng(0).normal(0.0, 0.5, 5000)
    assert noise_of(values) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("bend", [0, 10, 70])
def test_the_bend_of_a_bent_line_is_found(bend):
    assert bend_of(np.maximum(0.0, np.arange(100.0) - bend)) == bend
