"""What a few runs can tell apart: the columns of a linear model of their settings, and which of them are independent.

A factor is what changes together. It can be credited with a difference where its columns add their full number to the
rank of the model without it: ``rank([1, X]) - rank([1, X without it]) = levels - 1`` (estimable contrasts of a linear
model: Searle, "Linear Models", 1971, section 5.4). A level that is not recorded counts as one of its own. That makes
the model without a factor as large as it may be, so what can be credited then can be whatever the level was.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Stands for a value that a run does not state.

    Attributes:
        run: The position of the run: whatever the value is, it is that run's own.
    """

    run: int


@dataclass(frozen=True, slots=True)
class Factor:
    """Parameters that change together: no two runs differ in one and agree in another.

    Attributes:
        keys: The parameters.
        levels: Of each run, numbered in the order of the runs.
        recorded: Of each run, whether it states them.
    """

    keys: tuple[str, ...]
    levels: tuple[int, ...]
    recorded: tuple[bool, ...]

    @property
    def columns(self) -> Floats:
        """Shape (runs, levels - 1): 1 in the runs of each level but the first."""
        found: Floats = (np.array(self.levels)[:, None] == np.arange(1, max(self.levels) + 1)).astype(np.float64)
        return found


@dataclass(frozen=True, slots=True)
class Proposal:
    """A further run that would tell more apart.

    Attributes:
        run: The position of the run to train again.
        key: The parameter to change in it.
        like: The position of a run that has the value to give it.
        credited: The parameters that could be credited then and cannot now.
    """

    run: int
    key: str
    like: int
    credited: tuple[str, ...]


Values = Mapping[str, Sequence[Hashable]]
"""Of each parameter that differs, one value for each run, or ``Unrecorded``."""


def factors_of(values: Values) -> tuple[Factor, ...]:
    """Which parameters change together, in the order of the first of them."""
    together: dict[tuple[tuple[int, ...], tuple[bool, ...]], list[str]] = {}
    for key, own in values.items():
        known: dict[Hashable, int] = {}
        levels = tuple(known.setdefault(value, len(known)) for value in own)
        if len(known) > 1:
            together.setdefault((levels, tuple(not isinstance(value, Unrecorded) for value in own)), []).append(key)
    return tuple(Factor(tuple(keys), *each) for each, keys in together.items())


def rank(factors: Iterable[Factor], runs: int) -> int:
    """How many independent differences the runs show, and one for the constant."""
    return int(np.linalg.matrix_rank(_design(factors, runs), tol=_ZERO))


def credited(factors: Sequence[Factor], runs: int) -> tuple[bool, ...]:
    """Of each factor whether its part in a difference follows from the runs, if effects add up.

    One of several parameters that change together has no part of its own.
    """
    whole = rank(factors, runs)
    return tuple(
        len(factor.keys) == 1 and whole - rank(_but(factors, at), runs) == max(factor.levels)
        for at, factor in enumerate(factors)
    )


def entangled(factors: Sequence[Factor], runs: int) -> tuple[tuple[int, ...], ...]:
    """Of each factor the others that it cannot be told apart from: they depend on each other in the model.

    Columns are taken in order; each that depends on those before it ties together all that it is a sum of.
    """
    group = list(range(len(factors)))
    owners: list[int] = []
    basis = np.empty((runs, 0))
    for at, factor in enumerate(factors):
        for column in factor.columns.T:
            centred = column - column.mean()
            parts = np.linalg.lstsq(basis, centred, rcond=None)[0]
            if np.abs(centred - basis @ parts).max() > _ZERO:
                basis, owners = np.column_stack([basis, centred]), [*owners, at]
                continue
            tied = {group[at], *(group[owner] for owner, part in zip(owners, parts, strict=True) if abs(part) > _ZERO)}
            group = [min(tied) if each in tied else each for each in group]
    return tuple(
        tuple(other for other in range(len(factors)) if other != at and group[other] == group[at])
        for at in range(len(factors))
    )


def direct_pairs(factors: Sequence[Factor], at: int, runs: int) -> tuple[tuple[int, int], ...]:
    """Pairs of runs that differ in this factor and in no other; of both it is recorded."""
    own, others = factors[at], _but(factors, at)
    return tuple(
        (one, other)
        for one, other in combinations(range(runs), 2)
        if own.recorded[one]
        and own.recorded[other]
        and own.levels[one] != own.levels[other]
        and all(each.levels[one] == each.levels[other] for each in others)
    )


def weights(factors: Sequence[Factor], at: int, one: int, other: int, runs: int) -> Floats:
    """What each run's value counts in the part of a credited factor in the step from one run to another, shape (runs,).

    Their sum with the runs' values is that part, if effects add up; by least squares where the runs say it more than
    once.
    """
    parts = [factor.columns for factor in factors]
    start = 1 + sum(part.shape[1] for part in parts[:at])
    contrast = np.zeros(1 + sum(part.shape[1] for part in parts))
    contrast[start : start + parts[at].shape[1]] = parts[at][other] - parts[at][one]
    counts: Floats = contrast @ np.linalg.pinv(_design(factors, runs))
    return counts


def proposal(values: Values, preferred: Sequence[int]) -> Proposal | None:
    """The one further run that lets most parameters be credited: one of the runs, with one parameter of another.

    Of several such the first by the order of ``preferred``, then by that of the parameters. It adds to the rank of the
    model, as there is always such a run where the rank is not full: the steps from all runs to all such neighbours span
    every difference. ``None`` where it is full, or where only what is not recorded stands in the way.

    Args:
        values: Of the runs there are.
        preferred: The positions of all of them, the one first that is best trained again.
    """
    runs = len(preferred)
    # Of parameters that change together one is changed, and of the others two show that they still do.
    values = {key: values[key] for factor in factors_of(values) for key in factor.keys[:_ALIKE]}
    before, now = _own_rank(values, runs), _credited_keys(values, runs)
    best: Proposal | None = None
    for run in preferred:
        for key in [factor.keys[0] for factor in factors_of(values)]:
            own = values[key]
            for like in [at for at, value in enumerate(own) if own.index(value) == at and value != own[run]]:
                if isinstance(own[run], Unrecorded) or isinstance(own[like], Unrecorded):
                    continue
                further = {name: (*each, own[like] if name == key else each[run]) for name, each in values.items()}
                if _own_rank(further, runs + 1) <= before:
                    continue
                found = tuple(each for each in values if each in _credited_keys(further, runs + 1) - now)
                if best is None or len(found) > len(best.credited):
                    best = Proposal(run, key, like, found)
    return best


_ALIKE = 3
_ZERO = 1e-9
"""Of a design of 0 and 1 and few runs nothing that is not 0 is so small."""


def _design(factors: Iterable[Factor], runs: int) -> Floats:
    """The whole model, shape (runs, 1 + columns): a constant, then the columns of each factor."""
    return np.hstack([np.ones((runs, 1)), *(factor.columns for factor in factors)])


def _but(factors: Sequence[Factor], at: int) -> list[Factor]:
    return [*factors[:at], *factors[at + 1 :]]


def _own_rank(values: Values, runs: int) -> int:
    """The rank where each parameter has columns of its own."""
    return rank([factor for key in values for factor in factors_of({key: values[key]})], runs)


def _credited_keys(values: Values, runs: int) -> frozenset[str]:
    factors = factors_of(values)
    return frozenset(factor.keys[0] for factor, is_so in zip(factors, credited(factors, runs), strict=True) if is_so)
