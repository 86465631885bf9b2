from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.stores.text_values import value_of


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0.001", 0.001),
        ("5e-5", 5e-5),
        ("1E+2", 100.0),
        ("-3", -3),
        ("10", 10),
        ("True", True),
        ("false", False),
        ("None", None),
        ("[0.9, 0.95]", [0.9, 0.95]),
        ("(0.9, 0.999)", [0.9, 0.999]),
        ("(1,)", [1]),
        ("['q_proj', \"v's\"]", ["q_proj", "v's"]),
        ("{'r': 8, 'bias': None, 'fast': True}", {"r": 8, "bias": None, "fast": True}),
        # Texts, though they look like something else.
        ("", ""),
        ("adamw", "adamw"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("12e4567", "12e4567"),
        ("0x10", "0x10"),
        ("1.2.3", "1.2.3"),
        ("12345678901234567890123", 1.2345678901234568e22),
        ("[broken", "[broken"),
        ("[1, 2", "[1, 2"),
        ("<function f at 0x7f>", "<function f at 0x7f>"),
        ("[" * 9_000 + "]" * 9_000, "[" * 9_000 + "]" * 9_000),
        ("__import__('os')", "__import__('os')"),
    ],
)
def test_a_text_is_what_was_meant(text, meant) -> None:
    found = value_of(text)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize("key", ["torch_version", "git.commit", "model/name", "run_id", "Version"])
def test_a_name_of_digits_stays_text(key) -> None:
    assert value_of("1.10", key) == "1.10"
    assert value_of("1.10", "lr") == 1.1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text("ab'\"\\, ]", max_size=6), st.lists
    )
)
def test_lists_that_python_prints_are_read_back(value) -> None:
    if isinstance(value, list):
        assert value_of(str(value)) == value


@given(st.text())
def test_no_text_is_too_odd(text) -> None:
    value_of(text, text)
    value_of(f"[{text}]")
    value_of(f"{{{text}}}")
