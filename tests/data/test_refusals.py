"""What a server asks to wait, and who on the way lets nothing through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from lib.data.refusals import LONGEST_NAMED_WAIT_S, asked_to_wait_s, refusal_of_network, too_many

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("60", 60),
        (" 0.5 ", 0.5),
        ("0", 0),
        (date(90), 90),
        (date(-90), 0),
        (date(LONGEST_NAMED_WAIT_S + 1), None),
        (str(LONGEST_NAMED_WAIT_S + 1), None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("9" * 5000, None),
        ("tomorrow", None),
        ("32 Jan 2026 00:00:00 GMT", None),
        ("GMT", None),
        ("", None),
    ],
)
def test_a_server_may_name_the_seconds_or_a_date(said, wait):
    assert asked_to_wait_s({"retry-after": said, "date": date(0)}) == wait


def test_a_date_is_looked_at_by_the_clock_of_the_server_that_names_it():
    # This machine's is years from it.
    assert asked_to_wait_s({"retry-after": date(5), "date": date(2)}) == 3
    near = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)
    assert 900 < (asked_to_wait_s({"retry-after": near}) or 0) <= 1000
    for odd in ("yesterday", date(0).replace("GMT", "-0000")):
        assert asked_to_wait_s({"retry-after": near, "date": odd}) is None
    assert "Try again in 3 s." in too_many({"retry-after": date(5), "date": date(2)}, "host").error.hint


@pytest.mark.parametrize(
    ("refusal", "left"),
    [
        (too_many({"retry-after": "16"}, "host"), ""),
        (too_many({}, "host"), ""),
        (refusal_of_network(httpx.ReadTimeout("late"), "host"), "Check the network and the url in the settings."),
        (refusal_of_network(httpx.ConnectError("refused"), "host"), "Check the network and the url in the settings."),
        (refusal_of_network(httpx.RemoteProtocolError("broke off"), "host"), ""),
    ],
)
def test_who_tries_again_by_itself_says_only_what_else_there_is_to_do(refusal, left):
    assert "ry again" in refusal.error.hint
    assert refusal.error.besides == left


def test_a_proxy_that_lets_nothing_through_is_named_and_not_the_project():
    refusal = refusal_of_network(httpx.ProxyError("407 Proxy Authentication Required"), "project.example")
    assert "the proxy that is asked for it lets nothing through" in str(refusal.error)
    assert "HTTPS_PROXY" in refusal.error.hint


@pytest.mark.parametrize(
    "reason",
    [
        "certificate has expired",
        "self-signed certificate",
        "Hostname mismatch, certificate is not valid for 'a.example'",
    ],
)
def test_a_certificate_that_does_not_hold_is_said(reason):
    error = httpx.ConnectError(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason} (_ssl.c:1006)")
    assert "could not be verified" in str(refusal_of_network(error, "project.example").error)
