"""A limit is a number wherever a number is used, and carries its reason."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from lib.core.facts.limits import Count, Limit, Limits, distinct, shown

LIMITS = [Limit(0.05, "Share", "Why."), Count(24, "Points", "Why."), Limits((0.25, 0.5), "Starts", "Why.")]


@pytest.mark.parametrize(("limit", "plain"), [*zip(LIMITS, [0.05, 24, (0.25, 0.5)], strict=True)])
def test_a_limit_reads_and_counts_like_its_number(limit, plain) -> None:
    assert limit == plain
    assert hash(limit) == hash(plain)
    assert (repr(limit), f"{limit}", json.dumps(limit)) == (repr(plain), f"{plain}", json.dumps(plain))
    assert (limit.title, limit.reason) == (limit.title, "Why.")


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda limit: pickle.loads(pickle.dumps(limit))])
def test_a_copy_keeps_the_reason(limit, again) -> None:
    copied = again(limit)
    assert (copied, type(copied), copied.title, copied.reason) == (limit, type(limit), limit.title, "Why.")


def test_arithmetic_gives_plain_numbers_and_arrays() -> None:
    share, points, _ = LIMITS
    assert type(2 * points) is int
    assert type(share * 2) is float
    assert (np.ones(3) * share).dtype == np.float64
    assert np.arange(50)[:points].shape == (24,)
    assert np.arange(48).reshape(points, -1).shape == (24, 2)
    assert f"{share:.0%} {points:,}" == "5% 24"


def test_values_are_shown_as_people_write_them() -> None:
    assert [shown(limit) for limit in (*LIMITS, Count(5_000, "", ""))] == ["0.05", "24", "0.25 / 0.5", "5,000"]


def test_each_limit_is_listed_once_and_equal_ones_are_two() -> None:
    twin = Count(24, "Others", "Another reason.")
    assert distinct([LIMITS[1], twin, LIMITS[1]]) == (LIMITS[1], twin)
