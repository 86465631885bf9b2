from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.records import short_decimals


@given(st.lists(st.floats(width=32), max_size=20))
def test_it_is_the_shortest_decimal_that_rounds_to_the_float(values) -> None:
    array = np.array(values, dtype=np.float32)
    found = short_decimals.of_float32(array)
    assert found.astype(np.float32).tobytes() == array.tobytes() or np.isnan(array).any()
    assert [repr(each) for each in found.tolist()] == [repr(float(str(each))) for each in array]


@pytest.mark.parametrize("value", [0.31, 2e-5, 1e-45, 3.4e38, -0.0, 6.103516])
def test_a_decimal_comes_back(value) -> None:
    assert short_decimals.of_float32(np.array([value], dtype=np.float32)).tolist() == [value]


@pytest.mark.parametrize("value", [0.31, 0.0001, 1000.0, 65504.0, 0.0, float("inf")])
def test_halves(value) -> None:
    half = np.array([value], dtype=np.float16).astype(np.float64)
    (found,) = short_decimals.of_float16(half).tolist()
    assert found == float(str(np.float16(value)))


@pytest.mark.parametrize("value", [0.31, 0.0002, 1.0, 3e38, -2.5])
def test_bfloat16(value) -> None:
    bits = np.array([value], dtype=np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32).astype(np.float64)
    assert short_decimals.of_bfloat16(rounded).tolist() == [value]
