"""Which pages are the app's own, as far as headers tell."""

from __future__ import annotations

import pytest

from lib.gate.origin import is_https, is_own


@pytest.mark.parametrize(
    ("scheme", "headers", "own"),
    [
        ("ws", {"host": "localhost:8501"}, True),
        ("ws", {"host": "localhost:8501", "origin": "http://localhost:8501"}, True),
        ("ws", {"host": "[::1]:8501", "origin": "http://[::1]:8501"}, True),
        ("ws", {"host": "runs.example", "origin": "http://RUNS.example"}, True),
        ("ws", {"host": "runs.example", "origin": "https://runs.example"}, True),
        ("wss", {"host": "runs.example:443", "origin": "https://runs.example"}, True),
        ("ws", {"host": "10.0.0.7:8501", "x-forwarded-host": "runs.example", "origin": "https://runs.example"}, True),
        ("ws", {"host": "app", "x-forwarded-host": "runs.example, inner", "origin": "https://runs.example"}, True),
        ("ws", {"host": "app:1", "origin": "https://named.example"}, True),
        ("ws", {"host": "localhost:8501", "origin": "http://localhost:8502"}, False),
        ("ws", {"host": "localhost:8501", "origin": "http://127.0.0.1:8501"}, False),
        ("ws", {"host": "runs.example", "origin": "http://runs.example.evil.example"}, False),
        ("ws", {"host": "runs.example", "origin": "http://evil.example/runs.example"}, False),
        ("ws", {"host": "runs.example", "origin": "http://runs.example@evil.example"}, False),
        ("wss", {"host": "runs.example", "origin": "http://runs.example"}, False),
        ("ws", {"host": "runs.example", "x-forwarded-proto": "https", "origin": "http://runs.example"}, False),
        ("ws", {"host": "runs.example", "origin": "null"}, False),
        ("ws", {"host": "runs.example", "origin": ""}, False),
        ("ws", {"host": "runs.example", "origin": "http://runs.example:port"}, False),
        ("ws", {"host": "runs.example", "origin": "http://[runs.example"}, False),
        ("ws", {"host": "", "origin": "http://"}, False),
        ("ws", {"origin": "http://runs.example"}, False),
        ("ws", {"host": "runs.example", "origin": "https://named.example:444"}, False),
    ],
)
def test_an_origin_is_own_where_scheme_host_and_port_are_those_that_the_browser_asked(scheme, headers, own):
    assert is_own(scheme, headers, ["https://named.example"]) is own


@pytest.mark.parametrize(
    ("said", "origin", "own"),
    [
        ({}, "https://runs.example", True),
        ({}, "http://runs.example", True),
        ({"x-forwarded-proto": "https"}, "http://runs.example", False),
        ({}, "https://RUNS.example:8443", False),
        ({}, "https://lab.example:8443", True),
        ({}, "https://lab.example", False),
        ({}, "https://runs.example.evil.example", False),
        ({"x-forwarded-host": "evil.example"}, "https://runs.example", True),
    ],
)
def test_a_page_at_the_name_that_the_operator_has_said_is_own_whatever_the_proxy_calls_us(said, origin, own):
    headers = {"host": "app-internal:8501", "origin": origin} | said
    assert is_own("ws", headers, names=["runs.example", "lab.example:8443"]) is own


@pytest.mark.parametrize(
    ("scheme", "said", "https"),
    [("http", "", False), ("https", "", True), ("wss", "", True), ("http", "https", True), ("https", "http", False),
     ("ws", "HTTPS, http", True), ("http", "ftp", False)],
)  # fmt: skip
def test_a_proxy_says_what_the_browser_speaks(scheme, said, https):
    assert is_https(scheme, {"x-forwarded-proto": said} if said else {}) is https
