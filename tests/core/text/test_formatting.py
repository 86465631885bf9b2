from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.text import formatting
from lib.core.text.formatting import NOT_RECORDED

NOW = datetime(2026, 11, 12, 14, 3, 20, tzinfo=UTC)
NUMBER_FORMATS = (
    formatting.loss,
    formatting.signed,
    formatting.scientific,
    formatting.figure,
    formatting.points,
    formatting.count,
    formatting.percent,
    formatting.duration,
)


@pytest.mark.parametrize("show", NUMBER_FORMATS)
def test_missing_nan_infinity_and_zero_look_different_in_every_format(show):
    shown = [show(value) for value in (None, math.nan, math.inf, -math.inf, 0.0)]
    assert shown[:4] == [NOT_RECORDED, "NaN", "∞", "-∞"]
    assert "0" in shown[4]
    assert len(set(shown)) == 5


@pytest.mark.parametrize("show", NUMBER_FORMATS)
def test_numpy_numbers_and_minus_zero_are_plain_numbers(show):
    assert show(np.float64(0.25)) == show(0.25)
    assert show(-0.0) == show(0.0)


def test_a_loss_that_is_not_zero_never_looks_like_zero():
    assert formatting.loss(4.9e-5) == "4.9e-5"
    assert formatting.loss(5.1e-5) == "0.0001"
    assert formatting.loss(-1e-5) == "-1e-5"
    assert formatting.loss(1.5e30) == "1.5e30"
    assert formatting.loss(999_999.0) == "999999.0000"


def test_a_difference_always_has_its_sign():
    assert formatting.signed(0.049) == "+0.0490"
    assert formatting.signed(-0.00001) == "-1e-5"
    assert formatting.signed(0.00001) == "+1e-5"
    assert formatting.signed(-1e-17) == formatting.signed(0) == "+0.0000"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1e-3, "1e-3"), (0.9999, "1e0"), (9.995e-5, "1e-4"), (1, "1e0"), (5e-324, "4.94e-324"), (-2e-4, "-2e-4")],
)
def test_scientific_is_short(value, shown):
    assert formatting.scientific(value) == shown


@given(st.floats(min_value=1e-300, max_value=1e300))
@settings(deadline=None)
def test_scientific_reads_back_to_three_significant_digits(value):
    assert float(formatting.scientific(value)) == pytest.approx(value, rel=0.00501)


@given(st.floats(0, 100), st.floats(0, 100))
@settings(deadline=None)
def test_numbers_shown_apart_look_different_unless_they_are_equal(first, second):
    shown = formatting.told_apart(first, second)
    assert (shown[0] != shown[1]) or abs(first - second) < 1e-8


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.2, "<1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (330, "5 min 30 s"),
        (599.7, "10 min"),
        (3599, "1 h"),
        (3600, "1 h"),
        (86_399, "1 d"),
        (100 * 86_400, "100 d"),
        (-90, "-1 min 30 s"),
    ],
)
def test_durations_carry_into_the_next_unit(seconds, shown):
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "yesterday"),
        # More than a day, and two midnights ago.
        (timedelta(hours=40), "2 days ago"),
        (timedelta(days=6), "6 days ago"),
        (timedelta(days=7), "5 Nov 2026"),
        (timedelta(days=365), "12 Nov 2025"),
        (timedelta(days=-2), "14 Nov 2026"),
    ],
)
def test_dates_are_relative_for_a_week(age, shown):
    assert formatting.relative_date(NOW - age, NOW) == shown


def test_dates_do_not_depend_on_the_time_zone_they_come_in():
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    assert formatting.exact_date(elsewhere) == "2026-11-12 14:03 UTC"
    assert formatting.relative_date(elsewhere, NOW) == "just now"
    assert formatting.day(elsewhere) == "12 Nov 2026"


def test_a_missing_date_is_said_to_be_missing():
    assert formatting.relative_date(None, NOW) == formatting.exact_date(None) == NOT_RECORDED
    assert formatting.day(None) == NOT_RECORDED


def test_large_counts_are_exact():
    assert formatting.count(2**60 + 1) == "1,152,921,504,606,846,977"


def test_percent_says_nothing_and_all_only_where_it_is_so():
    assert [formatting.percent(share) for share in (1e-9, 0.006, 0.9999, 1.04)] == ["<1%", "1%", ">99%", "104%"]


@given(st.text(), st.integers(1, 30))
@settings(deadline=None)
def test_shortened_text_keeps_the_limit_and_the_beginning(text, limit):
    short = formatting.shorten(text, limit)
    assert len(short) <= limit
    assert short == text if len(text) <= limit else text.startswith(short[:-1])


@given(st.text(min_size=1), st.integers(8, 30), st.integers(1, 28))
@settings(deadline=None)
def test_text_cut_in_the_middle_keeps_the_limit_and_both_ends(text, limit, tail):
    short = formatting.shorten_middle(text, limit, min(tail, limit - 2))
    assert len(short) <= limit
    if len(text) > limit:
        # The ellipsis is ours only at the cut; the text may hold others.
        assert any(
            text.startswith(short[:at]) and text.endswith(short[at + 1 :])
            for at, character in enumerate(short)
            if character == formatting.ELLIPSIS
        )


def test_a_letter_is_not_parted_from_its_accent_nor_an_emoji_from_its_tone():
    accented = unicodedata.normalize("NFD", "é") * 6
    assert formatting.shorten(accented, 6) == accented[:4] + "…"
    assert formatting.shorten("ab👍🏽cd", 4) == "ab…"
    assert formatting.shorten("a👩‍💻bcd", 4) == "a…"
    assert formatting.shorten_middle("abcdefgh" + accented, 8, 3) == "abcde…" + accented[-2:]


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        formatting.shorten("a", 0)
