"""Null, zero, NaN and text that is not a number stay four different things."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.values import finite, moment, number, text, whole

NOT_NUMBERS = [None, True, False, "", "  ", "n/a", "null", "1_000", "0x10", [], {}, pd.NA, pd.NaT, object(), 10**400]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: repr(value)[:20])
def test_what_is_no_number_gives_none(value) -> None:
    assert number(value) is None
    assert finite(value) is None
    assert whole(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        ("0", 0.0),
        (" 2e-4 ", 0.0002),
        (Decimal("0.5"), 0.5),
        (np.float32(0.25), 0.25),
        (np.int64(3), 3.0),
        ("-Infinity", -math.inf),
        ("inf", math.inf),
        (math.inf, math.inf),
    ],
    ids=repr,
)
def test_numbers_and_text_that_is_one_are_read(value, expected) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("value", [math.nan, "NaN", "nan", np.float64("nan")], ids=repr)
def test_nan_stays_visible_as_a_number_but_is_not_finite(value) -> None:
    assert math.isnan(number(value))
    assert finite(value) is None
    assert whole(value) is None


@given(st.floats())
@settings(deadline=None)
def test_every_float_is_its_own_number_also_as_text(value) -> None:
    for read in (number(value), number(repr(value))):
        assert read == value or (math.isnan(read) and math.isnan(value))
    assert (finite(value) is None) == (not math.isfinite(value))


@given(st.integers(-(2**53), 2**53))
@settings(deadline=None)
def test_whole_numbers_are_whole_however_they_are_written(value) -> None:
    assert whole(value) == whole(str(value)) == whole(float(value)) == value
    assert isinstance(whole(float(value)), int)


@pytest.mark.parametrize("value", [2.5, "2.5", math.inf, -math.inf, 1e-9])
def test_what_is_not_whole_is_not_rounded(value) -> None:
    assert whole(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("", None), (" \n", None), (" a b ", "a b"), (0, "0"), (False, "False"), ("null", "null")],
)
def test_text_is_trimmed_and_only_missing_or_empty_is_none(value, expected) -> None:
    assert text(value) == expected


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        datetime(2026, 1, 1, 12),  # noqa: DTZ001 - a naive moment is what is tried
        datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))),
        pd.Timestamp(NOON),
        "2026-01-01T12:00:00Z",
        " 2026-01-01 12:00:00 ",
        "2026-01-01T07:00:00-05:00",
        NOON.timestamp(),
        int(NOON.timestamp()),
        *(int(NOON.timestamp()) * 10**digits for digits in (3, 6, 9)),
        *(str(int(NOON.timestamp()) * 10**digits) for digits in (0, 3, 6, 9)),
        f" {NOON.timestamp():.6f} ",
    ],
    ids=repr,
)
def test_every_way_to_write_a_moment_gives_the_same_one_in_utc(value) -> None:
    assert moment(value) == NOON
    assert moment(value).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "2026-13-01",
        True,
        math.nan,
        math.inf,
        1e20,
        -1e20,
        "0",
        "1999",
        "-5",
        "9" * 5000,
        pd.NaT,
        [],
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
    ids=repr,
)
def test_what_is_no_moment_gives_none(value) -> None:
    assert moment(value) is None


def test_milliseconds_are_no_date_that_python_makes_of_their_digits() -> None:
    # Python reads 1769-01-12 03:00 here.
    assert moment("1769011270300") == datetime(2026, 1, 21, 16, 1, 10, 300_000, tzinfo=UTC)
    assert moment("20260101") == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_first_second_of_the_epoch_is_a_moment() -> None:
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 2), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - bounds of hypothesis are naive
@settings(deadline=None)
def test_a_moment_survives_writing_it_as_iso_8601(value) -> None:
    assert moment(value.isoformat()) == value.astimezone(UTC)
