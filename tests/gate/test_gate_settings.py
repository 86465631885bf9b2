"""What is set wrongly of the gate is said on the page and in the log, and opens nothing until it is mended."""

from __future__ import annotations

import pytest

from lib.core.facts.errors import SettingsError
from lib.gate.settings import FRAMED_BY, METRICS, GateSettings, gate_settings_from
from tests.gate.stranger import Stranger

WIKI = "https://wiki.example.com"


@pytest.mark.parametrize(
    ("said", "sites"),
    [
        ("", ()),
        (WIKI, (WIKI,)),
        (f" {WIKI}  http://10.0.0.7:8080\n", (WIKI, "http://10.0.0.7:8080")),
        ("https://*.example.com", ("https://*.example.com",)),
    ],
)
def test_sites_that_may_frame_the_app(said, sites):
    assert gate_settings_from({FRAMED_BY: said}) == GateSettings(framed_by=sites)


@pytest.mark.parametrize(
    "said",
    [
        "wiki.example.com",
        f"{WIKI}/pages",
        f"{WIKI},https://b.example",
        f"{WIKI}; script-src *",
        "*",
        "https:",
        "https://wïki.example",
        f"{WIKI}:port",
        f"{WIKI}, ",
    ],
)
def test_anything_else_is_no_site(said):
    with pytest.raises(SettingsError, match=f"Expected {FRAMED_BY} to name sites such as https://wiki.example.com"):
        gate_settings_from({FRAMED_BY: said})


@pytest.mark.parametrize(("said", "told"), [("true", True), ("1", True), ("False", False)])
def test_the_numbers_are_told_where_that_is_said(said, told):
    assert gate_settings_from({METRICS: said}).metrics is told
    with pytest.raises(SettingsError, match=f"Expected the environment variable {METRICS} to be true or false"):
        gate_settings_from({METRICS: "yes please"})


@pytest.mark.xdist_group("browser")
def test_a_wrong_setting_is_a_sentence_on_the_page_and_in_the_log_and_opens_nothing(serve):
    server = serve(**{FRAMED_BY: "wiki.example.com", METRICS: "true"}, RUNOFF_LOG="json")
    with Stranger(server) as ann:
        shown = ann.tab().run().text
        told = ann.client.get("/")
        assert ann.client.get("/_stcore/metrics").status_code == 404
    sentence = f"Expected {FRAMED_BY} to name sites such as https://wiki.example.com; it is none."
    assert sentence in server.log()
    # Markdown in it is escaped.
    assert f"Expected {FRAMED_BY} to name sites" in shown
    assert "Write scheme and host" in shown
    assert "Traceback" not in shown
    assert told.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self';" in told.headers["content-security-policy"]


@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize(
    "path", ["/_stcore/metrics", "/_stcore/%6detrics", "/_stcore/metrics/", "/_stcore/metrics?families=active_sessions"]
)
def test_the_numbers_are_told_to_nobody_unless_that_is_set(serve, path):
    with Stranger(serve()) as eve:
        answers = [eve.client.get(path, follow_redirects=True), eve.client.head(path, follow_redirects=True)]
    assert [answer.status_code for answer in answers] == [404, 404]
