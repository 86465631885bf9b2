from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.facts.errors import AppError
from lib.core.facts.foreign import (
    END_OF_ISOLATE,
    ISOLATE,
    MOST_ACCENTS,
    MOST_MARKS,
    MOST_OF_ONE,
    closed,
    isolated,
    legible,
    spelled_out,
    without_controls,
)
from lib.core.facts.query import RunQuery, Unreadable, Unused, answer
from lib.core.facts.runs import RunSummary
from lib.core.text.formatting import shorten, shorten_middle
from lib.core.text.labels import short_labels, unique_labels

FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,12}\U000e007f")
ISOLATES = (ISOLATE, END_OF_ISOLATE)
HEBREW = "\u05e8\u05d9\u05e6\u05d4"
ODD = [
    ISOLATE,
    END_OF_ISOLATE,
    *"\u202e\u05d0\u200b\u200d\ufe0f\u0301\u0301\u0338\u0e47\u3164\U0001f3f4\U000e0067\U000e007f\ufffe\ud83d",
]
ANY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(ODD))


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
    rest = FLAG.sub("", whole)
    kept = {
        *"\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd",
        *ISOLATES,
    }
    assert not {c for c in rest if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - kept


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


LEGITIMATE = {
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 run",
    "heart on fire": "\u2764\ufe0f\u200d\U0001f525",
    "skin tone": "\U0001f469\U0001f3fd\u200d\U0001f4bb",
    "keycap": "1\ufe0f\u20e3",
    "England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Chinese": "\u5ba2\u670d\u52a9\u624b-\u7b2c3\u7248",
    "Japanese variant": "\u845b\U000e0100\u57ce",
    "Thai": "\u0e19\u0e49\u0e33\u0e1b\u0e31\u0e48\u0e19",
    "Hindi half form": "\u0915\u094d\u200d\u0937",
    "Vietnamese, parted": "Tie\u0302\u0301ng Vie\u0323\u0302t",
    "Korean, parted": "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "Tibetan stack": "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f82",
    "phonetic": "\u0254\u031d\u0303\u030b",
    "Cyrillic": "\u043c\u043e\u0434\u0435\u043b\u044c \u0439",
    "private": "\ue0b0 branch",
}


@pytest.mark.parametrize("name", LEGITIMATE.values(), ids=[*LEGITIMATE])
def test_what_scripts_and_pictures_need_stays(name):
    assert isolated(name) == name
    assert spelled_out(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u0596\u05d9\u05ea",
        "\u0627\u0644\u0644\u0651\u064e\u0647\u0650 \u06dd",
    ],
    ids=["Persian", "Hebrew with points", "Arabic with marks"],
)
def test_what_scripts_from_right_to_left_need_stays_inside_the_isolate(name):
    assert isolated(name) == ISOLATE + name + END_OF_ISOLATE


@pytest.mark.parametrize(
    "mark", ["\u0301", "\u0489", "\u0e47", "\u064e", "\u20dd"], ids=["accent", "million", "Thai", "Arabic", "circle"]
)
def test_a_pile_of_marks_leaves_the_lines_above_and_below_alone(mark):
    assert isolated(f"a{mark * 200}b").count(mark) == MOST_OF_ONE
    written = f"\\u{ord(mark):04x}" * (4 - MOST_OF_ONE)
    assert spelled_out(f"a{mark * 4}b") == f"a{mark * MOST_OF_ONE}{written}b"


def test_different_marks_pile_up_no_higher():
    accents = "".join(map(chr, range(0x300, 0x315)))
    assert isolated(f"a{accents}b") == f"a{accents[:MOST_ACCENTS]}b"
    points = "".join(map(chr, range(0x5B0, 0x5BD)))
    assert isolated(f"\u05d0{points}") == f"{ISOLATE}\u05d0{points[:MOST_MARKS]}{END_OF_ISOLATE}"
    assert isolated(f"a{accents}b{accents}") == f"a{accents[:MOST_ACCENTS]}b{accents[:MOST_ACCENTS]}"


def test_a_mark_at_the_beginning_is_not_put_on_what_stands_before_the_name():
    assert isolated("\u0338run") == "\u25cc\u0338run"
    assert isolated("\u0903x")[0] == "\u25cc"


@pytest.mark.parametrize("name", ["run-1\u3164", "run-1\u2800", "run-1\uffa0", "run-1\xa0"])
def test_what_looks_like_a_blank_is_one(name):
    assert isolated(name) == "run-1 "


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\u034fb", "ab"),
        ("a\ufffeb\U0001ffffc\ufdd0", "abc"),
        ("a\ud83db", "a\ufffdb"),
        ("\U0001f3f4\U000e0067 flag", "\U0001f3f4 flag"),
        ("run\u200d-1\u200c", "run-1"),
        ("\ufe0frun\ufe0f\ufe0f", "run\ufe0f"),
    ],
)
def test_what_does_nothing_where_it_stands_goes(name, shown):
    assert isolated(name) == shown


@pytest.mark.parametrize("character", "\u200b\u034f\u3164\u2800\ufffe\u00ad\x1b\x85\u2028\U000e0041\u2068")
def test_of_a_name_that_programs_read_nothing_is_left_out(character):
    written = f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"
    assert legible(f"a{character}b") == f"a{written}b"


@given(ANY)
def test_what_is_written_out_steers_nothing(text):
    assert without_controls(spelled_out(text)) == isolated(spelled_out(text)).strip("\u2068\u2069").removeprefix(
        "\u25cc"
    )


STEERS = "x\x1b[31m\u202e\ny\x9bz"


def test_sentences_of_ours_hold_nothing_that_steers_whoever_worded_them():
    run = RunSummary(run_id="1", name="n", raw_status=STEERS, notes=(f"Left out: {STEERS}.",))
    error = AppError(f"Expected x, got {STEERS}.", hint=f"one: {STEERS}\u202e\ntwo")
    file, other = Unreadable(STEERS, STEERS), Unused(STEERS, STEERS)
    said = [run.status_text, *run.notes, str(error), file.path, file.reason, other.path, other.why]
    for text in (*said, *error.hint.split("\n")):
        assert without_controls(text) == text
    assert error.hint.endswith("\ntwo")


@pytest.mark.parametrize("typed", ["cafe\u0301", "CAF\xc9", "run-1", "ru\u200bn-1", "\uff52\uff55\uff4e"])
def test_a_run_is_found_by_what_is_seen_of_its_name(typed):
    named = {"1": "caf\xe9 ru\u200bn-1", "2": "cafe\u0301 run\u2060-1", "3": "other"}
    found = answer([RunSummary(run_id=run, name=name) for run, name in named.items()], RunQuery(search=typed))
    assert {run.run_id for run in found.runs} == {"1", "2"}
