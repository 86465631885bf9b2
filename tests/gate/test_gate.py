"""What a stranger can do to other people's sessions over the network: nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from lib.data.upload.limits import AT_ONCE_BYTES, FILE_BYTES, MOST_DROPPED
from lib.gate.settings import METRICS
from tests.browser.harness import TIMEOUT_S, Server
from tests.gate.stranger import XSRF, Stranger

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def internet() -> Iterator[socket.socket]:
    """Where the app would ask for anything that is not on this machine; it never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server], internet) -> Server:
    way = f"http://127.0.0.1:{internet.getsockname()[1]}"
    return serve(http_proxy=way, https_proxy=way, no_proxy="127.0.0.1", **{METRICS: "true"})


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:1",
        "http://localhost:3000",
        "http://127.0.0.1",
        "https://evil.example",
        "http://runoff.example.evil.example:8501",
        "null",
        "file://",
    ],
)
def test_pages_of_other_origins_are_not_let_in_and_nothing_is_looked_up_for_them(ann, internet, origin):
    # Streamlit lets every port of this machine in, and asks the internet for its own address before it refuses others.
    with pytest.raises(InvalidStatus) as refused:
        ann.tab(origin=origin)
    assert refused.value.response.status_code == 403
    with pytest.raises(BlockingIOError):
        internet.accept()
    assert ann.client.post("/runoff/sign-in", content="x", headers={"Origin": origin}).status_code == 403


def test_the_apps_own_pages_are_let_in_under_every_name_that_a_proxy_has_for_it(app, ann):
    assert "support" in ann.tab().run().text
    assert ann.tab(origin="").run().session
    with Stranger(app, host="runoff.example") as named:
        assert named.tab().run().session
        assert named.tab(origin="https://runoff.example", X_Forwarded_Proto="https").run().session
        assert named.tab(origin="https://other.example", X_Forwarded_Host="other.example").run().session
        assert named.tab(origin="http://RUNOFF.example:80").run().session
        with pytest.raises(InvalidStatus):
            # The page came over HTTP, where anybody on the way may have written it.
            named.tab(origin="http://runoff.example", X_Forwarded_Proto="https")


def test_a_session_is_not_given_to_whoever_knows_its_id(ann, eve):
    tab = ann.tab()
    session = tab.run("search=qwen").session
    for cookies in (None, {}, {XSRF: "none"}):
        taken = eve.tab(session=session, cookies=cookies)
        assert taken.run().session not in ("", session)
    assert tab.is_open()
    assert tab.run().session == session, "nor is it ended"


def test_a_browser_that_was_away_gets_its_session_back(ann):
    tab = ann.tab()
    session = tab.run().session
    tab.close()
    # Other programs on this host set cookies too, and what they hold is theirs.
    others = {"other": '{"a": [1, "two"]}', "(odd)": "x=y"}
    assert ann.tab(session=session, cookies=others | ann.cookies).run().session == session


def test_files_are_taken_from_the_sessions_own_browser_only(ann, eve):
    session = ann.tab().run().session
    assert eve.upload(session, b"x").status_code == 403
    assert (
        eve.client.delete(f"/_stcore/upload_file/{session}/a", headers={"X-Xsrftoken": eve.cookies[XSRF]}).status_code
        == 403
    )
    assert eve.upload("no-such-session", b"x").status_code == 403
    assert ann.upload(session, b"x", Origin="http://127.0.0.1:1").status_code == 403
    assert ann.upload(session, b"x").status_code == 204


def test_what_one_session_sends_at_once_is_bounded_in_size_and_number(ann, app):
    session = ann.tab().run().session
    whole = b"x" * (FILE_BYTES - 2**16)
    taken = [ann.upload(session, whole, str(number)).status_code for number in range(4)]
    assert taken[0] == 204
    assert 413 in taken
    assert taken.count(204) * len(whole) <= AT_ONCE_BYTES
    many = ann.tab().run().session
    codes = [ann.upload(many, b"x", str(number)).status_code for number in range(MOST_DROPPED + 1)]
    assert codes == [204] * MOST_DROPPED + [413]


