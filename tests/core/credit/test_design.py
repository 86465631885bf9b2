"""Which factors a few runs can tell apart."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from lib.core.credit.design import (
    Unrecorded,
    credited,
    direct_pairs,
    entangled,
    factors_of,
    proposal,
    rank,
    weights,
)


def values(*rows):
    """Of rows of runs, by parameter."""
    return {f"p{at}": column for at, column in enumerate(zip(*rows, strict=True))}


def by_matrix(rows):
    """Of each binary parameter whether it is estimable, by the rank of the design matrix alone."""
    matrix = np.column_stack([np.ones(len(rows)), np.array(rows, dtype=float)])
    whole = np.linalg.matrix_rank(matrix)
    return [whole - np.linalg.matrix_rank(np.delete(matrix, 1 + at, axis=1)) == 1 for at in range(len(rows[0]))]


def is_full(rows):
    matrix = np.array(rows, dtype=float)
    varying = matrix[:, (matrix != matrix[0]).any(axis=0)]
    return np.linalg.matrix_rank(np.column_stack([np.ones(len(rows)), varying])) == 1 + varying.shape[1]


def designs(runs, factors):
    """All designs of so many runs and binary factors, but for the order of the runs and of the factors.

    The first run has 0 everywhere: which of two values is called 0 changes nothing.
    """
    columns = [(0, *rest) for rest in product((0, 1), repeat=runs - 1)]
    return [
        tuple(zip(*chosen, strict=True))
        for many in range(1, factors + 1)
        for chosen in combinations_with_replacement(columns, many)
    ]


def check(rows):
    own = values(*rows)
    factors = factors_of(own)
    found = dict(zip((factor.keys for factor in factors), credited(factors, len(rows)), strict=True))
    wanted = by_matrix(rows)
    for at, is_wanted in enumerate(wanted):
        keys = next((keys for keys in found if f"p{at}" in keys), None)
        assert (keys is not None and found[keys]) == is_wanted, rows


@pytest.mark.parametrize("runs", [2, 3, 4])
def test_what_is_credited_agrees_with_the_rank_of_the_design_matrix(runs):
    for rows in designs(runs, 6):
        check(rows)


def test_and_so_do_designs_of_five_runs():
    every = designs(5, 6)
    for rows in every[:: 1 + len(every) // 1500]:
        check(rows)


def raises(rows):
    own = values(*rows)
    found = proposal(own, range(len(rows)))
    if found is None:
        assert is_full(rows), rows
        return
    run = list(rows[found.run])
    run[int(found.key[1:])] = own[found.key][found.like]
    before, after = (np.column_stack([np.ones(len(each)), np.array(each, float)]) for each in (rows, (*rows, run)))
    assert np.linalg.matrix_rank(after) == np.linalg.matrix_rank(before) + 1, rows
    more = set(found.credited)
    assert more <= {f"p{at}" for at, is_so in enumerate(by_matrix((*rows, tuple(run)))) if is_so}, rows
    assert not more & {f"p{at}" for at, is_so in enumerate(by_matrix(rows)) if is_so}


@pytest.mark.parametrize(("runs", "factors"), [(2, 6), (3, 5), (4, 4), (5, 3)])
def test_the_proposed_run_always_raises_the_rank(runs, factors):
    every = designs(runs, factors)
    for rows in every[:: 1 + len(every) // 150]:
        raises(rows)


def test_what_changes_together_is_one_factor():
    factors = factors_of({"lr": (1, 2, 2), "r": (8, 16, 16), "alpha": (16, 32, 32), "seed": (1, 1, 1), "bs": (4, 4, 8)})
    assert [each.keys for each in factors] == [("lr", "r", "alpha"), ("bs",)]
    assert credited(factors, 3) == (False, True)
    assert entangled(factors, 3) == ((), ())


def test_a_sum_of_two_is_entangled_with_both():
    factors = factors_of(values((0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 1, 0), (0, 0, 0, 1)))
    assert credited(factors, 4) == (False, False, False, True)
    assert entangled(factors, 4) == ((1, 2), (0, 2), (0, 1), ())


def test_the_opposite_of_another_is_the_same_factor():
    assert [each.keys for each in factors_of(values((0, 1), (1, 0)))] == [("p0", "p1")]


def test_repeats_add_nothing_to_what_is_known():
    once, twice = values((0, 0), (1, 0), (1, 1)), values((0, 0), (0, 0), (1, 0), (1, 0), (1, 1))
    assert rank(factors_of(once), 3) == rank(factors_of(twice), 5) == 3


def test_three_values_of_one_parameter_are_credited_where_nothing_else_changes():
    factors = factors_of({"lr": (1, 2, 3)})
    assert credited(factors, 3) == (True,)
    assert direct_pairs(factors, 0, 3) == ((0, 1), (0, 2), (1, 2))


def test_a_value_that_is_not_recorded_may_be_any():
    factors = factors_of({"lr": (1, 2, 2), "dropout": (0.1, 0.1, Unrecorded(2))})
    assert credited(factors, 3) == (True, True)
    assert direct_pairs(factors, 0, 3) == ((0, 1),)
    assert direct_pairs(factors, 1, 3) == ()
    both = factors_of({"lr": (1, 2), "dropout": (0.1, Unrecorded(1))})
    assert credited(both, 2) == (False, False)


def test_nothing_is_proposed_where_only_what_is_not_recorded_stands_in_the_way():
    assert proposal({"dropout": (0.1, Unrecorded(1))}, (0, 1)) is None


def test_a_part_of_a_difference_is_a_sum_of_values():
    factors = factors_of(values((0, 0), (1, 0), (1, 1)))
    assert weights(factors, 0, 0, 1, 3) == pytest.approx([-1, 1, 0])
    assert weights(factors, 1, 0, 2, 3) == pytest.approx([0, -1, 1])


def test_of_four_runs_a_part_is_the_mean_of_both_pairs():
    factors = factors_of(values((0, 0), (1, 0), (0, 1), (1, 1)))
    assert weights(factors, 0, 0, 1, 4) == pytest.approx([-0.5, 0.5, -0.5, 0.5])


def test_the_first_preferred_run_is_trained_again():
    found = proposal({"lr": (1, 2), "r": (8, 16)}, (1, 0))
    assert (found.run, found.key, found.like) == (1, "lr", 0)
    assert found.credited == ("lr", "r")
