from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.stores.json_numbers import flat, number_columns, parsed_rows

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "0.5", "text"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def columns(*objects):
    rows = parsed_rows([each if isinstance(each, bytes) else json.dumps(each).encode() for each in objects])
    return {key: (where.tolist(), values.tolist()) for key, where, values in number_columns(rows)}


def plainly(value):
    if isinstance(value, str):
        return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@given(st.lists(st.dictionaries(st.sampled_from(["loss", "lr", "a.b", "x"]), VALUES, max_size=4), max_size=8))
def test_columns_have_what_reading_row_by_row_gives(objects) -> None:
    wanted: dict = {}
    for row, each in enumerate(objects):
        for key, value in flat(each).items():
            if (number := plainly(value)) is not None:
                wanted.setdefault(key, []).append((row, number))
    found = {key: list(zip(*column, strict=True)) for key, column in columns(*objects).items()}
    assert set(found) == set(wanted)
    for key, points in found.items():
        assert [row for row, _ in points] == sorted(row for row, _ in points)
        assert set(map(repr, wanted[key])) <= set(map(repr, points))


def test_order_is_that_of_the_rows_whatever_keys_they_have() -> None:
    found = columns({"loss": 1}, {"loss": 2, "lr": 1}, {"lr": 2, "loss": "NaN"}, {"loss": 4})
    assert str(found["loss"]) == "([0, 1, 2, 3], [1.0, 2.0, nan, 4.0])"
    assert found["lr"] == ([1, 2], [1.0, 2.0])


def test_rows_that_are_no_objects_are_none_and_harm_no_other() -> None:
    rows = parsed_rows([b'{"a": 1}', b'{"a": ', b"[1]", b"", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
    assert [None if row is None else list(row) for row in rows] == [["a"], None, None, None, None, None, ["a"]]
    ((_, where, values),) = number_columns(rows)
    assert where.tolist() == [0, 6]
    assert np.isnan(values[1])


def test_pictures_texts_and_nested_objects() -> None:
    found = columns(
        {"a": {"b": 1, "c": {"d": "Infinity"}}, "t": "0.5", "flag": True, "picture": {"_type": "x", "w": 3}}
    )
    assert found == {"a.b": ([0], [1.0]), "a.c.d": ([0], [math.inf])}


def test_a_number_beyond_all_is_infinite() -> None:
    assert columns(b'{"a": 1' + b"0" * 400 + b', "b": -1' + b"0" * 400 + b"}") == {
        "a": ([0], [math.inf]),
        "b": ([0], [-math.inf]),
    }
