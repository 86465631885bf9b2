from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.foreign import END_OF_ISOLATE, ISOLATE, closed, isolated, without_controls
from lib.core.facts.runs import RunSummary
from lib.core.text.formatting import shorten, shorten_middle
from lib.core.text.labels import short_labels, unique_labels

HEBREW = "\u05e8\u05d9\u05e6\u05d4"
ANY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from([ISOLATE, END_OF_ISOLATE, "\u202e", "\u05d0"]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("run-1", "run-1"),
        ("\u202eright-to-left", "right-to-left"),
        ("a\u200bb\ufeffc\u2066d", "abcd"),
        ("line one\nline two\x07", "line one line two"),
        ("\u5b9f\u9a13 \u4e94", "\u5b9f\u9a13 \u4e94"),
        (HEBREW, ISOLATE + HEBREW + END_OF_ISOLATE),
        (END_OF_ISOLATE + HEBREW, ISOLATE + HEBREW + END_OF_ISOLATE),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
    ],
)
def test_foreign_text_cannot_turn_around_what_stands_beside_it(name, shown):
    assert isolated(name) == shown
    assert unique_labels([RunSummary(run_id="1", name=name)])["1"] == shown


@given(ANY, st.integers(8, 20), st.integers(1, 6))
def test_a_piece_of_isolated_text_is_isolated(text, limit, tail):
    whole = f"{isolated(text)} · lr 2e-4"
    for piece in (shorten(whole, limit), shorten_middle(whole, limit, tail), whole):
        assert closed(piece) == piece
        assert len(piece) <= max(limit, len(whole) if piece is whole else 0)
    assert not {c for c in whole if unicodedata.category(c) in ("Cc", "Cf")} - {
        *"\u200c\u200d",
        ISOLATE,
        END_OF_ISOLATE,
    }


@given(ANY)
def test_what_is_clean_stays(text):
    assert isolated(isolated(text)) == isolated(text)
    assert without_controls(without_controls(text)) == without_controls(text)


def test_runs_of_one_name_from_right_to_left_keep_what_tells_them_apart():
    runs = [RunSummary(run_id=str(n), name=HEBREW * 6) for n in (1, 2)]
    labels = unique_labels(runs, {"1": {"lr": "1e-4"}, "2": {"lr": "2e-4"}})
    assert labels["1"].endswith(f"{END_OF_ISOLATE} · lr 1e-4")
    for label in short_labels(labels, 18).values():
        assert closed(label) == label
        assert label.endswith("e-4")