def test_what_all_strangers_send_is_bounded(app):
    whole = b"x" * (FILE_BYTES - 2**16)
    codes = []
    for _ in range(4):
        with Stranger(app) as each:
            session = each.tab().run().session
            codes += [each.upload(session, whole, str(number)).status_code for number in range(2)]
    held = re.search(
        r"cache_memory_bytes\{[^}]*UploadedFileManager[^}]*\} (\d+)",
        httpx.get(f"{app.url}/_stcore/metrics", trust_env=False, timeout=60).text,
    )
    assert 413 in codes
    assert held is not None
    assert int(held[1]) <= 200 * 2**20


def test_a_message_larger_than_a_browser_has_to_say_ends_the_connection(ann):
    tab = ann.tab()
    tab.run()
    other = ann.tab().run()
    tab.send(b"x" * 3_000_000)
    assert tab.is_ended()
    assert other.is_open()


@pytest.mark.parametrize(
    "path", ["/", "/ranking", "/_stcore/health", "/app/static/charts.js", "/media/none", "/nowhere"]
)
def test_every_answer_says_what_the_browser_may_do(ann, path):
    told = ann.client.get(path).headers
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-frame-options"] == "SAMEORIGIN"
    assert told["referrer-policy"] == "same-origin"
    assert "camera=()" in told["permissions-policy"]
    policy = dict(part.split(" ", 1) for part in told["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] in ("'self'", "'none'")
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(policy.get("script-src", "").split())
    assert not {"*", "https:", "http:"} & set(" ".join(policy.values()).split())


def test_a_link_with_more_fields_than_are_read_says_so(ann):
    def at(count: int) -> httpx.Response:
        return ann.client.get("/ranking?" + "&".join(f"run={number}" for number in range(count)))

    assert at(1000).status_code == 200
    sent = at(1001)
    assert (sent.status_code, sent.headers["location"]) == (303, "?fields=1001")
    assert "got one with 1,001, of which none is used" in ann.tab().run("fields=1001").text
    for odd in ("fields=5", "fields=" + "9" * 5000, "fields=x", "fields=%C2%B2%C2%B2%C2%B2%C2%B2"):
        assert "at most 1,000 fields" not in ann.tab().run(odd).text


def test_behind_several_processes_it_is_the_same(serve):
    served = serve(processes=2)
    with Stranger(served) as ann, Stranger(served) as eve:
        assert "script-src 'self'" in ann.client.get("/").headers["content-security-policy"]
        session = ann.tab().run().session
        with pytest.raises(InvalidStatus):
            ann.tab(origin="http://127.0.0.1:1")
        # In the same process: the balancer's cookie decides.
        taken = eve.tab(session=session, cookies=ann.cookies | {XSRF: eve.cookies[XSRF]})
        assert taken.run().session != session
        given = eve.client.get("/_stcore/health", headers={"X-Forwarded-Proto": "https"}).headers.get_list("set-cookie")
        assert given
        assert all("; Secure" in cookie for cookie in given)


def test_cookies_are_for_tls_where_a_proxy_speaks_it(ann):
    plain, secure = (
        ann.client.get("/_stcore/health", headers=headers).headers["set-cookie"]
        for headers in ({}, {"X-Forwarded-Proto": "https"})
    )
    assert "Secure" not in plain
    assert secure.endswith("; Secure")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_asked_to_end_ends_without_a_failure_though_somebody_looks_at_it(number):
    with Server() as server, Stranger(server) as ann:
        tab = ann.tab().run()
        os.kill(server.pid, number)
        assert tab.is_ended()
        assert server._process.wait(TIMEOUT_S) == 0
        assert "Abort" not in server.log()
