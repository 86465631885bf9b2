"""Texts that look the same and are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.runs import RunSummary
from lib.core.text.labels import unique_labels
from lib.core.text.looks import apart, look

ALIKE = {
    "invisible": ("run-1", "run-1\u200b"),
    "joiner": ("run-1", "run\u200d-1"),
    "variant": ("run-1", "run-1\ufe0f"),
    "letter that is a blank": ("run-1", "run-1\u3164"),
    "grapheme joiner": ("run-1", "run\u034f-1"),
    "override": ("run-1", "\u202erun-1\u202c"),
    "another blank": ("run 1", "run\xa01"),
    "blank behind": ("run-1", "run-1 "),
    "blank before": ("run-1", " run-1"),
    "blank behind, laid out by itself": ("run-\u05d0", "\u2068run-\u05d0 \u2069"),
    "another dash": ("run-1", "run\u20111"),
    "en dash": ("run-1", "run\u20131"),
    "Cyrillic": ("data-run", "d\u0430ta-run"),
    "Cyrillic capital": ("BASE", "\u0412\u0410\u0405\u0415"),
    "Greek": ("top", "t\u03bf\u03c1"),
    "composition": ("caf\xe9", "cafe\u0301"),
    "pile": ("a\u0301\u0301", "a" + "\u0301" * 50),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=[*ALIKE])
def test_names_that_look_the_same_get_what_tells_them_apart(one, other):
    assert look(one) == look(other)
    runs = [RunSummary(run_id="x1", name=one), RunSummary(run_id="x2", name=other)]
    labels = unique_labels(runs, {"x1": {"lr": "1e-4"}, "x2": {"lr": "2e-4"}})
    assert labels["x1"].endswith(" · lr 1e-4")
    assert labels["x2"].endswith(" · lr 2e-4")


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=[*ALIKE])
def test_texts_that_look_the_same_are_written_so_that_they_do_not(one, other):
    told = apart([one, other, "tea"], [one, other, "tea"])
    assert look(told[0]) != look(told[1])
    assert told[0] == one or not one.isascii()
    assert told[2] == "tea"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Adam", "adam"), ("run-1", "run-l"), ("\u0431", "6"), ("\u5b9f\u9a13", "\u5b9f\u9a17"), ("1.10", "1.1")],
)
def test_texts_that_look_different_are_not_touched(one, other):
    assert apart([one, other], [one, other]) == (one, other)


def test_of_equal_texts_nothing_is_written_out():
    assert apart(["caf\xe9", "caf\xe9"], ["caf\xe9", "caf\xe9"]) == ("caf\xe9", "caf\xe9")
    assert apart(["a  b", "a  b"], ["a  b", "a  b"]) == ("a  b", "a  b")


def test_blanks_that_a_page_shows_as_one_are_written_out():
    assert apart(["a b", "a  b", "a\nb"], ["a b", "a  b", "a\nb"]) == ("a b", "a \\u0020b", "a\\u000ab")


@given(st.lists(st.text(st.sampled_from("ab\u0430\u200b\u0301\u3164 \n\xe1\u05d0")), min_size=2, max_size=4))
def test_no_two_different_texts_look_the_same(texts):
    shown = dict(zip(texts, apart(texts, texts), strict=True))
    assert len({look(form) for form in shown.values()}) == len(shown)
