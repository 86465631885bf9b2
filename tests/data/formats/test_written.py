"""Numbers as programs write them into cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.tables.written import BLANKS, are_numbers, number_of

CELLS = st.one_of(
    st.sampled_from([*BLANKS, "1", " 2.5 ", "1e-4", "nan", "-inf", "1_000", "1,234", "0,5", "10%", "01:05", "x", "٣"]),
    st.sampled_from(["tensor(0.5)", "1" * 64, "1" * 65, " " * 64 + "1", "\u00a01", "1\n", "infinity", "0x1"]),
    st.floats().map(repr),
    st.text(max_size=4),
)


@given(st.lists(CELLS, max_size=5), st.booleans())
def test_many_are_numbers_where_each_is(cells, decimal_comma) -> None:
    assert are_numbers(cells, decimal_comma) == all(
        cell.strip() in BLANKS or number_of(cell, decimal_comma) is not None for cell in cells
    )
