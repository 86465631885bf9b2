from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.config.tree import encode, leaves

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


names = st.sampled_from(["a", ".", "a.b", "[0]", "\\", "", "0"])
paths = st.builds(lambda first, rest: (first, *rest), names, st.lists(names | st.integers(0, 1), max_size=2))


@given(paths, paths)
@settings(deadline=None, max_examples=1_000)
def test_two_paths_are_never_the_same_text(one, other):
    assert (encode(one) == encode(other)) == (one == other)


def test_a_dot_in_a_key_is_not_nesting():
    flat = flatten({"a.b": 1, "a": {"b": 2}})
    assert sorted(flat.values()) == [1, 2]


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
