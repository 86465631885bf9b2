"""A page that fails shows a sentence and an id; the log has the reason under it, without a secret."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import httpx
import pytest

from tests.browser.actions import FIVE
from tests.browser.harness import PROJECT_ROOT, TIMEOUT_S, open_app, wait_idle

SECRET = "hunter22hunter22"
BROKEN = """
import streamlit as st
from lib.ui.frame.messages import FAILED

@st.fragment
def part():
    if st.button("Break a part"):
        raise ValueError("a part, password=hunter22hunter22")

def broken():
    raise ValueError("a callback, password=hunter22hunter22")

st.write("A page")
part()
st.button("Break a callback", on_click=broken)
if st.button("Break the page"):
    raise ValueError("the page, password=hunter22hunter22")
"""


@pytest.fixture(scope="module")
def broken_app(serve, tmp_path_factory):
    """The app's server, with a page that fails when it is told to."""
    folder = tmp_path_factory.mktemp("broken")
    shutil.copytree(PROJECT_ROOT / ".streamlit", folder / ".streamlit", ignore=shutil.ignore_patterns("secrets.toml"))
    (folder / "static").mkdir()
    script = (PROJECT_ROOT / "streamlit_app.py").read_text()
    start = script.index("def compare_runs")
    end = script.index('if __name__ == "streamlit_app"')
    page = "def compare_runs() -> None:" + BROKEN.replace("\n", "\n    ") + "\n\n\n"
    (folder / "streamlit_app.py").write_text(script[:start] + page + script[end:])
    return serve(script=folder / "streamlit_app.py", PYTHONPATH=str(PROJECT_ROOT), RUNOFF_LOG="json")


def entries_of(server) -> list[dict]:
    return [json.loads(line) for line in server.log(100_000).splitlines() if line.startswith("{")]


@pytest.mark.parametrize("what", ["the page", "a part", "a callback"])
def test_what_fails_says_so_with_an_id_that_the_log_has(broken_app, new_page, what):
    page = new_page(broken_app, fails=True)
    open_app(page)
    page.get_by_role("button", name=f"Break {what}").click()
    wait_idle(page)
    said = page.get_by_test_id("stAlert")
    error_id = re.search(r"Error id ([0-9a-f]{8})", said.inner_text())[1]
    assert "Traceback" not in page.content()
    assert SECRET not in page.content()
    (entry,) = [each for each in entries_of(broken_app) if each.get("error_id") == error_id]
    assert f"ValueError: {what}, password=" in entry["traceback"]
    assert SECRET not in broken_app.log(100_000)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "found none (Is a directory)"),
        (lambda file: file.symlink_to("gone.toml"), "found none (it is a link that leads nowhere)"),
        (lambda file: file.write_text("[runoff]", encoding="utf-16"), "found another encoding"),
    ],
)
def test_a_secrets_file_that_cannot_be_read_is_said_where_streamlit_would_serve_nothing(serve, tmp_path, make, reason):
    (tmp_path / ".streamlit").mkdir()
    make(tmp_path / ".streamlit" / "secrets.toml")
    server = serve(HOME=str(tmp_path), RUNOFF_LOG="json")
    answer = httpx.get(f"{server.url}/health", timeout=TIMEOUT_S, trust_env=False)
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json()["source"] == "misconfigured"
    (entry,) = [each for each in entries_of(server) if each.get("error_id") == answer.json()["error_id"]]
    assert reason in entry["message"]


def test_the_health_address_says_that_all_is_well_and_no_more(app):
    answer = httpx.get(f"{app.url}/health", timeout=TIMEOUT_S, trust_env=False)
    assert answer.status_code == httpx.codes.OK
    assert answer.json() == {"app": "ok", "source": "ok"}
    assert answer.headers["cache-control"] == "no-store"


def test_a_source_that_is_gone_is_not_well_and_its_page_and_its_health_are_in_the_log(serve, new_page, tmp_path):
    server = serve(RUNOFF_RUNS=str(tmp_path / "gone"), RUNOFF_LOG="json")
    answer = httpx.get(f"{server.url}/health", timeout=TIMEOUT_S, trust_env=False)
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json().keys() == {"app", "source", "error_id"}
    assert "gone" not in answer.text
    page = new_page(server)
    open_app(page, run=FIVE[0])
    shown = re.search(r"Error id ([0-9a-f]{8})", page.get_by_test_id("stAlert").first.inner_text())[1]
    logged = {entry.get("error_id") for entry in entries_of(server)}
    assert {shown, answer.json()["error_id"]} <= logged
