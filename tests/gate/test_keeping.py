"""A code becomes a cookie once, soon, and in the browser that it was made for; a session belongs to one browser."""

from __future__ import annotations

import pytest

from lib.gate import sessions
from lib.gate.keeping import COOKIE, Codes, cookie
from lib.gate.sessions import Sessions, browser_of


def test_a_code_is_good_once_soon_and_for_one_browser():
    now = [0.0]
    codes = Codes(lambda: now[0])
    first, second, third, last = (codes.put(ticket, "ann's") for ticket in ("a", "b", "c", ""))
    assert len({first, second, third, last}) == 4
    assert codes.take(first, "ann's") == "a"
    assert codes.take(first, "ann's") is None
    assert codes.take(second, "eve's") is None
    assert codes.take(second, "ann's") is None, "nor is it good afterwards"
    assert codes.take("", "ann's") is None
    assert codes.take(last, "ann's") == ""
    now[0] += 60
    assert codes.take(third, "ann's") is None


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_this_site_only_and_without_a_ticket_removes_itself(secure):
    marks = cookie("number", "/runoff", secure=secure).split("; ")
    assert marks[0] == f"{COOKIE}=number"
    assert {"Path=/runoff", "SameSite=Strict", "HttpOnly"} < set(marks)
    assert ("Secure" in marks) is secure
    assert "Max-Age=0" in cookie("", "/", secure=secure)
    assert "HttpOnly" not in cookie("number", "/", secure=secure, http_only=False)


def test_a_browser_is_the_token_and_not_how_it_is_written():
    masked, other = "2|00000000|aabbccdd|1", "2|ffffffff|55443322|7"
    assert browser_of({"_streamlit_xsrf": masked}) == browser_of({"_streamlit_xsrf": other}) != ""
    for nobody in ({}, {"_streamlit_xsrf": ""}, {"_streamlit_xsrf": "none"}, {"_streamlit_xsrf": "2|0|x"}):
        assert browser_of(nobody) == ""


def test_a_session_is_of_the_browser_that_ran_it_and_of_nobody_where_that_is_not_known(monkeypatch):
    known = Sessions()
    known.note("one", "ann's", "ticket")
    known.note("two", "")
    assert known.is_of("one", "ann's")
    for session, browser in (("one", "eve's"), ("one", ""), ("two", ""), ("two", "ann's"), ("three", "ann's")):
        assert not known.is_of(session, browser)
    assert known.tickets_of("ann's") == {"ticket"}
    assert known.tickets_of("") == set()
    assert known.under("ticket") == ["one"]
    assert known.under("") == []
    monkeypatch.setattr(sessions, "MOST", 2)
    known.note("one", "ann's")
    known.note("four", "ann's")
    assert known.is_of("one", "ann's"), "it was used after the other"
    assert known.is_of("four", "ann's")
    assert known.ticket_of("two") == known.ticket_of("one") == ""


def test_a_stranger_who_opens_many_sessions_takes_none_from_who_is_signed_in(monkeypatch):
    monkeypatch.setattr(sessions, "MOST", 3)
    known = Sessions()
    known.note("anns", "ann", "ticket")
    for number in range(10):
        known.note(f"eves {number}", "eve")
    assert known.under("ticket") == ["anns"], "signing out still ends it"
    assert known.is_of("anns", "ann")
    assert [number for number in range(10) if known.is_of(f"eves {number}", "eve")] == [8, 9]
    for number in range(3):
        known.note(f"bobs {number}", "bob", "bobs")
    assert not known.is_of("anns", "ann"), "where all are signed in the oldest goes"
    known.note("new", "eve")
    assert known.is_of("new", "eve")
