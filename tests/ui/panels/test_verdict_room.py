"""What fits into the verdict panel: names in its headline, and the lines of its answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.glance.glance import Badge, Glance, Level, Line
from lib.core.glance.rows import Ranking
from lib.core.text.looks import look
from lib.core.verdict.overview import HeadlineKind
from lib.ui.panels import verdict_room as room
from lib.ui.panels.verdict_room import headline_names, lines_of

LONG = ("customer-support-assistant-of-the-second-generation-" * 5)[:220]


def labels_of(*names: str) -> dict[str, str]:
    return {str(place): name for place, name in enumerate(names)}


def glance(names, *texts: tuple[str, str], because: str = "") -> Glance:
    lines = tuple(Line(title, (text,)) for title, text in texts)
    badge = Badge(Level.WARN, "Likely", because)
    return Glance(HeadlineKind.WINNER, "Ship", tuple(names), "checkpoint-100", badge, lines, Ranking("", (), ""))


def test_a_name_that_fits_stays_and_one_that_does_not_loses_what_all_share():
    short = labels_of("8 3e-5", "8 4e-5")
    assert headline_names("Ship", ["0"], short) == short
    # 42 characters in bold of 24 px take two lines.
    told = headline_names("Ship", ["0"], labels_of("mistral-7b-instruct-lora-r16-warmup-cosine", "mistral-7b-x"))
    assert told["0"] == "…instruct-lora-r16-warmup-cosine"


def test_what_all_names_end_with_goes_too_so_that_what_differs_stays():
    names = [f"mistral-7b-instruct-lora-r{rank}-warmup-cosine" for rank in (16, 32, 48)]
    assert [*headline_names("Ship any of", "012", labels_of(*names)).values()] == ["…r16…", "…r32…", "…r48…"]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("ends", [False, True])
def test_names_of_230_characters_take_their_lines_and_stay_unlike(count, ends):
    names = [f"{LONG}-seed-{at}" if ends else f"{at}-{LONG}" for at in range(5)]
    run_ids = [str(at) for at in range(count)]
    verb = "Ship" if count == 1 else "Ship any of"
    told = headline_names(verb, run_ids, labels_of(*names))
    shown = [told[run_id] for run_id in run_ids]
    assert len({look(each) for each in told.values()}) == 5
    assert room._headline_lines(verb, shown) <= (1 if count == 1 else room.HEADLINE_LINES)


def test_answers_keep_their_lines_where_these_fit_and_the_last_give_way_where_not():
    short = glance("0", ("Why", "Lowest eval loss."), ("Against", "None found."))
    assert lines_of(short, {"0": "a"}) == (1, 1)
    words = "evaluation " * 12
    much = glance("0", ("Why", words), ("Against", words), ("Checkpoint", words))
    assert room.text_lines(words) == 3
    assert lines_of(much, {"0": "a"}) == (3, 1, 1)
    higher = lines_of(glance("0", *[(line.title, words) for line in much.lines], because=words), {"0": "a"})
    assert higher == (2, 1, 1)


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=4),
    st.integers(1, 5),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40),
)
def test_whatever_is_said_the_texts_are_no_higher_than_their_room(lengths, count, because):
    titles = "Why", "To decide", "Against", "Checkpoint"
    texts = [(title, "word " * length) for title, length in zip(titles, lengths, strict=False)]
    run_ids = [str(place) for place in range(count)]
    names = headline_names("Ship", run_ids, labels_of(*[f"{LONG}-{at}" for at in range(5)]))
    found = lines_of(glance(run_ids, *texts, because=because), names)
    headline = room._headline_lines("Ship", [names[run_id] for run_id in run_ids])
    sure = room.HEADLINE_PX * headline + room.SURE_PX + room.ABOVE_PX
    high = sure + sum(found) * room.LINE_PX + room.GAP_PX * (len(texts) - 1)
    assert high <= room.HEIGHT_PX or set(found) == {1}
