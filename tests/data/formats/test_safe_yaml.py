from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats import safe_yaml
from lib.data.formats.files import NotReadable
from lib.data.formats.safe_yaml import load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: 1\na: 2", {"a": 2}),
        ("lr: 1e-4\nb: 1.0e-05\nc: 2E5\nd: .5", {"lr": 1e-4, "b": 1e-5, "c": 2e5, "d": 0.5}),
        ("a: '1e-4'\nb: \"3\"", {"a": "1e-4", "b": "3"}),
        ("commit: 12e4567", {"commit": "12e4567"}),
        ("a: 0x10\nb: 1_000\nc: -7\nd: 010", {"a": 16, "b": 1000, "c": -7, "d": 8}),
        ("a: yes\nb: off\nc: ~\nd: null\ne:", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("when: 2026-01-02\nat: 2026-01-02 03:04:05\nratio: 16:9", None),
        ("1: a\ntrue: b\n? [1, 2]\n: c", {"1": "a", "true": "b", "1, 2": "c"}),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
        ("b:\n  <<: [{k: 1}, {k: 2, l: 3}]", {"b": {"k": 1, "l": 3}}),
        ("'<<': 1", {"<<": 1}),
        ("a: !!python/tuple [1, 2]", {"a": [1, 2]}),
        ("a: !!python/object:os.thing {x: 1}", {"a": {"x": 1}}),
        ("a: !!python/object/apply:os.system ['echo hi']", {"a": ["echo hi"]}),
        ("a: !!python/name:torch.float16 ''", {"a": "torch.float16"}),
        ("a: !mine text", {"a": "text"}),
        ("a: !!int x\nb: !!float 3\nc: !!str 3", {"a": "x", "b": 3.0, "c": "3"}),
        ("a: 1\n---\nb: 2", {"a": 1}),
    ],
)
def test_values(text, value) -> None:
    if value is None and text:
        value = dict(line.split(": ") for line in text.splitlines())
    assert load_yaml(text.encode()) == value


def test_numbers_that_are_not_finite() -> None:
    found = load_yaml(b"a: .nan\nb: -.inf\nc: .Inf")
    assert math.isnan(found["a"])
    assert (found["b"], found["c"]) == (-math.inf, math.inf)


def test_an_integer_of_thousands_of_digits_stays_text() -> None:
    digits = "9" * 5000
    assert load_yaml(f"a: {digits}\nb: 0x{'f' * 5000}".encode()) == {"a": digits, "b": "0x" + "f" * 5000}


BOMB = "a0: &a0 [x, x]\n" + "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9))
MERGES = "a: &a {" + ", ".join(f"k{n}: 1" for n in range(5000)) + "}\n" + "b: {<<: [" + ", ".join(["*a"] * 5000) + "]}"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"a: [1", "mistake in line"),
        (b"\x00\x01", "mistake"),
        (b"\xff\xfe\xfd", "Expected YAML"),
        (b"a: &a [*a]", "alias"),
        (b"a: *b", "alias"),
        (BOMB.encode(), "values"),
        (MERGES.encode(), "values"),
        (b"- " * 5000, "levels"),
        (b"[" * 5000, "Expected YAML|levels"),
        (b"#" * (safe_yaml.MOST_BYTES + 1), "MB"),
    ],
)
def test_what_is_refused_has_a_sentence(content, part) -> None:
    with pytest.raises(NotReadable, match=part):
        load_yaml(content)


@given(st.binary(max_size=200) | st.text("ab:-[]{}&*<!|>'\"\n #,1.e?%", max_size=60).map(str.encode))
def test_whatever_it_is_it_is_read_or_refused(content) -> None:
    with contextlib.suppress(NotReadable):
        load_yaml(content)
