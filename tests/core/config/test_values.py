from __future__ import annotations

import copy
import itertools
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.config.values import MASKED, MISSING, Comparison, comparable, settled, show

DISTINCT = [
    MISSING,
    None,
    0,
    "",
    "null",
    "None",
    False,
    "false",
    True,
    "true",
    (),
    {},
    (0,),
    "not set",
    MASKED,
]


@pytest.mark.parametrize("value", [MISSING, MASKED])
def test_sentinels_stay_themselves_when_copied_or_pickled(value):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps([value], protocol))[0] is value
    assert copy.deepcopy({"a": value})["a"] is value
    assert copy.copy(value) is value
    assert repr(value) in ("MISSING", "MASKED")


@pytest.mark.parametrize("value", [None, 0, "", "null", False, (), math.nan])
def test_missing_equals_nothing_else(value):
    assert value != MISSING


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(DISTINCT, 2)))
def test_different_states_are_different_and_look_different(one, other):
    assert comparable(one) != comparable(other)
    assert show(one) != show(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2e-4", 0.0002),
        (1, 1.0),
        ("16", 16),
        (math.nan, math.nan),
        ("NaN", math.nan),
        ("-Infinity", -math.inf),
        ([1, "2"], (1.0, 2)),
        ({"b": 1, "a": 2}, {"a": "2", "b": 1.0}),
        (0.0, -0.0),
    ],
)
def test_equal_values_are_equal_whatever_their_type(one, other):
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        ("true", True),
        ("1_000", 1000),
        ([1, 2], [2, 1]),
        ("cosine", "cosine "),
        (9007199254740993, 9007199254740992),
        ("9007199254740993", 9007199254740992),
        (["down_proj"], ["down_proj:"]),
    ],
)
def test_different_values_are_different(one, other):
    assert comparable(one) != comparable(other)
    assert show(one) != show(other)


def test_a_version_is_text_and_no_number():
    assert comparable("1.10", Comparison.TEXT) != comparable("1.1", Comparison.TEXT)
    assert show("1.10", comparison=Comparison.TEXT) == "1.10"


def test_a_set_has_no_order_and_may_be_written_with_commas():
    sets = [["q", "v"], ("v", "q", "q"), "q,v", " v , q"]
    assert len({comparable(each, Comparison.SET) for each in sets}) == 1
    assert comparable(["q"], Comparison.SET) != comparable(["q", "v"], Comparison.SET)
    assert comparable(None, Comparison.SET) == comparable(None)


def test_bits_are_one_however_they_are_written():
    assert len({comparable(each, Comparison.BITS) for each in (4, "4", "4bit", "4-bit", "int4", 4.0)}) == 1
    assert comparable(8, Comparison.BITS) != comparable(4, Comparison.BITS)
    assert comparable("nf4", Comparison.BITS) != comparable(4, Comparison.BITS)
    assert comparable(True, Comparison.BITS) != comparable(1, Comparison.BITS)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0002, "2e-4"),
        ("2e-4", "2e-4"),
        (1.5e-05, "1.5e-5"),
        (3e-6, "3e-6"),
        (0.001, "0.001"),
        (0.05, "0.05"),
        (0, "0"),
        (0.0, "0"),
        (3.0, "3"),
        (-2.5e-4, "-2.5e-4"),
        (1234567, "1234567"),
        (2.5e9, "2.5e9"),
        (True, "True"),
        (None, "null"),
        ("null", '"null"'),
        (MISSING, "not set"),
        (MASKED, "•••• (set)"),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
        (["q_proj", "v_proj"], "[q_proj, v_proj]"),
        (["a, b"], '["a, b"]'),
        ("[1]", '"[1]"'),
        (math.inf, "Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_values_are_shown_compactly_and_unmistakably(value, shown):
    assert show(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.001, "1e-3"), (0.0002, "2e-4"), (1, "1e0"), (0, "0"), (0.01234, "1.234e-2")]
)
def test_learning_rates_are_shown_in_scientific_notation(value, shown):
    assert show(value, scientific=True) == shown


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
@settings(deadline=None)
def test_a_shown_number_is_the_number(value, scientific):
    assert float(show(value, scientific=scientific)) == settled(value)
    assert math.isclose(settled(value), value, rel_tol=1e-14)


def test_long_text_is_cut_and_says_so():
    shown = show("x" * 5_000)
    assert len(shown) < 400
    assert "first 300 of 5,000 characters" in shown
    assert show("x" * 5_000, limit=None) == "x" * 5_000


@pytest.mark.parametrize(
    ("computed", "meant", "shown"),
    [(0.1 + 0.2, 0.3, "0.3"), (3 * 1.1, 3.3, "3.3"), (1e-4 * 3, 3e-4, "3e-4")],
)
def test_a_rounding_error_is_neither_shown_nor_a_difference(computed, meant, shown):
    assert computed != meant
    assert show(computed, scientific=shown.endswith("e-4")) == shown
    assert comparable(computed) == comparable(meant)


@pytest.mark.parametrize("value", [1 / 3, 0.12345678901234, 12345678901234567, 2**53 + 1, 1e-300 / 3])
def test_digits_that_somebody_may_have_meant_stay(value):
    assert settled(value) == value
