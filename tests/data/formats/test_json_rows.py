"""Rows of JSON as columns: the same numbers as row by row."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.values import number
from lib.data.formats.json_rows import ColumnsOfRows, starts

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.sampled_from(["0.5", "NaN", "-Infinity", "1_000", "x", "", "1e3"]),
    st.lists(st.integers(), max_size=2),
)
KEYS = st.sampled_from(["loss", "step", "epoch", "a/b", "a"])
NESTED = st.recursive(VALUES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)


def one_by_one(rows, flat):
    for at, row in enumerate(rows):
        pending = [(key, value, key not in flat) for key, value in reversed(row.items())]
        while pending:
            name, value, is_deep = pending.pop()
            if isinstance(value, dict):
                if is_deep:
                    pending += [(f"{name}/{key}", inner, True) for key, inner in reversed(value.items())]
            elif (parsed := number(value)) is not None:
                yield at, name, parsed


@given(st.lists(st.lists(st.dictionaries(KEYS, NESTED, max_size=4), max_size=8), max_size=4))
def test_columns_hold_what_the_rows_do_in_their_order(parts) -> None:
    made = ColumnsOfRows(flat=("epoch",))
    for rows in parts:
        made.add(rows)
    columns = made.finish()
    expected = list(one_by_one([row for rows in parts for row in rows], ("epoch",)))
    found = zip(
        columns.row.tolist(), (columns.names[code] for code in columns.code), columns.value.tolist(), strict=True
    )
    assert [(at, name, "nan" if math.isnan(value) else value) for at, name, value in found] == [
        (at, name, "nan" if math.isnan(value) else value) for at, name, value in expected
    ]
    assert columns.rows == sum(len(rows) for rows in parts)


def test_steps_are_whole_and_bounded() -> None:
    made = ColumnsOfRows()
    made.add([{"step": value} for value in (0, 1.0, "2", 2.5, -1, 2**60, None, "x", float("nan"), 10**400)])
    assert made.finish().steps("step").tolist() == [0, 1, 2, -1, -1, -1, -1, -1, -1, -1]
    assert made.finish().steps("other").tolist() == [-1] * 10


def test_where_a_training_begins_anew() -> None:
    step = np.array([-1, 10, 20, 20, 10, 30, 25, 5, 10, -1])
    assert [places.tolist() for places in starts(step)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert starts(np.array([-1, -1])) == []
