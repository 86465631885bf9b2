"""Behind a proxy that calls the app otherwise than people do, as a host may: who is let in, and what is said."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.gate.stranger import Stranger

pytestmark = pytest.mark.xdist_group("browser")

INSIDE = "app-internal:8501"
OUTSIDE = "https://runs.example"
TLS = {"X-Forwarded-Proto": "https"}


def test_where_the_address_is_said_its_pages_are_let_in_and_no_others(serve):
    server = serve(STREAMLIT_BROWSER_SERVER_ADDRESS="runs.example", STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION="true")
    with Stranger(server, host=INSIDE) as ann:
        session = ann.tab(origin=OUTSIDE, X_Forwarded_Proto="https").run().session
        assert ann.upload(session, b"x", Origin=OUTSIDE, **TLS).status_code == 204
        for origin in ("https://runs.example:8443", "http://runs.example", "https://evil.example", "http://localhost"):
            with pytest.raises(InvalidStatus):
                ann.tab(origin=origin, X_Forwarded_Proto="https")
            assert ann.upload(session, b"x", Origin=origin, **TLS).status_code == 403


def test_that_this_machine_is_called_localhost_lets_none_of_its_other_pages_in(serve):
    with Stranger(serve()) as ann, pytest.raises(InvalidStatus):
        ann.tab(origin="http://localhost")


def test_where_nothing_is_said_the_log_names_the_page_that_was_refused_once_and_what_to_do(serve):
    server = serve(RUNOFF_LOG="logfmt")
    forged = "https://x\tlevel=error"
    with Stranger(server, host=INSIDE) as ann:
        for origin in (OUTSIDE, OUTSIDE, forged, *[f"https://{number}.example" for number in range(50)]):
            with pytest.raises(InvalidStatus):
                ann.tab(origin=origin)
    said = [line for line in server.log(100_000).splitlines() if "Refused a page" in line]
    assert len(said) == 20
    (entry,) = [line for line in said if OUTSIDE in line]
    assert INSIDE in entry
    assert "server.corsAllowedOrigins" in entry
    assert all(" level=warning logger=runoff.gate message=" in line for line in said)
