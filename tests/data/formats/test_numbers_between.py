from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.arrow_arrays import numbers_between

TEXTS = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["-0", "1e400", "-1e400", "1.", ".5", "1e-400"]),
)


def placed(parts: list[tuple[str, str]]) -> tuple[bytes, np.ndarray, np.ndarray]:
    data, begin, end = "", [], []
    for before, number in parts:
        begin.append(len(data) + len(before))
        data += before + number
        end.append(len(data))
    return data.encode(), np.array(begin, dtype=np.int64), np.array(end, dtype=np.int64)


@given(st.lists(st.tuples(st.sampled_from(["", " ", "loss=", "x" * 40]), TEXTS), max_size=20))
def test_numbers_are_what_python_reads(parts) -> None:
    found = numbers_between(*placed(parts))
    assert found is not None
    assert found.tobytes() == np.array([float(number) for _, number in parts]).tobytes()


@given(st.lists(st.tuples(st.just(" "), TEXTS), max_size=5), st.sampled_from(["x", "", "1_0", "1e"]))
def test_what_is_no_number_is_said_whatever_stands_beside_it(parts, odd) -> None:
    assert numbers_between(*placed([*parts, (" ", odd), (" ", "5")])) is None
