from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.config.tree import decode, encode, leaves

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
keys = st.text(max_size=5) | st.sampled_from(["a.b", "[0]", "a[0]", "\\", ".", "", "a\\.b", "0"])
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
trees = st.dictionaries(keys, nested, max_size=5)


def flatten(tree):
    """The leaves by the text of their path."""
    return {encode(path): value for path, value, _ in leaves(tree)}


@given(trees)
@settings(deadline=None)
def test_no_two_leaves_share_the_text_of_their_path(tree):
    assert len(flatten(tree)) == len(list(leaves(tree)))


@given(st.lists(keys | st.integers(0, 20), max_size=5), keys)
@settings(deadline=None)
def test_the_text_of_a_path_can_be_read_back(rest, first):
    assert decode(encode((first, *rest))) == (first, *rest)


def test_a_dot_in_a_key_is_not_nesting():
    flat = flatten({"a.b": 1, "a": {"b": 2}})
    assert sorted(flat.values()) == [1, 2]


@pytest.mark.parametrize("key", ["a]b[", "a[x]", "a[0", "a\\"])
def test_what_is_no_path_is_refused(key):
    with pytest.raises(ValueError, match="Expected a path"):
        decode(key)


def test_lists_of_scalars_and_empty_containers_are_values():
    assert flatten({"a": [1, None, "x"], "b": {}, "c": [], "d": [{"e": []}]}) == {
        "a": (1, None, "x"),
        "b": {},
        "c": (),
        "d[0].e": (),
    }


def test_an_empty_tree_has_no_leaves():
    assert flatten({}) == {}


def test_depth_is_not_limited():
    tree: dict = {"end": 1}
    for _ in range(5_000):
        tree = {"down": tree}
    ((path, value, _),) = leaves(tree)
    assert (len(path), value) == (5_001, 1)


def test_numpy_values_become_python_values():
    flat = flatten({"a": np.float64(0.5), "b": np.array([1, 2]), "c": [np.int64(3)]})
    assert flat == {"a": 0.5, "b": (1, 2), "c": (3,)}
    assert type(flat["a"]) is float
    assert type(flat["c"][0]) is int
