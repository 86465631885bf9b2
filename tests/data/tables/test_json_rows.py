"""Rows of an answer are the same whichever way they are read, and no number loses a digit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.sizes import Cut
from lib.data.tables.json_rows import _DECODER, _plain, rows_of_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=9), VALUES, max_size=5), st.booleans())
def test_what_is_read_quickly_is_read_alike(row, escaped):
    body = json.dumps([row], ensure_ascii=escaped).encode("utf-8", "replace")
    quick = _plain(body)
    if quick is not None:
        assert repr(quick) == repr(_DECODER.decode(body.decode()))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("340282366920938463463374607431768211455", 2**128 - 1),
        ("-99999999999999999999", -99999999999999999999),
        ("18446744073709551615", 2**64 - 1),
        ("9007199254740993", 2**53 + 1),
        ("0.1", 0.1),
        ('"a\tb"', "a\tb"),
        ("NaN", None),
    ],
)
def test_no_number_loses_a_digit(written, read):
    row: Any = rows_of_json(f'[{{"seed": {written}}}]'.encode())[0]
    assert row["seed"] == read or (read is None and row["seed"] != row["seed"])
    assert type(row["seed"]) is type(read) or read is None


def test_a_number_beyond_all_is_cut():
    row: Any = rows_of_json(b'[{"rate": 1e400}]')[0]
    assert isinstance(row["rate"], Cut)
